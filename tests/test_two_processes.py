"""The judge stands outside: the same checks over a learner's function in a child process."""

from __future__ import annotations

import textwrap
from pathlib import Path

import psutil
import pytest

from labkit import check
from labkit.checks import ChildProcess, Verdict, exercises, judge
from tests.test_answers import ANSWERS, name_of

CHOSEN = [
    pytest.param(id, name_of(function), id=f"{id}-{name_of(function)}")
    for id, module in ANSWERS.items()
    for function in [
        module.RIGHT[0],
        # Few: each child that needs the SDK has to load it.
        *[wrong for wrong, _ in module.WRONG[:: len(module.WRONG) // 2 + 1]],
    ]
]
# Their tasks cannot be cancelled as others are, and the child has to end all the same.
CHOSEN += [
    pytest.param("6.4", name, id=f"6.4-{name}")
    for name in ("awaits_a_circle", "awaits_a_circle_and_cancels")
]


def judged_outside(id: str, file: Path, name: str, *, limit: float = 20.0) -> Verdict:
    with ChildProcess.of_file(str(file), name, limit=limit) as child:
        return judge(exercises[id], child, seed=0)


def written(tmp_path: Path, source: str) -> Path:
    file = tmp_path / "answer.py"
    file.write_text(textwrap.dedent(source), encoding="utf-8")
    return file


@pytest.mark.long  # a child each, and many of them load the SDK
@pytest.mark.parametrize(("id", "name"), CHOSEN)
def test_the_verdict_is_the_same_in_a_child_process(id: str, name: str) -> None:
    module = ANSWERS[id]
    assert module.__file__ is not None
    outside = judged_outside(id, Path(module.__file__), name)
    assert repr(outside) == repr(check(id, getattr(module, name)))


@pytest.mark.parametrize("id", exercises)
def test_the_reference_passes_in_a_child_process(id: str, tmp_path: Path) -> None:
    name = exercises[id].name
    file = written(tmp_path, f"from labkit.patterns import {name}")
    assert judged_outside(id, file, name).passed


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("while True: pass", "did not come back"),
        ("import os; os._exit(0)", "process it ran in ended"),
        ("import os; os.write(1, b'{\"passed\": true}\\n'); raise OSError('no')", "no"),
        ("import sys; sys.exit(0)", "SystemExit"),
        ("exit()", "SystemExit"),
        ("input()", "EOFError"),
        ("import os; os.closerange(0, 20)", "process it ran in ended"),
    ],
    ids=[
        "spins",
        "exits hard",
        "writes to the descriptor",
        "exits",
        "closes its input",
        "reads its input",
        "closes everything",
    ],
)
def test_a_child_that_misbehaves_gets_a_verdict(body: str, says: str, tmp_path: Path) -> None:
    file = written(tmp_path, f"def parse_plan(text, *, limit=4):\n    {body}\n")
    verdict = judged_outside("2.1", file, "parse_plan", limit=3.0)
    assert not verdict.passed
    assert says in f"{verdict.message} {verdict.seen}"
    assert not psutil.Process().children()


def test_what_a_child_prints_is_shown_where_it_is_not_right(tmp_path: Path) -> None:
    file = written(tmp_path, "def parse_plan(text, *, limit=4):\n    print('looking', limit)\n")
    assert judged_outside("2.1", file, "parse_plan").printed == "looking 4\n"


def test_an_object_that_equals_everything_passes_nothing(tmp_path: Path) -> None:
    source = """
        class Anything(list):
            def __eq__(self, other):
                return True
            def __len__(self):
                return 3
        def parse_plan(text, *, limit=4):
            return Anything()
    """
    assert not judged_outside("2.1", written(tmp_path, source), "parse_plan").passed
