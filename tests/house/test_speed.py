"""What README says of speed and memory is what the table of measurements holds, and what the course promises."""
import csv
from pathlib import Path

ROOT = Path(__file__).parents[2]


def rows():
    return list(csv.DictReader((ROOT / "tests" / "benchmarks" / "speed.csv").open()))


def sentence():
    """The words of README for the table."""
    layers = {}
    for row in rows():
        if row["what"].startswith("layer"):
            layers.setdefault(row["what"].split()[-1], []).append(float(row["ratio"]))
    printed, hoisted = (row for row in rows() if row["what"] == "training step")
    assert [printed["how"], hoisted["how"]] == ["as printed", "hoisted"] and all(len(ways) == 2 for ways in layers.values())
    few, many = (f"{min(layers[size]):.1f} to {max(layers[size]):.1f} times with {size}" for size in ("100", "1000"))
    memory = float(printed["snnteach_mb"]) / float(printed["whole_batch_mb"])
    return (f"{few} neurons, {many}, by whether a sum's gradient goes into an input that is kept or a dense one into a fresh "
            "input. A whole training step of 784-1000-10, in slices of the batch whose gradients add up, is "
            f"{float(printed['ratio']):.1f} times as fast as that of snnTorch's tutorial 5 as printed, "
            f"{float(hoisted['ratio']):.1f} times as one that multiplies by the first weights once, and needs {memory:.2f} of "
            "the memory of the whole batch.")


def test_readme_quotes_the_table():
    said = (ROOT / "README.md").read_text(encoding="utf-8").partition("<!-- speed -->")[2].partition("<!-- /speed -->")[0]
    assert " ".join(said.split()) == sentence()


def test_the_table_is_whole_and_its_ratios_are_its_own():
    assert [row["what"] for row in rows()] == ["layer of 100"] * 2 + ["layer of 1000"] * 2 + ["training step"] * 2
    for row in rows():
        ratio = float(row["snntorch_ms"]) / float(row["snnteach_ms"])
        assert abs(float(row["ratio"]) - ratio) < 0.01 * ratio and ratio > (1.4 if row["how"] == "hoisted" else 3)
    printed = rows()[-2]
    assert float(printed["snnteach_mb"]) <= 0.35 * float(printed["whole_batch_mb"])
