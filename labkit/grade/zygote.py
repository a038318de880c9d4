"""One interpreter with everything loaded, from which each submission's process is forked.

It is started afresh, with an environment of its own, and is told nothing: neither seed nor
expected values ever are in its memory, so none can be in that of a submission. A judge asks for a
process by sending it two sockets: one to talk to the learner's end, and one that keeps that
process alive. When the second closes, whatever became of the judge, the process is killed together
with all that it started.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
from typing import Any

from . import sandbox
from .sandbox import Limits, Means

ASKING = 65_536
"""Bytes that a judge's request may have."""


def main(asking: int, alive: int) -> None:
    """Serve the judges until none is left.

    Args:
        asking: The descriptor on which judges ask.
        alive: A descriptor that every process of the grading keeps open while it lives.
    """
    sandbox.die_with_parent()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system buries the keepers
    judges = socket.socket(fileno=asking)
    from .learner import make_shell

    shell = make_shell()
    setup = json.loads(judges.recv(ASKING) or "{}")
    if not setup:
        return
    means, limits = Means(**setup["means"]), Limits(**setup["limits"])
    preload(setup["modules"])
    with contextlib.suppress(ImportError):
        import landlockpy  # noqa: F401  # nothing is loaded once files are out of reach
    import gc

    gc.collect()
    gc.freeze()  # what is shared with every fork stays shared
    while True:
        data, passed, _flags, _address = socket.recv_fds(judges, ASKING, 2)
        if not data:
            return
        if os.fork() == 0:
            judges.close()
            _keep(passed[0], passed[1], alive, data.decode(), shell, means, limits)
        for descriptor in passed:
            os.close(descriptor)


def preload(modules: list[str]) -> None:
    """Load what notebooks will ask for; what cannot be loaded is theirs to find out."""
    import importlib

    for name in modules:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    if "anthropic" in modules:
        from .. import Rule, connect, run
        from ..patterns import ask

        # The SDK loads and builds much of itself at its first reply, and at its first retry.
        busy = Rule("", fails=429, retry_after=1, times=1)
        run(ask(connect([busy, Rule("", says="warm")]), "warm"))


def _keep(
    talking: int,
    control: int,
    alive: int,
    folder: str,
    shell: Any,
    means: Means,
    limits: Limits,
) -> None:
    """Start a submission's process, outlive it, and tell how it ended; never returns."""
    ended = 255
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        sandbox.adopt_orphans()
        number = os.getpid()
        sandbox.enter_namespaces(means)
        child = os.fork()
        if child == 0:
            os.close(control)
            os.close(alive)
            _first(talking, folder, number, shell, means, limits)
        os.close(talking)
        ended = _outlive(child, control)
        with contextlib.suppress(OSError):
            os.write(control, str(ended).encode())
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.write(control, f"{type(error).__name__}: {error}".encode()[:500])
    finally:
        os._exit(0)


def _outlive(child: int, control: int) -> int:
    """Wait until the child ends or the judge closes the control socket; then leave nothing."""
    handle = os.pidfd_open(child)
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    poll.register(control, select.POLLHUP | select.POLLIN)
    poll.poll()
    with contextlib.suppress(ProcessLookupError):
        ready, _, _ = select.select([handle], [], [], 0)
        if not ready:
            os.kill(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    sweep()
    return status


def sweep() -> None:
    """Kill whatever is left below this process, however it tries to stay."""
    while True:
        # All are stopped before the first is killed, or those that live on would replace it.
        stopped: set[int] = set()
        while fresh := set(sandbox.descendants(os.getpid())) - stopped:
            for pid in fresh:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGSTOP)
            stopped |= fresh
        for pid in stopped:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not stopped:
            return


def _first(
    talking: int, folder: str, number: int, shell: Any, means: Means, limits: Limits
) -> None:
    """The first process of a submission; in a process namespace it buries the others."""
    sandbox.die_with_parent()
    sandbox.furnish(means, folder, limits)
    if not means.processes:
        _become_learner(talking, folder, number, shell, means, limits)
    child = os.fork()
    if child == 0:
        _become_learner(talking, folder, number, shell, means, limits)
    os.close(talking)
    while True:
        pid, status = os.wait()
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)


def _become_learner(
    talking: int, folder: str, number: int, shell: Any, means: Means, limits: Limits
) -> None:
    from .learner import serve, settle

    try:
        os.setsid()
        wire = socket.socket(fileno=talking)
        inward = wire.makefile("r", encoding="utf-8")
        outward = wire.makefile("w", encoding="utf-8", newline="\n")
        _shut_descriptors(talking)
        try:
            sandbox.drop_privileges(means, number, folder)
            settle(folder, json.loads(inward.readline()))
            sandbox.limit(limits, counted=means.user)
            sandbox.lock_files(means, folder)
        except Exception as error:
            outward.write(json.dumps({"broken": f"{type(error).__name__}: {error}"}) + "\n")
            outward.flush()
        else:
            serve(inward, outward, shell)
    finally:
        os._exit(0)


def _shut_descriptors(kept: int) -> None:
    """Point 0, 1 and 2 at nothing and close all others but one."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.closerange(3, kept)
    os.closerange(kept + 1, 4096)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
