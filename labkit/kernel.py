"""What a notebook's kernel needs so that its Stop button stops at once."""

from __future__ import annotations

import asyncio
import signal
import threading


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
