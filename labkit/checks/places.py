"""Where the learner's function runs: in this process, or in a child."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..clock import interruptible
from . import player
from .judge import Channel, TimeLimit
from .messages import Plain

LIMIT = 5.0
"""Seconds that one run may take; a right answer takes milliseconds. See `Patience`."""

LONGEST = 12
"""How often `LIMIT` goes into the longest time that is waited for a run, however busy it is."""

LOOK = 0.1
"""Real seconds between two looks at a run."""

STUBBORN = 1.0
"""Real seconds that code which is being stopped has to end; then it is left to itself."""


class Patience:
    """Says when a run has taken too long, and says the same on a busy machine.

    What computes is measured by its processor time, since on a busy machine it waits for its turn.
    What does not compute waits for something else, and gets as many real seconds.

    Args:
        limit: Seconds of either kind.
        stat: The ``stat`` file of the thread or process in ``/proc``. Where there is no such file,
            real seconds have to do.
    """

    def __init__(self, limit: float, stat: str) -> None:
        self._limit = limit
        self._stat = Path(stat)
        self._started = self._moved = time.monotonic()
        self._before = self._used = self._processor() or 0.0

    def is_over(self) -> bool:
        """Whether it has taken too long by now."""
        now, used = time.monotonic(), self._processor()
        if used is not None and used > self._used:
            self._used, self._moved = used, now
        return (
            self._used - self._before >= self._limit
            or now - self._moved >= self._limit
            or now - self._started >= self._limit * LONGEST
        )

    def _processor(self) -> float | None:
        try:
            # After the name, which may hold anything: state is the first, utime the twelfth.
            fields = self._stat.read_text("utf-8", "replace").rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        except (OSError, ValueError, IndexError, AttributeError):
            return None


class InProcess:
    """Runs a function in this process, on a thread of its own, so that none can hang the caller.

    Args:
        function: The learner's function.
        limit: Seconds that one run may take; see `Patience`.
    """

    def __init__(self, function: Callable[..., Any], *, limit: float = LIMIT) -> None:
        self._function = function
        self._limit = limit

    def play(self, job: dict[str, Any], channel: Channel) -> None:
        """Run one job; see `labkit.checks.judge.Player`."""
        if _needs_sdk(job):
            _warm_sdk()
        stopped = threading.Event()
        trouble: list[BaseException] = []

        def guarded(turn: dict[str, Any]) -> dict[str, Any]:
            if stopped.is_set():
                raise player.Stopped
            return channel(turn)

        def work() -> None:
            try:
                player.play(job, self._function, guarded)
            except player.Stopped:
                pass
            except BaseException as error:
                trouble.append(error)

        output = sys.stdout
        thread = threading.Thread(target=work, name="labkit-check", daemon=True)
        try:
            with interruptible():
                thread.start()
                patience = Patience(self._limit, f"/proc/self/task/{thread.native_id}/stat")
                while thread.is_alive() and not patience.is_over():
                    thread.join(LOOK)
            if thread.is_alive():
                stopped.set()
                _stop(thread)
                raise TimeLimit
        except KeyboardInterrupt:
            stopped.set()
            _stop(thread)
            raise
        finally:
            # A thread that could not be stopped still holds standard output.
            sys.stdout = output
        if trouble:
            raise trouble[0]


def _stop(thread: threading.Thread) -> None:
    """Raise `Stopped` in a thread until it ends; code that runs in C does not notice."""
    raise_in = ctypes.pythonapi.PyThreadState_SetAsyncExc
    deadline = time.monotonic() + STUBBORN
    while thread.is_alive() and time.monotonic() < deadline:
        raise_in(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(player.Stopped))
        thread.join(0.05)


class ChildProcess:
    """Runs a function in a child process that speaks plain messages and knows nothing else.

    Use it as a context manager; the child is gone afterwards.

    Args:
        command: What starts the child: it has to call `labkit.checks.player.serve`.
        limit: Seconds that one run may take; see `Patience`.
    """

    def __init__(self, command: Sequence[str], *, limit: float = LIMIT) -> None:
        self._command = list(command)
        self._limit = limit
        self._child: subprocess.Popen[str] | None = None

    @classmethod
    def of_file(cls, file: str, name: str, *, limit: float = LIMIT) -> ChildProcess:
        """A child for the function ``name`` of a Python file."""
        # With -m, Python would warn that labkit.checks has imported the module before.
        start = "from labkit.checks.player import main; main()"
        return cls([sys.executable, "-c", start, file, name], limit=limit)

    def __enter__(self) -> ChildProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def play(self, job: dict[str, Any], channel: Channel) -> None:
        """Run one job; see `labkit.checks.judge.Player`."""
        child = self._child or self._start()
        assert child.stdin is not None
        assert child.stdout is not None
        late = threading.Event()
        over = threading.Event()

        def guard() -> None:
            patience = Patience(self._limit, f"/proc/{child.pid}/stat")
            while not over.wait(LOOK):
                if patience.is_over():
                    late.set()
                    child.kill()
                    return

        threading.Thread(target=guard, name="labkit-guard", daemon=True).start()
        try:
            message: dict[str, Any] = job
            while True:
                child.stdin.write(json.dumps(message) + "\n")
                child.stdin.flush()
                line = child.stdout.readline()
                if not line:
                    break
                turn = json.loads(line)
                message = channel(turn)
                if turn.get("end"):
                    child.stdin.write(json.dumps(message) + "\n")
                    child.stdin.flush()
                    return
        except (BrokenPipeError, ValueError):
            pass  # the child is gone or talks nonsense: the run stays without an end
        finally:
            over.set()
        self._end()
        if late.is_set():
            raise TimeLimit

    def _start(self) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
        )
        assert child.stdout is not None
        child.stdout.readline()  # it is ready: what it imports is no part of a run
        self._child = child
        return child

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def _needs_sdk(message: Plain) -> bool:
    """Whether a client, or a worker that is refused as by one, stands anywhere in a message."""
    if isinstance(message, dict):
        own = message.get("$") == "client" or message.get("refuses") is True
        return own or any(map(_needs_sdk, message.values()))
    return isinstance(message, list) and any(map(_needs_sdk, message))


@functools.cache
def _warm_sdk() -> None:
    """Load the SDK before the clock of a run starts; it loads its parts when first used."""
    from ..client import over
    from ..script import ScriptedModel
    from ..wire import ScriptedTransport

    _ = over(ScriptedTransport(ScriptedModel([]))).messages
