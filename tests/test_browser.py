"""The course in a real JupyterLab, as a learner opens it: driven through a headless Chromium."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

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

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]

READY = "window.jupyterapp?.shell?.currentWidget?.sessionContext?.isReady"
IDLE = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'"
SOLVED = """async def ask(client, prompt, *, system=None):
    extra = {} if system is None else {"system": system}
    reply = await client.messages.create(
        model=MODEL, max_tokens=50, messages=[{"role": "user", "content": prompt}], **extra
    )
    return "".join(block.text for block in reply.content if block.type == "text")"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A JupyterLab over a copy of the notebooks, opened as the README says; its address."""
    home = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "notebooks", home / "notebooks")
    shutil.copy(ROOT / "jupyter_lab_config.py", home)
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    token = secrets.token_hex(8)
    environment = {
        **os.environ,
        "JUPYTER_TOKEN": token,
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
    }
    log = home / "lab.log"
    command = [
        *(sys.executable, "-m", "jupyter", "lab", "--config=jupyter_lab_config.py"),
        *("--no-browser", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"),
        *("--ServerApp.port_retries=0", "--LabApp.expose_app_in_browser=True"),
    ]
    with log.open("w") as output:
        server = subprocess.Popen(
            command, cwd=home, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=5).close()
                break
            except OSError:
                assert time.monotonic() < deadline, log.read_text()
                assert server.poll() is None, log.read_text()
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/?token={token}"
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture
def page(lab: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(lab)
            page.wait_for_function(READY, timeout=60_000)
            yield page
        finally:
            browser.close()


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


def command(page: Page, name: str) -> Any:
    return page.evaluate("name => window.jupyterapp.commands.execute(name)", f"notebook:{name}")


def test_it_opens_at_the_first_lesson_and_a_solved_exercise_turns_green(page: Page) -> None:
    assert page.url.split("?")[0].endswith("/lab/tree/notebooks/00_start_here.ipynb")
    write(page, "exercise-0-1", SOLVED)
    command(page, "run-all-above")
    command(page, "run-cell-and-select-next")
    command(page, "run-cell")
    page.get_by_text("✓ 0.1 ask: passed, 1 point").wait_for(timeout=60_000)


@pytest.mark.parametrize(
    "source",
    [
        "await asyncio.sleep(60)",
        (
            "from labkit import run\n\nasync def forever():\n    while True:\n"
            "        await asyncio.sleep(1)\n\nawait asyncio.sleep(0)\nrun(forever())"
        ),
    ],
    ids=["a cell that awaits", "a run on the free clock"],
)
def test_the_stop_button_stops(page: Page, source: str) -> None:
    write(page, "setup", "import asyncio\nimport labkit\nprint('under way')")
    command(page, "run-cell")
    page.get_by_text("under way", exact=True).last.wait_for(timeout=60_000)
    write(page, "setup", source)
    page.evaluate("void window.jupyterapp.commands.execute('notebook:run-cell')")
    page.wait_for_function(f"!({IDLE})", timeout=10_000)
    started = time.monotonic()
    command(page, "interrupt-kernel")
    page.wait_for_function(IDLE, timeout=30_000)
    # A minute's sleep, or a run without end: what matters is that neither is waited for.
    assert time.monotonic() - started < 10
