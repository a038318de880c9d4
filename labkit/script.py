"""The scripted model: rules that say what it answers, how long it takes and how it fails.

Nothing here knows of a network or of time; `labkit.wire` plays what is planned here.
"""

from __future__ import annotations

import json
import math
import random
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from .errors import UsageError

Fault = Literal["timeout", "drop", "not json"]
Says: TypeAlias = "str | Mapping[str, Any] | Sequence[Mapping[str, Any]] | Reply"
When: TypeAlias = "str | re.Pattern[str] | Callable[[Request], bool]"
Seconds: TypeAlias = "float | tuple[float, float] | Callable[[random.Random], float]"

STATUSES: dict[int, tuple[str, str]] = {
    400: ("invalid_request_error", "the request was malformed"),
    401: ("authentication_error", "the key is not valid"),
    403: ("permission_error", "the key may not do this"),
    404: ("not_found_error", "no such model or resource"),
    413: ("request_too_large", "the request is too large"),
    429: ("rate_limit_error", "too many requests"),
    500: ("api_error", "the service failed"),
    529: ("overloaded_error", "the service is overloaded"),
}
"""HTTP status → the API's name for the error, and a message. Source: the API's error reference."""

FIRST_TOKEN = 0.3
"""The part of a streamed reply's seconds that pass before its first byte."""


def count_tokens(text: str) -> int:
    """Tokens in a text, estimated at four characters each: a rule of thumb for English."""
    return math.ceil(len(text) / 4)


def text_of(content: Any) -> str:
    """The text in a message's content: a string, or its text blocks with nothing between."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    return "".join(
        block["text"] if block.get("type") == "text" else text_of(block.get("content"))
        for block in content
        if isinstance(block, dict)
    )


@dataclass(frozen=True)
class Request:
    """One request to the model, as a rule sees it.

    Attributes:
        body: The request's JSON.
        number: How many requests came before it.
    """

    body: Mapping[str, Any]
    number: int = 0

    @property
    def model(self) -> str:
        """The model's name."""
        return str(self.body.get("model", ""))

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The turns of the conversation."""
        messages = self.body.get("messages")
        return [turn for turn in messages if isinstance(turn, dict)] if messages else []

    @property
    def system(self) -> str | None:
        """The system prompt; None where the request has none."""
        return text_of(self.body["system"]) if "system" in self.body else None

    @property
    def prompt(self) -> str:
        """The text of the last user turn."""
        turns = [turn for turn in self.messages if turn.get("role") == "user"]
        return text_of(turns[-1].get("content")) if turns else ""

    @property
    def text(self) -> str:
        """All the text the model reads: the system prompt, then every turn."""
        turns = [text_of(turn.get("content")) for turn in self.messages]
        return "\n".join([self.system or "", *turns]).strip()

    @property
    def schema(self) -> dict[str, Any] | None:
        """The JSON schema the reply must keep to, where the request carries one."""
        config = self.body.get("output_config")
        form = config.get("format") if isinstance(config, dict) else None
        schema = form.get("schema") if isinstance(form, dict) else None
        return schema if isinstance(schema, dict) else None

    @property
    def tokens(self) -> int:
        """Tokens the model reads, estimated."""
        tools = self.body.get("tools")
        return count_tokens(self.text + (json.dumps(tools) if tools else ""))


@dataclass(frozen=True)
class Reply:
    """One reply in full; a plain string or dict does where the defaults fit.

    Attributes:
        content: The text; or a dict, sent as JSON text; or a list of content blocks.
        seconds: How long it takes; None leaves it to the rule.
        stop_reason: None stands for ``tool_use`` where a block asks for a tool, else ``end_turn``.
        fails: An HTTP status, or ``timeout``, ``drop`` or ``not json``; None for a good reply.
        retry_after: The ``retry-after`` header of a failure, in seconds.
    """

    content: str | Mapping[str, Any] | Sequence[Mapping[str, Any]] = ""
    seconds: float | None = None
    stop_reason: str | None = None
    fails: int | Fault | None = None
    retry_after: float | None = None

    def blocks(self, number: int = 0) -> list[dict[str, Any]]:
        """The content blocks, with an id for each tool use."""
        if isinstance(self.content, str):
            return [{"type": "text", "text": self.content}]
        if isinstance(self.content, Mapping):
            return [{"type": "text", "text": json.dumps(self.content)}]
        blocks = [dict(block) for block in self.content]
        for place, block in enumerate(blocks):
            if block.get("type") == "tool_use":
                block.setdefault("id", f"toolu_{number:04d}_{place}")
        return blocks


@dataclass(frozen=True)
class Rule:
    """What the scripted model says to the requests that a rule fits.

    Attributes:
        when: What the request holds: a text (in any letter case), a compiled regular expression,
            or a function of the `Request`. An empty text fits every request.
        says: The reply: a text, a dict (sent as JSON), a list of content blocks, a `Reply`, or a
            function of the `Request` that returns one of them.
        seconds: How long the reply takes: a number, a pair (from, to) to draw from evenly, or a
            function of a ``random.Random``.
        fails: An HTTP status (400, 401, 403, 404, 413, 429, 500, 529), ``timeout``, ``drop``
            (the connection breaks half-way) or ``not json``.
        retry_after: With a status: the seconds its ``retry-after`` header tells the caller to wait.
        times: How often the rule may be used; None for always.

    Raises:
        UsageError: When a value is of the wrong kind or a time is negative.
    """

    when: When = ""
    says: Says | Callable[[Request], Says] = ""
    seconds: Seconds = (0.3, 0.8)
    fails: int | Fault | None = None
    retry_after: float | None = None
    times: int | None = None

    def __post_init__(self) -> None:
        if not (isinstance(self.when, str | re.Pattern) or callable(self.when)):
            raise UsageError(
                f"a rule's `when` is a text, a compiled pattern or a function, not {self.when!r}"
            )
        if not (isinstance(self.says, str | Mapping | Sequence | Reply) or callable(self.says)):
            raise UsageError(
                "a rule's `says` is a text, a dict, a list of content blocks, a Reply or a"
                f" function that returns one, not {self.says!r}"
            )
        for name, value in (("seconds", self.seconds), ("retry_after", self.retry_after)):
            _check_seconds(name, value)
        if self.fails is not None and self.fails not in (*STATUSES, "timeout", "drop", "not json"):
            raise UsageError(
                f"a rule's `fails` is one of {', '.join(map(str, STATUSES))}, 'timeout', 'drop'"
                f" or 'not json', not {self.fails!r}"
            )
        if self.times is not None and self.times < 1:
            raise UsageError(f"a rule's `times` is 1 or more, not {self.times!r}")

    def fits(self, request: Request) -> bool:
        """Whether the rule answers this request."""
        if isinstance(self.when, str):
            return self.when.casefold() in request.text.casefold()
        if isinstance(self.when, re.Pattern):
            return self.when.search(request.text) is not None
        return bool(self.when(request))

    def draw(self, chance: random.Random) -> float:
        """How long a reply takes, in seconds."""
        if callable(self.seconds):
            return max(0.0, float(self.seconds(chance)))
        if isinstance(self.seconds, tuple):
            return chance.uniform(*self.seconds)
        return float(self.seconds)

    def reply(self, request: Request) -> Reply:
        """What the rule says to a request, its own faults included."""
        says = self.says(request) if callable(self.says) else self.says
        if isinstance(says, Reply):
            return says
        return Reply(says, fails=self.fails, retry_after=self.retry_after)

    def __str__(self) -> str:
        if isinstance(self.when, str):
            when = f"holds {self.when!r}" if self.when else "any request"
        elif isinstance(self.when, re.Pattern):
            when = f"matches {self.when.pattern!r}"
        else:
            when = f"{getattr(self.when, '__name__', 'function')}(request)"
        return when + (f", {self.times} times at most" if self.times else "")


def _check_seconds(name: str, value: Any) -> None:
    if value is None or callable(value):
        return
    numbers = value if isinstance(value, tuple) else (value,)
    good = all(isinstance(n, int | float) and not isinstance(n, bool) for n in numbers)
    if not good or (isinstance(value, tuple) and len(value) != 2):
        raise UsageError(
            f"a rule's `{name}` is a number of seconds, a pair (from, to) or a function,"
            f" not {value!r}"
        )
    if any(n < 0 or not math.isfinite(n) for n in numbers):
        raise UsageError(f"a rule's `{name}` cannot be negative or infinite: {value!r}")
    if isinstance(value, tuple) and value[0] > value[1]:
        raise UsageError(f"a rule's `{name}` runs from the smaller to the larger: {value!r}")


@dataclass(frozen=True)
class Exchange:
    """How one request is answered on the wire.

    Attributes:
        wait: Seconds until the head of the response arrives.
        status: HTTP status.
        headers: HTTP headers.
        chunks: Parts of the body, each with the seconds that pass before it.
        ending: ``complete``; ``drop`` where the connection breaks after the chunks; ``timeout``
            where nothing ever comes.
    """

    wait: float
    status: int
    headers: dict[str, str]
    chunks: list[tuple[float, str]]
    ending: Literal["complete", "drop", "timeout"] = "complete"


class ScriptedModel:
    """A model that answers by rules; the first that fits a request answers it.

    Args:
        script: The rules in order, or a function of the `Request` that returns a `Reply`.
        seed: Where the latencies are drawn from; the same seed draws the same ones.

    Raises:
        UsageError: When the script holds what is not a `Rule`.
    """

    def __init__(self, script: Sequence[Rule] | Callable[[Request], Reply], *, seed: int = 0):
        if not callable(script):
            if isinstance(script, str | Rule) or not isinstance(script, Sequence):
                raise UsageError(f"a script is a list of rules, not {script!r}")
            for rule in script:
                if not isinstance(rule, Rule):
                    raise UsageError(
                        f"a script is a list of rules; this is none: {rule!r}."
                        " Write Rule('what the request holds', says='what the model says')"
                    )
        self._script = script
        self._seed = seed
        self._used: Counter[int] = Counter()
        self._requests = 0

    def answer(self, method: str, path: str, body: str | bytes) -> Exchange:
        """Plan how one HTTP request is answered."""
        path = path.split("?")[0].rstrip("/")
        if method != "POST" or path not in ("/v1/messages", "/v1/messages/count_tokens"):
            return _plain(404, f"The scripted model has no {method} {path}.")
        try:
            sent = json.loads(body)
        except ValueError:
            sent = None
        if not isinstance(sent, dict) or not sent.get("messages"):
            return _error(Reply(fails=400), 0.0, "messages: at least one message is required")
        request = Request(sent, self._requests)
        if path.endswith("count_tokens"):
            return _json(0.0, 200, {"input_tokens": request.tokens}, "req_count")
        self._requests += 1
        if callable(self._script):
            reply = self._script(request)
            return _exchange(reply, request, reply.seconds or 0.0)
        for place, rule in enumerate(self._script):
            if rule.fits(request) and (rule.times is None or self._used[place] < rule.times):
                chance = random.Random(f"{self._seed}/{place}/{self._used[place]}")
                self._used[place] += 1
                reply = rule.reply(request)
                seconds = rule.draw(chance) if reply.seconds is None else reply.seconds
                return _exchange(reply, request, seconds)
        rules = "\n".join(f"  {n}. {rule}" for n, rule in enumerate(self._script, 1))
        return _plain(
            400,
            "No rule of the script fits this request:\n"
            + "\n".join(f"  | {line}" for line in request.text.splitlines())
            + f"\nThe rules, in order:\n{rules or '  (none)'}\n"
            "Add a Rule that fits it, or a last one that fits every request: Rule('', says=...).",
        )


def _exchange(reply: Reply, request: Request, seconds: float) -> Exchange:
    if isinstance(reply.fails, int):
        return _error(reply, seconds)
    if reply.fails == "timeout":
        return Exchange(0.0, 200, {}, [], "timeout")
    blocks = reply.blocks(request.number)
    asks = any(block.get("type") == "tool_use" for block in blocks)
    message: dict[str, Any] = {
        "id": f"msg_{request.number:04d}",
        "type": "message",
        "role": "assistant",
        "model": request.model,
        "content": blocks,
        "stop_reason": reply.stop_reason or ("tool_use" if asks else "end_turn"),
        "stop_sequence": None,
        "usage": {
            "input_tokens": request.tokens,
            "output_tokens": sum(_block_tokens(block) for block in blocks),
        },
    }
    name = f"req_{request.number:04d}"
    if reply.fails == "not json":
        return _body(seconds, 200, "application/json", "<html>502 Bad Gateway</html>", name)
    if request.body.get("stream"):
        events = _events(message)
        pace = seconds * (1 - FIRST_TOKEN) / max(1, len(events) - 1)
        chunks = [(pace if place else 0.0, event) for place, event in enumerate(events)]
        if reply.fails == "drop":
            chunks = chunks[: max(2, len(chunks) // 2)]
        headers = {"content-type": "text/event-stream", "request-id": name}
        ending: Literal["complete", "drop"] = "drop" if reply.fails == "drop" else "complete"
        return Exchange(seconds * FIRST_TOKEN, 200, headers, chunks, ending)
    body = json.dumps(message)
    if reply.fails == "drop":
        headers = {"content-type": "application/json", "request-id": name}
        return Exchange(seconds, 200, headers, [(0.0, body[: len(body) // 2])], "drop")
    return _body(seconds, 200, "application/json", body, name)


def _block_tokens(block: Mapping[str, Any]) -> int:
    said = block.get("text") or block.get("thinking")
    return count_tokens(said if isinstance(said, str) else json.dumps(block.get("input", "")))


def _events(message: dict[str, Any]) -> list[str]:
    """The server-sent events of a streamed message, a word or so each."""
    usage = message["usage"]
    opened = {
        **message,
        "content": [],
        "stop_reason": None,
        "usage": {**usage, "output_tokens": 1},
    }
    events = [_event("message_start", message=opened)]
    for index, block in enumerate(message["content"]):
        empty, deltas = _deltas(block)
        events.append(_event("content_block_start", index=index, content_block=empty))
        events += [_event("content_block_delta", index=index, delta=delta) for delta in deltas]
        events.append(_event("content_block_stop", index=index))
    stop = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    events.append(
        _event("message_delta", delta=stop, usage={"output_tokens": usage["output_tokens"]})
    )
    events.append(_event("message_stop"))
    return events


def _deltas(block: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    kind = block.get("type")
    if kind == "text":
        words = re.findall(r"\S+\s*|\s+", block["text"])
        return {**block, "text": ""}, [{"type": "text_delta", "text": word} for word in words]
    if kind == "thinking":
        delta = {"type": "thinking_delta", "thinking": block["thinking"]}
        signature = {"type": "signature_delta", "signature": block.get("signature", "")}
        return {**block, "thinking": "", "signature": ""}, [delta, signature]
    if kind == "tool_use":
        part = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        return {**block, "input": {}}, [part]
    return block, []


def _event(name: str, **data: Any) -> str:
    return f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n"


def _error(reply: Reply, seconds: float, message: str | None = None) -> Exchange:
    assert isinstance(reply.fails, int)
    kind, default = STATUSES.get(reply.fails, ("api_error", "the service failed"))
    said = message or (reply.content if isinstance(reply.content, str) else "") or default
    body = {"type": "error", "error": {"type": kind, "message": said}}
    exchange = _json(seconds, reply.fails, body, "req_error")
    if reply.retry_after is not None:
        exchange.headers["retry-after"] = f"{reply.retry_after:g}"
    return exchange


def _plain(status: int, text: str) -> Exchange:
    return _body(0.0, status, "text/plain; charset=utf-8", text, "req_none")


def _json(seconds: float, status: int, body: dict[str, Any], name: str) -> Exchange:
    return _body(seconds, status, "application/json", json.dumps(body), name)


def _body(seconds: float, status: int, kind: str, body: str, name: str) -> Exchange:
    headers = {"content-type": kind, "request-id": name}
    return Exchange(seconds, status, headers, [(0.0, body)])
