"""Grading on the machines of a Dask cluster: each notebook goes to whoever has a place for it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import pkgutil
import sys
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..errors import LabkitError, UsageError
from ..extras import bring
from . import notebooks, sandbox
from .children import PATIENCE, Gone
from .judging import ungraded
from .notebooks import Submission, Unreadable
from .pool import Through
from .result import NotebookResult
from .sandbox import Limits
from .station import Notebook, Order, Station

if TYPE_CHECKING:
    from distributed import Client, Worker

ANSWERS = 5.0
"""Real seconds that a scheduler may take to answer at first."""

DESERTED = 60.0
"""Real seconds that a grading waits for a worker to come back when all are gone."""

ENDS = 5.0
"""Real seconds to wait for the workers to say that they have ended what they did."""

ATTEMPTS = 3
"""How often a notebook is handed in whose workers died, as many at a time as the cluster allows."""

LOOKS = 2.0
"""Real seconds between two looks at which workers there are."""

Graded = tuple[NotebookResult, dict[str, bool]]
"""What a worker found, and which means of isolation were active there."""


class Cluster:
    """Grades on a Dask cluster. See `labkit.grade.pool.Team`.

    The notebooks travel with what lies beside them, so the workers need no file of this machine.
    Where a worker dies, Dask gives what it worked on to another one.

    Args:
        address: The scheduler's address, such as ``tcp://10.0.0.1:8786``.

    Raises:
        UsageError: When Dask is not installed.
    """

    def __init__(self, address: str) -> None:
        if find_spec("distributed") is None:
            raise UsageError(f"--cluster needs Dask, which is not installed. {bring('cluster')}")
        self._address = address
        self._client: Client | None = None
        self._order = Order("", __version__, "", Limits(), ())
        self._paths: list[Path] = []
        self._isolation: dict[str, bool] = {}
        self._open = contextlib.ExitStack()
        self._open.enter_context(_quiet())
        self._runner = self._open.enter_context(asyncio.Runner())

    def begin(
        self, limits: Limits, modules: Sequence[str], seed: str, found: Sequence[Submission]
    ) -> None:
        """Connect, and have every worker get ready.

        Args:
            limits: What one submission may use.
            modules: What to load beforehand.
            seed: Where the inputs are drawn from.
            found: Every notebook of the grading.

        Raises:
            LabkitError: When no scheduler answers, no worker is there, or one cannot grade.
        """
        self._order = Order(uuid.uuid4().hex, __version__, seed, limits, tuple(modules))
        self._paths = [submission.path for submission in found]
        self._runner.run(self._begin())

    def grade(self, todo: Sequence[Submission], jobs: int | None, through: Through) -> None:
        """Grade notebooks.

        Args:
            todo: Which of them.
            jobs: How many at once; None for as many as the workers have places for.
            through: Told of each one, in the order in which they are through.

        Raises:
            LabkitError: When the scheduler is lost, all workers are, or one cannot grade.
        """
        self._runner.run(self._grade(todo, jobs, through))

    def isolation(self) -> dict[str, bool]:
        """Which means of isolation were active on every worker."""
        return self._isolation

    def close(self) -> None:
        """End what the grading left on the workers, and leave; once more does no harm."""
        client, self._client = self._client, None
        with self._open:
            if client is not None:
                self._runner.run(self._leave(client))

    async def _begin(self) -> None:
        from distributed import Client

        try:
            async with asyncio.timeout(ANSWERS):
                client = Client(
                    self._address, asynchronous=True, timeout=2 * ANSWERS, set_as_default=False
                )
                try:
                    self._client = await client
                finally:
                    if self._client is None:
                        await client.close(timeout=0)
        except (OSError, ValueError, TypeError, RuntimeError) as error:
            why = _first_line(error) or f"nothing within {ANSWERS:g} s"
            raise LabkitError(
                f"no Dask scheduler answers at {self._address} ({why}): start one"
                " with `dask scheduler`, and give the address that it prints"
            ) from None
        try:
            async with asyncio.timeout(2 * PATIENCE):
                await self._greet(self._client)
        except TimeoutError:
            raise LabkitError(
                f"not every worker of the cluster at {self._address} got ready within"
                f" {2 * PATIENCE:g} s: look whether they all work"
            ) from None
        except OSError:
            raise self._lost("can no longer be reached") from None

    async def _greet(self, client: Client) -> None:
        """Have all say which labkit they have, and the workers get ready to grade."""
        # Of the standard library, so that who has no labkit can answer too.
        version = pkgutil.resolve_name, "labkit:__version__"
        try:  # Dask's scheduler loads what it passes on
            held = await client.run_on_scheduler(*version)
        except (ImportError, AttributeError):
            held = None
        if held != __version__:
            raise _refused(f"scheduler {self._address}", held, __version__)
        told = await client.run(*version, on_error="return")
        if not told:
            raise LabkitError(
                f"the cluster at {self._address} has no worker: start some with"
                f" `dask worker {self._address}`"
            )
        for address, answer in told.items():
            if isinstance(answer, ImportError | AttributeError):
                raise _refused(f"worker {address}", None, __version__)
            if not isinstance(answer, Exception) and answer != __version__:
                raise _refused(f"worker {address}", answer, __version__)
        ready = await client.run(_get_ready, self._order, on_error="return")
        for answer in ready.values():
            if isinstance(answer, LabkitError):
                raise answer
            if not isinstance(answer, Exception):  # one that has just left is not missed
                self._active(answer)

    def _active(self, told: Mapping[str, bool]) -> None:
        """Note what was active on a worker: the report names what was active on all."""
        for name, active in told.items():
            self._isolation[name] = active and self._isolation.get(name, True)

    async def _grade(self, todo: Sequence[Submission], jobs: int | None, through: Through) -> None:
        waiting = iter(todo)
        running: dict[asyncio.Task[NotebookResult], Submission] = {}
        deserted: float | None = None
        try:
            while True:
                places = await self._places()
                # One more for each worker is on its way there while the others are graded.
                room = jobs or sum(places.values()) + len(places)
                while len(running) < max(room, 1) and (submission := next(waiting, None)):
                    running[asyncio.create_task(self._result(submission))] = submission
                if not running:
                    return
                deserted = None if places else (deserted or time.monotonic())
                if deserted is not None and time.monotonic() - deserted > DESERTED:
                    raise self._lost(f"has had no worker for {DESERTED:g} s")
                done, _ = await asyncio.wait(
                    running, timeout=LOOKS, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    through(running.pop(task), task.result())
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _places(self) -> dict[str, int]:
        """The workers there are, and how many notebooks each grades at once."""
        assert self._client is not None
        try:
            places: dict[str, int] = await self._client.nthreads()
        except (OSError, ValueError):
            raise self._lost("can no longer be reached") from None
        return places

    async def _result(self, submission: Submission) -> NotebookResult:
        from distributed.scheduler import KilledWorker

        try:
            data = submission.contents()
        except Unreadable as error:
            return ungraded(submission, str(error))
        path = str(submission.path)
        files = notebooks.beside(submission.path, self._paths)
        notebook = Notebook(path, submission.learner, data, files)
        assert self._client is not None
        told: Graded | None
        for _ in range(ATTEMPTS):
            try:
                # By default Dask takes equal calls for one and the same, and runs it once.
                told = await self._client.submit(_grade_there, self._order, notebook, pure=False)
            except KilledWorker:
                continue
            except CancelledError:  # by Dask, which can no longer tell what becomes of it
                raise self._lost("can no longer be reached") from None
            if told is None:
                continue
            result, isolation = told
            self._active(isolation)
            result.path = path  # the worker may write paths in another way
            return result
        return ungraded(submission, "the workers that it was graded on died, one after another")

    def _lost(self, how: str) -> LabkitError:
        return LabkitError(
            f"the cluster at {self._address} {how}; once it is back, --resume goes on from here"
        )

    async def _leave(self, client: Client) -> None:
        with contextlib.suppress(OSError, ValueError):  # who is not there has nothing left
            async with asyncio.timeout(ENDS):
                await client.run(_dismiss, self._order.id, on_error="ignore")
        await client.close(timeout=ENDS)


def _refused(who: str, version: str | None, wanted: str) -> LabkitError:
    has = "no labkit that can be imported" if version is None else f"labkit {version}"
    return LabkitError(
        f"the {who} has {has}, and this is labkit {wanted}: verdicts could differ."
        " Install the same one there and start it again"
    )


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0][:200]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask's own log out of a command's output: what matters is told in labkit's words."""
    import dask
    from distributed.utils import silence_logging_cmgr

    # A notebook with its pictures is larger than what Dask takes for a mistake.
    large = {"distributed.admin.large-graph-warning-threshold": "1 GiB"}
    with silence_logging_cmgr(logging.CRITICAL + 1), dask.config.set(large):
        yield


# On the workers; all of it runs on a worker's event loop

_stations: dict[str, asyncio.Task[Station]] = {}
"""The id of a grading → the station that grades for it here."""

_over: set[str] = set()
"""The ids of gradings that are over: what of them is still on its way here is not begun."""


async def _get_ready(order: Order, dask_worker: Worker) -> dict[str, bool]:
    """Start this worker's station; returns which means of isolation it has."""
    return (await _station(order, dask_worker)).isolation


async def _grade_there(order: Order, notebook: Notebook) -> Graded | None:
    """Grade a notebook on the worker that this runs on; None where its station ended meanwhile."""
    from distributed import get_worker

    try:
        station = await _station(order, get_worker())
        return await station.grade(notebook), station.isolation
    except Gone:
        return None


async def _station(order: Order, worker: Worker) -> Station:
    """The station of a grading; it is started once, and again where it has ended."""
    if order.version != __version__:  # a worker that came after the others were asked
        raise _refused(f"worker {worker.address}", __version__, order.version)
    if sys.platform != "linux":
        raise LabkitError(
            f"the worker {worker.address} runs on {sys.platform}: only on Linux can learners' code"
            " be kept apart from a worker"
        )
    if order.id in _over:
        raise Gone("the grading is over")
    starting = _stations.get(order.id)
    if starting is None or (starting.done() and (_failed(starting) or starting.result().over)):
        sandbox.hide_memory()  # from here on it holds the seed
        starting = _stations[order.id] = asyncio.create_task(Station.begin(order))
    try:
        return await asyncio.shield(starting)
    except LabkitError as error:
        raise LabkitError(f"the worker {worker.address} cannot grade: {error}") from None


def _failed(task: asyncio.Task[Any]) -> bool:
    return task.cancelled() or task.exception() is not None


async def _dismiss(id: str) -> None:
    """End this worker's station, if there is one."""
    _over.add(id)
    starting = _stations.pop(id, None)
    if starting is not None:
        await asyncio.wait([starting])
        if not _failed(starting):
            await starting.result().close()
