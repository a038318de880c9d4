"""Graders of lesson 01: read a route, route a request, and have the model keep to a schema."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..script import Reply, Request, text_of
from .exercise import Exercise
from .judge import Bench, Client, Run, nonsense, same, show


def names(chance: random.Random, count: int) -> list[str]:
    """Words that differ, none of them a part of another."""
    found: dict[str, None] = {}
    while len(found) < count:
        found[nonsense(chance, 1)] = None
    return list(found)


def grade_parse_route(bench: Bench) -> None:
    """1.1: one whole word, whatever stands around it."""
    chance = bench.random
    a, b, c, d, other = names(chance, 5)
    # One route ends in another: `support` and `tech-support`.
    joined = f"{d}-{a}"
    routes = [a, b, c, joined]
    chance.shuffle(routes)
    whole = "Only a whole word names a route"
    cases: list[tuple[str, str | None, str]] = [
        (a, a, "The reply is the route's name, and nothing else."),
        (c, c, "The reply is the route's name, and nothing else."),
        (f"{b.upper()}", b, "Letter case does not count."),
        (f"{c.capitalize()}.", c, "Letter case and punctuation do not count."),
        (f'"{a}"', a, "Quotes around the name do not count."),
        (f"**{b}**", b, "Markdown around the name does not count."),
        (f"Route:\n\n- `{c}`\n", c, "Words, lines and markdown around the name do not count."),
        (f"I would send this to {b}, thank you!", b, "Words around the name do not count."),
        (f'{{"route": "{a}"}}', a, "Quotes and punctuation around the name do not count."),
        (f"_{b}_", b, "An underscore is punctuation, though `\\b` and `\\w` take it for a letter."),
        (f"It is {c}'s business.", c, "An apostrophe is punctuation: the word ends before it."),
        (f"It is {c}\u2019s business.", c, "A curly apostrophe is punctuation as well."),
        (f"{b}\u2014for {other}", b, "A dash is no hyphen: it is punctuation."),
        (f"1.{a}", a, "Punctuation around the name does not count."),
        (f"({a})/…", a, "Punctuation around the name does not count."),
        (joined.upper(), joined, f"`{joined}` is one word: {a!r} inside it is no whole word."),
        (
            f"Send it to **{joined}**.",
            joined,
            f"`{joined}` is one word: {a!r} inside it is no whole word.",
        ),
        (f"{a} - {other}", a, "A hyphen joins only between two letters or digits."),
        (f"-{b}-", b, "A hyphen joins only between two letters or digits."),
        (f"{c}--{other}", c, "Two hyphens join nothing: each has a hyphen beside it."),
        (f"{c}-\n{other}", c, "A hyphen joins only between two letters or digits."),
        (f"{b}-, -{other}", b, "A hyphen joins only between two letters or digits."),
        (f"{d} {a}", a, f"Without its hyphen this is not `{joined}`, and {a!r} is a word of it."),
        (f"{a}. Yes, {a.upper()}!", a, "The same route named twice is still one."),
        (f"{joined}, I mean {joined}", joined, "The same route named twice is still one."),
        (f"{c}? {c}! {c}.", c, "The same route named three times is still one."),
        (b[:-1], None, f"{whole}: the beginning of one does not."),
        (f"{b}s", None, f"{whole}: a longer word that holds one does not."),
        (f"un{c}", None, f"{whole}: a longer word that holds one does not."),
        (f"{b}2", None, f"{whole}: a digit belongs to the word."),
        (f"2{b}", None, f"{whole}: a digit belongs to the word."),
        (f"é{b}", None, f"{whole}: é is a letter like any other."),
        (f"{b}é", None, f"{whole}: é is a letter like any other."),
        (f"{other}-{joined}", None, f"{whole}: a hyphen between two letters joins them."),
        (f"{other}-{b}", None, f"{whole}: a hyphen between two letters joins them."),
        (f"{c}-{other}", None, f"{whole}: a hyphen between two letters joins them."),
        (f"{joined}-2", None, f"{whole}: a hyphen between a letter and a digit joins them."),
        (f"{a[:3]} {a[3:]}", None, f"{whole}: a name in two pieces does not."),
        (f"{a} or {b}", None, "Two different routes are named: that is no answer."),
        (f"{b}, not {a}", None, "Two different routes are named: that is no answer."),
        (f"{a}, {b}, {a}", None, "Two different routes are named, one of them twice."),
        (f"{joined} or {a}", None, "Two different routes are named, though one ends in the other."),
        (f"{a}/{c}", None, "Two different routes are named: that is no answer."),
        (f"{b}_{c}", None, "An underscore is punctuation, so two routes are named here."),
        (f"Perhaps {other}?", None, "No route is named."),
        ("", None, "Nothing is named in an empty reply."),
        ("  \n", None, "Nothing is named in an empty reply."),
    ]
    for reply, wanted, why in cases:
        _read(bench.run(reply, routes), reply, routes, wanted, why)
    alone = "Only what is in `routes` is a route."
    _read(bench.run(b, (a, c)), b, (a, c), None, alone)
    _read(bench.run(f"{b}, not {a}", (c, b)), f"{b}, not {a}", (c, b), b, alone)
    _read(bench.run(a, []), a, [], None, "Without routes, none can be named.")
    long = [f"{a}-{b}-{c}", f"{a}-{b}"]
    why = f"`{long[0]}` is one word: a route may hold more than one hyphen."
    _read(bench.run(f"*{long[0].title()}*", long), f"*{long[0].title()}*", long, long[0], why)
    _read(
        bench.run(joined, [a, b]),
        joined,
        [a, b],
        None,
        f"{whole}: `{joined}` is a word of its own, even where it is no route.",
    )


def _read(run: Run, reply: str, routes: Any, wanted: str | None, why: str) -> None:
    right = run.how != "raised" and same(wanted, run.answer())
    run.expect(
        right,
        f"{why}\nFor the reply {reply!r} and the routes {', '.join(routes) or '(none)'}",
        wanted=show(wanted),
        seen=run.outcome,
    )


@dataclass
class Desk:
    """The model behind one routed request: it chooses first, then answers."""

    choice: str | list[dict[str, Any]]
    answer: str | list[dict[str, Any]]

    def reply(self, request: Request) -> Reply:
        """Answer one request."""
        if request.number == 0:
            return Reply(self.choice, seconds=1.0)
        return Reply(self.answer, seconds=2.0)


def grade_route(bench: Bench) -> None:
    """1.2: choose in one call, answer in a second; what cannot be read goes to the fallback."""
    chance = bench.random
    words = names(chance, 8)
    # One route ends in another, and braces are text: a template that is filled twice breaks.
    routes = [words[0], f"{words[1]}-{words[0]}", words[2], words[3]]
    other = words[4]
    specialists = {name: f"You {{see}} {nonsense(chance, 6)}." for name in routes}
    first, second, chosen, last = routes
    # Capitals and a second line, so that a request that is not sent as it is gets noticed.
    request = f"{nonsense(chance, 5).title()} {{order}}:\n{nonsense(chance, 2)} {first}, 100 %."

    # What the router says, the fallback, and who is to answer. A fallback has no place of its own.
    cases: list[tuple[str | list[dict[str, Any]], str, str, str]] = [
        (chosen, last, chosen, "The reply named one route."),
        (
            f"I'd say _{second}_: **{second.upper()}**.",
            first,
            second,
            "The reply is read as in 1.1, however messy it is.",
        ),
        (
            f"Perhaps un{chosen}?",
            second,
            second,
            "The reply named no route: that goes to `fallback`. Only a whole word names one.",
        ),
        ([], last, last, "A reply without any text names no route: that goes to `fallback`."),
        (
            f"{chosen} or {second}",
            first,
            first,
            "The reply named two routes, so no single one: that goes to `fallback`.",
        ),
        (
            f"{second} or {chosen}",
            second,
            second,
            "The reply named two routes. The fallback is a route like any other: it counts as one.",
        ),
        (
            [
                {"type": "thinking", "thinking": second, "signature": "s"},
                {"type": "text", "text": f"It is {chosen[:3]}"},
                {"type": "text", "text": chosen[3:]},
            ],
            last,
            chosen,
            "The text of a reply is its text blocks, joined with nothing between.",
        ),
    ]
    for choice, fallback, name, why in cases:
        # The answer names another route: what the specialist says is not read.
        said = f" {nonsense(chance, 6)} {first}.\n"
        answer = [
            {"type": "thinking", "thinking": nonsense(chance), "signature": "s"},
            {"type": "text", "text": said[:9]},
            {"type": "text", "text": said[9:]},
        ]
        run = bench.run(Client(Desk(choice, answer).reply), request, specialists, fallback=fallback)
        told = f"{why}\nThe router said {text_of(choice)!r}, and the fallback is {fallback!r}."
        # Where a plain name went well, it is this reply that it could not take.
        if run.how == "raised" and choice != chosen:
            run.fail(f"{told}\nIt raised an exception.", wanted=repr(name), seen=run.outcome)
        _routed(run, request, specialists, name, said, told)

    only = {chosen: specialists[chosen]}
    run = bench.run(Client(Desk(chosen, "Yes.").reply), request, only, fallback=chosen)
    _routed(run, request, only, chosen, "Yes.", "One specialist is a choice of one.")

    for wrong, given in ((other, specialists), (words[0][:-1], specialists), (other, {})):
        run = bench.run(Client(Desk(chosen, "Yes.").reply), request, given, fallback=wrong)
        why = (
            "A `fallback` that is not in `specialists` raises a ValueError before any call: later,"
            " it would lose just the request that needs it."
        )
        run.expect_raised("ValueError", why)
        run.expect(not run.requests, why, wanted="no call", seen=f"{len(run.requests)} calls")

    for moment in (0.5, 2.0):
        desk = Desk(chosen, "Yes.")
        run = bench.run(Client(desk.reply), request, specialists, fallback=last, cancel_at=moment)
        run.expect_cancelled()


def _strings(value: Any) -> Iterator[str]:
    """Every text in a request's body, the names of its fields included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, part in value.items():
            yield str(name)
            yield from _strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)


def _routed(
    run: Run, request: str, specialists: Mapping[str, str], name: str, said: str, why: str
) -> None:
    seen = run.answer()
    calls = run.requests
    run.expect(
        len(calls) == 2,
        "A request is two calls, whatever the router says: one to choose, one to answer.",
        wanted="2 calls",
        seen=f"{len(calls)} calls",
    )
    # Anywhere in the call: a schema or a tool may show the names as well as a prompt.
    shown = "\n".join([calls[0].text, *_strings(calls[0].body)])
    # In JSON a line break is a backslash and a letter, which would join with a name after it.
    spaced = re.sub(r"\\[nrt]", " ", shown)
    hidden = [route for route in specialists if not _names(spaced, route)]
    run.expect(
        not hidden,
        "The first call shows every route's name: the model can choose only what it has seen.",
        wanted=", ".join(specialists),
        seen=f"without {', '.join(hidden)}: {show(calls[0].text)}",
    )
    run.expect(
        # Line by line: it may be quoted, indented or a part of some JSON.
        all(line in shown for line in request.splitlines()),
        "The first call shows the request: without it there is nothing to choose by.",
        wanted=show(request),
        seen=show(calls[0].text),
    )
    system = calls[1].system or ""
    meant = [route for route, prompt in specialists.items() if prompt in system]
    run.expect(
        bool(meant),
        "The second call carries the chosen specialist's prompt as `system`, beside `messages` and"
        " not inside it.",
        wanted=show(specialists[name]),
        seen=show(calls[1].body.get("system", "no system field")),
    )
    run.expect(
        meant == [name],
        why,
        wanted=f"the specialist {name!r}",
        seen=f"the specialist {', '.join(map(repr, meant))}",
    )
    run.expect(
        any(
            turn.get("role") == "user" and request in text_of(turn.get("content"))
            for turn in calls[1].messages
        ),
        "The specialist gets the request itself, as the user message.",
        wanted=show(request),
        seen=show(calls[1].prompt),
    )
    if seen is None:
        run.fail(f"{run.name} returned None: is there a `return` on every way through it?")
    run.expect(
        isinstance(seen, dict) and seen.keys() == {"route", "answer"},
        "It returns a dict with `route` and `answer`.",
        wanted="{'route': name, 'answer': text}",
        seen=show(seen),
    )
    run.expect(
        same(name, seen["route"]),
        f"`route` is the name of the specialist that answered.\n{why}",
        wanted=show(name),
        seen=show(seen["route"]),
    )
    run.expect(
        same(said, seen["answer"]),
        "`answer` is the text of the specialist's reply as it is, white space included: its text"
        " blocks, joined with nothing between.",
        wanted=show(said),
        seen=show(seen["answer"]),
    )


def _names(text: str, route: str) -> bool:
    """Whether a text shows a route's name, and not only as a part of another's."""
    edge = r"[^\W_]"
    return bool(
        re.search(rf"(?<!{edge})(?<!{edge}-){route}(?!{edge})(?!-{edge})", text, re.IGNORECASE)
    )


@dataclass
class Clerk:
    """The model behind one classification: it answers in the form that was asked for.

    Args:
        content: From the name of the schema's property to what the reply holds.
        stop: Why it stops.
    """

    content: Callable[[str], str | list[dict[str, Any]]]
    stop: str = "end_turn"

    def reply(self, request: Request) -> Reply:
        """Answer one request."""
        return Reply(self.content(_property(request) or "?"), seconds=1.0, stop_reason=self.stop)


def _property(request: Request) -> str | None:
    """The one property of a request's schema; None where it has another number of them."""
    properties = (request.schema or {}).get("properties")
    if isinstance(properties, dict) and len(properties) == 1:
        return str(next(iter(properties)))
    return None


def _resolved(schema: Any, root: Mapping[str, Any]) -> dict[str, Any]:
    """A part of a schema where it stands in full: pydantic puts an Enum under ``$defs``."""
    for _ in range(5):
        if not isinstance(schema, dict):
            return {}
        alone = schema.get("allOf")
        if isinstance(alone, list) and len(alone) == 1:
            schema = alone[0]
            continue
        reference = schema.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return schema
        schema = root
        for step in reference[2:].split("/"):
            schema = schema.get(step, {}) if isinstance(schema, dict) else {}
    return {}


def _object(key: str, value: Any) -> str:
    return json.dumps({key: value})


def grade_classify(bench: Bench) -> None:
    """1.3: one call with a schema; only a whole reply that keeps to it names a route."""
    chance = bench.random
    words = names(chance, 5)
    # Not in the order of the alphabet: whoever sorts them is noticed.
    routes = sorted(words[:4], reverse=True)
    chance.shuffle(routes)
    if routes == sorted(routes):
        routes.reverse()
    routes[1] = f"{words[4]}-{routes[1]}"
    # Capitals and a second line, so that a request that is not sent as it is gets noticed.
    request = f"{nonsense(chance, 4).title()} {{order}}:\n{routes[0]} {nonsense(chance, 2)}, 100 %."

    name = routes[2]
    escaped = f"\\u{ord(name[0]):04x}{name[1:]}"

    def spelled(key: str) -> list[dict[str, Any]]:
        # The JSON stands in one text block, since `messages.parse` reads each by itself.
        text = f'\n{{\n  "{key}" :\t"{escaped}"\n}}\n'
        return [
            {"type": "thinking", "thinking": nonsense(chance), "signature": "s"},
            {"type": "text", "text": text},
            {"type": "thinking", "thinking": nonsense(chance), "signature": "s"},
        ]

    # Any sequence will do, a tuple too.
    run = bench.run(Client(Clerk(spelled).reply), request, tuple(routes))
    seen = run.answer()
    _asked(run, request, routes)
    run.expect(
        same(name, seen),
        "It returns the route that the reply chose, as text. Blocks that are no text are no part of"
        " the JSON, and the JSON may be spaced, and its letters written, in any way that is valid."
        f"\nHere it stood between two blocks of thinking, with white space around it, and the route"
        f" was written `{escaped}`.",
        wanted=show(name),
        seen=show(seen),
    )
    _split(bench, request, routes, name)

    # Each run goes over the SDK: what another one tells as well is not asked.
    # Of the reasons the one that is least thought of: who lists the others is noticed as well.
    _judged(
        bench,
        request,
        routes,
        lambda key: _object(key, name),
        None,
        "The reply stopped for 'stop_sequence': a reply that did not reach its own end, as after"
        " 'max_tokens', is no answer, even where its text happens to be valid. Look at"
        " `stop_reason` first; any but 'end_turn' is None.",
        stop="stop_sequence",
    )
    not_json = "The reply's text is not valid JSON: that is None, not an error or a guess."
    chatter = (
        "Words around the JSON, or a code fence, are a part of the reply's text, so that is not"
        " valid JSON: None, not what could be cut out of it."
    )
    not_listed = "The value is not in the schema's `enum`: valid JSON is not yet a valid reply."
    bad: list[tuple[Callable[[str], str | list[dict[str, Any]]], str]] = [
        (lambda key: f"{{'{key}': '{name}'}}", not_json),
        (lambda key: [], not_json),
        (lambda key: f"```json\n{_object(key, name)}\n```", chatter),
        (lambda key: f"{_object(key, name)}\nHope this helps!", chatter),
        (lambda key: f"Here it is: {_object(key, name)}", chatter),
        (lambda key: _object(key, name.upper()), not_listed),
        (lambda key: _object(key, f" {name}\n"), not_listed),
        (lambda key: _object(key, f"{name}s"), not_listed),
        (lambda key: _object(key, [name]), not_listed),
        (
            lambda key: json.dumps([{key: name}]),
            "The reply is valid JSON and no object, so it is not valid under the schema.",
        ),
        (
            lambda key: _object(f"{key}_", name),
            "The required property is missing: that is None; another one does not stand for it.",
        ),
    ]
    for content_of, why in bad:
        _judged(bench, request, routes, content_of, None, why)
    alone = f"{not_listed} One route is a choice of one: the call is made, and read, all the same."
    _judged(bench, request, (name,), lambda key: _object(key, name[:-1]), None, alone)

    _extra(bench, request, routes, name)
    clerk = Clerk(lambda key: _object(key, name))
    bench.run(Client(clerk.reply), request, routes, cancel_at=0.5).expect_cancelled()


def _split(bench: Bench, request: str, routes: list[str], name: str) -> None:
    """The reply's text in two blocks, cut inside the name.

    Judged only where the schema was written by hand: pydantic titles its own, and the SDK's
    `messages.parse`, to which that goes, reads each text block by itself.
    """

    def content(key: str) -> list[dict[str, Any]]:
        text = _object(key, name)
        cut = text.index(name) + 2
        return [{"type": "text", "text": text[:cut]}, {"type": "text", "text": text[cut:]}]

    run = bench.run(Client(Clerk(content).reply), request, routes)
    schema = (run.requests[0].schema if run.requests else None) or {}
    if "title" not in schema:
        run.expect(
            run.how != "raised" and same(name, run.answer()),
            "The text of a reply is its text blocks, joined with nothing between: here two of them"
            " make one JSON.",
            wanted=show(name),
            seen=run.outcome,
        )


def _judged(
    bench: Bench,
    request: str,
    routes: Sequence[str],
    content: Callable[[str], str | list[dict[str, Any]]],
    wanted: str | None,
    why: str,
    *,
    stop: str = "end_turn",
) -> Run:
    clerk = Clerk(content, stop)
    run = bench.run(Client(clerk.reply), request, routes)
    _once(run)
    right = run.how != "raised" and same(wanted, run.answer())
    key = _property(run.requests[0])
    said = text_of(content(key or "?"))
    run.expect(
        right, f"{why}\nThe reply's text was {said!r}.", wanted=show(wanted), seen=run.outcome
    )
    return run


# What a schema may say beside these might forbid one property more in ways of its own.
KNOWN = {"$defs", "$schema", "$id", "title", "description", "type", "properties", "required",
         "additionalProperties"}  # fmt: skip


def _extra(bench: Bench, request: str, routes: list[str], name: str) -> None:
    """One property more is a fault just where the learner's own schema forbids it."""

    def content(key: str) -> str:
        return json.dumps({key: name, f"{key}_why": "so"})

    run = bench.run(Client(Clerk(content).reply), request, routes)
    schema = (run.requests[0].schema if run.requests else None) or {}
    if not schema.keys() <= KNOWN or schema.get("additionalProperties", True) not in (True, False):
        return
    if schema.get("additionalProperties", True):
        wanted: str | None = name
        why = (
            "The reply held one property more, which the schema allows: without"
            " `additionalProperties: False` it is valid, and its route counts."
        )
    else:
        wanted = None
        why = (
            "The reply held one property more, which the schema forbids"
            " (`additionalProperties: False`): it is not valid under that schema, so None. The"
            " SDK's `messages.parse` sends that line with every model, while a pydantic model"
            " itself ignores what it does not know; `ConfigDict(extra='forbid')` has it look."
        )
    right = run.how != "raised" and same(wanted, run.answer())
    run.expect(right, why, wanted=show(wanted), seen=run.outcome)


def _once(run: Run) -> None:
    run.expect(
        len(run.requests) == 1,
        "It makes exactly one call; a reply that is no answer is None, not another try.",
        wanted="1 call",
        seen=f"{len(run.requests)} calls",
    )


def _asked(run: Run, request: str, routes: Any) -> None:
    _once(run)
    call = run.requests[0]
    run.expect(
        request in call.text,
        "The prompt holds the request: without it there is nothing to choose by.",
        wanted=show(request),
        seen=show(call.text),
    )
    config = call.body.get("output_config")
    form = config.get("format") if isinstance(config, dict) else None
    run.expect(
        isinstance(form, dict) and form.get("type") == "json_schema" and call.schema is not None,
        "The call carries a schema in `output_config`, as its `format`: words in a prompt ask, a"
        " schema binds.",
        wanted="output_config={'format': {'type': 'json_schema', 'schema': {...}}}",
        seen=f"output_config = {show(call.body.get('output_config', 'left out'))}",
    )
    schema = call.schema or {}
    run.expect(
        schema.get("type") in ("object", ["object"]),
        "The schema is that of an object: `'type': 'object'`.",
        wanted="'type': 'object'",
        seen=show(schema),
    )
    key = _property(call)
    run.expect(
        key is not None,
        "The object has one property, and no others.",
        wanted="'properties': {name: {...}}",
        seen=f"'properties': {show(schema.get('properties'))}",
    )
    run.expect(
        same([key], schema.get("required")),
        "The property is required: without that, `{}` would be a valid reply.",
        wanted=f"'required': [{key!r}]",
        seen=f"'required': {show(schema.get('required'))}",
    )
    listed = _resolved(schema["properties"][key], schema).get("enum")
    run.expect(
        same(list(routes), listed),
        "The property's `enum` is `routes`, all of them, in their order, and nothing else: what"
        " is not in it cannot be said.",
        wanted=f"'enum': {show(list(routes))}",
        seen=f"'enum': {show(listed)}",
    )


EXERCISES = (
    Exercise(
        "1.1",
        "parse_route",
        grade_parse_route,
        hints=(
            (
                "Cut the reply into words first. Which characters belong to a word, and when is a"
                " hyphen one of them?"
            ),
            (
                "Lower-case the reply and collect its words in a set: runs of letters and digits,"
                " with single hyphens between two runs. Then see which routes are among them."
            ),
            (
                "words = set(re.findall(r'[^\\W_]+(?:-[^\\W_]+)*', reply.lower()))\n"
                "named = [name for name in routes if name in words]\n"
                "return named[0] if ... else None"
            ),
        ),
        why=(
            "Words are cut out of the reply before routes are looked for, so that tech-support can"
            " never be taken for support. `[^\\W_]` is a letter or digit of any language without"
            " the underscore, which `\\w` would keep. Two routes are no answer, because picking"
            " one of them would hide that the model was in two minds."
        ),
    ),
    Exercise(
        "1.2",
        "route",
        grade_route,
        hints=(
            (
                "Two calls. What must the first one show so that its reply can name a route, and"
                " what does the second one need from it?"
            ),
            (
                "Look at `fallback` first. `ask` with the request and the names, `parse_route` the"
                " reply, take `fallback` where that is None. Then a call to `SPECIALIST` with the"
                " request and that specialist's prompt as `system`; join the text blocks of what"
                " comes back."
            ),
            (
                "if fallback not in specialists: raise ValueError(...)\n"
                "reply = await ask(client, f'{request} ... {\", \".join(specialists)}')\n"
                "name = parse_route(reply, list(specialists)) or fallback\n"
                "answer = await client.messages.create(\n"
                "    model=SPECIALIST, max_tokens=1_000, system=specialists[name],\n"
                "    messages=[...],\n"
                ")\n"
                "text = ''.join(block.text for block in answer.content if ...)"
            ),
        ),
        why=(
            "A fallback that does not exist would fail only on the day it is needed, so it is"
            " looked for before anything is paid for. The specialist reads the request as it came,"
            " not the router's words about it. The choice goes to the small model and the answer"
            " to the large one."
        ),
    ),
    Exercise(
        "1.3",
        "classify",
        grade_classify,
        hints=(
            "The schema says what may be said. Which replies can reach you all the same?",
            (
                "Send `output_config={'format': {'type': 'json_schema', 'schema': ...}}` with an"
                " object of one required property whose `enum` is the routes. Then doubt the"
                " reply: its `stop_reason`, its JSON, its shape, its value."
            ),
            (
                "if reply.stop_reason != 'end_turn': return None\n"
                "try: choice = json.loads(text)\n"
                "except ValueError: return None\n"
                "if not isinstance(choice, dict) or choice.keys() != {'route'}: return None\n"
                "return choice['route'] if ... else None"
            ),
        ),
        why=(
            "A schema binds what the model writes, not whether it gets to write it: a reply may be"
            " cut off or refused, and then the text proves nothing. So the stop reason comes first,"
            " and the reply is held against the very schema that was sent. None is a value the"
            " caller can route to a fallback; an exception would lose the request."
        ),
        worth=2,
    ),
)
