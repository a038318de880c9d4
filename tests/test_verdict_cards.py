"""The card of a verdict: hints one by one, the solution behind a second click."""

from __future__ import annotations

import html
from typing import Any

import pytest

from labkit import check, journal, kernel, progress
from labkit.checks import exercises
from labkit.look import rich
from labkit.patterns import parse_plan
from labkit.widgets import live
from labkit.widgets.verdicts import Card

VIEW = "application/vnd.jupyter.widget-view+json"
EXERCISE = exercises["2.1"]


def wrong(text: str, *, limit: int = 4) -> list[str]:
    return [text]


def stub(text: str, *, limit: int = 4) -> list[str]:
    raise NotImplementedError


def right(text: str, *, limit: int = 4) -> list[str]:
    return parse_plan(text, limit=limit)


def card(function: Any) -> Card:
    return Card(check("2.1", function), EXERCISE)


def work() -> Any:
    return journal.journal().read().exercises["2.1"]


def descriptions(of: Card) -> list[str]:
    (buttons,) = [part for part in of.box.children if type(part).__name__ == "HBox"]
    return [button.description for button in buttons.children]


@pytest.mark.parametrize("function", [wrong, stub])
def test_what_is_not_right_offers_hints_and_a_solution(function: Any) -> None:
    assert descriptions(card(function)) == ["Hint", "Solution"]


def test_hints_open_one_by_one_and_stay_open() -> None:
    shown = card(wrong)
    assert shown.hints.value == ""
    for step in range(3):
        shown.hint.click()
        assert shown.hints.value.count("<strong>Hint") == step + 1
        assert work().hints == step + 1
    assert html.escape(EXERCISE.hints[2]) in shown.hints.value
    assert shown.hint.disabled
    assert shown.hint.description == "All hints are open"
    shown.hint.click()
    assert work().hints == 3


def test_the_solution_needs_a_second_click() -> None:
    shown = card(wrong)
    shown.hint.click()
    shown.solution.click()
    assert "def parse_plan" not in shown.shown.value
    assert "2 hints are still closed" in shown.shown.value
    assert shown.solution.description == "Show it anyway"
    assert not work().solution

    shown.solution.click()
    assert "def parse_plan" in shown.shown.value
    assert rich(EXERCISE.why) in shown.shown.value
    assert work().solution


def test_who_has_passed_may_compare_at_once_and_sees_how_far_the_lesson_is() -> None:
    shown = card(right)
    assert descriptions(shown) == ["Compare with the reference"]
    assert any(
        "1 of 3 solved, 1 of 5 points" in getattr(it, "value", "") for it in shown.box.children
    )
    shown.solution.click()
    assert "def parse_plan" in shown.shown.value
    assert not work().solution


def test_a_card_of_long_ago_still_works() -> None:
    first = card(wrong)
    for _ in range(5):
        card(wrong)
    first.hint.click()
    assert "Hint 1" in first.hints.value


def test_what_opens_is_read_out() -> None:
    shown = card(wrong)
    shown.hint.click()
    shown.solution.click()
    assert "role='status'" in shown.hints.value
    assert "role='status'" in shown.shown.value


def test_without_a_front_end_it_is_text_and_html() -> None:
    verdict = check("2.1", wrong)
    bundle = verdict._repr_mimebundle_()
    assert bundle == {"text/plain": repr(verdict), "text/html": verdict._repr_html_()}


@pytest.mark.usefixtures("front_end")
def test_with_one_the_same_text_and_html_stay_beside_the_card() -> None:
    verdict = check("2.1", wrong)
    bundle = verdict._repr_mimebundle_()
    assert VIEW in bundle
    assert bundle["text/plain"] == repr(verdict)
    assert bundle["text/html"] == verdict._repr_html_()


@pytest.mark.usefixtures("front_end")
def test_checking_again_and_again_adds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from ipywidgets.widgets import widget as ipw

    runs = iter(range(100))
    monkeypatch.setattr(kernel, "running_cell", lambda: ("check", str(next(runs))))
    counts = []
    for _ in range(8):
        check("2.1", right)._repr_mimebundle_()
        counts.append((len(ipw._instances), len(journal._watchers)))
    assert len(set(counts[1:])) == 1


@pytest.mark.usefixtures("front_end")
def test_a_button_of_a_card_that_is_gone_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = card(right)
    live.close(shown.box)
    shown.solution.click()
    journal.checked("2.2", passed=True)
    assert "2 of 3 solved" in repr(progress("02"))


def test_the_three_outcomes_are_told_by_mark_and_word_as_well_as_colour() -> None:
    pages = [check("2.1", function)._repr_html_() for function in (right, wrong, stub)]
    assert [any(mark in page for mark in "✓✗○") for page in pages] == [True] * 3
    assert len({page.split("solid ")[1][:7] for page in pages}) == 3
