"""Start workers, wait for them, and leave none behind."""
import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

from . import relay, worker

SECONDS = 240                                                # after which everything is ended


def environment():
    """The variables of a worker: this package can be imported, one thread, and no network but this machine's own."""
    own = {"PYTHONPATH": os.pathsep.join(place or os.getcwd() for place in sys.path), "OMP_NUM_THREADS": "1"}
    if sys.platform.startswith("linux"):
        own["GLOO_SOCKET_IFNAME"] = "lo"
    if sys.platform == "darwin":
        own["GLOO_SOCKET_IFNAME"] = "lo0"
    if os.name == "nt":
        own["USE_LIBUV"] = "0"
    return os.environ | own


def torchrun(workers, program, *arguments):
    """The command line that starts so many workers on this machine, on a free port."""
    return [sys.executable, "-m", "torch.distributed.run", "--standalone", "--local-addr=127.0.0.1",
            f"--nproc-per-node={workers}", "--max-restarts=1", "-m", program, *map(str, arguments)]


def end(process):
    """End a process: ask first, so that torchrun ends its workers; then force it."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
    if process.poll() is None:
        process.kill()
    process.wait()


def finish(process, seconds):
    """Wait for a process and return what it said; RuntimeError if it failed or had to be ended."""
    try:
        said, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired as late:
        said = f"not done after {seconds} seconds; {(late.output or b'').decode(errors='replace')}"
        end(process)
        process.returncode = -1
    finally:
        end(process)
    if process.returncode:
        raise RuntimeError(f"the workers failed: {said[-2000:]}")
    return said


def launch(workers, job, seconds=SECONDS):
    """Do a job (see `worker`) on so many processes under torchrun; return what the first of them found."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        torch.save(job | {"seconds": seconds}, Path(folder) / "job.pt")
        process = subprocess.Popen(torchrun(workers, worker.work.__module__, folder), env=environment(), text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        finish(process, seconds)
        return torch.load(Path(folder) / "result.pt", weights_only=True)


def kill_midway(folder, seconds=SECONDS):
    """Start a process that goes on from run.pt, wait until it has written half of its last checkpoint, and kill it."""
    process = subprocess.Popen([sys.executable, "-m", relay.train_until_killed.__module__, str(folder), str(seconds)],
                               env=environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        said = process.stdout.readline()
        if said.strip() != relay.HALF:
            process.kill()
            raise RuntimeError(f"the worker failed: {(said + process.stdout.read())[-2000:]}")
    finally:
        process.kill()                                       # SIGKILL, TerminateProcess: it has no time to tidy up
        process.wait()
        process.stdout.close()
    return process.returncode
