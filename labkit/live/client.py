"""The SDK's clients over the network, behind the guard and the recorder."""

from __future__ import annotations

import os
import sys
import urllib.request

import anthropic
import httpx2
from anthropic import DEFAULT_CONNECTION_LIMITS

from .. import kernel
from ..wire import BlockingRecorder, Recorder
from .guard import BlockingGuard, Guard
from .spending import Budget, budget

PUBLIC = "https://api.anthropic.com"
"""The address that the SDK takes where ANTHROPIC_BASE_URL names no other."""


def live_client(
    given: Budget | None, *, blocking: bool
) -> anthropic.AsyncAnthropic | anthropic.Anthropic:
    """Return a client over the network, whose address and key the SDK finds in the environment.

    Args:
        given: What its calls may cost; None for the session's budget.
        blocking: Return the blocking client.
    """
    limit = budget() if given is None else given
    proxy = _proxy(httpx2.URL(os.environ.get("ANTHROPIC_BASE_URL") or PUBLIC))
    client: anthropic.AsyncAnthropic | anthropic.Anthropic
    # A transport of one's own gets neither the SDK's connection limits nor a proxy by itself.
    if blocking:
        wire = httpx2.HTTPTransport(limits=DEFAULT_CONNECTION_LIMITS, proxy=proxy)
        guard = BlockingGuard(BlockingRecorder(wire), limit)
        client = anthropic.Anthropic(http_client=anthropic.DefaultHttpxClient(transport=guard))
    else:
        network = httpx2.AsyncHTTPTransport(limits=DEFAULT_CONNECTION_LIMITS, proxy=proxy)
        watched = Guard(Recorder(network), limit)
        client = anthropic.AsyncAnthropic(
            http_client=anthropic.DefaultAsyncHttpxClient(transport=watched)
        )
    _tell(client.base_url.host, limit)
    return client


def _proxy(url: httpx2.URL) -> str | None:
    """The proxy that the environment names for an address."""
    if urllib.request.proxy_bypass(url.host):
        return None
    proxies = urllib.request.getproxies()
    return proxies.get(url.scheme) or proxies.get("all")


def _tell(host: str, limit: Budget) -> None:
    """Say, once for each budget, that calls cost money now, and how much at most."""
    if limit.told or "LABKIT_QUIET" in os.environ:
        return
    limit.told = True
    print(
        f"live: calls go to {host} and cost at most ${limit.dollars:.2f} and {limit.calls} calls",
        # In a shell, standard output is the program's own.
        file=sys.stdout if kernel.in_kernel() else sys.stderr,
    )
