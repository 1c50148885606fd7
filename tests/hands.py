"""A live figure as a reader's hands meet it, on any page: by key, by mouse and by finger."""
import itertools

from snnteach.lessons import syllabus
from snnteach.reader.lookup import part

FIGURES = [f"{row.topic}.{name}" for row in syllabus() for name in getattr(part(row.topic, "explorers"), "PAGES", {})]
PICTURE = "stage => [...stage.querySelectorAll('canvas')].map(canvas => canvas.toDataURL()).join()"
FRAME = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


def picture(stage):
    """What all canvases of a figure show once the next frame is drawn."""
    stage.evaluate(FRAME)
    return stage.evaluate(PICTURE)


def pressed(page, control):
    """Move a slider or a choice by an arrow key."""
    control.focus()
    movable = control.get_attribute("min") != control.input_value() and control.get_attribute("type") == "range"
    page.keyboard.press("ArrowLeft" if movable else "ArrowRight")


def elsewhere(control):
    """A point on a control: of a slider, where it does not stand."""
    box, share = control.bounding_box(), 0.5
    if control.get_attribute("type") == "range":
        low, here, high = map(float, (control.get_attribute("min"), control.input_value(), control.get_attribute("max")))
        share = 0.3 if here > (low + high) / 2 else 0.7
    return {"x": box["x"] + share * box["width"], "y": box["y"] + box["height"] / 2}


def clicked(page, control):
    """Click on the other side of a slider, or on a choice."""
    page.mouse.click(*elsewhere(control).values())


def touched(page, control):
    """Tap on the other side of a slider, or on a choice."""
    point = elsewhere(control)
    touch = page.context.new_cdp_session(page)
    touch.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    touch.send("Emulation.setTouchEmulationEnabled", {"enabled": False})
    touch.detach()


def move(page, stage, ways=(pressed, clicked, touched)):
    """Move each control of a figure in each way; every time its picture has to change. Return how many controls it has."""
    stage.locator("canvas").first.wait_for()
    sliders, choices = stage.locator("input[type=range]").all(), stage.locator("fieldset").all()
    for way, (control, choice) in itertools.product(ways, [*((slider, False) for slider in sliders),
                                                           *((group, True) for group in choices)]):
        before = picture(stage)
        if choice:
            control = control.locator("input:checked" if way is pressed else "input:not(:checked)").first
        control.scroll_into_view_if_needed()
        way(page, control)
        assert picture(stage) != before, f"{way.__name__} moves nothing: {control}"
    return len(sliders) + len(choices)
