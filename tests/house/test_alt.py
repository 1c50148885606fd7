"""The words that a figure would get now: they reach page and caption, are never empty, and are those that are committed."""
import ast
import re

import pytest
from IPython.utils.capture import capture_output

from snnteach import explore
from snnteach.authoring import notebooks
from snnteach.plots import animate, figure, show
from snnteach.reader.lookup import explorer as find
from tests.shell import shell

PLACES = {"show": 1, "animate": 3}                                   # where the alternative text stands among the arguments
WORDS = "A line that climbs from zero to one, and nothing else."


@pytest.fixture
def shown():
    """Run a function as a notebook would; return the data and metadata of what it displays."""
    def run(function, *arguments, **options):
        with capture_output() as captured:
            function(*arguments, **options)
        return [(output.data, output.metadata) for output in captured.outputs]
    with shell():
        yield run


def pictures(outputs):
    return [metadata.get("image/png", {}).get("alt") for data, metadata in outputs if "image/png" in data]


def captions(outputs):
    return [data["text/markdown"] for data, _ in outputs if "text/markdown" in data]


def film(fig):
    return fig.subplots()


def draw(axes, frame):
    axes.plot([0, frame], [0, frame])


def test_the_words_of_a_figure_are_its_alternative_text_and_its_caption(shown):
    outputs = shown(show, figure(2, 2)[0], WORDS)
    assert pictures(outputs) == [WORDS] and captions(outputs) == [f"*{WORDS}*"]


def test_the_words_of_a_film_are_those_of_its_still_and_its_caption(shown):
    outputs = shown(animate, film, draw, (1, 2), WORDS, width=2, height=2)
    assert pictures(outputs) == [WORDS] and captions(outputs) == [f"*{WORDS}*"]


def test_a_film_and_its_still_are_one_output_and_the_same_frame(shown):
    data, metadata = shown(animate, film, draw, (1, 2, 3), WORDS, still=1, width=2, height=2)[0]
    assert all(part in data["text/html"] for part in ('class="player film"', ' value="1"', "frame 2 of 3"))
    assert {"image/png", "text/html"} < set(data) and metadata["image/png"]["width"] == 192


@pytest.mark.parametrize("empty", ["", " \n", None])
def test_no_words_are_refused_before_anything_is_shown(shown, empty):
    for call in (lambda: show(figure(2, 2)[0], empty), lambda: animate(film, draw, (1, 2), empty)):
        with capture_output() as captured, pytest.raises(ValueError, match="alt must say in a sentence what the figure shows"):
            call()
        assert not captured.outputs


@pytest.mark.parametrize("name", ["membrane.constant", "bptt.path"])
def test_the_words_of_an_explorer_are_its_alternative_text_and_its_caption(name):
    live = explore(name)
    _, metadata = live._repr_mimebundle_()
    assert metadata == {"image/png": {"alt": find(name).alt}}
    assert live.children[-1].value == f"<em>{find(name).alt}</em>" and not re.search("[<>&]", find(name).alt)


def wanted(source):
    """The patterns of the alternative texts that a cell's figures get, in order; a number may stand where one is put in."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        if call.func.id in ("explore", "play"):
            yield re.escape(find(call.args[0].value).alt)
        elif call.func.id in PLACES:
            named = [keyword.value for keyword in call.keywords if keyword.arg == "alt"]
            yield pattern(named[0] if named else call.args[PLACES[call.func.id]])


def pattern(words):
    parts = words.values if isinstance(words, ast.JoinedStr) else [words]
    return "".join(re.escape(part.value) if isinstance(part, ast.Constant) else r"[-+]?[\d.]+" for part in parts)


def edited(notebook):
    """The cells whose committed alternative texts or captions are not those that their code would give them now."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            outputs = [(output.get("data", {}), output.get("metadata", {})) for output in cell.outputs]
            patterns, alts, told = [*wanted(cell.source)], pictures(outputs), " ".join(captions(outputs))
            if len(alts) != len(patterns) or not all(map(re.fullmatch, patterns, alts)):
                yield cell.id
            elif not re.search(r"\b(explore|play)\(", cell.source) and not all(f"*{alt}" in told for alt in alts):
                yield cell.id


@pytest.mark.parametrize("path", notebooks.paths([]), ids=lambda path: path.stem)
def test_what_is_committed_is_what_the_code_says(path):
    assert list(edited(notebooks.read(path))) == []


def test_every_edit_without_a_new_run_is_seen():
    (path,) = notebooks.paths(["training"])
    kinds = set()
    for place, cell in enumerate(notebooks.read(path).cells):
        if cell.cell_type == "code" and list(wanted(cell.source)):
            notebook = notebooks.read(path)
            cell = notebook.cells[place]
            figure = next(output for output in cell.outputs if "image/png" in output.get("data", {}))
            figure.metadata["image/png"]["alt"] = figure.metadata["image/png"]["alt"].replace("the", "a", 1)
            assert list(edited(notebook)) == [cell.id]
            kinds |= {kind for kind in ("explore(", "show(", 'f"') if kind in cell.source}
    assert kinds == {"explore(", "show(", 'f"'}
