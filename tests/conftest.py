"""All tests share: one thread, no window, a progress folder of its own; xdist's workers and nbval's kernels inherit it."""
import os
import shutil
import tempfile

import pytest
from hypothesis import settings

if "PYTEST_XDIST_WORKER" not in os.environ:
    os.environ["SNNTEACH_HOME"] = tempfile.mkdtemp(prefix="snnteach-tests-")
os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", MPLBACKEND="agg")

settings.register_profile("course", deadline=None, derandomize=True)
settings.load_profile("course")


def pytest_unconfigure(config):
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ["SNNTEACH_HOME"], ignore_errors=True)


def pytest_collection_modifyitems(items):
    """Begin with the files that take long, so that two workers end together.

    Skip tests marked `browser` where there is no Chromium; CI demands one, so that there they fail instead.
    """
    from tests import browser

    long = {item.path for item in items if item.path.suffix == ".ipynb" or item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in long)

    if browser.CHROMIUM is None and not os.environ.get("SNNTEACH_BROWSER"):
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(pytest.mark.skip(reason="no Chromium on this machine; .ci/run installs it"))
