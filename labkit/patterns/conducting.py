"""Conducting: a whole fleet from one place, and a lead agent whose tools are other agents."""

from __future__ import annotations

import asyncio
import functools
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias, TypeVar

from .asking import ask
from .gating import revise_once, synthesize
from .routing import SPECIALIST

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from anthropic.types import ContentBlock

P = ParamSpec("P")
T = TypeVar("T")
Gate: TypeAlias = Callable[[list[Any]], tuple[list[Any], list[dict[Any, Any]]]]
Reviewer: TypeAlias = Callable[[Any, str | None], Awaitable[Any]]


async def conduct(
    worker: Callable[[Any, str | None], Awaitable[Any]],
    specs: Sequence[Mapping[str, Any]],
    *,
    gate: Callable[[list[Any]], tuple[list[Any], list[dict[Any, Any]]]],
    limit: int,
) -> dict[str, Any]:
    """Run a fleet from its plan to its report, and let into the report only what passed the gate.

    Fan out, gate, one revision for what was kicked back, synthesis. First and second tries share
    one cap; a worker that raises sinks at most its own spec. Cancelling it cancels every worker.

    Args:
        worker: Called with a spec and the feedback; None at the first try.
        specs: The whole batch, in dispatch order; each has an ``id`` of its own.
        gate: Parts findings into passed and kicked back, as `gate` does; asked about one at a time.
        limit: How many workers may be in flight, 1 or more.

    Returns:
        ``passed`` and ``rejected``, each in the order of ``specs``, and ``report``, the text that
        `synthesize` makes of what passed.

    Raises:
        ValueError: When two specs share an ``id`` or ``limit`` is under 1; no worker is started
            then.
    """
    if limit < 1:
        raise ValueError(f"limit is 1 or more, not {limit}")
    twice = [id for id, count in Counter(spec["id"] for spec in specs).items() if count > 1]
    if twice:
        raise ValueError(f"two specs share the id {twice[0]!r}; give each spec an id of its own")
    # A semaphore lets its waiters in by order of arrival, so specs start in dispatch order.
    places = asyncio.Semaphore(limit)

    async def in_turn(spec: Any, feedback: str | None) -> Any:
        async with places:
            return await worker(spec, feedback)

    passed, rejected = await revise_once(in_turn, specs, gate)
    return {"passed": passed, "rejected": rejected, "report": synthesize(passed)}


def within(worker: Callable[P, Awaitable[T]], seconds: float) -> Callable[P, Awaitable[T]]:
    """Give each run of a worker a deadline, so that one that hangs holds its place no longer.

    At the deadline the worker is cancelled and its clean-up is waited for. The SDK's own
    ``timeout`` is no deadline: it limits how long one attempt may be silent, and the SDK then makes
    another.

    Args:
        worker: Any async function.
        seconds: How long one run may take.

    Returns:
        The same worker with the deadline; a run that is late raises ``TimeoutError`` and says so.
        A ``TimeoutError`` of the worker's own comes through as it is.

    Raises:
        ValueError: When ``seconds`` is not above 0.
    """
    if not seconds > 0:
        raise ValueError(f"a deadline is more than 0 seconds away, not {seconds}")

    @functools.wraps(worker)
    async def bounded(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            async with asyncio.timeout(seconds) as deadline:
                return await worker(*args, **kwargs)
        except TimeoutError:
            if deadline.expired():
                raise TimeoutError(f"no answer within {seconds:g} s") from None
            raise

    return bounded


class Witness:
    """A gate that keeps what it kicked back; made by `witness`.

    Attributes:
        kicked_back: Every finding that was kicked back, in the order in which it happened, with
            the reason under ``_kicked``; of a worker that raised, its spec with the reason.
    """

    def __init__(self, gate: Gate, on_kick: Callable[[dict[Any, Any]], object] | None) -> None:
        self.kicked_back: list[dict[Any, Any]] = []
        self._gate = gate
        self._on_kick = on_kick

    def __call__(self, findings: list[Any]) -> tuple[list[Any], list[dict[Any, Any]]]:
        """Judge as the gate does, and keep what it kicks back."""
        passed, kicked_back = self._gate(findings)
        for finding in kicked_back:
            self._keep(finding)
        return passed, kicked_back

    def watch(self, worker: Reviewer) -> Reviewer:
        """Keep a worker's failures as well: they never come as far as the gate.

        Args:
            worker: Called with a spec, a dict, and the feedback.

        Returns:
            The same worker; whatever it raises still reaches its caller.
        """

        @functools.wraps(worker)
        async def watched(spec: Any, feedback: str | None) -> Any:
            try:
                return await worker(spec, feedback)
            except Exception as error:
                self._keep({**spec, "_kicked": f"failed: {error}"})
                raise

        return watched

    def account(self, passed: Iterable[Mapping[str, Any]]) -> str:
        """Write down what was caught, for under the report: mended or not, nothing is left out.

        Args:
            passed: The findings that passed in the end.

        Returns:
            ``CAUGHT`` and a line for each spec that was kicked back: its topic, the reasons in
            order, and ``mended`` where it passed in the end, else ``rejected``.
        """
        stands = {finding["id"] for finding in passed}
        reasons: dict[tuple[Any, Any], list[str]] = {}
        for finding in self.kicked_back:
            spec = (finding.get("id"), finding.get("topic"))
            reasons.setdefault(spec, []).append(str(finding["_kicked"]))
        lines = []
        for (id, topic), told in reasons.items():
            twice = ", twice" if len(set(told)) < len(told) else ""
            why = "; again: ".join(dict.fromkeys(told)) + twice
            fate = "mended" if id in stands else "rejected"
            lines.append(f"- {topic or '(no topic)'}: {why} -> {fate}")
        return "\n".join(["CAUGHT", *(lines or ["(nothing was kicked back)"])])

    def _keep(self, finding: dict[Any, Any]) -> None:
        self.kicked_back.append(finding)
        if self._on_kick is not None:
            self._on_kick(finding)


def witness(gate: Gate, *, on_kick: Callable[[dict[Any, Any]], object] | None = None) -> Witness:
    """Keep what a gate kicks back: a revision that mends a finding also hides that it was wrong.

    Args:
        gate: Parts findings into passed and kicked back, as `gate` does.
        on_kick: Called with each finding that is kicked back, at that moment.

    Returns:
        A gate that judges as the given one does, and remembers.
    """
    return Witness(gate, on_kick)


async def run_tools(
    client: AsyncAnthropic, blocks: Sequence[ContentBlock], specialists: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Run every specialist that a lead agent's reply asks for, and return its tool results.

    All run together, one call each. What cannot be run is told to the lead, which may mend it.

    Args:
        client: The client to ask through.
        blocks: The content of the lead's reply; only its ``tool_use`` blocks count.
        specialists: The system prompt of each specialist, by the tool's name.

    Returns:
        A tool result for each ``tool_use`` block, in their order. Where the tool is not known, its
        input holds no string ``task`` or the call fails, it has ``is_error`` and says why.
    """

    async def result(id: str, name: str, given: Any) -> dict[str, Any]:
        told: dict[str, Any] = {"type": "tool_result", "tool_use_id": id, "is_error": True}
        task = given.get("task") if isinstance(given, dict) else None
        if name not in specialists:
            return {**told, "content": f"there is no tool {name}, only {', '.join(specialists)}"}
        if not isinstance(task, str):
            return {**told, "content": f"{name} needs a string, task: {given}"}
        try:
            answer = await ask(client, task, system=specialists[name])
        except Exception as error:
            return {**told, "content": f"{name} failed: {error}"}
        return {"type": "tool_result", "tool_use_id": id, "content": answer}

    asked = [block for block in blocks if block.type == "tool_use"]
    return await asyncio.gather(*(result(block.id, block.name, block.input) for block in asked))


async def atlas(
    client: AsyncAnthropic, request: str, specialists: Mapping[str, str], *, rounds: int = 5
) -> str:
    """Have a lead agent answer a request, with the specialists as its tools.

    The lead decides in each round whom to ask and what; the loop only carries. All specialists of
    a round run together, and only the lead can ask them: they get no tools.

    Args:
        client: The client to ask through.
        request: What somebody wants.
        specialists: The system prompt of each specialist, by the tool's name.
        rounds: How often the lead may be called.

    Returns:
        The text of the first reply that does not stop for a tool.

    Raises:
        RuntimeError: When the last round's reply still asks for a tool; that tool is not run.
        anthropic.APIError: When the service does not answer the lead.
    """
    tools: list[Any] = [
        {
            "name": name,
            "description": f"Ask a specialist. Its instructions: {prompt}",
            "input_schema": {
                "type": "object",
                "properties": {"task": {"type": "string", "description": "all it has to know"}},
                "required": ["task"],
            },
        }
        for name, prompt in specialists.items()
    ]
    messages: list[Any] = [{"role": "user", "content": request}]
    for left in reversed(range(rounds)):
        reply = await client.messages.create(
            model=SPECIALIST, max_tokens=2_000, tools=tools, messages=messages
        )
        if reply.stop_reason != "tool_use":
            return "".join(block.text for block in reply.content if block.type == "text")
        if left:
            results = await run_tools(client, reply.content, specialists)
            messages.append({"role": "assistant", "content": reply.content})
            messages.append({"role": "user", "content": results})
    raise RuntimeError(f"the lead still asks for a tool after {rounds} rounds")
