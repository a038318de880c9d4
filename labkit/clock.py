"""An event loop whose seconds are free.

When no task can go on, nothing is computed and only time would pass; so time jumps to the next
timer. ``asyncio.sleep(3600)`` takes no longer than ``asyncio.sleep(0)``, and everything built on
the loop's timers comes along: ``asyncio.timeout``, the SDK's back-off, a learner's own code.

The idea is that of trio's ``MockClock`` (``trio/_core/_mock_clock.py``), put under asyncio.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import contextvars
import math
import selectors
import signal
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar, TypeVarTuple

from .errors import Deadlock

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

Idle = Callable[[float | None], float | None]
"""Asked when no task can go on: next timer (seconds, or None) → the time to jump to, or None."""

# How long a thread that the loop did not start may take before it wakes the loop (real seconds):
# none has started since the loop did / some have.
GRACE_ALONE = 0.05
GRACE_WITH_THREADS = 2.0
# How long a finished job in a thread waits for one submitted before it (real seconds); only a job
# that needs the result of a later one makes the loop wait this long.
ORDER_PATIENCE = 1.0


class FreeClock(asyncio.SelectorEventLoop):
    """An asyncio event loop on which waiting takes no time.

    Time stands still while code runs and while a thread started by the loop works; results of
    threads are handed over in the order in which they were submitted, so that the order of events
    does not depend on the machine. While sockets are open, time is real: what comes over them
    cannot be foreseen.

    Args:
        idle: Asked for the time to jump to whenever no task can go on. It gets the time of the
            next timer (seconds by this clock) or None where there is none, and returns the time
            to jump to or None where there is nothing to wait for. By default the next timer.

    Raises:
        Deadlock: from ``run_until_complete``, when no task can go on and no timer, thread or
            socket could wake one.
    """

    def __init__(self, idle: Idle | None = None) -> None:
        self._now = 0.0
        self._idle: Idle = idle if idle is not None else lambda timer: timer
        self._jobs: list[tuple[concurrent.futures.Future[Any], asyncio.Future[Any]]] = []
        self._uncounted = 0
        self._threads_before = set(threading.enumerate())
        self._sockets = _JumpingSelector(self)
        super().__init__(self._sockets)

    def time(self) -> float:
        """Seconds since the loop was made, by this clock."""
        return self._now

    def pass_time(self, seconds: float) -> None:
        """Let time pass while code keeps the loop, as ``time.sleep`` would; no task goes on.

        Args:
            seconds: How long, by this clock.
        """
        self._now += seconds

    def is_idle(self) -> bool:
        """Whether nothing is left in it: no task, timer, thread, socket or setting of anybody's."""
        timers = self._scheduled  # type: ignore[attr-defined]  # asyncio's own heap of timers
        return not (
            self.is_running()
            or self.is_closed()
            or asyncio.all_tasks(self)
            or self._ready  # type: ignore[attr-defined]  # asyncio's own queue
            or any(not timer.cancelled() for timer in timers)
            or self._jobs
            or self._uncounted
            or getattr(self, "_default_executor", None) is not None
            or getattr(self, "_asyncgens", None)
            or getattr(self, "_signal_handlers", None)
            or len(self._sockets.get_map()) > 1  # more than the loop's own wake-up pipe
            or self.get_task_factory() is not None
            or self.get_debug()
        )

    def renew(self, idle: Idle | None = None) -> None:
        """Make a loop in which nothing is left as good as a new one: its time is 0 again.

        Args:
            idle: As for the class.
        """
        self._scheduled.clear()  # type: ignore[attr-defined]  # cancelled timers stay in it
        self._timer_cancelled_count = 0
        self._clock_resolution = 1e-9
        self._now = 0.0
        self._idle = idle if idle is not None else lambda timer: timer
        self._threads_before = set(threading.enumerate())

    def run_in_executor(
        self,
        executor: concurrent.futures.Executor | None,
        func: Callable[[*Ts], T],
        *args: *Ts,
    ) -> asyncio.Future[T]:
        """As in asyncio; time stands still until the call is through."""
        if executor is None:
            executor = self._own_executor()
        job: concurrent.futures.Future[T] = executor.submit(func, *args)
        result: asyncio.Future[T] = self.create_future()
        self._jobs.append((job, result))
        job.add_done_callback(lambda _: self._wake())
        result.add_done_callback(lambda f: job.cancel() if f.cancelled() else None)
        return result

    async def shutdown_default_executor(
        self,
        timeout: float | None = None,  # noqa: ASYNC109  # the base class's signature
    ) -> None:
        """As in asyncio (its ``timeout``, new in 3.12, is in real seconds and ignored here)."""
        self._uncounted += 1
        try:
            await super().shutdown_default_executor()
        finally:
            self._uncounted -= 1

    def _own_executor(self) -> concurrent.futures.ThreadPoolExecutor:
        executor = getattr(self, "_default_executor", None)
        if not isinstance(executor, concurrent.futures.ThreadPoolExecutor):
            executor = concurrent.futures.ThreadPoolExecutor(thread_name_prefix="labkit")
            self.set_default_executor(executor)
        return executor

    def _wake(self) -> None:
        # The loop may have been closed while the thread was still at work.
        with contextlib.suppress(RuntimeError):
            self.call_soon_threadsafe(lambda: None)

    def _hand_over(self, jobs: list[tuple[Any, asyncio.Future[Any]]]) -> None:
        self._jobs = [entry for entry in self._jobs if entry not in jobs]
        for job, result in jobs:
            if result.done():
                continue
            if job.cancelled():
                result.cancel()
            elif (error := job.exception()) is not None:
                result.set_exception(error)
            else:
                result.set_result(job.result())

    def _who_waits(self) -> str:
        lines = []
        for task in sorted(asyncio.all_tasks(self), key=lambda t: t.get_name()):
            frames = task.get_stack(limit=1)
            where = f", line {frames[-1].f_lineno}" if frames else ""
            coroutine = getattr(task.get_coro(), "__qualname__", repr(task.get_coro()))
            lines.append(f"  {coroutine}{where}")
        return "\n".join(lines)


class _JumpingSelector(selectors.DefaultSelector):
    """The loop's selector; where the loop would wait, it moves the loop's time instead."""

    def __init__(self, loop: FreeClock) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        woken = super().select(0)
        if woken or (timeout is not None and timeout <= 0):
            return woken
        loop = self._loop
        if loop._jobs:
            return self._wait_for_jobs()
        if loop._uncounted:
            return super().select(None)
        if len(self.get_map()) > 1:  # more than the loop's own wake-up pipe: real sockets
            started = time.monotonic()
            woken = super().select(timeout)
            loop._now += time.monotonic() - started
            return woken
        return self._jump()

    def _wait_for_jobs(self) -> list[tuple[selectors.SelectorKey, int]]:
        loop = self._loop
        woken: list[tuple[selectors.SelectorKey, int]] = []
        if not all(job.done() for job, _ in loop._jobs):
            woken = super().select(ORDER_PATIENCE)
            if woken:
                return woken
        loop._hand_over([entry for entry in loop._jobs if entry[0].done()])
        return woken

    def _jump(self) -> list[tuple[selectors.SelectorKey, int]]:
        loop = self._loop
        # `timeout` is rounded; the timer itself is exact.
        timers = loop._scheduled  # type: ignore[attr-defined]  # asyncio's own heap of timers
        target = loop._idle(timers[0].when() if timers else None)
        if target is None and not loop._ready:  # type: ignore[attr-defined]  # asyncio's own queue
            newer = any(thread not in loop._threads_before for thread in threading.enumerate())
            woken = super().select(GRACE_WITH_THREADS if newer else GRACE_ALONE)
            if woken:
                return woken
            raise Deadlock(
                "every task waits on something that cannot happen: no timer, no thread and no"
                f" socket is left that could wake one.\nWaiting:\n{loop._who_waits()}"
            )
        if target is not None:
            loop._now = max(loop._now, target)
            # asyncio runs what is due before now plus this, a sum that has to differ from now.
            resolution = max(1e-9, 2 * math.ulp(loop._now))
            loop._clock_resolution = resolution
        return []


def run(main: Coroutine[Any, Any, T], *, idle: Idle | None = None) -> T:
    """Run a coroutine on a free clock and return its result.

    Works in plain Python and in a notebook cell: where an event loop already runs in this thread,
    the coroutine gets a private loop on a thread of its own, and this call waits for it. Ctrl-C or
    the Stop button cancels it, lets it clean up and raises ``KeyboardInterrupt``.

    Args:
        main: The coroutine to run.
        idle: As for `FreeClock`.

    Returns:
        What the coroutine returned.

    Raises:
        Deadlock: When every task waits on something that cannot happen.
        BaseException: Whatever the coroutine raised.
    """
    if _loop_runs():
        return _run_on_thread(main, idle)
    return _run_here(main, idle)


def _loop_runs() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _run_here(main: Coroutine[Any, Any, T], idle: Idle | None) -> T:
    with asyncio.Runner(loop_factory=lambda: FreeClock(idle)) as runner:
        try:
            return runner.run(main)
        except Deadlock:
            loop = runner.get_loop()
            # What goes wrong while they end has the deadlock for its cause, and that is told.
            loop.set_exception_handler(lambda _loop, _context: None)
            cancel_all(loop)
            raise


def cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel the tasks of a loop that stands still, also those that await each other in a circle.

    ``Task.cancel`` cancels what the task awaits, and so goes round such a circle until Python's
    recursion limit stops it. There the task is ended from outside, which wakes whoever awaits it.

    Args:
        loop: An event loop that does not run at the moment.
    """
    for task in asyncio.all_tasks(loop):
        try:
            task.cancel()
        except RecursionError:
            asyncio.Future.cancel(task)
            coroutine = task.get_coro()
            if isinstance(coroutine, Coroutine):
                with contextlib.suppress(BaseException):
                    coroutine.close()


def _run_on_thread(main: Coroutine[Any, Any, T], idle: Idle | None) -> T:
    outcome: concurrent.futures.Future[T] = concurrent.futures.Future()
    started = threading.Event()
    handle: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = []

    async def announced() -> T:
        task = asyncio.current_task()
        assert task is not None
        handle.append((asyncio.get_running_loop(), task))
        started.set()
        return await main

    def work() -> None:
        try:
            outcome.set_result(_run_here(announced(), idle))
        except BaseException as error:
            outcome.set_exception(error)
        finally:
            started.set()

    # The cell's context goes along: output lands in the cell, calls in its trace.
    context = contextvars.copy_context()
    thread = threading.Thread(target=lambda: context.run(work), name="labkit-clock", daemon=True)
    with interruptible():
        try:
            thread.start()
            return outcome.result()
        except KeyboardInterrupt:
            started.wait()
            if handle and not outcome.done():
                loop, task = handle[0]
                loop.call_soon_threadsafe(task.cancel)
            concurrent.futures.wait([outcome])
            raise
        finally:
            if outcome.done():
                thread.join()


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGINT raise in this block: while a cell awaits, ipykernel only notes it for its loop."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
