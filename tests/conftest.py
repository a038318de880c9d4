"""What holds for every test: it reaches nothing but this machine and leaves nothing running."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from labkit import journal, kernel
from labkit.widgets import live

GRACE = 1.0
"""Seconds that a thread may take to end after its test."""


def _is_loopback(host: Any) -> bool:
    if host in (None, "", b"", "localhost", b"localhost"):
        return True
    if isinstance(host, bytes):
        host = host.decode()
    try:
        return ipaddress.ip_address(str(host).partition("%")[0]).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True)
def no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Refuse every connection that leaves this machine, and fail the test that tried one.

    A client may swallow the refusal or try again, so each is also noted and told at the end.
    """
    attempts: list[str] = []

    def refuse(target: Any) -> None:
        attempts.append(repr(target))
        raise ConnectionRefusedError(f"a test may reach nothing but loopback, not {target!r}")

    def guarded(method: Any) -> Any:
        def connect(self: socket.socket, address: Any) -> Any:
            inet = self.family in (socket.AF_INET, socket.AF_INET6)
            if inet and not _is_loopback(address[0]):
                refuse(address)
            return method(self, address)

        return connect

    resolve = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(host, str) and host.endswith(".invalid"):
            # No such name exists anywhere; a resolver on the network need not be asked.
            raise socket.gaierror(socket.EAI_NONAME, f"{host} never resolves")
        if not _is_loopback(host):
            refuse(host)
        return resolve(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", guarded(socket.socket.connect))
    monkeypatch.setattr(socket.socket, "connect_ex", guarded(socket.socket.connect_ex))
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    if request.node.get_closest_marker("long") is None:
        # A proxy on loopback would be a door. Rehearsals that install packages may need it.
        for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
            monkeypatch.delenv(name)
    yield
    assert not attempts, f"the test tried to reach {', '.join(attempts)}"


@pytest.fixture(autouse=True)
def nothing_left_running(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a test that leaves a thread, or a pending task on an open loop."""
    tasks: list[asyncio.Task[Any]] = []
    create_task = asyncio.BaseEventLoop.create_task

    def noted(self: asyncio.BaseEventLoop, *args: Any, **kwargs: Any) -> asyncio.Task[Any]:
        task = create_task(self, *args, **kwargs)
        tasks.append(task)
        return task

    monkeypatch.setattr(asyncio.BaseEventLoop, "create_task", noted)
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + GRACE
    while (threads := set(threading.enumerate()) - before) and time.monotonic() < deadline:
        time.sleep(0.01)
    pending = [task for task in tasks if not task.done() and not task.get_loop().is_closed()]
    assert not threads, f"the test left threads: {', '.join(map(repr, threads))}"
    assert not pending, f"the test left tasks: {', '.join(map(repr, pending))}"


@pytest.fixture(autouse=True)
def fresh_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test a learner who has done nothing yet, kept in memory."""
    monkeypatch.setenv("LABKIT_PROGRESS", "off")
    monkeypatch.setattr(journal, "_journals", {})
    monkeypatch.setattr(journal, "_watchers", [])


@pytest.fixture
def front_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have widgets made as in a notebook's kernel."""
    monkeypatch.setattr(kernel, "in_kernel", lambda: True)
    monkeypatch.setattr(live, "_open", {})
