"""The notebook's kernel: whether there is one, which cell it runs, and how Stop stops at once."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from typing import Any


def make_interruptible() -> bool:
    """Let an interrupt wake the loop of the running cell.

    ipykernel 7 sets a signal handler of its own while a cell awaits, but no wake-up descriptor:
    the loop notices the signal only when its next timer fires, so a cell that sleeps for 15 s ends
    after 15 s. Any handler added through the loop sets that descriptor for all signals.

    Returns:
        Whether it could be done; not so outside a cell, on another thread or on Windows.
    """
    if threading.current_thread() is not threading.main_thread():
        return False
    try:
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, _woken)
    except (RuntimeError, NotImplementedError, AttributeError):
        return False
    return True


def _woken() -> None:
    """Nothing to do: that the signal arrived has woken the loop."""


def _kernel() -> Any:
    shell = sys.modules.get("IPython")
    running = shell.get_ipython() if shell is not None else None
    return getattr(running, "kernel", None)


def in_kernel() -> bool:
    """Whether a Jupyter kernel runs this code, so that a front end may show widgets."""
    return _kernel() is not None


def running_cell() -> tuple[str, str]:
    """The id of the cell that runs, and of this run of it; empty where the front end tells none."""
    kernel = _kernel()
    request = kernel.get_parent() if kernel is not None else None
    request = request or {}
    cell = request.get("metadata", {}).get("cellId") or ""
    return str(cell), str(request.get("header", {}).get("msg_id") or "")
