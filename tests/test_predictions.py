"""Predictions, choices and settings: the guess, the truth, and what the course remembers."""

from __future__ import annotations

from typing import Any

import pytest

from labkit import Call, Trace, UsageError, board, journal, predict, predict_choice
from labkit.journal import Guess
from labkit.widgets import setting

VIEW = "application/vnd.jupyter.widget-view+json"

FREE = Trace([Call("a", 0.0, 2.0, "ok")], "free")
REAL = Trace([Call("a", 0.0, 0.9, "ok")], "real")


def remembered() -> dict[str, Guess]:
    return journal.journal().read().predictions


def test_a_prediction_has_a_value_and_a_text() -> None:
    guess = predict("How long?", 0, 4, start=1.5)
    assert guess.value == 1.5
    assert repr(guess) == "How long?\nYour guess: 1.5 s (move the slider)"


@pytest.mark.usefixtures("front_end")
@pytest.mark.parametrize(
    "asked",
    [
        predict("How long?", 0, 4),
        predict_choice("Who?", ["alert", "scan"]),
        setting("errs on", 0, 9, start=3),
    ],
    ids=["prediction", "choice", "setting"],
)
def test_with_a_front_end_there_is_a_widget_beside_the_text(asked: Any) -> None:
    bundle = asked._repr_mimebundle_()
    assert bundle["text/plain"] == repr(asked)
    assert VIEW in bundle


def test_a_board_is_as_good_as_its_trace() -> None:
    guess = predict("How long?", 0, 4, start=1.5)
    with board("", ["a"]) as seen:
        pass
    seen.trace = FREE
    assert repr(guess.compare(seen)) == "guess 1.5 s, truth 2.000 s: 25 % too low"


def test_without_a_front_end_there_is_text_alone() -> None:
    assert set(predict("How long?", 0, 4)._repr_mimebundle_()) == {"text/plain"}


def test_moving_the_slider_moves_the_guess_wherever_it_is_shown_next() -> None:
    guess = predict("How long?", 0, 4, start=1.5)
    guess._slider().value = 3.2
    assert guess.value == 3.2
    assert guess._slider().value == 3.2


@pytest.mark.parametrize(
    ("guess", "truth", "told"),
    [
        (3.0, FREE, "guess 3 s, truth 2.000 s: 50 % too high"),
        (1.0, FREE, "guess 1 s, truth 2.000 s: 50 % too low"),
        (2.08, FREE, "guess 2.08 s, truth 2.000 s: spot on"),
        (1.8, REAL, "guess 1.8 s, truth ≈0.90 s: ≈100 % too high"),
        (3.0, 4, "guess 3 s, truth 4 s: 25 % too low"),
        (3.0, 0, "guess 3 s, truth 0 s: too high"),
        (0.0, 0, "guess 0 s, truth 0 s: spot on"),
    ],
)
def test_a_comparison_is_one_line(guess: float, truth: Any, told: str) -> None:
    assert repr(predict("How long?", 0, 4, start=guess).compare(truth)) == told


def test_a_guess_that_was_taken_is_remembered_with_the_truth() -> None:
    guess = predict("How long?", 0, 4)
    guess._slider().value = 3.0
    guess.compare(FREE)
    assert remembered() == {"How long?": Guess(3.0, 2.0)}


def test_a_slider_that_nobody_moved_is_no_guess() -> None:
    predict("How long?", 0, 4, start=2).compare(FREE)
    assert remembered() == {}


def test_who_has_seen_the_truth_guesses_no_more() -> None:
    guess = predict("How long?", 0, 4)
    guess.compare(FREE)
    guess._slider().value = 2.0
    guess.compare(FREE)
    assert remembered() == {}


@pytest.mark.parametrize("truth", [None, "2 s", True, [2.0]])
def test_a_truth_that_is_no_figure_is_told(truth: Any) -> None:
    with pytest.raises(UsageError, match=r"compare needs the trace .* or a number"):
        predict("How long?", 0, 4).compare(truth)


@pytest.mark.parametrize(
    "about", [(4, 0), (0, 0), ("0", "4"), (None, 4), (0, float("nan")), (False, True)]
)
def test_a_prediction_needs_room(about: Any) -> None:
    with pytest.raises(UsageError, match="predict needs low < high"):
        predict("How long?", *about)


def test_a_prediction_starts_inside() -> None:
    with pytest.raises(UsageError, match="a start between"):
        predict("How long?", 0, 1, start=2)


@pytest.mark.parametrize("step", [0, -1, "fine"])
def test_a_step_is_above_zero(step: Any) -> None:
    with pytest.raises(UsageError, match="a step above 0"):
        predict("How long?", 0, 1, step=step)


# Choices


def test_a_choice_starts_with_none() -> None:
    choice = predict_choice("Who is first?", ["alert", "scan"])
    assert choice.value is None
    assert repr(choice) == ("Who is first?\n  • alert\n  • scan\nYour guess: none yet (choose one)")
    assert repr(choice.compare("scan")) == "no guess, truth scan"
    assert remembered() == {}


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ("alert", "guess alert, truth scan: a surprise"),
        ("scan", "guess scan, truth scan: foreseen"),
    ],
)
def test_a_choice_is_compared_and_remembered(chosen: str, told: str) -> None:
    choice = predict_choice("Who is first?", ["alert", "scan"])
    buttons = choice._box().children[1]
    assert buttons.value is None
    buttons.value = chosen
    assert repr(choice.compare("scan")) == told
    assert remembered() == {"Who is first?": Guess(chosen, "scan")}


def test_a_choice_after_the_truth_is_not_remembered() -> None:
    choice = predict_choice("Who is first?", ["alert", "scan"])
    choice.compare("scan")
    choice._box().children[1].value = "scan"
    choice.compare("scan")
    assert remembered() == {}


@pytest.mark.parametrize("options", [[], ["alert"], ["a", "a"], "alert", [1, 2], ["", "a"]])
def test_a_choice_needs_two_texts(options: Any) -> None:
    with pytest.raises(UsageError, match="two options or more"):
        predict_choice("Who is first?", options)


def test_a_truth_that_is_no_option_is_told_with_the_options() -> None:
    with pytest.raises(UsageError, match=r"one of 'alert', 'scan'; this is 'report'"):
        predict_choice("Who is first?", ["alert", "scan"]).compare("report")
