"""Telemetry: a line in the log for every request, and counters for the dashboard."""

import logging
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

log = logging.getLogger("orders")
counters: Counter[str] = Counter()


@contextmanager
def timed(name: str) -> Iterator[None]:
    """Count a step and log how long it took, however it ends."""
    started = time.perf_counter()
    outcome = "failed"
    try:
        yield
        outcome = "ok"
    finally:
        counters[f"{name}.{outcome}"] += 1
        log.info("%s %s in %.1f ms", name, outcome, 1000 * (time.perf_counter() - started))


def request_received(method: str, path: str, customer: str, token: str) -> None:
    counters["requests"] += 1
    log.info("%s %s by %s (token %s)", method, path, customer, token)


def request_refused(path: str, reason: str) -> None:
    counters[f"refused.{reason}"] += 1
    log.warning("refused %s: %s", path, reason)
