"""A teacher's table: who solved what, from codes that came by mail, some of them broken."""
import pytest

from snnteach.authoring import classroom
from snnteach.install import commands
from snnteach.install.troubles import SetupError
from snnteach.reader import state
from snnteach.reader.lookup import exercises, guesses

FIRST, SECOND, *_ = exercises("02")
ASKED, GUESS = next(iter(guesses("02").items()))
WRONG = next(choice for choice in GUESS.choices if choice != GUESS.right)


def code(**found):
    return state.encode({**state.empty(), **found})


ONE = code(solved={FIRST: "2026-01-02"}, hints={FIRST: 2, SECOND: 1}, guesses={ASKED: WRONG})
CODES = [f"a reader: {ONE}", "", code(solved={FIRST: "2026-01-03"}, guesses={ASKED: GUESS.right}),
         code(solved={"07.1": "2026-01-03"})]


def test_the_table_counts_readers_hints_and_guesses():
    states, troubles = classroom.read(CODES)
    table = classroom.table("02", states)
    first, second = (exercises("02")[name].minutes for name in (FIRST, SECOND))
    assert troubles == [] and table.startswith("## 02 · 2 of 3 began\n")
    assert f"| {FIRST} | {first} | 2 | 1 | 2 |" in table and f"| {SECOND} | {second} | 0 | 1 | 1 |" in table
    assert f"- 1 · {WRONG}\n" in table and f"- 1 · {GUESS.right} (right)" in table and table.count(" (right)") == 1
    assert classroom.table("01", states) == ""


def test_a_broken_code_is_named_and_the_others_count(tmp_path, capsys):
    file = tmp_path / "codes.txt"
    file.write_text("\n".join([*CODES, "no code", CODES[2][:-3]]), encoding="utf-8")
    assert classroom.command(commands.parser().parse_args(["class", str(file)]), []) == 1
    out, err = capsys.readouterr()
    assert "## 02 · 2 of 3 began" in out and "## 07 · 1 of 3 began" in out
    first, second = err.splitlines()
    assert first.startswith("line 5: a restore code starts with 'snn2:'") and second.startswith("line 6: the checksum of")


def test_a_class_that_has_not_begun_and_a_file_that_is_not_there(tmp_path, capsys):
    file = tmp_path / "codes.txt"
    file.write_text(code(), encoding="utf-8")
    assert classroom.command(commands.parser().parse_args(["class", str(file)]), []) == 0
    assert capsys.readouterr().out == "Nobody has begun.\n"
    with pytest.raises(SetupError, match="line of progress.*code for each reader"):
        classroom.command(commands.parser().parse_args(["class", str(tmp_path / "none.txt")]), [])
