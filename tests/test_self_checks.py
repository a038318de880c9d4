"""Self-checks: the questions, their answers, and how they read without a front end."""

from __future__ import annotations

from typing import Any

import pytest

from labkit import UsageError, journal, self_check
from labkit.checks import exercises
from labkit.overview import lesson_of
from labkit.questions import Question, lessons, parse
from labkit.widgets.self_checks import Asked

ALL = [question for lesson in lessons().values() for question in lesson.questions]
SINGLE = next(question for question in ALL if not question.multiple)
MULTIPLE = next(question for question in ALL if len(question.right) == 2)


def test_there_are_lessons() -> None:
    assert {"00", "01", "02", "03", "04"} <= set(lessons())
    assert set(lessons()) <= {lesson_of(id) for id in exercises}


@pytest.mark.parametrize("lesson", lessons().values(), ids=lessons())
def test_a_lesson_asks_three_or_four_questions_one_of_them_multiple(lesson: Any) -> None:
    assert lesson.title.strip()
    assert 3 <= len(lesson.questions) <= 4
    assert any(question.multiple for question in lesson.questions)
    assert all(len(question.right) >= 1 for question in lesson.questions)


@pytest.mark.parametrize("question", ALL, ids=lambda question: question.id)
def test_a_question_has_options_each_with_its_reason(question: Question) -> None:
    assert 2 <= len(question.options) <= 5
    assert len({option.text for option in question.options}) == len(question.options)
    assert all(option.why.strip() for option in question.options)
    assert len(question.right) < len(question.options)


def test_the_right_option_does_not_always_stand_in_the_same_place() -> None:
    singles = [min(question.right) for question in ALL if not question.multiple]
    assert len(set(singles)) > 1


# A file that is not as it should be

OPTION = '[[question.option]]\ntext = "{0}"\nwhy = "Because."\n'
RIGHT = OPTION + "right = true\n"
HEAD = 'title = "T"\n[[question]]\nid = "a"\nkind = "{kind}"\ntext = "?"\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[question]]", "'id' is missing|'option' is missing"),
        ('title = "T"', "'question' is missing"),
        (HEAD.format(kind="single") + RIGHT.format("a"), "1 options; two to five"),
        (HEAD.format(kind="any") + RIGHT.format("a") + OPTION.format("b"), "single or multiple"),
        (HEAD.format(kind="single") + OPTION.format("a") * 2, "0 options are right"),
        (HEAD.format(kind="multiple") + OPTION.format("a") * 2, "0 options are right"),
        (HEAD.format(kind="single") + RIGHT.format("a") * 2, "2 options are right"),
        (HEAD.format(kind="single") + RIGHT.format("a") + OPTION.format(" "), "text and a why"),
        (HEAD.format(kind="single") + RIGHT.format("a") * 6, "6 options"),
    ],
)
def test_a_damaged_question_is_told_with_its_lesson(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told) as error:
        parse("07", text)
    assert "07" in str(error.value)


def test_two_questions_of_one_name_are_told() -> None:
    one = (HEAD.format(kind="single") + RIGHT.format("a") + OPTION.format("b")).partition("\n")[2]
    with pytest.raises(ValueError, match="the same id"):
        parse("07", 'title = "T"\n' + one + one)


@pytest.mark.parametrize("lesson", ["99", "x", None, 99])
def test_a_lesson_that_is_not_there_is_told(lesson: Any) -> None:
    with pytest.raises(UsageError, match=r"there is no lesson .*; there are 00, 01"):
        self_check(lesson)


# Read


def test_its_text_asks_first_and_answers_below() -> None:
    text = repr(self_check("03"))
    questions, rule, answers = text.partition("————————————\nAnswers\n")
    assert rule
    for number, question in enumerate(lessons()["03"].questions, 1):
        assert f"{number}. " in questions
        for option in question.options:
            assert option.text.replace("`", "") in questions
    assert "Right. " not in questions
    assert "1. b" in answers
    assert "2. a, c" in answers


def test_its_html_opens_a_reason_for_each_option() -> None:
    html = self_check("03")._repr_html_()
    options = sum(len(question.options) for question in lessons()["03"].questions)
    assert html.count("<details><summary>") == options
    assert "<code>gather</code>" in html
    assert "`" not in html


def test_without_a_front_end_there_is_no_widget() -> None:
    assert set(self_check("03")._repr_mimebundle_()) == {"text/plain", "text/html"}


@pytest.mark.usefixtures("front_end")
def test_with_one_there_are_real_buttons() -> None:
    bundle = self_check("03")._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/html"] == self_check("03")._repr_html_()


# Answered


def choose(asked: Asked, places: Any) -> None:
    if asked.radio is not None:
        (asked.radio.value,) = places
    for place, box in enumerate(asked.boxes):
        box.value = place in places


def remembered() -> dict[str, bool]:
    return journal.journal().read().questions


@pytest.mark.parametrize("question", [SINGLE, MULTIPLE], ids=["single", "multiple"])
def test_a_right_answer_shows_every_reason(question: Question) -> None:
    asked = Asked(1, question)
    choose(asked, question.right)
    asked.button.click()
    assert "✓ Right." in asked.told.value
    assert asked.told.value.count("<li>") == len(question.options)
    assert "role='status'" in asked.told.value
    assert remembered() == {question.id: True}


def test_a_wrong_answer_shows_its_own_reason_and_gives_nothing_else_away() -> None:
    asked = Asked(1, SINGLE)
    wrong = next(place for place in range(9) if place not in SINGLE.right)
    choose(asked, [wrong])
    asked.button.click()
    assert "✗ Not yet." in asked.told.value
    assert asked.told.value.count("<li>") == 1
    assert remembered() == {SINGLE.id: False}

    choose(asked, SINGLE.right)
    assert asked.told.value == ""
    asked.button.click()
    assert "✓ Right." in asked.told.value
    assert remembered() == {SINGLE.id: False}


def test_half_an_answer_says_how_much_is_missing() -> None:
    asked = Asked(1, MULTIPLE)
    right = min(MULTIPLE.right)
    wrong = next(place for place in range(9) if place not in MULTIPLE.right)
    choose(asked, [right])
    asked.button.click()
    assert "1 right one is missing." in asked.told.value.lower()
    choose(asked, [right, wrong])
    asked.button.click()
    assert "1 of your choices is wrong and 1 right one is missing" in asked.told.value


@pytest.mark.parametrize("question", [SINGLE, MULTIPLE], ids=["single", "multiple"])
def test_no_answer_is_not_a_wrong_one(question: Question) -> None:
    asked = Asked(1, question)
    asked.button.click()
    assert "Choose first" in asked.told.value
    assert remembered() == {}


@pytest.mark.parametrize(("right", "told"), [(True, ": right"), (False, ": not right")])
def test_an_answer_from_before_is_told(right: bool, told: str) -> None:
    journal.answered(SINGLE.id, right=right)
    assert f"Answered before{told} at the first try" in Asked(1, SINGLE).told.value


def test_every_control_has_a_label() -> None:
    for question in (SINGLE, MULTIPLE):
        asked = Asked(1, question)
        assert asked.button.description == "Answer"
        labels = [box.description for box in asked.boxes] or list(asked.radio._options_labels)
        assert all(labels)
