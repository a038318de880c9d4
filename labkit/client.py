"""`connect`: the one place that reads a key."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, overload

from .errors import UsageError
from .kernel import running_cell
from .script import Rule, ScriptedModel

if TYPE_CHECKING:
    import anthropic
    import httpx2

    from .live import Budget

NOWHERE = "http://labkit.invalid"
"""The scripted client's address. RFC 6761 reserves ``.invalid``: it can never resolve."""

NO_KEY = "scripted-no-key-needed"


@overload
def connect(
    script: Sequence[Rule] | None = None,
    *,
    live: bool | None = None,
    seed: int = 0,
    blocking: Literal[False] = False,
    budget: Budget | None = None,
) -> anthropic.AsyncAnthropic: ...


@overload
def connect(
    script: Sequence[Rule] | None = None,
    *,
    live: bool | None = None,
    seed: int = 0,
    blocking: Literal[True],
    budget: Budget | None = None,
) -> anthropic.Anthropic: ...


def connect(
    script: Sequence[Rule] | None = None,
    *,
    live: bool | None = None,
    seed: int = 0,
    blocking: bool = False,
    budget: Budget | None = None,
) -> anthropic.AsyncAnthropic | anthropic.Anthropic:
    """Return a real Anthropic client, over the scripted model or over the network.

    A live client honours the SDK's own environment variables, such as ``ANTHROPIC_API_KEY`` and
    ``ANTHROPIC_BASE_URL``, and the proxy that the environment names.

    Args:
        script: The rules the scripted model answers by; None for the course's own
            (`labkit.scripts.COURSE`), which have something sensible to say to any request. A live
            client has no use for them.
        live: True for the network, which needs a key; False for the scripted model; None for the
            network where the environment says ``LABKIT_LIVE=1``, and else for the script.
        seed: Where the scripted latencies are drawn from.
        blocking: Return the SDK's blocking client. Its waits are real, on any clock.
        budget: What live calls may cost; by default `labkit.budget`, which the session's live
            clients share.

    Returns:
        An ``anthropic.AsyncAnthropic``; with ``blocking`` an ``anthropic.Anthropic``. Its calls
        are noted by `labkit.record`.

    Raises:
        UsageError: When a rule is none, when ``LABKIT_LIVE`` is neither on nor off, or when a live
            client is asked for and no key is set.
    """
    wanted = live_session()
    if live if live is not None else wanted:
        look_for_key(asked=live is True)
        from .live.client import live_client

        with _announced():
            return live_client(budget, blocking=blocking)
    if wanted:
        _stays_scripted()

    from .scripts import COURSE

    model = ScriptedModel(COURSE if script is None else script, seed=seed)
    with _announced():
        from .wire import ScriptedTransport
    transport = ScriptedTransport(model, seed=seed)
    return over_blocking(transport) if blocking else over(transport)


ON, OFF = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")


def live_session() -> bool:
    """Whether the environment asks for the network.

    Raises:
        UsageError: When ``LABKIT_LIVE`` is neither on nor off.
    """
    given = os.environ.get("LABKIT_LIVE", "").strip().lower()
    if given not in ON + OFF:
        raise UsageError(f"LABKIT_LIVE is 1 for the real API or 0 for the script, not {given!r}")
    return given in ON


def look_for_key(*, asked: bool) -> None:
    """Look whether a key is set that can be one.

    Args:
        asked: Whether ``connect(live=True)`` asked for the network, and not the environment.

    Raises:
        UsageError: When none is, or it holds what no key does; the message does not quote it.
    """
    names = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")
    name = next((name for name in names if os.environ.get(name)), None)
    if name is None:
        who, instead = (
            ("connect(live=True)", "call connect()")
            if asked
            else ("LABKIT_LIVE", "unset LABKIT_LIVE")
        )
        raise UsageError(
            f"{who} needs a key and none is set: put it into the environment as ANTHROPIC_API_KEY"
            f" and start again, or {instead} for the scripted model, which needs none"
        )
    # The SDK would quote the key in its complaint.
    if not all("!" <= letter <= "~" for letter in os.environ[name]):
        raise UsageError(
            f"the key in {name} holds a space, a line break or a letter that no key has: copy it"
            " again, whole and by itself"
        )


_said: set[str] = set()


def _stays_scripted() -> None:
    """Say, once for each run of a cell, that what it does stays on the scripted model."""
    run = running_cell()[1]
    if run not in _said:
        _said.add(run)
        sys.stdout.write(
            "scripted-only: this needs its answers and faults on demand, so it stays on the"
            " scripted model\n"
        )


def over(transport: httpx2.AsyncBaseTransport) -> anthropic.AsyncAnthropic:
    """Return a client over a transport of the caller's: keyless, and never over the network."""
    with _announced():
        import anthropic
        from anthropic._base_client import get_platform

        from .wire import Recorder

    http = anthropic.DefaultAsyncHttpxClient(transport=Recorder(transport))
    client = anthropic.AsyncAnthropic(
        api_key=NO_KEY, base_url=NOWHERE, http_client=http, open_telemetry=False
    )
    # A cold client asks for its platform in a thread, and calls made at once would then leave in
    # the order in which those threads end, which differs from run to run.
    client._platform = get_platform()  # noqa: SLF001  # the SDK has no public way to say it
    return client


def over_blocking(transport: httpx2.BaseTransport) -> anthropic.Anthropic:
    """`over` for a blocking client."""
    with _announced():
        import anthropic

        from .wire import BlockingRecorder

    http = anthropic.DefaultHttpxClient(transport=BlockingRecorder(transport))
    return anthropic.Anthropic(
        api_key=NO_KEY, base_url=NOWHERE, http_client=http, open_telemetry=False
    )


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
