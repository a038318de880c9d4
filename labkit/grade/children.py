"""The judge's way to the learner's end: processes to talk to, which may lie, hang or vanish."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from ..errors import LabkitError
from . import sandbox
from .sandbox import Limits, Means

Message = dict[str, Any]

ALLOWED = ("LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PATH", "SYSTEMROOT", "TZ", "HOME",
           "XDG_CACHE_HOME")  # fmt: skip
"""What a submission's environment may take over from the grader's; no secret is among it."""

SETTINGS = {
    "LABKIT_PROGRESS": "off",
    "LABKIT_QUIET": "1",
    "MPLBACKEND": "agg",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    # Else each thread claims 64 MiB of addresses for itself, and a few threads are all the memory.
    "MALLOC_ARENA_MAX": "2",
}

PATIENCE = 60.0
"""Real seconds that a submission's process may take to be there."""

SWEPT = 10.0
"""Real seconds that may pass until nothing is left of what submissions started."""

AT_ITS_END = 1.0
"""Real seconds that a process which says nothing more may take to be gone."""


class Gone(Exception):
    """The learner's end is no more; the message says how it ended."""


class Late(Gone):
    """The learner's end took too long and was ended."""


class Nonsense(Gone):
    """The learner's end said something that is no message; it was ended."""


class Link(Protocol):
    """One process of a submission."""

    def send(self, message: Message) -> None:
        """Send a message.

        Raises:
            Gone: When nobody is there.
        """

    def line(self, seconds: float, size: int) -> bytes:
        """Receive a line.

        Args:
            seconds: Real seconds to wait.
            size: Bytes that the line may have.

        Raises:
            Gone: When the other end is gone, too late, or talks too much.
        """

    def close(self, *, at_its_end: bool = False) -> str:
        """End the process and all it started.

        Args:
            at_its_end: Whether the process is ending by itself, and how is to be found out.

        Returns:
            How it ended.
        """


# Forked from an interpreter that has everything loaded


class _Forked:
    """A process forked from the zygote."""

    def __init__(self, wire: socket.socket, control: socket.socket) -> None:
        self._wire = wire
        self._control = control
        self._rest = b""

    def send(self, message: Message) -> None:
        self._wire.settimeout(PATIENCE)
        try:
            self._wire.sendall(json.dumps(message).encode() + b"\n")
        except TimeoutError:
            raise Late("it did not listen") from None
        except OSError:
            raise Gone from None

    def line(self, seconds: float, size: int) -> bytes:
        deadline = time.monotonic() + seconds
        parts, length = [self._rest], len(self._rest)
        while b"\n" not in parts[-1]:
            left = deadline - time.monotonic()
            if left <= 0:
                raise Late("it did not come back in time and was stopped")
            if length > size:
                raise Nonsense("it sent more than a submission may")
            self._wire.settimeout(left)
            try:
                part = self._wire.recv(1 << 16)
            except TimeoutError:
                continue
            except OSError:
                part = b""
            if not part:
                raise Gone
            parts.append(part)
            length += len(part)
        line, _, self._rest = b"".join(parts).partition(b"\n")
        return line

    def close(self, *, at_its_end: bool = False) -> str:
        told = b""
        if at_its_end:
            self._control.settimeout(AT_ITS_END)
            with contextlib.suppress(OSError):
                told = self._control.recv(1000)
        # The keeper sees this close, and ends what there still is.
        self._wire.close()
        self._control.close()
        return _how(told.decode(errors="replace")) if told else "it was stopped"


def _how(told: str) -> str:
    try:
        status = int(told)
    except ValueError:
        return f"it could not be started: {told}"
    if status > 128:
        status = 128 - status
    if status >= 0:
        return f"its process ended by itself (exit status {status})"
    name = signal.Signals(-status).name if -status in set(signal.Signals) else str(-status)
    why = {
        "SIGSEGV": ": it crashed the interpreter",
        "SIGKILL": ": it used more processor time or memory than it may",
        "SIGXCPU": ": it used more processor time than it may",
        "SIGXFSZ": ": it wrote a larger file than it may",
    }.get(name, "")
    return f"its process was ended by {name}{why}"


class Nursery(Protocol):
    """Where the processes of submissions come from."""

    means: Means

    def begin(self, limits: Limits, modules: Sequence[str]) -> None:
        """Get ready, before the first process.

        Args:
            limits: What a submission may use.
            modules: What to load beforehand.
        """

    def start(self, files: Mapping[str, str]) -> Link:
        """Start a process.

        Args:
            files: What lies beside the notebook: path → content in base64.
        """

    def close(self) -> None:
        """End it, and every process that came from it; once more does no harm."""


class Zygote:
    """An interpreter with everything loaded, to fork from. See `labkit.grade.zygote`.

    Args:
        means: Which means of isolation to use.
    """

    def __init__(self, means: Means) -> None:
        self.means = means
        self._began = self._closed = False
        self._judges, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._alive, alive = os.pipe()
        self._folder = Path(tempfile.mkdtemp(prefix="labkit-grade-"))
        self._folder.chmod(0o711)
        self._numbers = 0
        try:
            self._process = subprocess.Popen(
                python("from labkit.grade.zygote import main; import sys;"
                        " main(int(sys.argv[1]), int(sys.argv[2]))",
                        str(theirs.fileno()), str(alive)),
                env=environment(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), alive),
                start_new_session=True,
            )  # fmt: skip
        finally:
            theirs.close()
            os.close(alive)

    def begin(self, limits: Limits, modules: Sequence[str]) -> None:
        """Say what a submission may use and what to load before the first of them."""
        setup = {"means": vars(self.means), "limits": limits.as_json(), "modules": list(modules)}
        try:
            self._judges.send(json.dumps(setup).encode())
        except OSError:
            raise LabkitError(
                "the interpreter that submissions run in did not start; what it said stands above"
            ) from None
        self._began = True

    def start(self, files: Mapping[str, str]) -> Link:
        """Fork a process."""
        self._numbers += 1
        folder = self._folder / f"{os.getpid()}-{self._numbers}"
        folder.mkdir(mode=0o700)
        mine, theirs = socket.socketpair()
        control, keeper = socket.socketpair()
        with theirs, keeper:
            socket.send_fds(
                self._judges, [str(folder).encode()], [theirs.fileno(), keeper.fileno()]
            )
        link = _Forked(mine, control)
        with contextlib.suppress(Gone):  # whoever asks for the first line hears of it
            link.send(dict(files))
        return link

    def close(self) -> None:
        """End the interpreter and everything that came from it."""
        if self._closed:
            return
        self._closed = True
        self._judges.close()
        if not self._began:
            self._process.kill()
        try:
            self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        # Each keeper holds the other end of this pipe for as long as it has something to keep.
        os.set_blocking(self._alive, False)
        deadline = time.monotonic() + SWEPT
        while time.monotonic() < deadline:
            try:
                if not os.read(self._alive, 1):
                    break
            except BlockingIOError:
                time.sleep(0.005)
        os.close(self._alive)
        shutil.rmtree(self._folder, ignore_errors=True)


# Started one by one, where nothing can be forked


class _Spawned:
    """A process of its own, over its standard input and output."""

    def __init__(self, folder: str, files: Mapping[str, str], limits: Limits) -> None:
        self._process = subprocess.Popen(
            python("from labkit.grade.learner import main; main()"),
            env=environment(),
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._folder = folder
        self._lines: queue.Queue[bytes] = queue.Queue(maxsize=1000)
        self._open = True
        self._reader = threading.Thread(target=self._read, args=(limits.message,), daemon=True)
        self._reader.start()
        with contextlib.suppress(Gone):
            self.send({"folder": folder, "files": dict(files), "limits": limits.as_json()})

    def _read(self, size: int) -> None:
        output = self._process.stdout
        assert output is not None
        with contextlib.suppress(ValueError, OSError):
            while self._open:
                line = output.readline(size)
                self._lines.put(line)
                if not line:
                    return

    def send(self, message: Message) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()
        except (OSError, ValueError):
            raise Gone from None

    def line(self, seconds: float, size: int) -> bytes:
        try:
            line = self._lines.get(timeout=max(seconds, 0.001))
        except queue.Empty:
            raise Late("it did not come back in time and was stopped") from None
        if not line:
            raise Gone
        if len(line) > size:
            raise Nonsense("it sent more than a submission may")
        return line

    def close(self, *, at_its_end: bool = False) -> str:
        self._open = False
        if at_its_end:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=AT_ITS_END)
        status = self._process.poll()
        # Its whole group goes, whether it ended by itself or not.
        with contextlib.suppress(OSError):
            if sys.platform == "win32":
                self._process.kill()
            else:
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        while self._reader.is_alive():
            with contextlib.suppress(queue.Empty):
                self._lines.get_nowait()
            self._reader.join(0.01)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with contextlib.suppress(OSError):
                pipe.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        return "it was stopped" if status is None else _how(str(status))


class Spawner:
    """Starts an interpreter for each process: slower, and all there is where nothing forks."""

    def __init__(self) -> None:
        self.means = Means()
        self._limits = Limits()

    def begin(self, limits: Limits, modules: Sequence[str]) -> None:
        """Note what a submission may use; each loads for itself what it needs."""
        self._limits = limits

    def start(self, files: Mapping[str, str]) -> Link:
        """Start a process."""
        return _Spawned(tempfile.mkdtemp(prefix="labkit-grade-"), files, self._limits)

    def close(self) -> None:
        """Nothing is left to end."""


def environment() -> dict[str, str]:
    """The environment of a submission: what is allowed of the grader's, and what labkit sets."""
    return {name: os.environ[name] for name in ALLOWED if name in os.environ} | SETTINGS


def python(code: str, *arguments: str) -> list[str]:
    """The command of an interpreter that has this labkit and nothing of its caller's.

    Args:
        code: What it runs.
        arguments: What that finds in ``sys.argv`` from 1 on.
    """
    # Isolated (-I): neither a folder nor a variable of whoever calls decides what is imported.
    # But it has to be this labkit, also where that is a checkout and another one is installed.
    package = Path(__file__).resolve().parents[1]
    start = (
        "import sys, importlib.util; found = importlib.util.find_spec('labkit');"
        f" found and found.origin == {str(package / '__init__.py')!r}"
        f" or sys.path.insert(0, {str(package.parent)!r}); {code}"
    )
    return [sys.executable, "-I", "-c", start, *arguments]


def nursery(isolation: Sequence[str] = ("namespaces", "landlock")) -> Nursery:
    """The best way to start processes that this system has; it gets ready in the background.

    Args:
        isolation: Which means of isolation may be used.
    """
    if sys.platform != "linux":
        return Spawner()
    return Zygote(sandbox.probe(isolation))
