"""Graders of lesson 00: one call, and two at once."""

from __future__ import annotations

from ..script import Reply, Request, text_of
from .exercise import Exercise
from .judge import Bench, Client, Run, in_parts, nonsense, plan, same, show


def grade_ask(bench: Bench) -> None:
    """0.1: one call; the reply's text; `system` sent where given, left out where not."""
    chance = bench.random
    # Capitals and a second line, so that a prompt that is not sent as it is gets noticed.
    prompt = f"{nonsense(chance).title()}?\n\n{nonsense(chance).title()}."
    system = f"{nonsense(chance, 3).title()}."
    head, middle, tail = nonsense(chance) + ". ", nonsense(chance) + ", ", nonsense(chance) + "."
    whole = Reply(
        [
            {"type": "thinking", "thinking": nonsense(chance), "signature": "scripted"},
            {"type": "text", "text": head},
            {"type": "tool_use", "name": "look", "input": {"task": nonsense(chance)}},
            {"type": "text", "text": middle},
            {"type": "text", "text": tail},
        ],
        seconds=1.0,
        stop_reason="end_turn",
    )

    run = bench.run(Client(lambda _: whole), prompt)
    seen = run.answer()
    _one_call(run, prompt)
    run.expect(
        "system" not in run.requests[0].body,
        "With no `system`, the request may not have the field at all: not None, not an empty text.",
        wanted="no system field",
        seen=f"system = {show(run.requests[0].body.get('system'))}",
    )
    if any(same(part, seen) for part in (head, middle, tail)):
        run.fail(
            "That is one of the reply's text blocks. A reply may hold several, with others between:"
            " join all whose type is `text`.",
            wanted=show(head + middle + tail),
            seen=show(seen),
        )
    run.expect_value(
        head + middle + tail,
        "The text of a reply is its text blocks, in order, with nothing between; thinking and tool"
        " use are no text.",
    )

    # White space at the ends and braces: a prompt that is trimmed or filled in gets noticed.
    prompt = f"  {prompt} {{order}}\n"
    spaced = f" {tail}\n"
    run = bench.run(Client(lambda _: Reply(spaced, seconds=1.0)), prompt, system=system)
    run.expect_value(
        spaced,
        "It has to return the text of the reply, whatever that says, its white space included.",
    )
    _one_call(run, prompt)
    _system(run, system, "`system` goes into the request's `system` field, beside `messages`.")

    run = bench.run(Client(lambda _: Reply(in_parts(""), seconds=1.0)), prompt)
    seen = run.answer()
    run.expect(
        same("", seen),
        "A reply may say nothing: its text is the empty one then, and that is returned.",
        wanted="''",
        seen=show(seen),
    )
    _one_call(run, prompt)

    run = bench.run(Client(lambda _: Reply(tail, seconds=1.0)), prompt, system="")
    run.expect_value(tail, "It has to return the text of the reply, whatever that says.")
    _system(run, "", "An empty `system` is given, too: only None leaves the field out.")

    bench.run(Client(lambda _: whole), prompt, cancel_at=0.5).expect_cancelled()


def grade_ask_both(bench: Bench) -> None:
    """0.2: two calls at the same time; the answers in the order of the arguments."""
    chance = bench.random
    # Not in the order of the alphabet: whoever sorts them is noticed.
    second, first = sorted(nonsense(chance, 3).title() for _ in range(2))
    answers = {first: f" {nonsense(chance, 3)}\n", second: f"{nonsense(chance, 3)} "}

    def slow_first(request: Request) -> Reply:
        # A prompt may name the other one, too; then the order of the calls has to tell.
        asked = [prompt for prompt in (first, second) if prompt in request.text]
        prompt = asked[0] if len(asked) == 1 else (first, second)[request.number % 2]
        return Reply(in_parts(answers[prompt]), seconds=2.0 if prompt == first else 1.0)

    run = bench.run(Client(slow_first), first, second)
    seen = run.answer()
    run.expect(
        len(run.requests) == 2,
        "Each of the two prompts is one call.",
        wanted="2 calls",
        seen=f"{len(run.requests)} calls",
    )
    one, other = (request.text for request in run.requests)
    run.expect(
        one != other and ((first in one and second in other) or (second in one and first in other)),
        "Each prompt goes out in a call of its own.",
        wanted=f"one call with {first!r} and one with {second!r}",
        seen=", ".join(show(request.prompt) for request in run.requests),
    )
    run.expect(
        not any("system" in request.body for request in run.requests),
        "Neither call carries a `system`.",
        wanted="no system field",
    )
    run.expect(
        not same((answers[second], answers[first]), seen),
        "Both answers, but the wrong way round: the faster one came first. The order is that of"
        " the arguments, not that of arrival.",
        wanted=show((answers[first], answers[second])),
        seen=show(seen),
    )
    run.expect_value(
        (answers[first], answers[second]),
        "It has to return both answers' texts as they are, in the order of the arguments; a text is"
        " all text blocks of a reply, as in 0.1, white space included.",
    )
    run.expect_seconds(
        2.0,
        "The second call left only when the first had come back. `await` waits then and there:"
        " start both before you wait for either.",
        plan((first, 0.0, 2.0), (second, 0.0, 1.0)),
    )

    # The empty text is an answer too.
    twins = (nonsense(chance), "")
    run = bench.run(
        Client(lambda request: Reply(twins[request.number % 2], seconds=1.0)), *[first] * 2
    )
    seen = run.answer()
    run.expect(
        same(twins, seen) or same(twins[::-1], seen),
        "Two equal prompts are still two calls, and their answers may differ: keep the answers by"
        " place, not by prompt.",
        wanted=show(twins),
        seen=show(seen),
    )
    run.expect_seconds(
        1.0,
        "Two calls of one second each, and both together take one second: nothing may hold the"
        " second one back.",
        plan((first, 0.0, 1.0), (first, 0.0, 1.0)),
    )
    bench.run(Client(slow_first), first, second, cancel_at=0.5).expect_cancelled()


def _system(run: Run, system: str, why: str) -> None:
    body, sent = run.requests[0].body, run.requests[0].system
    run.expect(
        sent is not None and system in sent,
        why,
        wanted=f"system = {system!r}",
        seen=f"system = {show(body['system'])}" if "system" in body else "no system field",
    )


def _one_call(run: Run, prompt: str) -> None:
    run.expect(
        len(run.requests) == 1,
        "It has to call the model exactly once, through the client that it is given; an answer can"
        " come from nowhere else.",
        wanted="1 call",
        seen=f"{len(run.requests)} calls",
    )
    run.expect(
        any(
            turn.get("role") == "user" and prompt in text_of(turn.get("content"))
            for turn in run.requests[0].messages
        ),
        "`prompt` goes out as the user message, as it is, white space and braces included.",
        wanted=show(prompt),
        seen=show(run.requests[0].prompt),
    )


EXERCISES = (
    Exercise(
        "0.1",
        "ask",
        grade_ask,
        hints=(
            "The reply is an object, not a text. Its `content` is a list of blocks: look at each.",
            (
                "Call `await client.messages.create(...)` with a model, `max_tokens` and one user"
                " message. Add `system` to the arguments only where it is not None. Then join the"
                " `text` of the blocks whose `type` is `text`."
            ),
            (
                "request = {'model': MODEL, 'max_tokens': 1_000, 'messages': [...]}\n"
                "if system is not None: request['system'] = system\n"
                "reply = await client.messages.create(**request)\n"
                "return ''.join(... for block in reply.content if ...)"
            ),
        ),
        why=(
            "A reply is a list of blocks, because a model may think or ask for a tool between two"
            " pieces of text; code that takes content[0] works until it does not. `system` is left"
            " out rather than sent empty, because the API refuses a null."
        ),
    ),
    Exercise(
        "0.2",
        "ask_both",
        grade_ask_both,
        hints=(
            (
                "`await ask(...)` gives the answer and has waited for it. What starts a call"
                " without waiting?"
            ),
            "Make both coroutines first, hand them to `asyncio.gather`, and await that once.",
            "one, other = await asyncio.gather(ask(client, first), ...)\nreturn one, other",
        ),
        why=(
            "gather starts both, waits for both and keeps the order of its arguments, whichever"
            " call ends first. Cancelling it cancels both, which two bare tasks would not give you."
        ),
    ),
)
