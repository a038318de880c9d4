"""What live calls may cost: a budget that is looked at before a request leaves."""

from __future__ import annotations

import json
import math
import os
import threading
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from anthropic import AnthropicError

from ..errors import LabkitError, UsageError
from ..look import count
from ..prices import BATCHED, PRICES_READ, cost

MESSAGES = "/v1/messages"
BATCHES = "/v1/messages/batches"


class OverBudget(LabkitError, AnthropicError):
    """A call that the budget does not allow; nothing was sent.

    It is an ``AnthropicError`` so that the SDK, in whose transport it is raised, hands it on as it
    is and does not try again.
    """


@dataclass(frozen=True)
class Hold:
    """What is kept back for a request in flight: the most that it can cost.

    Attributes:
        calls: Calls that it is; a batch is as many as it holds.
        dollars: Dollars for models that have a price.
        tokens: Tokens of models that have none.
        model: The model of a single call; empty for a batch.
    """

    calls: int
    dollars: float
    tokens: int
    model: str = ""


class Budget:
    """What live calls may cost in all, and how many may be in flight at once.

    The limits are attributes and may be changed at any time. A budget may serve many clients, on
    any thread and any event loop.

    Args:
        dollars: Dollars that all calls together may cost, by `labkit.prices.PRICES`.
        calls: Calls that may be sent, each try of the SDK counted.
        tokens: Tokens that models without a price may use, in and out together.
        in_flight: Calls that may be in flight at once; further ones wait for their turn.
        seconds: Seconds from sending a request to the last byte of its reply.

    Attributes:
        spent: Dollars spent so far. A call that was sent and broken off counts with the most it
            can cost: whether a provider bills it is not documented.
        sent: Calls sent so far.
        tokens_used: Tokens that models without a price have used.
        told: Whether the learner has been told of its limits.

    Raises:
        UsageError: When a limit is no number, or negative.
    """

    def __init__(
        self,
        dollars: float = 1.0,
        calls: int = 200,
        *,
        tokens: int = 200_000,
        in_flight: int = 8,
        seconds: float = 600.0,
    ) -> None:
        self.dollars = _limit("dollars", dollars)
        self.calls = int(_limit("calls", calls, whole=True))
        self.tokens = int(_limit("tokens", tokens, whole=True))
        self.in_flight = int(_limit("in_flight", in_flight, whole=True, least=1))
        self.seconds = _limit("seconds", seconds)
        self.spent = 0.0
        self.sent = 0
        self.tokens_used = 0
        self.told = False
        self._held_dollars = 0.0
        self._held_tokens = 0
        self._flying = 0
        self._waiting: deque[Future[None]] = deque()
        self._lock = threading.Lock()

    def hold(self, path: str, body: bytes) -> Hold | None:
        """Keep back the most that a request can cost, before it is sent.

        The most is a token for every byte of the request, which no text reaches, and ``max_tokens``
        for the reply. What a request only points to (a file, an image's address) is not known
        before the reply tells it.

        Args:
            path: The path of the request.
            body: Its body.

        Returns:
            What is kept back; None where the request costs nothing.

        Raises:
            OverBudget: When it could cost more than is left.
        """
        wanted = _most(path, body)
        if wanted is None:
            return None
        with self._lock:
            if self.sent + wanted.calls > self.calls:
                raise OverBudget(
                    f"the budget allows {count(self.calls, 'call')}, {self.sent} are sent, and this"
                    f" would be {count(wanted.calls, 'call')} more. Nothing was sent."
                    f" {self.more('calls', max(self.calls, self.sent + wanted.calls) * 2)}"
                )
            if self.spent + self._held_dollars + wanted.dollars > self.dollars:
                held = f" and ${self._held_dollars:.4f} held for calls in flight"
                raise OverBudget(
                    f"this call may cost up to ${wanted.dollars:.4f}, and of the budget of"
                    f" {_price(self.dollars)}, ${self.spent:.4f} is spent"
                    f"{held if self._held_dollars else ''}. Nothing was sent. Lower its"
                    f" `max_tokens`. {self.more('dollars', max(self.dollars * 2, 0.1))}"
                )
            if self.tokens_used + self._held_tokens + wanted.tokens > self.tokens:
                raise OverBudget(
                    f"{wanted.model or 'its model'} has no price here (prices of {PRICES_READ}), so"
                    f" its tokens are counted: this call may take up to {wanted.tokens:,}, and of"
                    f" the budget of {self.tokens:,} there are"
                    f" {self.tokens_used + self._held_tokens:,} used or held. Nothing was sent."
                    f" {self.more('tokens', (self.tokens + wanted.tokens) * 2)} Or give the model"
                    ' its price: labkit.prices.PRICES["name"] = (dollars in, dollars out), for a'
                    " million tokens."
                )
            self.sent += wanted.calls
            self._held_dollars += wanted.dollars
            self._held_tokens += wanted.tokens
        return wanted

    def settle(self, hold: Hold | None, used: tuple[int, int] | None) -> None:
        """Put what a request really took in the place of what was held for it.

        Args:
            hold: What was held.
            used: Tokens in and out that the reply reports; None where nobody knows, and then it
                counts with the most it can be.
        """
        if hold is None:
            return
        dollars, tokens = hold.dollars, hold.tokens
        if used is not None:
            price = cost(hold.model, *used)
            dollars, tokens = (0.0, sum(used)) if price is None else (price, 0)
        with self._lock:
            self._let_go(hold)
            self.spent += dollars
            self.tokens_used += tokens

    def free(self, hold: Hold | None, *, unsent: bool = False) -> None:
        """Give back what was held for a request that costs nothing.

        Args:
            hold: What was held.
            unsent: Whether it never left.
        """
        if hold is None:
            return
        with self._lock:
            self._let_go(hold)
            if unsent:
                self.sent -= hold.calls

    def _let_go(self, hold: Hold) -> None:
        self._held_dollars = max(0.0, self._held_dollars - hold.dollars)
        self._held_tokens -= hold.tokens
        if not self._held_tokens and self._held_dollars < 1e-12:
            self._held_dollars = 0.0  # what adding and taking away leaves over

    def more(self, name: str, value: float) -> str:
        """How to allow more, in a sentence.

        Args:
            name: The limit.
            value: What it might be.
        """
        if self is _session:
            return f"`budget().{name} = {value:g}` allows more."
        return f"A larger `{name}` of the Budget that this client was given allows more."

    def enter(self) -> Future[None]:
        """Ask for a place in flight; the future is done when it is there."""
        place: Future[None] = Future()
        with self._lock:
            if self._flying < self.in_flight:
                self._flying += 1
                place.set_result(None)
            else:
                self._waiting.append(place)
        return place

    def leave(self) -> None:
        """Give a place in flight back; whoever has waited longest gets it."""
        with self._lock:
            self._flying -= 1
            while self._waiting and self._flying < self.in_flight:
                place = self._waiting.popleft()
                if place.set_running_or_notify_cancel():
                    self._flying += 1
                    place.set_result(None)

    def __repr__(self) -> str:
        text = (
            f"⟨${self.spent:.4f} of {_price(self.dollars)},"
            f" {self.sent} of {count(self.calls, 'call')}"
        )
        if self.tokens_used:
            text += f", {self.tokens_used:,} of {self.tokens:,} tokens without a price"
        if self._flying:
            text += f", {self._flying} in flight"
        return f"{text}; prices of {PRICES_READ}⟩"


_session: Budget | None = None
_making = threading.Lock()


def budget() -> Budget:
    """The budget of this session: what all live clients share that were given no other.

    Its limits come from the environment: ``LABKIT_BUDGET`` (dollars, 1 by default),
    ``LABKIT_CALLS`` (200) and ``LABKIT_IN_FLIGHT`` (8). To raise one later, assign to it:
    ``budget().dollars = 2``.

    Raises:
        UsageError: When one of the variables is no number.
    """
    global _session
    with _making:
        if _session is None:
            _session = Budget(
                _setting("LABKIT_BUDGET", 1.0),
                int(_setting("LABKIT_CALLS", 200, whole=True)),
                in_flight=int(_setting("LABKIT_IN_FLIGHT", 8, whole=True, least=1)),
            )
        return _session


def _setting(name: str, default: float, *, whole: bool = False, least: int = 0) -> float:
    given = os.environ.get(name, "").strip().removeprefix("$")
    if not given:
        return default
    try:
        return _limit(name, float(given), whole=whole, least=least)
    except (ValueError, UsageError):
        kind, example = (
            ("a whole number", f"{default:g}") if whole else ("a number", f"{default:.2f}")
        )
        raise UsageError(
            f"{name} is {kind} of at least {least}, as in {name}={example}, and not {given!r}"
        ) from None


def _limit(name: str, value: Any, *, whole: bool = False, least: int = 0) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value < least or (whole and value % 1):
        kind = "a whole number" if whole else "a number"
        raise UsageError(f"`{name}` is {kind} of at least {least}, not {value!r}")
    return float(value)


def fields(body: bytes) -> Mapping[str, Any]:
    """What a request asks for; nothing where its body is none, which the service will refuse."""
    try:
        sent = json.loads(body)
    except ValueError:
        return {}
    return sent if isinstance(sent, Mapping) else {}


def _most(path: str, body: bytes) -> Hold | None:
    """The most that a request can cost; None where it costs nothing."""
    # An address may have a path of its own, as a gateway's has.
    path = path.rstrip("/")
    if not path.endswith((MESSAGES, BATCHES)):
        return None
    sent = fields(body)
    if path.endswith(MESSAGES):
        return _hold(sent, len(body), 1.0)
    requests = sent.get("requests")
    parts = [
        part.get("params") if isinstance(part, Mapping) else None
        for part in (requests if isinstance(requests, list) else [])
    ]
    holds = [
        _hold(params, len(json.dumps(params)), BATCHED)
        for params in parts
        if isinstance(params, Mapping)
    ]
    return Hold(
        len(holds),
        sum(hold.dollars for hold in holds),
        sum(hold.tokens for hold in holds),
    )


def _price(dollars: float) -> str:
    """What a budget is, in dollars and cents; in more places where it is under a cent."""
    return f"${dollars:.2f}" if dollars == 0 or dollars >= 0.01 else f"${dollars:.2g}"


def _hold(params: Mapping[str, Any], size: int, part: float) -> Hold:
    model = str(params.get("model") or "")
    most = params.get("max_tokens")
    out = most if isinstance(most, int) and most > 0 else 0
    dollars = cost(model, size, out)
    if dollars is None:
        return Hold(1, 0.0, size + out, model)
    return Hold(1, dollars * part, 0, model)
