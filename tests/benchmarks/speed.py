"""Measure the layer and the whole training step against snnTorch, and store the table that README quotes.

    python tests/benchmarks/speed.py          on an otherwise idle machine; writes tests/benchmarks/speed.csv
"""
import csv
from pathlib import Path

import lif_layer
import torch
import training_step

TABLE = Path(__file__).with_suffix(".csv")
FIELDS = ("what", "how", "snntorch_ms", "snnteach_ms", "ratio", "snntorch_mb", "snnteach_mb", "whole_batch_ms",
          "whole_batch_mb")


def main():
    torch.set_num_threads(1)
    rows = [*lif_layer.rows(), *training_step.rows()]
    with TABLE.open("w", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            ratio = round(row["snntorch_ms"] / row["snnteach_ms"], 2)
            writer.writerow({name: round(value, 1 if name.endswith("mb") else 2) if isinstance(value, float) else value
                             for name, value in row.items()} | {"ratio": ratio})


if __name__ == "__main__":
    main()
