"""The SDK's clients over the network, behind the guard and the recorder."""

from __future__ import annotations

import asyncio
import os
import sys
import urllib.request
from weakref import WeakKeyDictionary

import anthropic
import httpx2
from anthropic import DEFAULT_CONNECTION_LIMITS

from .. import kernel
from ..clock import FreeClock
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
        watched = Guard(Recorder(_Network(proxy)), limit)
        client = anthropic.AsyncAnthropic(
            http_client=anthropic.DefaultAsyncHttpxClient(transport=watched)
        )
    _tell(client.base_url.host, limit)
    return client


class _Network(httpx2.AsyncBaseTransport):
    """The network, for whichever event loop a call is made on.

    A connection belongs to the loop on which it was opened, and a notebook has several: that of
    its cells, and one for each `labkit.run`. Those last no longer than their call, so they keep no
    connection open.

    Args:
        proxy: The address of a proxy; None for none.
    """

    def __init__(self, proxy: str | None) -> None:
        self._proxy = proxy
        self._lanes: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx2.AsyncHTTPTransport]
        self._lanes = WeakKeyDictionary()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request over the running loop's own connections."""
        loop = asyncio.get_running_loop()
        lane = self._lanes.get(loop)
        if lane is None:
            limits = DEFAULT_CONNECTION_LIMITS
            if isinstance(loop, FreeClock):
                limits = httpx2.Limits(max_connections=None, max_keepalive_connections=0)
            lane = self._lanes[loop] = httpx2.AsyncHTTPTransport(limits=limits, proxy=self._proxy)
        return await lane.handle_async_request(request)

    async def aclose(self) -> None:
        """Close the running loop's connections: those of another are not this one's to close."""
        lane = self._lanes.pop(asyncio.get_running_loop(), None)
        if lane is not None:
            await lane.aclose()


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
        f"live: calls go to {host}, at most {limit.calls} of them and ${limit.dollars:.2f} in all;"
        f" {'budget()' if limit is budget() else 'the Budget'} says what is spent",
        # In a shell, standard output is the program's own.
        file=sys.stdout if kernel.in_kernel() else sys.stderr,
    )
