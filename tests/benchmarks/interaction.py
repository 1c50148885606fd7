"""Measure from a slider's event to the new picture on the screen, for every explorer, beside plain `interact`.

    python tests/benchmarks/interaction.py [live]

In a real JupyterLab, served as `python -m snnteach lab` serves it, in headless Chromium each explorer's first slider makes
30 single moves (after four to warm up), each timed from the key to the frame after the new picture was decoded, then is
dragged there and back in one second by 60 mouse events. The same controls and the same figure then come from
`ipywidgets.interact`, which draws a new pyplot figure at every move. The table is written to
interaction.csv beside this file. Server, kernel and browser share the machine: compare only within a run.

Live figures need no kernel. Each one's first slider makes the same moves on a page from disk and in JupyterLab, timed from the
event to the end of the frame in which the canvas was drawn, and is dragged in the same way; the table is live.csv.

What was tried, on the way to `interact`'s time times 0.15:
- TCP_NODELAY on the server's connection and a palette in the PNG, together: the median over all explorers fell from 55 to 30 ms
  on one machine (of `interact`'s time from 0.33 to 0.23). Both stay.
- One explorer (`membrane.constant`) on a machine half as fast, median of 30 moves: as it is 64 ms; a lossless PNG 76;
  no echo of the slider's value by ipywidgets 61, 72 instead of 96 dots per inch 64: no gain beyond the noise, not taken.
- What remains: with a picture made beforehand, that is without computing, drawing and encoding, 47 of the 64 ms. That is the
  way from the browser to the kernel and back, the same for both; of the rest, matplotlib's letters take the most.
"""
import csv
import statistics
import sys
import tempfile
from pathlib import Path

import nbformat.v4 as nb

sys.path.insert(0, str(Path(__file__).parents[2]))
from snnteach.lessons import syllabus
from snnteach.lessons.kinds import Control
from snnteach.reader.lookup import explorer as find
from snnteach.reader.lookup import part
from snnteach.reader.page import inlined
from tests import browser
from tests.hands import FIGURES

TABLE = Path(__file__).with_suffix(".csv")
MOVES, WARM_UP = 30, 4
COLUMNS = ("explorer", "slider", "live_median_ms", "live_p95_ms", "live_fps",
           "interact_median_ms", "interact_p95_ms", "interact_fps", "ratio")
LIVE_COLUMNS = ("figure", "page_median_ms", "page_p95_ms", "page_fps", "lab_median_ms", "lab_p95_ms", "lab_fps")
INTERACT = """
import ipywidgets, matplotlib.pyplot as plt
from snnteach.reader.lookup import explorer as find
def plain(name):
    explorer = find(name)
    def draw(**parameters):
        fig = plt.figure(figsize=explorer.size, dpi=96)
        explorer.update(explorer.build(fig), explorer.compute(**parameters))
        plt.show()
    controls = {name: control.widget() for name, control in explorer.controls.items()}
    for name, control in explorer.controls.items():
        controls[name].description = control.label
    ipywidgets.interact(draw, **controls)
"""
MEASURE = """
const sleep = milliseconds => new Promise(done => setTimeout(done, milliseconds));
const frame = () => new Promise(done => requestAnimationFrame(done));
function watch(root) {                                   // the time at which each new picture was on the screen
  const times = [], sources = () => [...root.querySelectorAll('img')].map(picture => picture.src).join();
  let shown = sources();
  const observer = new MutationObserver(async () => {
    const now = sources();
    if (!now || now === shown) return;                   // cleared, or only the slider's read-out changed
    shown = now;
    try { await Promise.all([...root.querySelectorAll('img')].map(picture => picture.decode())); } catch { return; }
    await frame();
    times.push(performance.now());
  });
  observer.observe(root, {subtree: true, childList: true, attributes: true, attributeFilter: ['src']});
  return {times, stop: () => observer.disconnect()};
}
async function move(handle, root) {
  const end = handle.getAttribute('aria-valuenow') === handle.getAttribute('aria-valuemax');
  if (end) handle.dataset.back = '1';
  if (handle.getAttribute('aria-valuenow') === handle.getAttribute('aria-valuemin')) handle.dataset.back = '';
  const seen = watch(root), start = performance.now();
  handle.dispatchEvent(new KeyboardEvent('keydown', {key: handle.dataset.back ? 'ArrowLeft' : 'ArrowRight', bubbles: true}));
  while (!seen.times.length && performance.now() - start < 2000) await sleep(2);
  await sleep(300);
  seen.stop();
  return seen.times.length ? seen.times[0] - start : null;
}
async function drag(handle, root) {
  const track = handle.closest('.noUi-target').getBoundingClientRect(), box = handle.getBoundingClientRect();
  const y = box.y + box.height / 2;
  const send = (target, kind, x) => target.dispatchEvent(new MouseEvent(kind, {
    clientX: x, clientY: y, button: 0, buttons: kind === 'mouseup' ? 0 : 1, bubbles: true, cancelable: true}));
  const seen = watch(root), start = performance.now();
  send(handle.querySelector('.noUi-touch-area'), 'mousedown', box.x + box.width / 2);
  for (let event = 1; event <= 60; event++) {
    while (performance.now() - start < event * 1000 / 60) await sleep(1);
    const way = event <= 30 ? event / 30 : 2 - event / 30;                  // there and back: some sliders have ten values
    send(document.documentElement, 'mousemove', track.x + track.width * (0.1 + 0.8 * way));
  }
  const shown = seen.times.filter(time => time - start <= 1000).length;
  send(document.documentElement, 'mouseup', track.x + track.width * 0.1);
  await sleep(1500);
  seen.stop();
  return shown;
}
window.measure = {move, drag};
"""
LIVE = """([stage, count]) => {
  const slider = stage.querySelector('input[type=range]'), times = [], from = Number(slider.value);
  const [low, high, step] = [slider.min, slider.max, slider.step].map(Number);
  const near = from + step > high ? from - step : from + step;
  const set = value => { slider.value = value; slider.dispatchEvent(new Event('input', {bubbles: true})); };
  const frame = () => new Promise(done => requestAnimationFrame(() => {
    const channel = new MessageChannel();                // its message comes once the frame is done
    channel.port1.onmessage = done;
    channel.port2.postMessage(0);
  }));
  const pen = CanvasRenderingContext2D.prototype, clear = pen.clearRect, drawn = new Set();
  pen.clearRect = function (...box) { drawn.add(document.timeline.currentTime); clear.apply(this, box); };
  return (async () => {
    for (let move = 0; move < count; move++) {
      await new Promise(done => setTimeout(done, 50));
      const start = performance.now();
      set(move % 2 ? from : near);
      await frame();
      times.push(performance.now() - start);
    }
    drawn.clear();
    const start = performance.now();
    for (let event = 1; event <= 60; event++) {
      while (performance.now() - start < event * 1000 / 60) await new Promise(done => setTimeout(done, 1));
      set(low + (high - low) * (event <= 30 ? event / 30 : 2 - event / 30));
    }
    pen.clearRect = clear;
    return [times, drawn.size];
  })();
}"""


def names():
    """All explorers, "topic.name"."""
    return [f"{row.topic}.{name}" for row in syllabus() for name in part(row.topic, "explorers").EXPLORERS]


def first_slider(name):
    """The name of an explorer's first slider."""
    return next(key for key, control in find(name).controls.items() if isinstance(control, Control))


def notebook(path, cells):
    """Write a notebook with these cells."""
    path.write_text(nb.writes(nb.new_notebook(cells=[nb.new_code_cell(cell) for cell in cells],
                                              metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})))
    return path


def measured(reader, cell):
    """(median ms, p95 ms, pictures in a second of dragging) of the first slider in a cell; None where no move was seen."""
    output = reader.page.locator(".jp-Notebook .jp-CodeCell").nth(cell).locator(".jp-OutputArea-output").first
    handle = output.locator(".noUi-handle").first
    handle.wait_for()
    output.locator("img").first.wait_for()
    reader.page.wait_for_timeout(1500)
    pair = [handle.element_handle(), output.element_handle()]
    moves = [reader.page.evaluate("([handle, root]) => measure.move(handle, root)", pair)
             for _ in range(WARM_UP + MOVES)][WARM_UP:]
    moves = sorted(move for move in moves if move is not None)                # a step that left the picture as it was
    fps = reader.page.evaluate("([handle, root]) => measure.drag(handle, root)", pair)
    return statistics.median(moves), moves[round(0.95 * (len(moves) - 1))], fps


def live_figure(page):
    """(median ms, p95 ms, frames in a second of dragging) of the first slider of the live figure on a page."""
    stage = page.locator(".live-stage").first
    stage.locator("canvas").first.wait_for()
    page.wait_for_timeout(1000)
    times, frames = page.evaluate(LIVE, [stage.element_handle(), WARM_UP + MOVES])
    times = sorted(times[WARM_UP:])
    return round(statistics.median(times), 1), round(times[round(0.95 * (len(times) - 1))], 1), frames


def live_figures():
    """Measure every live figure on a page from disk and in JupyterLab, write the table and print it."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        files = {name: notebook(Path(folder) / f"{name}.ipynb", [f"from snnteach import play\nplay({name!r})"])
                 for name in FIGURES}
        with browser.serve(Path(folder) / "lab", files.values()) as server, browser.reader() as reader:
            for name, path in files.items():
                page = path.with_suffix(".html")
                page.write_text(f"<!doctype html><meta charset=utf-8>{inlined(name)}", encoding="utf-8")
                reader.page.goto(page.as_uri())
                alone = live_figure(reader.page)
                reader.open(server, path.name)
                reader.run_all()
                rows.append((name, *alone, *live_figure(reader.page)))
                print(rows[-1], flush=True)
                reader.page.evaluate("jupyterapp.shell.currentWidget.sessionContext.shutdown()")
            with open(TABLE.with_name("live.csv"), "w", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows([LIVE_COLUMNS, *rows])


def main():
    """Measure every explorer and every live figure ("live": these alone), write the tables, print them and a summary."""
    live_figures()
    if sys.argv[1:] == ["live"]:
        return
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        files = {name: notebook(Path(folder) / f"{name}.ipynb", [        # as the course shows it, and the same by `interact`
            "from snnteach import explore, setup\nsetup(0)", f"explore({name!r})", f"{INTERACT}\nplain({name!r})"])
            for name in names()}
        with browser.serve(Path(folder) / "lab", files.values()) as server, browser.reader() as reader:
            for name, path in files.items():
                reader.open(server, path.name)
                reader.page.evaluate(MEASURE)
                reader.run_all()
                live, plain = measured(reader, 1), measured(reader, 2)
                rows.append((name, first_slider(name), *map(round, (*live, *plain)), round(live[0] / plain[0], 2)))
                print(rows[-1], flush=True)
                reader.page.evaluate("jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    with open(TABLE, "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])
    ratios, frames = [row[-1] for row in rows], [row[4] for row in rows]
    print(f"of interact's time: median {statistics.median(ratios):.2f}, worst {max(ratios):.2f}; "
          f"frames a second: median {statistics.median(frames)}, least {min(frames)}")


if __name__ == "__main__":
    main()
