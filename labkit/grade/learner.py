"""The learner's end of a grading: it runs cells and plays exercises, and judges nothing.

It speaks plain JSON, a line each. The judge asks, one thing at a time:

    {"do": "run", "source": text, "names": [...]}   run a cell
    {"do": "play", "name": text, "job": {...}}      run a function once, see `labkit.checks.player`

and is answered with ``{"ran": {"error": ..., "bound": {...}}}`` or with the turns of the player.
Whatever the learner's code does to this module or to the channel, it can only answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import io
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import IO, Any, SupportsIndex

from IPython.core.displayhook import DisplayHook
from IPython.core.formatters import DisplayFormatter
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

from ..checks import player
from ..checks.messages import look
from ..clock import FreeClock

Message = dict[str, Any]


class _Unseen(DisplayFormatter):
    """Formats nothing: nobody looks at what a cell shows, and pictures take long."""

    def format(self, obj: Any, *_args: Any, **_options: Any) -> tuple[Message, Message]:
        return {}, {}


class _Quiet(DisplayHook):
    """Keeps `_` and `Out`, and writes nothing."""

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, *_args: Any, **_options: Any) -> None:
        pass


class Shell(InteractiveShell):
    """What JupyterLab's cells run in, less the kernel around it."""

    displayhook_class = Type(_Quiet)
    system = InteractiveShell.system_raw  # a submission has no terminal

    def init_display_formatter(self) -> None:
        """Use a formatter that formats nothing."""
        self.display_formatter = _Unseen(parent=self)

    def _showtraceback(self, *_args: Any, **_options: Any) -> None:
        """Draw no traceback: what was raised is told in the report."""

    def showtraceback(self, *_args: Any, **_options: Any) -> None:
        """Likewise."""

    def showsyntaxerror(self, *_args: Any, **_options: Any) -> None:
        """Likewise."""

    def enable_gui(self, gui: Any = None) -> None:
        """Nothing: there is no window."""

    def ask_exit(self) -> None:
        """Nothing: the next cell runs."""


def make_shell() -> Shell:
    """The shell, made once before the first submission; each runs in a copy of it."""
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.cache_size = 100
    shell: Shell = Shell.instance(config=config)
    Notebook(shell).end()  # what a first cell has IPython load is loaded now
    return shell


class Notebook:
    """The state that a notebook's cells share.

    Args:
        shell: Where they run.
    """

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._loop = FreeClock()
        self._loop.set_exception_handler(lambda _loop, _context: None)

    def run(self, source: str, names: Iterable[str]) -> Message:
        """Run a cell.

        Args:
            source: The cell.
            names: The names of functions to look out for.

        Returns:
            ``error``: what it raised, or None; ``bound``: of each of the names that the cell gave
            a new value, whether that can be called and whether it is labkit's own.
        """
        space = self._shell.user_ns
        before = {name: space.get(name) for name in names}
        asyncio.set_event_loop(self._loop)
        try:
            with _free_sleep():
                error = self._loop.run_until_complete(self._cell(source))
        except BaseException as raised:  # a deadlock, or one that asyncio lets out of the loop
            error = raised
        finally:
            _close_figures()
        return {
            "error": None if error is None else _told(error),
            "bound": {
                name: {"callable": callable(space[name]), "reference": _is_labkits(space[name])}
                for name in before
                if name in space and space[name] is not before[name]
            },
        }

    def end(self) -> None:
        """Run a cell that does nothing, close the loop and count from 1 again."""
        self.run("pass", [])
        self._loop.close()
        asyncio.set_event_loop(None)
        self._shell.reset(new_session=True)  # type: ignore[no-untyped-call]  # IPython's

    async def _cell(self, source: str) -> BaseException | None:
        shell = self._shell
        fault = None
        try:
            code = shell.transform_cell(source)  # type: ignore[no-untyped-call]  # IPython's
        except Exception:
            code, fault = source, sys.exc_info()
        result = await shell.run_cell_async(
            source, store_history=True, transformed_cell=code, preprocessing_exc_tuple=fault
        )
        error: BaseException | None = result.error_before_exec or result.error_in_exec
        return error

    def function(self, name: str) -> Callable[..., Any]:
        """The function of a name, as the last cell left it."""
        found: Callable[..., Any] = self._shell.user_ns[name]
        return found


def _told(error: BaseException) -> Message:
    lines = [frame.tb_lineno for frame in _frames(error) if _in_cell(frame)]
    text = look(error, str)
    if isinstance(error, SyntaxError):  # whose text names a file that is none
        lines, text = [error.lineno or 0], look(error.msg, str)
    return {"kind": type(error).__name__, "text": text, "line": (lines or [0])[-1]}


def _frames(error: BaseException) -> list[TracebackType]:
    frames: list[TracebackType] = []
    here = error.__traceback__
    while here is not None and len(frames) < 1000:
        frames.append(here)
        here = here.tb_next
    return frames


def _in_cell(frame: TracebackType) -> bool:
    # ipykernel and IPython name a cell's file in ways of their own; neither is a real file.
    name = frame.tb_frame.f_code.co_filename
    return name.startswith("<ipython-input") or "ipykernel_" in name


def _is_labkits(value: Any) -> bool:
    with contextlib.suppress(Exception):
        return str(getattr(inspect.unwrap(value), "__module__", "")).startswith("labkit.patterns")
    return False


def _close_figures() -> None:
    # As Jupyter's inline backend does once it has shown them.
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        with contextlib.suppress(Exception):
            pyplot.close("all")


@contextlib.contextmanager
def _free_sleep() -> Iterator[None]:
    """Let ``time.sleep`` in a cell cost nothing: on a free clock's thread its hands move on."""
    real = time.sleep

    def sleep(seconds: float | SupportsIndex, /) -> None:
        try:
            running = asyncio.get_running_loop()
        except RuntimeError:
            running = None
        if isinstance(running, FreeClock) and isinstance(seconds, int | float) and seconds >= 0:
            running.pass_time(seconds)
        else:
            real(seconds)

    time.sleep = sleep
    try:
        yield
    finally:
        time.sleep = real


class _Nowhere(io.TextIOBase):
    """Standard output of the cells: nobody reads it."""

    encoding = "utf-8"

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        return len(text)

    def isatty(self) -> bool:
        return False


def serve(inward: IO[str], outward: IO[str], shell: Shell) -> None:
    """Do what the judge asks, until it asks for no more.

    Args:
        inward: Where the questions come from.
        outward: Where the answers go.
        shell: Where the cells run.
    """
    sys.stdout = sys.stderr = _Nowhere()
    notebook = Notebook(shell)

    def send(message: Message) -> None:
        outward.write(json.dumps(message) + "\n")
        outward.flush()

    def ask(turn: Message) -> Message:
        send(turn)
        line = inward.readline()
        if not line:
            os._exit(0)  # the judge has gone; nothing is left to report to
        answer: Message = json.loads(line)
        return answer

    send({"ready": True})
    while line := inward.readline():
        message = json.loads(line)
        if message["do"] == "run":
            send({"ran": notebook.run(message["source"], message["names"])})
        else:
            player.play(message["job"], notebook.function(message["name"]), ask)


def settle(folder: str, files: dict[str, str]) -> None:
    """Make a folder the working directory and put the notebook's neighbours into it.

    Args:
        folder: The folder, which is there.
        files: Path below it → the file's bytes, in base64.
    """
    from base64 import b64decode
    from pathlib import Path

    for path, content in files.items():
        target = Path(folder, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b64decode(content))
    os.chdir(folder)
    for name in ("HOME", "TMPDIR", "MPLCONFIGDIR", "IPYTHONDIR", "XDG_CACHE_HOME"):
        os.environ[name] = folder
    import tempfile

    tempfile.tempdir = folder
    sys.path.insert(0, folder)


def main() -> None:
    """Be the learner's end over standard input and output, where the system cannot fork."""
    shell = make_shell()
    outward = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    inward = os.fdopen(os.dup(0), encoding="utf-8")
    with open(os.devnull, "r+b") as nothing:  # noqa: PTH123  # a descriptor is wanted, not a path
        for standard in (0, 1, 2):
            os.dup2(nothing.fileno(), standard)
    start = json.loads(inward.readline())
    settle(start["folder"], start["files"])
    if sys.platform != "win32":
        from . import sandbox

        sandbox.limit(sandbox.Limits(**start["limits"]), counted=False)
    serve(inward, outward, shell)
