"""All tests share: one thread, no window, a progress folder of its own; xdist's workers and nbval's kernels inherit it."""
import os
import shutil
import tempfile

import pytest
from hypothesis import settings

from tests import browser
from tests.benchmarks import memory

if "PYTEST_XDIST_WORKER" not in os.environ:
    os.environ["SNNTEACH_HOME"] = tempfile.mkdtemp(prefix="snnteach-tests-")
os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", MPLBACKEND="agg")

settings.register_profile("course", deadline=None, derandomize=True)
settings.load_profile("course")


def pytest_unconfigure(config):
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ["SNNTEACH_HOME"], ignore_errors=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Fail with the cell of a notebook that takes its kernel above what one may have on Binder."""
    result = yield
    if item.path.suffix == ".ipynb":
        too_much = memory.over_budget(item.parent.kernel.km.provisioner.pid, "setup" in item.cell.metadata.get("tags", []))
        assert not too_much, too_much
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item, nextitem):
    """End the browser after the last test of a file, when its fixtures are down."""
    result = yield
    if nextitem is None or nextitem.path != item.path:
        browser.close()
    return result


def pytest_collection_modifyitems(config, items):
    """Leave the stand-alone program of a notebook to test_listings, where it runs on a bare Python; `--full` runs it here too.

    Begin with the files that take longest, those with a browser and then the notebooks, so that two workers end together.

    Skip tests marked `browser` where there is no Chromium; CI demands one, so that there they fail instead.
    """
    if not os.environ.get("SNNTEACH_FULL"):
        programs = [item for item in items if item.path.suffix == ".ipynb" and "program" in item.cell.metadata.get("tags", [])]
        config.hook.pytest_deselected(items=programs)
        items[:] = [item for item in items if item not in programs]

    marked = {name: {item.path for item in items if item.get_closest_marker(name)} for name in ("browser", "slow")}
    items.sort(key=lambda item: (item.path not in marked["browser"], item.path.suffix != ".ipynb",
                                 item.path not in marked["slow"]))

    if browser.CHROMIUM is None and not os.environ.get("SNNTEACH_BROWSER"):
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(pytest.mark.skip(reason="no Chromium on this machine; .ci/run installs it"))
