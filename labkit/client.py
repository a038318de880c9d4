"""`connect`: the one place that reads a key."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, overload

from .errors import UsageError
from .script import Rule, ScriptedModel

if TYPE_CHECKING:
    import anthropic
    import httpx2

NOWHERE = "http://labkit.invalid"
"""The scripted client's address. RFC 6761 reserves ``.invalid``: it can never resolve."""

NO_KEY = "scripted-no-key-needed"


@overload
def connect(
    script: Sequence[Rule] | None = None,
    *,
    live: bool = False,
    seed: int = 0,
    blocking: Literal[False] = False,
) -> anthropic.AsyncAnthropic: ...


@overload
def connect(
    script: Sequence[Rule] | None = None,
    *,
    live: bool = False,
    seed: int = 0,
    blocking: Literal[True],
) -> anthropic.Anthropic: ...


def connect(
    script: Sequence[Rule] | None = None,
    *,
    live: bool = False,
    seed: int = 0,
    blocking: bool = False,
) -> anthropic.AsyncAnthropic | anthropic.Anthropic:
    """Return a real Anthropic client, over the scripted model or over the network.

    Args:
        script: The rules the scripted model answers by; None for the course's own
            (`labkit.scripts.COURSE`), which have something sensible to say to any request.
        live: Use the network and a key instead.
        seed: Where the scripted latencies are drawn from.
        blocking: Return the SDK's blocking client. Its waits are real, on any clock.

    Returns:
        An ``anthropic.AsyncAnthropic``; with ``blocking`` an ``anthropic.Anthropic``. Its calls
        are noted by `labkit.record`.

    Raises:
        UsageError: When a rule is none, or ``live`` is asked for and no key is set.
    """
    if live:
        if script is not None:
            raise UsageError("a live client takes no script: leave out `script` or `live`")
        if not (os.environ.get("ANTHROPIC_API_KEY") or os.environ.get("ANTHROPIC_AUTH_TOKEN")):
            raise UsageError(
                "connect(live=True) needs a key and none is set: put it into the environment as"
                " ANTHROPIC_API_KEY and start again, or call connect() for the scripted model,"
                " which needs none"
            )
        return _blocking_client() if blocking else _client()

    from .scripts import COURSE

    model = ScriptedModel(COURSE if script is None else script, seed=seed)
    with _announced():
        from .wire import ScriptedTransport
    transport = ScriptedTransport(model, seed=seed)
    return _blocking_client(transport) if blocking else _client(transport)


def over(transport: httpx2.AsyncBaseTransport) -> anthropic.AsyncAnthropic:
    """Return a client over a transport of the caller's: as `connect` makes it, keyless."""
    return _client(transport)


def _client(transport: httpx2.AsyncBaseTransport | None = None) -> anthropic.AsyncAnthropic:
    with _announced():
        import anthropic
        import httpx2
        from anthropic._base_client import get_platform

        from .wire import Recorder

    recorder = Recorder(transport or httpx2.AsyncHTTPTransport(limits=_limits()))
    http = anthropic.DefaultAsyncHttpxClient(transport=recorder)
    if transport is None:
        client = anthropic.AsyncAnthropic(http_client=http)
    else:
        client = anthropic.AsyncAnthropic(api_key=NO_KEY, base_url=NOWHERE, http_client=http)
    # A cold client asks for its platform in a thread, and calls made at once would then leave in
    # the order in which those threads end, which differs from run to run.
    client._platform = get_platform()  # noqa: SLF001  # the SDK has no public way to say it
    return client


def _blocking_client(transport: httpx2.BaseTransport | None = None) -> anthropic.Anthropic:
    with _announced():
        import anthropic
        import httpx2

        from .wire import BlockingRecorder

    recorder = BlockingRecorder(transport or httpx2.HTTPTransport(limits=_limits()))
    http = anthropic.DefaultHttpxClient(transport=recorder)
    if transport is None:
        return anthropic.Anthropic(http_client=http)
    return anthropic.Anthropic(api_key=NO_KEY, base_url=NOWHERE, http_client=http)


def _limits() -> httpx2.Limits:
    # A transport of one's own does not get the SDK's connection limits by itself.
    from anthropic import DEFAULT_CONNECTION_LIMITS

    return DEFAULT_CONNECTION_LIMITS


PATIENCE = 2.0
"""Seconds that the SDK may take to load before a learner who waits is told."""


@contextmanager
def _announced() -> Iterator[None]:
    """Say that the SDK is loading where that takes long: 1.5 s, and up to 15 s the first time."""
    kernel = "ipykernel" in sys.modules
    watched = (kernel or sys.stderr.isatty()) and "LABKIT_QUIET" not in os.environ
    if "anthropic" in sys.modules or not watched:
        yield
        return
    said = threading.Event()

    def say() -> None:
        said.set()
        sys.stdout.write("Loading the Anthropic SDK; the first time takes a while …\n")
        sys.stdout.flush()

    timer = threading.Timer(PATIENCE, say)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if kernel and said.is_set():
            from IPython.display import clear_output

            clear_output()  # type: ignore[no-untyped-call]  # IPython leaves it untyped
