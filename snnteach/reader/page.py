"""Live figures: an explorer's twin in JavaScript, from the same files in a notebook, on the site and on slides."""
import html
import io
import json
from pathlib import Path

import anywidget
import traitlets
from PIL import Image

from ..lessons.kinds import Choice
from ..plots.style import encoded, small_png
from .live import Frame
from .lookup import explorer, page, script

KIT = Path(__file__).with_name("kit.js")
_WIDGET = 'export default {render: ({model, el}) => show(el, JSON.parse(model.get("data")))};'
_INLINE = """
document.querySelectorAll(".live:not(.moves)").forEach(el => {
  if (el.dataset.name != NAME) return;
  el.classList.add("moves");
  show(el, JSON.parse(el.querySelector("script").textContent));
});"""


def module(name):
    """The JavaScript of a live figure: what all share, and what its lesson adds."""
    return f"{KIT.read_text(encoding='utf-8')}\n{script(name).read_text(encoding='utf-8')}"


def data(name):
    """What a live figure is given: title, alternative text and controls of its explorer, and what the lesson ships."""
    found = explorer(name)
    controls = {key: vars(control) | {"options": list(control.options)} if isinstance(control, Choice) else vars(control)
                for key, control in found.controls.items()}
    return {"title": page(name).title, "alt": found.alt, "controls": controls, **page(name).data()}


def still(name):
    """The picture that stands where no script runs, as PNG bytes."""
    frame = Frame(explorer(name))
    picture = Image.open(io.BytesIO(frame.png(**{**explorer(name).start(), **page(name).still})))
    return small_png(picture.convert("RGB"))


def inlined(name):
    """A live figure as HTML that needs nothing from elsewhere; where scripts do not run, its picture stands."""
    shipped = json.dumps(data(name)).replace("<", r"\u003c")
    return f"""<div class="live" data-name="{html.escape(name)}">
<img alt="{html.escape(explorer(name).alt)}" src="data:image/png;base64,{encoded(still(name))}" style="max-width: 100%">
<script type="application/json">{shipped}</script>
</div>
<script type="module">
{module(name)}{_INLINE.replace("NAME", json.dumps(name))}
</script>"""


class LivePage(anywidget.AnyWidget):
    """A live figure in a notebook; its picture stands where no kernel or no front end of anywidget runs."""

    data = traitlets.Unicode().tag(sync=True)

    def __init__(self, name):
        self.name, shipped = name, json.dumps(data(name))
        super().__init__(_esm=f"{module(name)}\n{_WIDGET}", data=shipped)

    def __repr__(self):
        return f"LivePage({self.name})"

    def _repr_mimebundle_(self, **options):
        bundle, *_ = super()._repr_mimebundle_(**options)
        twin = {"image/png": encoded(still(self.name)), "text/plain": repr(self)}
        return {**bundle, **twin}, {"image/png": {"alt": explorer(self.name).alt}}


def play(name):
    """Open an explorer's live figure, which needs no kernel: it moves at the speed of the screen, also on the site."""
    return LivePage(name)
