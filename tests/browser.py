"""Jupyter servers on localhost and pages of headless Chromium: what the browser tests and the interaction benchmark share."""
import atexit
import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from snnteach.authoring.notebooks import TUTORIALS
from snnteach.install.start import JUPYTER

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")
APPLICATIONS = {
    "lab": (*JUPYTER, "--expose-app-in-browser"),
    "notebook": ("-m", "notebook", "--ServerApp.ip=localhost", "--JupyterNotebookApp.news_url=None"),
}
SETTINGS = {"notebook-extension/tracker": {"windowingMode": "none"},
            "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False}}
START_SECONDS = 120
FEWER_TOKENS = """() => {
  const seen = new Set();
  document.querySelectorAll('pre').forEach(code => code.style.whiteSpace = 'pre-wrap');   // no hidden ends
  for (const token of document.querySelectorAll('pre span[class]'))
    if (seen.has(token.className)) token.replaceWith(...token.childNodes);
    else seen.add(token.className);
}"""


@dataclass
class Server:
    """Where a server answers, what opens it, and where its readers' notebooks and progress lie."""

    url: str
    token: str
    folder: Path
    home: Path


@contextlib.contextmanager
def serve(folder, names, application="lab"):
    """Serve copies of notebooks by "lab", "notebook" or "voila" with settings and progress of its own, until the block ends."""
    work, home = folder / "work", folder / "home"
    work.mkdir(parents=True)
    for name in names:
        shutil.copy(TUTORIALS / name, work)
    for plugin, values in SETTINGS.items():
        path = folder / "settings" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))
    port, token = _free_port(), secrets.token_hex(16)
    if application == "voila":
        command = ["-m", "voila", str(work), "--no-browser", f"--port={port}", "--Voila.ip=localhost", "--show_tracebacks=True"]
    else:
        command = [*APPLICATIONS[application], "--no-browser", f"--ServerApp.port={port}", f"--IdentityProvider.token={token}",
                   f"--ServerApp.root_dir={work}", *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else [])]
    environment = {**os.environ, "SNNTEACH_HOME": str(home), "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
                   "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"), "JUPYTER_RUNTIME_DIR": str(folder / "runtime")}
    with open(folder / "server.log", "w") as log:
        process = subprocess.Popen([sys.executable, *command], cwd=work, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        server = Server(f"http://localhost:{port}", token, work, home)
        _wait_until_it_answers(server, process, folder / "server.log")
        yield server
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:                # its kernels are slow to end: it has nothing to keep
            process.kill()
            process.wait(30)


def _free_port():
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


def _wait_until_it_answers(server, process, log):
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError):
            status(server.url + "/")
            return
        time.sleep(0.2)
    raise RuntimeError(f"the server did not start:\n{log.read_text()[-2000:]}")


def status(url):
    """The HTTP status of a page, redirects followed."""
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


@dataclass
class Reader:
    """A page, and the errors that it wrote to its console."""

    page: object
    errors: list = field(default_factory=list)

    def open(self, server, name):
        """Open a notebook in JupyterLab and wait for its kernel."""
        self.page.goto(f"{server.url}/lab/tree/{name}?reset&token={server.token}")
        self.ready()

    def ready(self):
        """Wait for the open notebook and its kernel."""
        self.page.wait_for_selector(".jp-Notebook .jp-Cell")
        kernel = "window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel"
        self.page.wait_for_function(f"{kernel}?.status === 'idle'")

    def run_all(self):
        """Run all cells and wait for the last."""
        self.page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")

    def run(self, cell_ids):
        """Run the cells with these ids, one after the other, and wait for the last."""
        self.page.evaluate("""async ids => {
            const notebook = jupyterapp.shell.currentWidget.content;
            for (const id of ids) {
                notebook.activeCellIndex = notebook.widgets.findIndex(cell => cell.model.id === id);
                await jupyterapp.commands.execute('notebook:run-cell');
            }
        }""", list(cell_ids))

    def cell(self, cell_id):
        """The place on the page of the cell with this id."""
        index = self.page.evaluate("id => [...jupyterapp.shell.currentWidget.model.cells].findIndex(cell => cell.id === id)",
                                   cell_id)
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def source(self, cell_id):
        """The source of the cell with this id, as the open notebook holds it."""
        return self.page.evaluate("id => [...jupyterapp.shell.currentWidget.model.cells].find(cell => cell.id === id)"
                                  ".sharedModel.source", cell_id)

    def write(self, cell, source):
        """Replace the source of a code cell by typing, and run it."""
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(source)
        self.page.keyboard.press("Control+Enter")

    def output_errors(self):
        """The texts of tracebacks and of anything on stderr."""
        return self.page.locator("[data-mime-type='application/vnd.jupyter.error'], "
                                 "[data-mime-type='application/vnd.jupyter.stderr']").all_inner_texts()


def violations(page, part=None):
    """What axe-core finds serious on a page or in a part of it, and each text whose background it finds covered.

    Tokens of code have the colour of their class: one of each class stays, for axe takes most of its time over contrasts.
    """
    from axe_playwright_python.sync_playwright import Axe

    page.evaluate(FEWER_TOKENS)
    found = Axe().run(page, context=part, options={"resultTypes": ["violations", "incomplete"], "preload": False}).response
    covered = [f"contrast unknown {node['target']}" for unsure in found["incomplete"] for node in unsure["nodes"]
               if "bgOverlap" in json.dumps(node["any"])]
    return covered + [f"{wrong['id']} {wrong['nodes'][0]['target']}" for wrong in found["violations"]
                      if wrong["impact"] in ("serious", "critical")]


_running = contextlib.ExitStack()                        # holds the one Chromium of a file of tests
atexit.register(_running.close)


def chromium():
    """The Chromium that is running, or a new one; `close` ends it."""
    if not hasattr(_running, "chromium"):
        from playwright.sync_api import sync_playwright

        playwright = _running.enter_context(sync_playwright())
        _running.chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        _running.callback(_running.chromium.close)
    return _running.chromium


def close():
    """End the Chromium, if one is running: an event loop belongs to it, which other tests would meet."""
    _running.close()
    vars(_running).pop("chromium", None)


@contextlib.contextmanager
def reader(viewport=(1280, 1000)):
    """A page of headless Chromium that shares nothing with other pages, until the block ends."""
    with chromium().new_context(viewport=dict(zip(("width", "height"), viewport, strict=True))) as context:
        page = context.new_page()
        page.set_default_timeout(START_SECONDS * 1000)
        one = Reader(page)
        page.on("console", lambda message: one.errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: one.errors.append(str(error)))
        # A kernel whose port another process took meanwhile is started once more, and the front end tells so over all else.
        restarted = page.locator("dialog", has_text="Kernel Restarting")
        page.add_locator_handler(restarted, lambda dialog: dialog.locator(".jp-mod-accept").click())
        yield one


@contextlib.contextmanager
def reader_offline(viewport=(1280, 1000)):
    """A page of headless Chromium without a network until the block ends; what it asks for elsewhere is an error."""
    with reader(viewport) as one:
        one.page.context.set_offline(True)
        one.page.on("requestfailed", lambda asked: one.errors.append(f"failed: {asked.url}"))
        one.page.on("request", lambda asked: one.errors.append(asked.url) if asked.url.startswith("http") else None)
        yield one
