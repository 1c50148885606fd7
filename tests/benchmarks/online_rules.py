"""Measure time and memory of one gradient by BPTT, e-prop and OTTT, as notebook 16 shows them.

    python tests/benchmarks/online_rules.py

Time: median processor time of one thread, the rules in turns in one process. Memory: by how much the resident memory of a fresh
process rises while one gradient is computed (Linux). The network has 100 inputs, 200 recurrent neurons and 10 read-outs, the
batch 16 samples. The stored numbers are made by the same functions: `python -m snnteach study 16`.
"""
from pathlib import Path

from snnteach.lessons.online.study import LENGTHS, STEPS, extra_memory, in_a_process, seconds_a_gradient

if __name__ == "__main__":
    for num_steps in LENGTHS:
        times = in_a_process(seconds_a_gradient, num_steps, max(3, 500 // num_steps))
        for rule in STEPS:
            told = f"T={num_steps:4d} {rule:14s} {1e3 * times[rule]:7.1f} ms, {times[rule] / times['BPTT']:.2f} of BPTT"
            if Path("/proc/self/status").exists():
                extra = in_a_process(extra_memory, rule, num_steps)
                told += f"; {extra:6.1f} MB above the input"
            print(told, flush=True)
