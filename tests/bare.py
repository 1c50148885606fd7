"""Programs on a Python that knows PyTorch and nothing of snnteach, each in a process and a folder of its own.

Where the system can fork, one interpreter imports PyTorch once, and each program is a fork of it.
"""
import contextlib
import os
import subprocess
import sys
from typing import NamedTuple

SECONDS = 120
START = """
import os, signal, sys
sys.modules['snnteach'] = None
import torch
torch.set_num_threads(1)

def run(folder):
    os.chdir(folder)
    for number, name in ((1, 'stdout'), (2, 'stderr')):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT), number)
    exec(compile(open('program.py', encoding='utf-8').read(), 'program.py', 'exec'), {'__name__': '__main__'})
"""
FORK = f"""
for folder in sys.stdin:
    if os.fork() == 0:
        signal.alarm({SECONDS})
        run(folder.strip())
        break
    print(os.waitstatus_to_exitcode(os.wait()[1]), flush=True)
"""


class Done(NamedTuple):
    """How a program ended and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


@contextlib.contextmanager
def interpreter():
    """Give run(source, folder) -> Done, which runs a program in an empty folder, until the block ends."""
    command, process = [sys.executable, "-I", "-c"], None
    if hasattr(os, "fork"):
        process = subprocess.Popen([*command, START + FORK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(source, folder):
        (folder / "program.py").write_text(source, encoding="utf-8")
        if process is None:
            code = subprocess.run([*command, f"{START}\nrun({str(folder)!r})"], timeout=SECONDS).returncode
        else:
            print(folder, file=process.stdin, flush=True)
            code = int(process.stdout.readline())
        return Done(code, *((folder / name).read_text(encoding="utf-8") for name in ("stdout", "stderr")))

    try:
        yield run
    finally:
        if process is not None:
            process.communicate()
