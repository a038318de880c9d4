"""A real JupyterLab and a headless Chromium, for the tests that drive the course as learners do."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from playwright import sync_api
from playwright.sync_api import Browser, Error, Locator, Page, expect, sync_playwright

from tools.binder import FIRST_LESSON, Built

ROOT = Path(__file__).parent.parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
MARKS = [
    pytest.mark.long,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]

# On a busy machine a page takes its time; what does not come at all still fails.
expect.set_options(timeout=30_000)

SOLVED = """async def ask(client, prompt, *, system=None):
    extra = {} if system is None else {"system": system}
    reply = await client.messages.create(
        model=MODEL, max_tokens=50, messages=[{"role": "user", "content": prompt}], **extra
    )
    return "".join(block.text for block in reply.content if block.type == "text")"""

PATIENCE = 240.0
"""Seconds that a Chromium may be open for one test. Not every call of Playwright's has a limit of
its own: what a page is asked to evaluate may go on for ever."""

CLOSING = 20.0
"""Seconds that a Chromium may take to close."""

READY = "window.jupyterapp?.shell?.currentWidget?.sessionContext?.isReady"
IDLE = "window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A JupyterLab over a copy of the notebooks, opened as the README says; its address."""
    with serve(tmp_path_factory.mktemp("lab")) as address:
        yield address


@contextmanager
def serve(home: Path, **settings_of_environment: str) -> Iterator[str]:
    """Serve a copy of the notebooks from a folder, and stop at the end.

    Args:
        home: The folder.
        settings_of_environment: More variables for the server and its kernels.

    Yields:
        The address, token included.
    """
    shutil.copytree(ROOT / "notebooks", home / "notebooks")
    shutil.copy(ROOT / "jupyter_lab_config.py", home)
    # No news are fetched, and cells out of sight stay on the page.
    for plugin, value in {
        "apputils-extension/notification": '{"fetchNews": "false"}',
        "notebook-extension/tracker": '{"windowingMode": "none"}',
    }.items():
        settings = home / "settings" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
        settings.parent.mkdir(parents=True)
        settings.write_text(value)
    port = free_port()
    token = secrets.token_hex(8)
    environment = {
        **os.environ,
        **settings_of_environment,
        "JUPYTER_TOKEN": token,
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
    }
    command = [
        # Not `-m jupyter lab`, which runs whichever JupyterLab stands first on PATH.
        *(sys.executable, "-m", "jupyterlab", "--config=jupyter_lab_config.py"),
        *("--no-browser", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"),
        *("--ServerApp.port_retries=0", "--LabApp.expose_app_in_browser=True"),
    ]
    address = f"http://127.0.0.1:{port}/"
    with answering(address, command, home, environment, home / "lab.log"):
        yield f"{address}?token={token}"


def free_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


@contextmanager
def answering(
    address: str, command: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path
) -> Iterator[None]:
    """Run a Jupyter server from the moment it answers, and stop it at the end.

    Args:
        address: Where it will answer, with a slash at the end.
        command: What starts it.
        folder: Its working directory.
        environment: Its variables.
        log: The file that takes what it prints.
    """
    with log.open("w") as output:
        server = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"{address}api", timeout=5).close()
                break
            except OSError:
                assert time.monotonic() < deadline, log.read_text()
                assert server.poll() is None, log.read_text()
                time.sleep(0.2)
        yield
    finally:
        server.terminate()
        server.wait(20)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium, ended where a test holds it for longer than `PATIENCE`.

    Raises:
        playwright.sync_api.Error: From whatever a test waits for when it is ended.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            with killing_after(PATIENCE):
                yield browser
        finally:
            # Now and then one does not close by itself; the test is over by then.
            with killing_after(CLOSING), suppress(Error):
                browser.close()


@contextmanager
def killing_after(seconds: float) -> Iterator[None]:
    """Kill this process's Chromium if the block goes on for longer."""

    def kill() -> None:
        for child in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                if "chrom" in child.name():
                    child.kill()

    timer = threading.Timer(seconds, kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


@contextmanager
def opened_as_on_binder(built: Built, browser: Browser) -> Iterator[Page]:
    """Start the server of a rehearsed build as Binder does, and follow the badge to the lesson.

    Args:
        built: The build.
        browser: What the learner has open already.

    Yields:
        The page, its kernel ready.
    """
    port, token, base_url = free_port(), secrets.token_hex(8), "/user/owner-repo-x1/"
    command = [
        *built.server(port, base_url=base_url, token=token),
        # What Binder does not say: here nobody looks, this user may be root, and the test asks
        # the page what it is doing.
        *("--no-browser", "--allow-root", "--LabApp.expose_app_in_browser=True"),
    ]
    # The program is looked up on the PATH of whoever starts it, which is not the build's.
    command[0] = shutil.which(command[0], path=built.environment["PATH"]) or command[0]
    address = f"http://127.0.0.1:{port}{base_url}"
    log = built.repository.parent / "server.log"
    with answering(address, command, built.repository, built.environment, log):
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{address}{FIRST_LESSON}?token={token}")
        page.wait_for_function(READY, timeout=60_000)
        yield page


def solve_the_first_exercise(page: Page) -> None:
    """Write a right answer into the first lesson, and run everything up to its green check."""
    write(page, "exercise-0-1", SOLVED)
    command(page, "notebook:run-all-above")
    command(page, "notebook:run-cell-and-select-next")
    command(page, "notebook:run-cell")
    page.get_by_text("✓ 0.1 ask: passed, 1 point").wait_for(timeout=60_000)


@pytest.fixture
def page(lab: str) -> Iterator[Page]:
    """The start page of the course, its kernel ready."""
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(lab)
        page.wait_for_function(READY, timeout=60_000)
        yield page


def open_notebook(page: Page, name: str) -> None:
    """Go to a notebook of the course, and wait until its kernel is ready."""
    # What was open before stays closed: one notebook on the page, and no other to be mistaken for.
    page.goto(f"{page.url.rsplit('/', 1)[0]}/{name}.ipynb?reset")
    page.wait_for_function(READY, timeout=60_000)
    page.wait_for_function(IDLE, timeout=60_000)


def write(page: Page, cell: str, source: str) -> None:
    """Put a source into the cell of an id and make it the active one."""
    page.evaluate(
        """([id, source]) => {
            const notebook = window.jupyterapp.shell.currentWidget.content;
            const place = notebook.widgets.findIndex(cell => cell.model.id === id);
            notebook.widgets[place].model.sharedModel.setSource(source);
            notebook.activeCellIndex = place;
        }""",
        [cell, source],
    )


def start(page: Page, name: str, **args: str) -> int:
    """Begin one of JupyterLab's commands; its number on this page."""
    number: int = page.evaluate(
        """([name, args]) => {
            const number = window.begun = (window.begun ?? 0) + 1;
            window.ended ??= new Set();
            const end = () => window.ended.add(number);
            window.jupyterapp.commands.execute(name, args).then(end, end);
            return number;
        }""",
        [name, args],
    )
    return number


def command(page: Page, name: str, **args: str) -> None:
    """Run one of JupyterLab's commands, and wait for its end.

    Raises:
        AssertionError: It does not come within two minutes; says which cells are waited for.
    """
    number = start(page, name, **args)
    try:
        page.wait_for_function("it => window.ended.has(it)", arg=number, timeout=120_000)
    except sync_api.TimeoutError:
        state = page.evaluate(
            """() => {
                const panel = window.jupyterapp.shell.currentWidget;
                const kernel = panel.sessionContext.session?.kernel;
                return {
                    kernel: `${kernel?.status}, ${kernel?.connectionStatus}`,
                    dialogs: [...document.querySelectorAll('.jp-Dialog')].map(it => it.innerText),
                    running: panel.content.widgets
                        .filter(cell => cell.model.executionState === 'running')
                        .map(cell => cell.model.id),
                };
            }"""
        )
        raise AssertionError(f"{name} does not end: {state}") from None


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where screenshots go: to ``LABKIT_SCREENSHOTS``, or to the test's own folder."""
    folder = Path(os.environ.get("LABKIT_SCREENSHOTS") or tmp_path / "screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def output_of(page: Page, cell: str) -> Locator:
    """What the cell of an id shows."""
    place = page.evaluate(
        """id => window.jupyterapp.shell.currentWidget.content.widgets
            .findIndex(cell => cell.model.id === id)""",
        cell,
    )
    return page.locator(f".jp-Cell[data-windowed-list-index='{place}'] .jp-Cell-outputWrapper")


def select(page: Page, cell: str) -> None:
    """Make the cell of an id the active one."""
    page.evaluate(
        """id => {
            const notebook = window.jupyterapp.shell.currentWidget.content;
            notebook.activeCellIndex = notebook.widgets.findIndex(it => it.model.id === id);
            notebook.deselectAll();
        }""",
        cell,
    )


def run(page: Page, *cells: str) -> Locator:
    """Run some cells as they are; what the last one shows."""
    for cell in cells:
        select(page, cell)
        command(page, "notebook:run-cell")
    output = output_of(page, cells[-1])
    output.scroll_into_view_if_needed()
    return output


def shoot(page: Page, output: Locator, folder: Path, name: str) -> None:
    """Keep a picture of an output in the light and in the dark theme."""
    for theme in ("Dark", "Light"):
        command(page, "apputils:change-theme", theme=f"JupyterLab {theme}")
        page.wait_for_function(
            "light => document.body.dataset.jpThemeLight === light",
            arg="true" if theme == "Light" else "false",
        )
        output.screenshot(path=folder / f"{name}-{theme.lower()}.png")
