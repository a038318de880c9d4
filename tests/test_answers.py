"""Every grader doubted: right answers in any style pass, wrong ones fail with their message."""

from __future__ import annotations

import gc
import inspect
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from labkit import check
from labkit.checks import exercises
from tools.notebooks import stub

ANSWERS = {
    module.ID: module
    for path in sorted((Path(__file__).parent / "answers").glob("ex_*.py"))
    for module in [import_module(f"tests.answers.{path.stem}")]
}
SEEDS = (0, 1, 2)


def name_of(function: Any) -> str:
    return getattr(function, "__name__", type(function).__name__)


RIGHT = [
    pytest.param(id, function, id=f"{id}-{name_of(function)}")
    for id, module in ANSWERS.items()
    for function in module.RIGHT
]
WRONG = [
    pytest.param(id, function, because, id=f"{id}-{name_of(function)}")
    for id, module in ANSWERS.items()
    for function, because in module.WRONG
]
# Collecting what a wrong answer left is quick when it need not look through all that is loaded.
gc.collect()
gc.freeze()

each_exercise = pytest.mark.parametrize("id", exercises)


@pytest.mark.parametrize(("id", "function"), RIGHT)
def test_a_right_answer_passes(id: str, function: Any) -> None:
    for seed in SEEDS:
        verdict = check(id, function, seed=seed)
        assert verdict.passed, verdict
        assert verdict.points == verdict.worth > 0


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(("id", "function", "because"), WRONG)
def test_a_wrong_answer_fails_with_the_message_meant_for_it(
    id: str, function: Any, because: str
) -> None:
    for seed in SEEDS:
        verdict = check(id, function, seed=seed)
        assert verdict.attempted
        assert not verdict.passed
        assert verdict.points == 0
        assert because in verdict.message, verdict
    assert repr(check(id, function)) == repr(check(id, function))
    # What a wrong answer never awaited is told now, not in the midst of another test.
    gc.collect()


@each_exercise
def test_there_are_answers_enough(id: str) -> None:
    module: ModuleType = ANSWERS[id]
    assert len(module.RIGHT) >= 3
    assert len(module.WRONG) >= 5


@each_exercise
def test_the_stub_is_not_attempted_and_the_reference_passes(id: str) -> None:
    exercise = exercises[id]
    namespace: dict[str, Any] = {}
    exec("from __future__ import annotations\n" + stub(exercise.reference), namespace)
    verdict = check(id, namespace[exercise.name])
    assert not verdict.attempted
    assert not verdict.passed
    assert check(id, exercise.reference).passed


@each_exercise
def test_it_has_three_hints_and_a_reason(id: str) -> None:
    exercise = exercises[id]
    assert len(exercise.hints) == 3
    assert all(hint.strip() for hint in exercise.hints)
    assert exercise.why.strip()


@each_exercise
def test_the_reference_is_documented(id: str) -> None:
    assert "Returns:" in (inspect.getdoc(exercises[id].reference) or "")
