"""Measure the memory of every notebook's kernel, as Binder would see it: after setup, at its peak, and three kernels at once.

    python tests/benchmarks/memory.py

Each notebook runs in a kernel of its own, three kernels open at a time, beside a JupyterLab server. Resident memory of the
kernel process comes from the operating system (VmRSS after the setup cell, VmHWM at the end). This process, the server and the
kernels of a turn together are held below 2 GB by a control group (Linux, version 1, root), so that a turn that needs more dies
here as it would there. The table is written to memory.csv beside this file.
"""
import asyncio
import contextlib
import csv
import os
import re
import sys
import tempfile
from pathlib import Path

from nbclient import NotebookClient

sys.path.insert(0, str(Path(__file__).parents[2]))
from snnteach.authoring import notebooks
from tests import browser

TABLE = Path(__file__).with_suffix(".csv")
LIMIT, AT_ONCE = 2 * 1024**3, 3
AFTER_SETUP_MB, PEAK_MB = 450, 900                                         # the budget of one kernel
GROUP = Path("/sys/fs/cgroup/memory/snnteach_binder")
COLUMNS = ("notebook", "after_setup_mb", "peak_mb", "kernels_open")


@contextlib.contextmanager
def capped():
    """Hold this process and what it starts below LIMIT, and say how far they came."""
    try:
        GROUP.mkdir(exist_ok=True)
        (GROUP / "memory.limit_in_bytes").write_text(str(LIMIT))
        (GROUP / "memory.max_usage_in_bytes").write_text("0")
        (GROUP / "cgroup.procs").write_text(str(os.getpid()))
    except OSError as trouble:
        sys.exit(f"no limit can be set here ({trouble}): this needs Linux, root and control groups of version 1.")
    try:
        yield
        highest = int((GROUP / "memory.max_usage_in_bytes").read_text()) / 1024**2
        print(f"all within {LIMIT / 1024**3:.0f} GB; three kernels, the server and this process: {highest:.0f} MB at most")
    finally:
        (GROUP.parent / "cgroup.procs").write_text(str(os.getpid()))
        with contextlib.suppress(OSError):                                 # a kernel that has not ended yet
            GROUP.rmdir()


def resident(process, which):
    """Resident memory of a process in MB: which is "VmRSS" (now) or "VmHWM" (its peak)."""
    return int(re.search(rf"{which}:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())[1]) / 1024


def over_budget(process, after_setup):
    """Say that a kernel is over its budget, after the setup cell or at its peak so far; "" if it is not, and off Linux."""
    if not Path(f"/proc/{process}/status").exists():
        return ""
    which, most = ("VmRSS", AFTER_SETUP_MB) if after_setup else ("VmHWM", PEAK_MB)
    found = resident(process, which)
    return f"{which} of the kernel is {found:.0f} MB, and the budget is {most}" if found > most else ""


async def measure(path, home):
    """Run one notebook; (after setup, peak) of its kernel in MB. The kernel stays open: returns its client too."""
    notebook = notebooks.read(path)
    client = NotebookClient(notebook, timeout=600, kernel_name="python3", store_widget_state=False,
                            resources={"metadata": {"path": str(notebooks.TUTORIALS)}})
    client.create_kernel_manager()
    await client.async_start_new_kernel(env={**os.environ, "SNNTEACH_HOME": str(home), "OMP_NUM_THREADS": "1"})
    await client.async_start_new_kernel_client()
    process, first = client.km.provisioner.pid, None
    for index, cell in enumerate(notebook.cells):
        await client.async_execute_cell(cell, index)
        if first is None and "setup" in cell.metadata.get("tags", []):
            first = resident(process, "VmRSS")
    return first, resident(process, "VmHWM"), client


async def turn(paths):
    """Run notebooks side by side and stop their kernels only when all have ended."""
    with tempfile.TemporaryDirectory() as home:
        results = await asyncio.gather(*(measure(path, Path(home) / path.stem) for path in paths))
        for *_, client in results:
            await client.km.shutdown_kernel(now=True)
    return [(path.stem, round(first), round(peak), len(paths)) for path, (first, peak, _) in zip(paths, results)]


def main():
    """Measure every notebook, three at a time; write the table and print it."""
    rows, paths = [], notebooks.paths()
    with tempfile.TemporaryDirectory() as folder, capped(), browser.serve(Path(folder) / "lab", ()):
        for start in range(0, len(paths), AT_ONCE):
            rows += asyncio.run(turn((paths + paths)[start:start + AT_ONCE]))[:len(paths) - start]
            print(*rows[-AT_ONCE:], sep="\n", flush=True)
    with open(TABLE, "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])


if __name__ == "__main__":
    main()
