"""The guards of conftest.py do stop what they are there to stop."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent

NAUGHTY = """
import asyncio
import contextlib
import socket
import threading
import time

def test_reaches_out():
    with contextlib.suppress(OSError):
        socket.create_connection(("192.0.2.1", 80), timeout=1)

def test_asks_a_resolver():
    with contextlib.suppress(OSError):
        socket.getaddrinfo("example.org", 80)

def test_leaves_a_thread():
    threading.Thread(target=time.sleep, args=(3,), daemon=True, name="lingerer").start()

def test_leaves_a_task():
    global loop
    loop = asyncio.new_event_loop()
    loop.create_task(asyncio.sleep(9), name="lingerer")
    loop.run_until_complete(asyncio.sleep(0))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What pytest says of tests that do what none may do."""
    folder = tmp_path_factory.mktemp("naughty")
    (folder / "test_naughty.py").write_text(NAUGHTY)
    (folder / "conftest.py").write_text((HERE / "conftest.py").read_text())
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--color=no", folder]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True).stdout


@pytest.mark.parametrize(
    "message",
    [
        "test tried to reach .*'192.0.2.1'",
        "test tried to reach 'example.org'",
        "test left threads: <Thread.lingerer",
        "test left tasks: <Task pending name='lingerer'",
    ],
)
def test_a_naughty_test_fails(told: str, message: str) -> None:
    assert re.search(rf"AssertionError: the {message}", told), told


def test_loopback_is_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=1).close()


def test_no_key_and_no_setting_reaches_a_test() -> None:
    private = {name for name in os.environ if name.startswith(("ANTHROPIC_", "LABKIT_"))}
    assert private - {"LABKIT_SCREENSHOTS"} == {"LABKIT_PROGRESS", "LABKIT_QUIET"}
    assert os.environ["LABKIT_PROGRESS"] == "off"
