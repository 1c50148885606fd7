"""Sweeps are drawn by one worker for all: site and slides, which show the same ones, may be tested by two."""
import functools
import os
import pickle
from contextlib import contextmanager

import pytest
from filelock import FileLock

from snnteach.authoring import site, slides
from snnteach.authoring.sweeps import sweeps


@contextmanager
def once(tmp_path_factory):
    """Let site and slides take each sweep from the worker that drew it first."""
    base = tmp_path_factory.getbasetemp()
    folder = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    @functools.cache
    def shared(name):
        file = folder / f"{name}.pickle"
        with FileLock(f"{file}.lock"):
            if not file.exists():
                file.write_bytes(pickle.dumps(sweeps(name)))
        return pickle.loads(file.read_bytes())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site, "sweeps", shared)
        patch.setattr(slides, "sweeps", shared)
        yield
