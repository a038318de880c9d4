"""Lesson 01's moves and its desk: what the graders of 1.1 to 1.3 do not ask."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import anthropic
import pytest

from labkit import Rule, UsageError, connect, patterns, record, run
from labkit.checks import ChildProcess, exercises, judge
from labkit.confusion import confusion
from labkit.scripts.support import FALLBACK, MAIL, SPECIALISTS, WORDS, by_keyword, support
from labkit.widgets import setting
from tests.answers import ex_1_2_route, ex_1_3_classify

ROUTES = list(SPECIALISTS)
ANSWERS = Path(__file__).parent / "answers"


def test_the_router_is_cheap_and_the_specialist_dear() -> None:
    with record() as trace:
        run(patterns.route(connect(support()), MAIL[0].text, SPECIALISTS, fallback=FALLBACK))
    assert [call.model for call in trace.calls] == [patterns.MODEL, patterns.SPECIALIST]
    router, specialist = (call.dollars for call in trace.calls)
    assert router is not None
    assert specialist is not None
    assert router < specialist / 10


def test_a_failing_service_reaches_the_caller() -> None:
    client = connect([Rule("", fails=400, seconds=0.1)])
    with pytest.raises(anthropic.BadRequestError):
        run(patterns.route(client, "Hi.", SPECIALISTS, fallback=FALLBACK))
    with pytest.raises(anthropic.BadRequestError):
        run(patterns.classify(client, "Hi.", ROUTES))


def test_a_missing_fallback_is_named() -> None:
    with pytest.raises(ValueError, match="'nobody' is no specialist"):
        run(patterns.route(connect(support()), "Hi.", SPECIALISTS, fallback="nobody"))


def test_the_mails_are_forty_and_well_labelled() -> None:
    assert len(MAIL) == len({mail.text for mail in MAIL}) == 40
    assert {name for mail in MAIL for name in mail.fits} == set(ROUTES)
    assert {len(mail.fits) for mail in MAIL} == {1, 2}
    assert FALLBACK in SPECIALISTS
    assert set(WORDS) < set(ROUTES)
    # The scripted model knows a mail by its text, wherever that stands in a request.
    assert not [a for a in MAIL for b in MAIL if a is not b and a.text in b.text]


@pytest.mark.parametrize("errs", [0, 3, 17, 40])
def test_the_scripted_router_errs_as_often_as_it_is_set_to(errs: int) -> None:
    client = connect(support(errs=errs))

    async def all_of_them() -> list[str | None]:
        return await asyncio.gather(*(patterns.classify(client, m.text, ROUTES) for m in MAIL))

    chosen = run(all_of_them())
    wrong = [name for mail, name in zip(MAIL, chosen, strict=True) if name not in mail.fits]
    assert len(wrong) == errs


@pytest.mark.parametrize("errs", [-1, 41])
def test_it_cannot_err_on_more_mails_than_there_are(errs: int) -> None:
    with pytest.raises(UsageError):
        support(errs=errs)


def test_keywords_name_no_route_where_two_have_as_many() -> None:
    assert by_keyword("my invoice") == "billing"
    assert by_keyword("the invoice for my parcel") is None
    assert by_keyword("hello") is None


def test_keywords_are_whole_words_in_their_common_forms() -> None:
    assert by_keyword("You charged me, and the CARD is mine.") == "billing"
    assert by_keyword("two parcels, both boxed") == "shipping"
    assert by_keyword("my accountant is not amused") is None
    assert by_keyword("a happy shipwright") is None


def test_a_confusion_matrix_says_in_text_what_it_shows() -> None:
    matrix = confusion([("a", "a"), ("a", "b"), ("b", "b")], ["a", "b"], title="Two")
    assert (matrix.total, matrix.errors) == (3, 1)
    assert "1 of 3 in the wrong place" in repr(matrix)
    data, metadata = matrix._repr_mimebundle_()
    assert data["text/plain"] == repr(matrix)
    assert metadata["image/png"]["alt"].startswith("Two; ")
    assert confusion([], ["a"], theme="dark").png().startswith(b"\x89PNG")
    dollars = confusion([("a", "a")], ["a"], title="model $1, keywords $2").draw()
    assert not dollars._suptitle.get_parse_math()  # no formula
    with pytest.raises(UsageError, match="not c"):
        confusion([("a", "c")], ["a", "b"])


def test_a_setting_says_what_is_set() -> None:
    assert repr(setting("errs on", 0, 40, start=3, unit="of 40")).startswith("errs on: 3 of 40")
    with pytest.raises(UsageError):
        setting("errs on", 0, 40, start=41)


@pytest.mark.parametrize(
    ("id", "file", "name", "because"),
    [
        ("1.1", "ex_1_1_parse_route", "by_characters", None),
        ("1.1", "ex_1_1_parse_route", "substring", "is one word"),
        ("1.2", "ex_1_2_route", "one_conversation", None),
        ("1.2", "ex_1_2_route", "asks_again", "two calls"),
        ("1.3", "ex_1_3_classify", "parse_with_an_enum", None),
        ("1.3", "ex_1_3_classify", "pydantic_ignores_extras", "extra='forbid'"),
    ],
)
def test_the_verdict_is_the_same_from_a_child_process(
    id: str, file: str, name: str, because: str | None
) -> None:
    # A child has the SDK to load in its first run: on a busy machine that takes its time.
    with ChildProcess.of_file(str(ANSWERS / f"{file}.py"), name, limit=20.0) as child:
        verdict = judge(exercises[id], child, seed=0)
    assert verdict.attempted
    assert verdict.passed == (because is None), verdict
    assert (because or "") in verdict.message


@pytest.mark.parametrize("module", [ex_1_2_route, ex_1_3_classify])
def test_right_answers_agree_on_the_desk(module: Any) -> None:
    client = connect(support(errs=0))
    mail = next(mail for mail in MAIL if len(mail.fits) == 1)
    for answer in module.RIGHT:
        if module is ex_1_2_route:
            seen = run(answer(client, mail.text, SPECIALISTS, fallback=FALLBACK))["route"]
        else:
            seen = run(answer(client, mail.text, ROUTES))
        assert seen in mail.fits
