"""The scripted model: which rule answers, with what, and how it fails."""

from __future__ import annotations

import json
import random
import re
from typing import Any

import pytest

from labkit import Reply, Request, Rule, UsageError
from labkit.script import Exchange, ScriptedModel, count_tokens, text_of
from labkit.scripts import COURSE


def body(prompt: str, **more: Any) -> str:
    return json.dumps(
        {
            "model": "claude-haiku-4-5",
            "max_tokens": 9,
            "messages": [{"role": "user", "content": prompt}],
            **more,
        }
    )


def answer(model: ScriptedModel, prompt: str, **more: Any) -> Exchange:
    return model.answer("POST", "/v1/messages", body(prompt, **more))


def said(exchange: Exchange) -> str:
    return text_of(json.loads(exchange.chunks[0][1])["content"])


def test_the_first_rule_that_fits_answers() -> None:
    model = ScriptedModel(
        [Rule("tea", says="leaf"), Rule("t", says="letter"), Rule("", says="any")]
    )
    assert [said(answer(model, p)) for p in ("Green TEA?", "t?", "x?")] == ["leaf", "letter", "any"]


def test_a_rule_looks_for_a_text_a_pattern_or_asks_a_function() -> None:
    model = ScriptedModel(
        [
            Rule(re.compile(r"\d{4}"), says="a year"),
            Rule(lambda request: len(request.prompt) > 20, says="long"),
            Rule("brief", says="from the system prompt"),
        ]
    )
    assert said(answer(model, "in 2026")) == "a year"
    assert said(answer(model, "x" * 21)) == "long"
    assert said(answer(model, "x", system="Be brief.")) == "from the system prompt"


def test_a_rule_with_times_steps_aside_when_used_up() -> None:
    model = ScriptedModel([Rule("", says="first", times=2), Rule("", says="later")])
    assert [said(answer(model, "x")) for _ in range(3)] == ["first", "first", "later"]


def test_what_is_said_may_be_text_json_blocks_a_reply_or_computed() -> None:
    model = ScriptedModel(
        [
            Rule("json", says={"route": "billing"}),
            Rule("blocks", says=[{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]),
            Rule("reply", says=Reply("r", stop_reason="refusal")),
            Rule("", says=lambda request: f"you said {request.prompt}"),
        ]
    )
    assert json.loads(said(answer(model, "json"))) == {"route": "billing"}
    assert said(answer(model, "blocks")) == "ab"
    assert json.loads(answer(model, "reply").chunks[0][1])["stop_reason"] == "refusal"
    assert said(answer(model, "x")) == "you said x"


def test_latency_comes_from_the_seed_and_not_from_the_order_of_others() -> None:
    def waits(seed: int, prompts: str) -> list[float]:
        model = ScriptedModel([Rule("a", seconds=(1, 2)), Rule("b", seconds=(1, 2))], seed=seed)
        return [answer(model, prompt).wait for prompt in prompts if prompt in "ab"]

    assert waits(1, "aab") == waits(1, "aab")
    assert waits(1, "aab") != waits(2, "aab")
    assert sorted(waits(1, "aba")) == sorted(waits(1, "aab"))
    assert all(1 <= wait <= 2 for wait in waits(3, "abababab"))


def test_latency_may_be_a_function_of_chance() -> None:
    rule = Rule("", seconds=lambda chance: chance.choice([1.0, 9.0]))
    assert rule.draw(random.Random(0)) in (1.0, 9.0)


def test_a_request_that_no_rule_fits_is_shown_with_the_rules() -> None:
    model = ScriptedModel([Rule("tea", says="x"), Rule(re.compile("^a+$"), says="x", times=3)])
    exchange = answer(model, "coffee?\nblack")
    told = exchange.chunks[0][1]
    assert exchange.status == 400
    for part in ("| coffee?", "| black", "holds 'tea'", "matches '^a+$', 3 times at most", "Add a"):
        assert part in told


def test_an_unknown_path_and_an_empty_request_are_told() -> None:
    model = ScriptedModel(COURSE)
    assert model.answer("GET", "/v1/models", "").status == 404
    assert model.answer("POST", "/v1/messages", "no json").status == 400
    assert model.answer("POST", "/v1/messages", '{"messages": []}').status == 400


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"when": 3}, "`when` is a text"),
        ({"says": 3}, "`says` is a text"),
        ({"seconds": -1}, "cannot be negative"),
        ({"seconds": (0.5, -1)}, "cannot be negative"),
        ({"seconds": (2, 1)}, "from the smaller to the larger"),
        ({"seconds": float("inf")}, "negative or infinite"),
        ({"seconds": "1"}, "number of seconds"),
        ({"seconds": (1, 2, 3)}, "number of seconds"),
        ({"retry_after": -2}, "`retry_after` cannot be negative"),
        ({"fails": 418}, "429"),
        ({"fails": "explode"}, "'timeout'"),
        ({"times": 0}, "`times` is 1 or more"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_with_the_mend(
    fault: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        Rule(**fault)


@pytest.mark.parametrize("script", ["hello", Rule(""), [Rule(""), "tea"], [{"tea": "leaf"}], 3])
def test_a_script_that_is_none_is_refused(script: Any) -> None:
    with pytest.raises(UsageError, match="a script is a list of rules"):
        ScriptedModel(script)


def test_a_request_knows_its_parts() -> None:
    request = Request(
        {
            "model": "m",
            "system": [{"type": "text", "text": "Be "}, {"type": "text", "text": "brief."}],
            "messages": [
                {"role": "user", "content": "one"},
                {"role": "assistant", "content": [{"type": "text", "text": "two"}]},
                {"role": "user", "content": [{"type": "text", "text": "three"}]},
            ],
            "output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}},
        }
    )
    assert (request.system, request.prompt) == ("Be brief.", "three")
    assert request.text == "Be brief.\none\ntwo\nthree"
    assert request.schema == {"type": "object"}
    assert Request({}).system is None
    assert Request({}).prompt == ""


def test_tokens_are_estimated_at_four_characters() -> None:
    assert [count_tokens(text) for text in ("", "abcd", "abcde")] == [0, 1, 2]


GOAL = "Write a guide to mending bicycles."


@pytest.mark.parametrize(
    "prompt", ["Break this goal into subtasks: {}", "Plan: {}", "Steps for {}"]
)
def test_another_goal_gets_a_sensible_plan_too(prompt: str) -> None:
    from labkit.patterns import parse_plan

    plan = said(answer(ScriptedModel(COURSE), prompt.format(GOAL)))
    assert len(parse_plan(plan)) == 3
