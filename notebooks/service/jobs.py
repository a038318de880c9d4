"""Background jobs: mails and invoices that no customer has to wait for."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger("orders.jobs")
Job = Callable[[], Awaitable[None]]


class Jobs:
    """Runs jobs beside the requests, so many at a time."""

    def __init__(self, at_once: int = 4) -> None:
        self._places = asyncio.Semaphore(at_once)
        self.failed = 0

    def submit(self, name: str, job: Job) -> None:
        """Start a job; nobody waits for it."""
        asyncio.create_task(self._run(name, job))

    async def _run(self, name: str, job: Job) -> None:
        async with self._places:
            try:
                await job()
            except Exception:
                self.failed += 1
                log.exception("the job %s failed", name)
