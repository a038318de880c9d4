"""How long grading takes, beside otter-grader 7 and nbgrader 0.9.6 in one run.

    python tests/benchmark_grading.py                 # all of it
    python tests/benchmark_grading.py --class 500     # with a class of 500 instead of 50
    python tests/benchmark_grading.py --alone         # labkit alone: nothing is installed
    python tests/benchmark_grading.py --envs FOLDER   # install the two others once

The two others are installed into environments of their own, in a temporary folder. All three grade
the same notebook: three functions, solved. otter-grader and nbgrader judge it by a handful of
asserts, labkit by its own checks.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import io
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from labkit.checks import exercises
from tests.grading import reference

OTHERS = {"otter": "otter-grader==7.0.0", "nbgrader": "nbgrader==0.9.6"}
QUESTIONS = {
    "1.1": [
        "parse_route('**Billing!**', ['billing', 'sales']) == 'billing'",
        "parse_route('bill', ['billing', 'sales']) is None",
        "parse_route('billing or sales', ['billing', 'sales']) is None",
    ],
    "2.1": [
        "parse_plan('1. Book\\n2. Pack') == ['Book', 'Pack']",
        "parse_plan('Plan:\\n- a\\n\\n- A\\n- b') == ['a', 'b']",
        "len(parse_plan('a\\nb\\nc', limit=2)) == 2",
    ],
    "4.4": [
        "synthesize([]) == 'FLEET REPORT\\n(nothing passed the gate)'",
        "synthesize([FOUND]) == 'FLEET REPORT\\n- c [e:1]'",
    ],
}
IMPORTS = (
    "import re\nfrom collections.abc import Iterable, Mapping, Sequence\nfrom typing import Any\n"
    "FOUND = dict(id=1, topic='a', claim='c', evidence='e:1')\n"
)
TEN = 10


def answer(id: str) -> str:
    """A solved cell, with what it needs."""
    from labkit.patterns import orchestrating, routing

    helpers = {
        "1.1": Path(routing.__file__).read_text(encoding="utf-8"),
        "2.1": Path(orchestrating.__file__).read_text(encoding="utf-8"),
    }
    source = reference(id)
    # The constants that the reference uses stand beside it in its module.
    constants = [
        line
        for line in helpers.get(id, "").splitlines()
        if line.split(" = ")[0].isupper() or line.split(" = ")[0].strip("_").isupper()
    ]
    return "\n".join([*constants, "", source])


def cell(source: str, id: str, kind: str = "code", **metadata: Any) -> dict[str, Any]:
    """A cell of a notebook."""
    base = {"cell_type": kind, "id": id, "metadata": metadata, "source": source}
    return base if kind != "code" else {**base, "outputs": [], "execution_count": None}


def notebook(path: Path, cells: Sequence[dict[str, Any]]) -> Path:
    """Write a notebook."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    content = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "cells": cells,
    }
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def seconds(work: Callable[[], object]) -> float:
    """How long something takes, in real seconds."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def run(*command: str | Path, cwd: Path) -> None:
    """Run a command that has to go well."""
    # nbgrader calls programs that were installed beside it.
    path = f"{Path(command[0]).parent}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, "PATH": path}
    done = subprocess.run([*map(str, command)], cwd=cwd, env=env, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}")


def environment(folder: Path, requirement: str) -> Path:
    """An environment with one grader; returns the folder of its commands."""
    if (folder / "bin").exists():
        return folder / "bin"
    folder.parent.mkdir(parents=True, exist_ok=True)
    run(sys.executable, "-m", "venv", folder, cwd=folder.parent)
    run(folder / "bin" / "pip", "install", "--quiet", requirement, "ipykernel", cwd=folder.parent)
    run(sys.executable, "-m", "compileall", "-q", "-j", "0", folder / "lib", cwd=folder.parent)
    return folder / "bin"


# --- labkit -----------------------------------------------------------------------------------


def labkit_class(folder: Path, learners: int) -> Path:
    """A class of learners who all have the three-question notebook."""
    cells = [cell(IMPORTS, "imports")]
    cells += [
        cell(answer(id), f"exercise-{id.replace('.', '-')}", labkit={"exercise": id})
        for id in QUESTIONS
    ]
    for number in range(learners):
        notebook(folder / f"learner-{number:03}" / "three.ipynb", cells)
    return folder


def labkit(folder: Path, *, jobs: int | None = None) -> dict[str, Any]:
    """Grade with labkit; returns the report."""
    start = "import sys; from labkit.__main__ import main; sys.exit(main())"
    command = [sys.executable, "-c", start, "grade", str(folder), "--format", "json"]
    command += ["--jobs", str(jobs)] if jobs else []
    with tempfile.TemporaryDirectory() as here:
        done = subprocess.run(command, cwd=here, capture_output=True, text=True, check=True)
    report: dict[str, Any] = json.loads(done.stdout)
    for found in report["notebooks"]:
        solved = [it["id"] for it in found["exercises"] if it["passed"]]
        assert solved == list(QUESTIONS), found
    return report


# --- the others -------------------------------------------------------------------------------


def otter_assignment(folder: Path, bin: Path) -> tuple[Path, Path]:
    """An assignment for otter-grader; returns its autograder and a solved submission."""
    cells = [cell("# ASSIGNMENT CONFIG\nsolutions_pdf: false\ntests:\n  files: false", "c", "raw")]
    cells.append(cell(IMPORTS, "imports"))
    for id, tests in QUESTIONS.items():
        name = f"q{id.replace('.', '_')}"
        cells += [
            cell(f"# BEGIN QUESTION\nname: {name}", f"{name}-b", "raw"),
            cell(f"Exercise {id}", f"{name}-t", "markdown"),
            cell("# BEGIN SOLUTION", f"{name}-s", "raw"),
            cell(answer(id), f"{name}-a"),
            cell("# END SOLUTION", f"{name}-e", "raw"),
            cell("# BEGIN TESTS", f"{name}-tb", "raw"),
            *[cell(f"assert {test}", f"{name}-t{n}") for n, test in enumerate(tests)],
            cell("# END TESTS", f"{name}-te", "raw"),
            cell("# END QUESTION", f"{name}-q", "raw"),
        ]
    source = notebook(folder / "three.ipynb", cells)
    run(bin / "otter", "assign", "--no-run-tests", source, "dist", cwd=folder)
    [autograder] = (folder / "dist" / "autograder").glob("*.zip")
    return autograder, folder / "dist" / "autograder" / "three.ipynb"


def otter(autograder: Path, submission: Path, bin: Path, times: int, folder: Path) -> None:
    """Grade a submission so many times; without Docker otter-grader takes one a call."""
    for number in range(times):
        out = folder / f"out-{number}"
        out.mkdir(parents=True)
        run(bin / "otter", "run", "-a", autograder, "-o", out, submission, cwd=folder)
        result = json.loads((out / "results.json").read_text())
        assert all(it["score"] == it["max_score"] for it in result["tests"] if "score" in it)


def nbgrader_course(folder: Path, bin: Path) -> None:
    """A course for nbgrader, with ten solved submissions."""

    def marked(name: str, **what: bool | int) -> dict[str, Any]:
        base = {"schema_version": 3, "grade_id": name, "task": False, "locked": False}
        return {**base, "grade": False, "solution": False, **what}

    def cells(*, solved: bool) -> list[dict[str, Any]]:
        found = [cell(IMPORTS, "imports")]
        for id, tests in QUESTIONS.items():
            name = f"q{id.replace('.', '_')}"
            source = answer(id)
            if not solved:
                source = f"### BEGIN SOLUTION\n{source}\n### END SOLUTION"
            found.append(cell(source, name, nbgrader=marked(name, solution=True)))
            for number, test in enumerate(tests):
                id_ = f"{name}-t{number}"
                about = marked(id_, grade=True, locked=True) | {"points": 1}
                found.append(cell(f"assert {test}", id_, nbgrader=about))
        return found

    (folder / "nbgrader_config.py").write_text(
        "c = get_config()\nc.CourseDirectory.course_id = 'course'\n"
    )
    notebook(folder / "source" / "ps1" / "three.ipynb", cells(solved=False))
    run(bin / "nbgrader", "generate_assignment", "ps1", "--create", cwd=folder)
    for number in range(TEN):
        notebook(folder / "submitted" / f"l{number}" / "ps1" / "three.ipynb", cells(solved=True))


def nbgrader(folder: Path, bin: Path, *students: str) -> None:
    """Grade one student or all."""
    which = [f"--student={student}" for student in students]
    run(bin / "nbgrader", "autograde", "ps1", "--force", *which, cwd=folder)


# --- figures ----------------------------------------------------------------------------------


class Memory:
    """The most memory that this process's descendants hold together, shared pages once."""

    def __init__(self) -> None:
        self.most = 0
        self.samples: list[int] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.05):
            held = 0
            for process in psutil.Process().children(recursive=True):
                try:
                    held += process.memory_full_info().pss
                except psutil.Error:
                    continue
            self.samples.append(held)
            self.most = max(self.most, held)

    def growth(self) -> float:
        """How much more is held in the last third than in the middle one, as a part of it."""
        third = len(self.samples) // 3
        middle = statistics.median(self.samples[third : 2 * third])
        return statistics.median(self.samples[2 * third : -1]) / middle - 1


def overhead(folder: Path) -> tuple[float, float]:
    """Seconds that a solved lesson's cells take by themselves, and that grading it takes."""
    from labkit.grade import find
    from labkit.grade.children import nursery
    from labkit.grade.judging import grade_notebook
    from labkit.grade.learner import Notebook, make_shell
    from labkit.grade.notebooks import contents, read
    from labkit.grade.sandbox import Limits

    path = folder / "03_ordered_gathering.ipynb"
    here = Path(__file__).resolve().parent.parent / "notebooks"
    shutil.copy(here / "solutions" / path.name, path)
    source = nursery()
    source.begin(Limits(), ["anthropic", "ipywidgets"])
    [submission] = find([path])
    try:
        grade_notebook(submission, source, Limits(), "warm")
        graded = min(
            seconds(lambda: grade_notebook(submission, source, Limits(), "s")) for _ in range(5)
        )
    finally:
        source.close()
    cells = read(contents(path), path.name).cells
    Notebook(make_shell()).run(
        "from labkit import connect; connect().messages; import ipywidgets", []
    )
    by_themselves = []
    for _ in range(5):
        shell = Notebook(make_shell())
        with contextlib.redirect_stdout(io.StringIO()):
            work = functools.partial(run_all, shell, [cell.source for cell in cells])
            by_themselves.append(seconds(work))
    return min(by_themselves), graded


def run_all(shell: Any, sources: Sequence[str]) -> None:
    """Run the cells of a notebook."""
    for source in sources:
        shell.run(source, [])


def main() -> None:
    """Measure and print a line for each figure, with its target."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--class", type=int, default=50, dest="learners", metavar="N")
    parser.add_argument("--alone", action="store_true", help="measure labkit alone")
    parser.add_argument(
        "--envs", type=Path, metavar="FOLDER", help="keep the others installed here"
    )
    options = parser.parse_args()
    assert set(QUESTIONS) <= set(exercises)
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        one, ten = labkit_class(root / "one", 1), labkit_class(root / "ten", TEN)
        labkit(one)
        mine_one = statistics.median(seconds(lambda: labkit(one)) for _ in range(5))
        mine_ten = statistics.median(seconds(lambda: labkit(ten)) for _ in range(5))
        print(f"{'labkit: one submission':<46}{mine_one:8.2f} s")
        print(f"{'labkit: ten in one call':<46}{mine_ten:8.2f} s")
        if not options.alone:
            for name, took_one, took_ten in others(root, options.envs or root):
                print(f"{f'{name}: one submission':<46}{took_one:8.2f} s", end="")
                print(f"   {took_one / mine_one:5.1f}× labkit's   (target: 5× or more)")
                print(f"{f'{name}: ten':<46}{took_ten:8.2f} s", end="")
                print(f"   {took_ten / mine_ten:5.1f}× labkit's   (target: 15× or more)")
        cells, graded = overhead(root)
        print(f"{'lesson 03: its cells by themselves':<46}{cells:8.2f} s")
        print(f"{'lesson 03: graded':<46}{graded:8.2f} s", end="")
        print(f"   {graded / cells:5.1f}× the cells   (target: 2× or less)")
        with Memory() as memory:
            took = seconds(lambda: labkit(labkit_class(root / "class", options.learners), jobs=2))
        print(f"{f'labkit: a class of {options.learners}, two jobs':<46}{took:8.2f} s")
        print(f"{'  most memory':<46}{memory.most / 2**20:6.0f} MiB   (target: under 1024)")
        print(f"{'  growth, last third against the middle one':<46}{memory.growth():8.1%}")


def others(root: Path, envs: Path) -> list[tuple[str, float, float]]:
    """What the others take: name, seconds for one, seconds for ten."""
    bins = {
        name: environment(envs.resolve() / f"env-{name}", what) for name, what in OTHERS.items()
    }
    (root / "otter").mkdir()
    (root / "nbgrader").mkdir()
    autograder, submission = otter_assignment(root / "otter", bins["otter"])
    nbgrader_course(root / "nbgrader", bins["nbgrader"])
    otter(autograder, submission, bins["otter"], 1, root / "otter" / "warm")
    nbgrader(root / "nbgrader", bins["nbgrader"], "l0")
    found = []
    for name, work in {
        "otter-grader": lambda n: otter(
            autograder, submission, bins["otter"], n, root / "otter" / f"x{n}"
        ),
        "nbgrader": lambda n: nbgrader(
            root / "nbgrader", bins["nbgrader"], *(["l0"] if n == 1 else [])
        ),
    }.items():
        took = [seconds(lambda n=n: work(n)) for n in (1, TEN)]  # noqa: B023
        found.append((name, took[0], took[1]))
    return found


if __name__ == "__main__":
    main()
