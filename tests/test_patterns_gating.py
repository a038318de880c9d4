"""What the graders of lesson 04 leave open, or cannot see from outside."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from labkit import UsageError, check, connect, patterns, run
from labkit.checks import ChildProcess, exercises, judge
from labkit.scripts.fleet import LABELLED, SOURCES, doubter
from tests.test_answers import ANSWERS


def test_a_very_long_line_number_is_a_reason() -> None:
    finding = {"evidence": "a.py:" + "9" * 5_000}
    assert patterns.verify_evidence(finding, {"a.py": "x"}) == f"a.py has no line {'9' * 20}"


def test_leading_zeros_are_digits() -> None:
    assert patterns.verify_evidence({"evidence": "a.py:" + "0" * 30 + "1"}, {"a.py": "x"}) is None


def test_a_quote_that_is_no_text_is_a_reason() -> None:
    assert patterns.verify_evidence({"evidence": "a.py:1", "quote": 1}, {"a.py": "1"})


def test_a_kicked_copy_is_a_new_dict_and_a_passed_finding_the_same() -> None:
    good: dict[str, Any] = {"id": 1}
    bad: dict[str, Any] = {}
    passed, kicked = patterns.gate([good, bad], ("id",))
    assert passed[0] is good
    assert kicked[0] is not bad


def test_a_gate_that_raises_leaves_no_worker_behind() -> None:
    async def worker(spec: Any, feedback: str | None) -> Any:
        await asyncio.sleep(spec)
        return {}

    def broken(findings: list[Any]) -> Any:
        raise RuntimeError("no verdict")

    async def main() -> int:
        with pytest.raises(RuntimeError, match="no verdict"):
            await patterns.revise_once(worker, [1, 5], broken)
        return len(asyncio.all_tasks())

    assert run(main()) == 1


def test_the_adversary_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert check("4.1", patterns.gate).passed
    assert list(tmp_path.iterdir()) == []


def test_the_adversary_shows_the_smallest_finding() -> None:
    def blind_to_lists(findings: Any, required: Any = ("id", "topic", "claim", "evidence")) -> Any:
        return patterns.gate(
            [
                None if isinstance(f, dict) and isinstance(f.get("id"), list) else f
                for f in findings
            ],
            required,
        )

    verdict = check("4.1", blind_to_lists)
    assert not verdict.passed
    assert "adversary" in verdict.message
    assert "[{'id': []}]" in verdict.message
    assert repr(verdict) == repr(check("4.1", blind_to_lists))


@pytest.mark.parametrize("id", ["4.1", "4.2", "4.3", "4.4", "4.5"])
def test_a_check_says_the_same_of_a_child_process(id: str) -> None:
    answers = ANSWERS[id]
    wrong, because = answers.WRONG[0]
    file = str(answers.__file__)
    with ChildProcess.of_file(file, answers.RIGHT[0].__name__) as child:
        assert judge(exercises[id], child, seed=3).passed
    with ChildProcess.of_file(file, wrong.__name__) as child:
        assert because in judge(exercises[id], child, seed=3).message


def test_half_of_the_labelled_findings_are_good_and_no_two_the_same() -> None:
    assert sum(is_good for _, is_good in LABELLED) == len(LABELLED) / 2 == 10
    assert len({finding["id"] for finding, _ in LABELLED}) == len(LABELLED)
    # One good finding is quoted with a space too many; three bad ones point at real lines.
    stands = [good for it, good in LABELLED if patterns.verify_evidence(it, SOURCES) is None]
    assert (stands.count(True), stands.count(False)) == (9, 3)


@pytest.mark.parametrize("errs", [0, 3, 20])
def test_the_scripted_doubter_errs_as_often_as_it_is_set_to(errs: int) -> None:
    client = connect(doubter(errs=errs))

    async def said(finding: dict[str, Any]) -> bool:
        return await patterns.ask(client, f"Right?\n{json.dumps(finding)}") == "accept"

    wrong = [finding for finding, is_good in LABELLED if run(said(finding)) != is_good]
    assert len(wrong) == errs
    assert not run(said({"claim": "nobody labelled this"}))


@pytest.mark.parametrize("errs", [-1, 21])
def test_the_doubter_cannot_err_on_more_than_there_are(errs: int) -> None:
    with pytest.raises(UsageError):
        doubter(errs=errs)
