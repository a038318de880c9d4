"""Rate limits: at most so many requests for each client in a sliding window."""

import time
from collections import defaultdict, deque
from collections.abc import Callable


class SlidingWindow:
    """Counts each client's requests of the last `seconds`."""

    def __init__(
        self,
        limit: int,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limit = limit
        self.seconds = seconds
        self._clock = clock
        self._hits: dict[str, deque[float]] = defaultdict(deque)

    def allow(self, client: str) -> bool:
        """Whether a request may pass; one that may is counted."""
        now = self._clock()
        hits = self._hits[client]
        while hits and hits[0] <= now - self.seconds:
            hits.popleft()
        if len(hits) > self.limit:
            return False
        hits.append(now)
        return True

    def retry_after(self, client: str) -> float:
        """Seconds until the oldest request leaves the window."""
        hits = self._hits[client]
        return max(0.0, hits[0] + self.seconds - self._clock()) if hits else 0.0
