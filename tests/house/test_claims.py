"""What each notebook claims has its evidence, most of it a counterfactual that was run, and one page shows all of it."""
import nbformat
import pytest

from snnteach.authoring import claims, notebooks, site
from snnteach.authoring.claims import Claim
from snnteach.lessons import lesson, syllabus

HAVE = [row.number for row in syllabus()]
STORED = {"price 0: accuracy", "price 0"}


@pytest.mark.parametrize("number", HAVE)
def test_the_claims_of_each_notebook_hold(number):
    assert claims.claims(lesson(number).topic) != [] and claims.lesson_flaws(number) == []


@pytest.fixture
def notebook():
    cell, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    return nbformat.v4.new_notebook(cells=[
        cell("Read [it](https://doi.org/10.1109/x).", id="s1-text"), code("x = 1", id="s1-x"),
        code('assert x, "spikes are\\\n free"\nassert x > 0', id="s1-x-proof"), code("assert x", id="s1-control"),
        cell("**Take away:** here spikes\nare free because they are rare.", id="s1-takeaway", metadata={"tags": ["takeaway"]}),
        cell("## Summary\n\n- Spikes are rare.\n- One is\n  enough.\n\n**Next:** it", id="summary",
             metadata={"tags": ["summary"]})])


@pytest.fixture
def found():
    return [Claim("s1-takeaway", "here spikes are free because they are rare", ("cell:s1-x-proof",), claims.UNTRIED),
            Claim("summary", "Spikes are rare", ("row:price 0", "doi:10.1109/x"), ("cell:s1-control", "row:price 0: accuracy")),
            Claim("summary", "One is enough", ("row:price 0",), ("cell:s1-control",))]


def test_claims_that_hold_are_let_pass(found, notebook):
    assert claims.flaws(found, notebook, STORED) == []


@pytest.mark.parametrize("place, change, message", [
    (0, {"cell": "s9"}, "no such cell"),
    (0, {"words": "here spikes are FREE because they are rare"}, "do not stand in it"),
    (0, {"words": "spikes are free because they are rare"}, "say 'here'"),
    (0, {"words": "here spikes are free"}, "a “because” in"),
    (0, {"evidence": ("cell:s1-none",)}, "no cell s1-none with an assert"),
    (0, {"evidence": ("cell:s1-x",)}, "no cell s1-x with an assert"),
    (0, {"evidence": ("cell:s1-text",)}, "no cell s1-text with an assert"),
    (0, {"evidence": ("cell:s1-control",)}, "no assert in s1-control has words of it"),
    (0, {"evidence": ("cell:s1-x-proof", "row:price 1")}, "no row 'price 1'"),
    (0, {"evidence": ("doi:10.1109/y",)}, "no link to doi.org/10.1109/y"),
    (0, {"evidence": ("hearsay",)}, "'hearsay' is no source"),
    (0, {"refuted_by": ("doi:10.1109/x",)}, "is no source"),
    (0, {"refuted_by": ("cell:s1-x",)}, "no cell s1-x with an assert"),
    (1, {"refuted_by": claims.UNTRIED}, "needs a counterfactual"),
    (1, {"words": "One is"}, "no row in claims.csv for “Spikes are rare.”"),
])
def test_each_flaw_is_told(place, change, message, found, notebook):
    found[place] = found[place]._replace(**change)
    assert message in "\n".join(claims.flaws(found, notebook, STORED))


def test_half_of_the_claims_are_tried_and_none_is_left_out(found, notebook):
    assert claims.flaws(found + 2 * found[:1], notebook, STORED) == [
        "less than half of the claims have a counterfactual that was tried"]
    (wrong,) = claims.flaws(found[1:], notebook, STORED)
    assert wrong.startswith("s1-takeaway: no row in claims.csv for “**Take away:** here")


@pytest.fixture
def written(tmp_path, monkeypatch, found):
    """A table of the claims of notebook 02 in a folder of its own."""
    monkeypatch.setattr(claims, "path", lambda topic: tmp_path / f"{topic}.csv")
    lines = ['"here spikes | pixels",cell:s1-x-proof,not tried', '"One, not two","row:a|b; doi:10.1/x",cell:s1-y']
    (tmp_path / "neurons.csv").write_text("\n".join([",".join(claims.COLUMNS), *(f"summary,{line}" for line in lines)]))
    return tmp_path / "neurons.csv"


def test_a_table_is_read_and_its_page_links_to_the_cells(written):
    first, second = claims.claims("neurons")
    assert first == ("summary", "here spikes | pixels", ("cell:s1-x-proof",), claims.UNTRIED)
    assert second.evidence == ("row:a|b", "doi:10.1/x")
    assert claims.cited() == {row.stem: {"summary", "s1-x-proof", "s1-y"} if row.number == "02" else set()
                              for row in syllabus()}
    head, *tables = claims.page().split("\n## ")
    assert head.startswith("# What we claim") and [table[:2] for table in tables] == ["02"]
    assert (r"| here spikes \| pixels [summary](#claim-02-summary) | [s1-x-proof](#claim-02-s1-x-proof) | not tried |"
            in tables[0])
    assert r"stored: a\|b, [doi:10.1/x](https://doi.org/10.1/x)" in tables[0]


def test_a_cell_that_is_cited_has_a_name_on_its_page_and_leads_to_the_claims(written):
    (path,) = notebooks.paths(["02"])
    notebook = notebooks.read(path)
    notebook.cells.insert(1, nbformat.v4.new_code_cell("assert x", id="s1-y"))
    cells = {cell.id: cell for cell in site.for_page(notebook, path.stem).cells}
    assert cells["s1-y-claim"].source.startswith("(claim-02-s1-y)=\n") and cells["s1-y"].source == "assert x"
    assert cells["summary"].source.startswith("(claim-02-summary)=\n## Summary")
    assert cells["summary"].source.endswith("(claims.md)")


@pytest.mark.parametrize("old, new", [("refuted_by", "refuted"), (",cell:s1-y", ""), ("not tried", "not tried,more")])
def test_a_table_with_other_columns_is_refused(old, new, written):
    written.write_text(written.read_text().replace(old, new))
    with pytest.raises(ValueError, match="neurons/claims.csv: every row has to have cell, claim, evidence, refuted_by"):
        claims.claims("neurons")
