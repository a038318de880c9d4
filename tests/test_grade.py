"""`labkit grade` and `labkit verify`: whole notebooks, formats, the command."""

from __future__ import annotations

import html
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import psutil
import pytest

from labkit.checks import exercises
from labkit.errors import UsageError
from labkit.grade import ExerciseResult, NotebookResult, Report, find
from labkit.grade.command import _journal_name
from labkit.grade.formats import FORMATS, markdown
from labkit.grade.notebooks import beside, look
from labkit.grade.reference import is_reference
from labkit.grade.shipped import lessons
from tests.grading import (
    RIGHT,
    SHIPPED,
    WRONG,
    code,
    command,
    exercise_cell,
    feedback,
    graded,
    reference,
    shipped,
    statuses,
    write,
)
from tools import shipped as shipped_tool

SCHEMA = json.loads(
    files("labkit.grade").joinpath("report.schema.json").read_text(encoding="utf-8")
)


def test_the_list_of_shipped_cells_is_up_to_date() -> None:
    assert shipped_tool.main(["check"]) == 0


def test_every_exercise_of_a_shipped_notebook_is_known() -> None:
    held = [id for lesson in lessons() for id in lesson.exercises]
    assert len(held) == len(set(held))
    assert set(held) <= set(exercises)


# The whole course


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Every notebook, as shipped and solved, graded together; folder → lesson → notebook."""
    root = tmp_path_factory.mktemp("course")
    for path in SHIPPED.glob("*.ipynb"):
        for learner, source in (("untouched", path), ("solved", SHIPPED / "solutions" / path.name)):
            target = root / learner / path.name
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(source.read_bytes())
    for learner in ("untouched", "solved"):  # what the capstone reads comes along
        shutil.copytree(SHIPPED / "service", root / learner / "service")
    report = graded(root)
    jsonschema.validate(report, SCHEMA)
    found: dict[str, dict[str, Any]] = {"untouched": {}, "solved": {}}
    for notebook in report["notebooks"]:
        found[notebook["learner"]][notebook["lesson"]] = notebook
    return found


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.name)
def test_a_notebook_as_shipped_is_not_attempted(lesson: Any, course: dict[str, Any]) -> None:
    found = course["untouched"][lesson.name]
    assert statuses(found) == dict.fromkeys(lesson.exercises, "not attempted")
    assert not found["problems"]
    assert found["points"] == 0


@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.name)
def test_the_solved_notebook_has_every_point_and_is_told_to_be_the_reference(
    lesson: Any, course: dict[str, Any]
) -> None:
    found = course["solved"][lesson.name]
    assert statuses(found) == dict.fromkeys(lesson.exercises, "passed")
    assert not found["problems"]
    assert found["points"] == found["worth"] == sum(exercises[id].worth for id in lesson.exercises)
    assert all(exercise["reference"] for exercise in found["exercises"])


def test_ones_own_answer_in_a_whole_notebook(tmp_path: Path) -> None:
    notebook = shipped("03_ordered_gathering", {"3.4": RIGHT["3.4"]})
    path = tmp_path / "03_ordered_gathering.ipynb"
    path.write_text(json.dumps(notebook))
    found = graded(path)["notebooks"][0]
    assert statuses(found)["3.4"] == "passed"
    assert not any(exercise["reference"] for exercise in found["exercises"])
    assert not found["problems"]


@pytest.mark.parametrize("whole", [True, False])
def test_a_stub_without_its_marks_is_not_attempted(whole: bool, tmp_path: Path) -> None:
    notebook = shipped("02_orchestrator_workers", {"2.1": RIGHT["2.1"]})
    stub = next(
        cell
        for cell in notebook["cells"]
        if cell["metadata"].get("labkit", {}).get("exercise") == "2.2"
    )
    if not whole:
        notebook["cells"] = [stub, {"cell_type": "code", "source": "x = 1"}]
    for cell in notebook["cells"]:
        cell.pop("id", None)
        cell["metadata"] = {}
    (tmp_path / "mine.ipynb").write_text(json.dumps(notebook))
    found = graded(tmp_path / "mine.ipynb")["notebooks"][0]
    expected = {"2.1": "passed" if whole else "missing", "2.2": "not attempted"}
    expected["2.3"] = "not attempted" if whole else "missing"
    assert statuses(found) == expected

    if whole:  # another editor may have changed a little of it as well
        stub["source"] = "".join(stub["source"]).replace("  # your code", "")
        (tmp_path / "mine.ipynb").write_text(json.dumps(notebook))
        assert statuses(graded(tmp_path / "mine.ipynb")["notebooks"][0]) == expected


def test_what_only_shows_is_not_run_and_nothing_behind_the_last_own_cell() -> None:
    from labkit.grade.judging import _Grading
    from labkit.grade.notebooks import Cell, Read
    from labkit.grade.sandbox import Limits
    from labkit.grade.shipped import ShippedCell

    tags: list[tuple[str, ...] | None] = [(), ("demo",), ("check",), None, (), ("demo",), ()]
    cells = [
        Cell(place, "1", None if tag is None else ShippedCell("x", "y", tag), None)
        for place, tag in enumerate(tags)
    ]

    def run(cells: list[Cell]) -> list[int]:
        read = Read("", tuple(cells), None)
        grading = _Grading(read, None, Limits(), "s", {})  # type: ignore[arg-type]
        return [cell.place for cell in grading._cells()]

    assert run(cells) == [0, 3]
    assert run([*cells, Cell(7, "own", None, None)]) == [0, 3, 4, 6, 7]
    assert run([cell for cell in cells if cell.shipped is not None]) == []


# The reference


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (reference("2.1"), True),
        ("from labkit.patterns import parse_plan", True),
        ("from labkit.patterns.orchestrating import parse_plan as parse_plan", True),
        ("from labkit import patterns\nparse_plan = patterns.parse_plan", True),
        (reference("2.1").replace("text", "plan").replace("limit", "limit"), True),
        ("# mine\n" + reference("2.1"), True),
        ("def parse_plan(*a, **k):\n    return labkit.patterns.parse_plan(*a, **k)", True),
        ("def parse_plan(text, *, limit=4):\n    return text.patterns.split()", False),
        (RIGHT["2.1"], False),
        (WRONG["2.1"], False),
        ("def broken(:", False),
        ("from labkit.patterns import gate", False),
    ],
)
def test_the_reference_is_told_whether_imported_called_or_pasted(source: str, told: bool) -> None:
    import textwrap

    assert is_reference(exercises["2.1"], textwrap.dedent(source)) is told


@pytest.mark.parametrize("id", exercises)
def test_no_exercise_takes_anothers_reference_for_its_own(id: str) -> None:
    assert is_reference(exercises[id], reference(id))
    others = [other for other in exercises if other != id]
    assert not any(is_reference(exercises[id], reference(other)) for other in others)


# Whose is what


def test_learners_are_told_by_their_folders(tmp_path: Path) -> None:
    for place in (
        "class/ada/02.ipynb",
        "class/ada/deep/03.ipynb",
        "class/bob/02.ipynb",
        "class/own.ipynb",
        "class/bob/.ipynb_checkpoints/02-checkpoint.ipynb",
        "class/bob/solutions/02.ipynb",
    ):
        write(tmp_path / place, code("1"))
    found = find([tmp_path / "class"])
    assert [(it.path.name, it.learner) for it in found] == [
        ("own.ipynb", "class"),
        ("02.ipynb", "ada"),
        ("03.ipynb", "ada"),
        ("02.ipynb", "bob"),
    ]
    assert [it.learner for it in find([tmp_path / "class" / "ada"])] == ["ada", "deep"]
    twice = find([tmp_path / "class", tmp_path / "class" / "ada" / "02.ipynb"])
    assert len(twice) == len(found)


def test_who_handed_in_nothing_is_told(tmp_path: Path) -> None:
    write(tmp_path / "class" / "bob" / "02.ipynb", exercise_cell("2.1", RIGHT["2.1"]))
    write(tmp_path / "class" / "eve" / "solutions" / "02.ipynb", code("1"))
    for folder in ("ann_a", "dan", "__pycache__", ".labkit", ".ipynb_checkpoints"):
        (tmp_path / "class" / folder).mkdir()
    (tmp_path / "class" / "dan" / "homework.py").touch()
    (tmp_path / "class" / "roster.csv").touch()
    (tmp_path / "class" / "fay").symlink_to(tmp_path / "class" / "bob")
    outs = [f"--{option}" for name in ("json", "markdown", "junit")
            for option in (f"format={name}", f"out=r.{name}")]  # fmt: skip
    done = command("grade", "class", *outs, "--format=text", "--require=1", cwd=tmp_path)
    assert done.returncode == 1
    assert (
        done.stderr
        == "labkit: passed over, so nothing in them is graded: class/eve/solutions, class/fay\n"
    )
    for learner in ("ann_a", "dan", "eve"):
        assert f"{learner}: no notebook was handed in." in done.stdout
        assert f"- {learner}: no notebook was handed in." in html.unescape(
            (tmp_path / "r.markdown").read_text()
        )
    told = json.loads((tmp_path / "r.json").read_text())
    jsonschema.validate(told, SCHEMA)
    assert [it["learner"] for it in told["learners"]] == ["bob", "ann_a", "dan", "eve"]
    assert told["learners"][1:] == [
        {"learner": name, "points": 0, "worth": 0} for name in ("ann_a", "dan", "eve")
    ]
    root = ET.parse(tmp_path / "r.junit").getroot()
    assert root.get("errors") == "3"
    done = command("grade", "class", "--format=gradescope", cwd=tmp_path)
    assert done.returncode == 0, "what is no learner's notebook does not make a second learner"


def test_whose_notebooks_could_not_be_graded_is_told_under_the_table() -> None:
    results = [
        NotebookResult("ada/1.ipynb", "ada", exercises=[ExerciseResult("2.1", "f", "passed", 1)]),
        *(NotebookResult(f"bob_b/{n}.ipynb", "bob_b", problems=["not graded."]) for n in range(2)),
        NotebookResult("cy/1.ipynb", "cy", problems=["not graded."]),
    ]
    for name in ("text", "markdown"):
        text = html.unescape(FORMATS[name].write(sample(notebooks=results)))
        table = text.index("cy ", text.index("learner"))
        assert text.index("3 notebooks could not be graded: bob_b (2), cy.") > table
        text = FORMATS[name].write(sample(notebooks=results[:1]))
        assert "could not be graded" not in text
        assert "1 notebook could not" in FORMATS[name].write(sample(notebooks=results[3:]))


@pytest.mark.parametrize(
    ("holding", "bare", "passed_over"),
    [
        (["02.ipynb"], ["images", "service"], []),
        (["02.ipynb", "deep/03.ipynb"], ["data"], ["data"]),
        (["notebooks/02.ipynb"], [".git", "docs"], ["docs"]),
        (["02.ipynb", "solutions/02.ipynb"], ["images"], ["solutions"]),
    ],
)
def test_a_folder_that_may_not_be_a_learners_is_nobodys(
    holding: list[str], bare: list[str], passed_over: list[str], tmp_path: Path
) -> None:
    root = tmp_path / "ada"
    for name in holding:
        write(root / name, code("1"))
    for name in bare:
        (root / name).mkdir()
    found = look([root])
    assert found.absent == []
    assert found.passed_over == [root / name for name in passed_over]


def test_the_courses_own_folder_is_one_learners() -> None:
    found = look([SHIPPED])
    assert found.absent == []
    assert found.passed_over == [SHIPPED / "solutions"]


def test_who_has_a_notebook_in_another_folder_is_not_absent(tmp_path: Path) -> None:
    for place in ("one/ada/02.ipynb", "two/ada/03.ipynb", "two/bob/03.ipynb"):
        write(tmp_path / place, code("1"))
    (tmp_path / "one" / "bob").mkdir()
    (tmp_path / "one" / "cy").mkdir()
    assert look([tmp_path / "one", tmp_path / "two"]).absent == ["cy"]


@pytest.mark.parametrize("name", ["nothing", "empty", "notes.txt"])
def test_a_path_without_notebooks_is_a_usage_error(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(UsageError, match=name):
        find([tmp_path / name])


def test_only_a_learners_own_files_go_with_a_notebook(tmp_path: Path) -> None:
    mine = write(tmp_path / "02_mine.ipynb", code("1"))
    (tmp_path / "data.csv").write_text("1,2")
    (tmp_path / "service").mkdir()
    (tmp_path / "service" / "auth.py").write_text("x = 1")
    (tmp_path / ".secret").write_text("x")
    (tmp_path / "large.bin").write_bytes(bytes(9 * 2**20))
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "etc").symlink_to("/etc")
    theirs = write(tmp_path / "bob" / "02_mine.ipynb", code("1"))
    (tmp_path / "bob" / "answers.py").write_text("x = 1")
    others = [mine, theirs]
    assert set(beside(mine, others)) == {"data.csv", "service/auth.py"}
    assert set(beside(theirs, others)) == {"answers.py"}
    flat = write(tmp_path / "bob" / "alice.ipynb", code("1"))
    assert beside(flat, [*others, flat]) == {}


def test_an_exercise_in_two_notebooks_counts_once(tmp_path: Path) -> None:
    for name, answer in (("a", RIGHT["2.1"]), ("b", WRONG["2.1"])):
        write(tmp_path / "ada" / f"{name}.ipynb", exercise_cell("2.1", answer))
    report = graded(tmp_path)
    worth = sum(exercises[id].worth for id in ("2.1", "2.2", "2.3"))
    assert report["learners"] == [{"learner": "ada", "points": 1, "worth": worth}]


# The formats


def sample(**changes: Any) -> Report:
    """A report with something of everything, and with text that would break a careless writer."""
    nasty = "::error::own\x1b[31m red \x00 ]]> <script>alert(1)</script> @everyone | `x`\n\n# head"
    results = [
        ExerciseResult("2.1", "parse_plan", "passed", 1, "", 0.25, cell=3),
        ExerciseResult("2.2", "orchestrate", "failed", 2, nasty, 1.5, cell=5),
        ExerciseResult("2.3", "orchestrate_parallel", "not attempted", 2),
        ExerciseResult("4.4", "synthesize", "missing", 1, "No cell holds this exercise."),
        ExerciseResult("4.5", "score_gate", "not graded", 1, "out of time"),
    ]
    notebooks = [
        NotebookResult("ada/02.ipynb", "ada", "0" * 64, "02_x", results, [nasty], 2.0),
        NotebookResult("ada/\x1bbad|.ipynb", "ada", problems=["not graded: it is no JSON."]),
    ]
    about: dict[str, Any] = {"isolation": {"no network": True, "no files of others": False}}
    return Report(**{"version": "0.1.0", "seed": "abc", "notebooks": notebooks, **about, **changes})


def test_the_json_report_keeps_its_published_form() -> None:
    told = json.loads(FORMATS["json"].write(sample()))
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(told, SCHEMA)
    assert NotebookResult.from_json(told["notebooks"][0]) == sample().notebooks[0]
    del told["notebooks"][0]["exercises"][0]["passed"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(told, SCHEMA)


@pytest.mark.parametrize("name", FORMATS)
def test_no_format_lets_control_characters_through(name: str) -> None:
    text = FORMATS[name].write(sample())
    assert not set(text) & {"\x1b", "\x00"}


def test_the_text_report_has_no_line_of_a_learners_own() -> None:
    text = FORMATS["text"].write(sample(complete=False))
    assert not any(line.strip().startswith(("::", "##[")) for line in text.splitlines())
    for part in ("ada/02.ipynb  1/7", "not attempted", "250 ms", "14 %", "seed abc", "--resume"):
        assert part in text
    assert "Not available here: no files of others" in text


def test_junit_counts_what_it_holds() -> None:
    root = ET.fromstring(FORMATS["junit"].write(sample()))
    assert {key: root.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "6",
        "failures": "2",
        "errors": "2",
        "skipped": "1",
    }
    assert len(root.findall(".//testcase")) == 6


def test_markdown_shows_learners_text_as_text() -> None:
    text = FORMATS["markdown"].write(sample())
    assert "<script>" not in text
    assert "@everyone" not in text
    assert "&lt;script&gt;" in text
    assert "&nbsp;\n# head</pre>" in text, "a blank line may not end the block"


def test_markdown_gives_a_name_back_as_it_was() -> None:
    path = "class/ada_b/#1 | `x` <b> & @all &amp; [y](z).ipynb"
    results = [NotebookResult(path, "ada_b | #1", problems=["not graded: a_b # c."])]
    lines = FORMATS["markdown"].write(sample(notebooks=results)).splitlines()
    heading = next(line for line in lines if line.startswith("## "))
    assert html.unescape(heading) == f"## {path}"
    assert not set(heading.removeprefix("## ").replace("&#", "")) & set("_|#`<>@[]")
    assert any(html.unescape(line) == "| ada_b | #1 | 0 | 0 | – |" for line in lines)


def test_markdown_fits_a_job_summary() -> None:
    long = "x" * 50_000
    results = [
        NotebookResult(
            f"{n}.ipynb", f"learner {n}", exercises=[ExerciseResult("2.1", "f", "failed", 1, long)]
        )
        for n in range(100)
    ]
    text = FORMATS["markdown"].write(sample(notebooks=results))
    assert len(text.encode()) <= 1024 * 1024
    assert "99.ipynb" in text
    many = [NotebookResult(f"{n}.ipynb", "x", problems=["y" * 5000]) for n in range(500)]
    text = FORMATS["markdown"].write(sample(notebooks=many))
    assert len(text.encode()) <= 1024 * 1024
    assert "more notebooks do not fit" in text


def test_annotations_are_one_line_each_and_hold_no_command_of_a_learners() -> None:
    lines = markdown.workflow_commands(sample()).splitlines()
    assert lines
    assert all(line.startswith(("::error file=", "::warning file=")) for line in lines)
    assert any("%0A" in line for line in lines)


def test_gradescope_gets_what_it_documents() -> None:
    told = json.loads(FORMATS["gradescope"].write(sample()))
    assert told["score"] == 1
    allowed = {"score", "max_score", "status", "name", "number", "output", "output_format", "tags",
               "visibility", "extra_data"}  # fmt: skip
    for test in told["tests"]:
        assert set(test) <= allowed
        assert test["status"] in ("passed", "failed")
        assert test["visibility"] == "visible"
    assert [test["number"] for test in told["tests"]] == ["2.1", "2.2", "2.3", "4.4", "4.5"]


@pytest.mark.parametrize("file", [None, "homework.py", "solutions/02.ipynb"])
def test_gradescope_is_told_of_an_empty_submission(file: str | None, tmp_path: Path) -> None:
    (tmp_path / "submission").mkdir()
    if file:
        (tmp_path / "submission" / file).parent.mkdir(exist_ok=True)
        (tmp_path / "submission" / file).touch()
    arguments = ("grade", "submission", "--format=gradescope", "--out=results.json")
    done = command(*arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "submission has no notebook" in done.stderr
    assert ("solutions" in done.stderr) == (file == "solutions/02.ipynb")
    told = json.loads((tmp_path / "results.json").read_text())
    assert told["score"] == 0
    assert told["tests"] == []
    assert "No notebook was handed in" in told["output"]


def test_classroom50_gets_integers_and_its_own_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLASSROOM", "cs50")
    monkeypatch.setenv("USERNAME", "somebody")
    monkeypatch.setenv("OWNER", "ada")
    told = json.loads(FORMATS["classroom50"].write(sample()))
    assert told["schema"] == "classroom50/result/v1"
    assert (told["classroom"], told["owner"], told["commit"]) == ("cs50", "ada", "")
    assert (told["score"], told["max-score"]) == (1, 7)
    for test in told["tests"]:
        assert set(test) == {"test-name", "passed", "score", "max-score"}
        assert all(isinstance(test[key], int) for key in ("score", "max-score"))
        assert test["score"] <= test["max-score"]
    assert sum(test["score"] for test in told["tests"]) == told["score"]


# The command


@pytest.fixture
def ada(tmp_path: Path) -> Path:
    """A learner's folder with one of two exercises solved."""
    write(
        tmp_path / "ada" / "02_orchestrator_workers.ipynb",
        exercise_cell("2.1", RIGHT["2.1"]),
        exercise_cell("2.2", "async def orchestrate(client, goal, *, system):\n    return {}"),
    )
    return tmp_path / "ada"


def test_json_alone_is_on_standard_output(ada: Path) -> None:
    done = command("grade", ada, "--format", "json", cwd=ada.parent)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    told = json.loads(done.stdout)
    jsonschema.validate(told, SCHEMA)
    assert told["points"] == 1
    assert len(told["seed"]) >= 16


def test_two_gradings_draw_different_inputs(ada: Path) -> None:
    seeds = {graded(ada)["seed"] for _ in range(2)}
    assert len(seeds) == 2


def test_several_formats_at_once_and_what_is_required(ada: Path) -> None:
    here = ada.parent
    outs = ["--format", "junit", "--out", "a.xml", "--format", "markdown", "--out", "a.md"]
    done = command(
        "grade", "ada", *outs, "--format", "text", "--require", "20", "--seed", "s", cwd=here
    )
    assert done.returncode == 0, done.stderr
    assert "seed s" in done.stdout
    assert ET.parse(here / "a.xml").getroot().get("tests") == "3"
    assert "2.1 `parse_plan`" in (here / "a.md").read_text()
    assert command("grade", "ada", "--require", "21", cwd=here).returncode == 1


@pytest.mark.parametrize(("percent", "status"), [("0", 0), ("0%", 0), ("1", 1)])
def test_nothing_required_is_met_by_a_notebook_worth_nothing(
    percent: str, status: int, tmp_path: Path
) -> None:
    (tmp_path / "bad.ipynb").touch()
    done = command("grade", "bad.ipynb", "--require", percent, cwd=tmp_path)
    assert done.returncode == status, done.stderr


def test_lessons_that_were_to_be_handed_in_count_whether_they_were_or_not(tmp_path: Path) -> None:
    root = tmp_path / "class"
    for path, id, answer in (
        ("ada/02.ipynb", "2.1", RIGHT["2.1"]),
        ("ada/03.ipynb", "3.4", RIGHT["3.4"]),
        ("bob/03.ipynb", "3.4", RIGHT["3.4"]),
    ):
        write(root / path, exercise_cell(id, answer))
    (root / "cy").mkdir()
    (root / "dan").mkdir()
    (root / "dan" / "02.ipynb").touch()
    outs = [f"--{option}" for name in ("json", "junit")
            for option in (f"format={name}", f"out=r.{name}")]  # fmt: skip
    done = command("grade", "class", "--lessons=2,00", *outs, "--format=text", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "r.json").read_text())
    jsonschema.validate(told, SCHEMA)
    assert told["lessons"] == ["00_start_here", "02_orchestrator_workers"]
    ids = [id for lesson in lessons() if lesson.name in told["lessons"] for id in lesson.exercises]
    worth = sum(exercises[id].worth for id in ids)
    assert [(it["learner"], it["points"], it["worth"]) for it in told["learners"]] == [
        ("ada", 1, worth),
        ("bob", 0, worth),
        ("dan", 0, worth),
        ("cy", 0, worth),
    ]
    missing = [it for it in told["notebooks"] if "not handed in" in " ".join(it["problems"])]
    assert [it["path"] for it in missing] == [
        "ada/00_start_here.ipynb",
        *(f"{who}/{name}.ipynb" for who in ("bob", "dan", "cy") for name in told["lessons"]),
    ]
    assert set(statuses(missing[0]).values()) == {"missing"}
    assert "unless it is a notebook that could not be graded" in missing[3]["problems"][0]
    assert statuses(told["notebooks"][1])["3.4"] == "passed", "it is graded all the same"
    assert "Counted: 00_start_here, 02_orchestrator_workers." in done.stdout
    assert int(ET.parse(tmp_path / "r.junit").getroot().get("failures", "0")) >= 3 * len(ids)

    done = command("verify", "r.json", "class", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    for change, says in (
        (lambda: told["notebooks"].remove(missing[0]), "what was not handed in"),
        (lambda: missing[1].update(learner="zoe"), "what was not handed in"),
        (lambda: told["learners"][3].update(learner="zoe"), "it names zoe"),
        (lambda: told.update(lessons=["02_orchestrator_workers"]), "its totals"),
        (lambda: told.update(lessons=5), "no record"),
    ):
        change()
        (tmp_path / "r.json").write_text(json.dumps(told))
        done = command("verify", "r.json", "class", cwd=tmp_path)
        assert done.returncode in (1, 2)
        assert says in done.stdout + done.stderr


def test_classroom50_counts_the_lessons_that_were_to_be_handed_in(tmp_path: Path) -> None:
    write(tmp_path / "ada" / "03.ipynb", exercise_cell("3.4", RIGHT["3.4"]))
    done = command("grade", "ada", "--lessons=02", "--format=classroom50", cwd=tmp_path)
    told = json.loads(done.stdout)
    assert (told["score"], told["max-score"]) == (0, 5)
    assert [it["test-name"].split()[0] for it in told["tests"]] == ["2.1", "2.2", "2.3"]


def test_annotations_are_printed_where_github_reads_them(ada: Path) -> None:
    env = {**os.environ, "GITHUB_ACTIONS": "true"}
    done = command("grade", "ada", "--format=markdown", "--out=s.md", cwd=ada.parent, env=env)
    assert done.stdout.startswith("::error file=ada/02_orchestrator_workers.ipynb,title=2.2")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "required"),
        (["nowhere"], "there is no nowhere"),
        (["ada", "--format", "pdf"], "invalid choice"),
        (["ada", "--require", "many"], "invalid percentage value"),
        (["ada", "--require", "101"], "invalid percentage value"),
        (["ada", "--jobs", "0"], "invalid positive number value"),
        (["ada", "--format", "json", "--format", "junit"], "each format needs a file"),
        (["ada", "--out", "no/where.txt"], "there is no folder no"),
        (["ada", "--lessons", "00,99"], "'00,99' has to be numbers of lessons"),
        (["ada", "--lessons", ""], "has to be numbers of lessons"),
        (["ada", "--out", "bob"], "bob is a folder"),
        (["ada", "bob", "--format", "gradescope"], "one learner's"),
    ],
)
def test_a_usage_error_says_what_to_do(arguments: list[str], says: str, ada: Path) -> None:
    write(ada.parent / "bob" / "02.ipynb", code("1"))
    done = command("grade", *arguments, cwd=ada.parent)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_no_progress_bar_where_nobody_looks(ada: Path) -> None:
    assert "█" not in command("grade", "ada", cwd=ada.parent).stderr


def test_the_progress_bar_grows_and_goes() -> None:
    import io

    from labkit.grade.command import Progress

    stream = io.StringIO()
    progress = Progress(stream)
    progress(NotebookResult("a/b\x1b.ipynb", "a"), 1, 2)
    progress(NotebookResult("a/c.ipynb", "a"), 2, 2)
    progress.clear()
    first, second = stream.getvalue().split("\r")[1:3]
    assert first.count("█") == 14
    assert second.count("█") == 28
    assert "\x1b" not in first
    assert not stream.getvalue().split("\r")[-2].strip()


# Interrupted, and taken up again

SLOW = "import time, threading\nthreading.Event().wait(SECONDS)"


def test_ctrl_c_stops_keeps_what_is_graded_and_is_resumed(tmp_path: Path) -> None:
    write(tmp_path / "class" / "a" / "02.ipynb", exercise_cell("2.1", RIGHT["2.1"]))
    slow = tmp_path / "class" / "b" / "02.ipynb"
    write(slow, code(SLOW.replace("SECONDS", "15")), exercise_cell("2.1", RIGHT["2.1"]))
    start = "import sys; from labkit.__main__ import main; sys.exit(main())"
    arguments = ["grade", "class", "--jobs", "1", "--format", "json", "--out", "r.json"]
    process = subprocess.Popen(
        [sys.executable, "-c", start, *arguments],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not (
        (journals := list((tmp_path / ".labkit").glob("*.jsonl")))
        and len(journals[0].read_text().splitlines()) == 2
    ):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    family = psutil.Process(process.pid).children(recursive=True)
    assert family
    started = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert time.monotonic() - started < 2
    assert process.returncode == 130
    assert "--resume" in told
    assert not [it for it in family if it.is_running() and it.status() != psutil.STATUS_ZOMBIE]
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["complete"] is False
    assert [notebook["learner"] for notebook in report["notebooks"]] == ["a"]

    write(slow, code("1"), exercise_cell("2.1", RIGHT["2.1"]))
    done = command(*arguments, "--resume", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    resumed = json.loads((tmp_path / "r.json").read_text())
    assert resumed["complete"] is True
    assert resumed["seed"] == report["seed"]
    assert resumed["notebooks"][0] == report["notebooks"][0], "it is not graded again"
    assert [statuses(notebook)["2.1"] for notebook in resumed["notebooks"]] == ["passed"] * 2
    assert "1 of 2 notebooks are kept" in done.stderr
    assert not journals[0].exists()


def test_a_grading_leaves_the_journal_of_another_alone(tmp_path: Path) -> None:
    for name in ("class", "other"):
        write(tmp_path / name / "ada" / "02.ipynb", exercise_cell("2.1", WRONG["2.1"]))
    made = json.loads(command("grade", "class", "--format=json", cwd=tmp_path).stdout)
    [kept] = made["notebooks"]
    journal = tmp_path / ".labkit" / _journal_name([tmp_path / "class"])
    journal.parent.mkdir(exist_ok=True)
    head = {"labkit": made["labkit"], "seed": "s"}
    journal.write_text(f"{json.dumps(head)}\n{json.dumps({**kept, 'problems': ['kept']})}\n")

    done = command("grade", "other", "--resume", "--format=json", cwd=tmp_path)
    assert done.returncode == 0
    assert "nothing to resume" in done.stderr
    assert journal.exists()

    done = command("grade", "class", "--resume", "--seed", "t", cwd=tmp_path)
    assert done.returncode == 2
    assert "has the seed s" in done.stderr
    assert journal.exists()

    # However the paths are spelt, it is the same grading.
    done = command("grade", tmp_path / "class", "--resume", "--format=json", cwd=tmp_path)
    assert "1 of 1 notebooks are kept, with the seed s" in done.stderr
    [taken_up] = json.loads(done.stdout)["notebooks"]
    assert taken_up["problems"] == ["kept"]
    assert taken_up["path"] == str(tmp_path / "class" / "ada" / "02.ipynb")
    assert not journal.exists()


def test_what_changed_since_is_graded_again(tmp_path: Path) -> None:
    path = write(tmp_path / "02.ipynb", exercise_cell("2.1", WRONG["2.1"]))
    done = command("grade", path, "--format", "json", "--seed", "s", cwd=tmp_path)
    wrong = json.loads(done.stdout)["notebooks"][0]
    head = json.dumps({"labkit": json.loads(done.stdout)["labkit"], "seed": "s"})
    journal = tmp_path / "kept.jsonl"
    for answer in (WRONG["2.1"], RIGHT["2.1"]):
        write(path, exercise_cell("2.1", answer))
        kept = {**wrong, "problems": ["from the journal"], "path": str(path)}
        journal.write_text(f'{head}\n{json.dumps(kept)}\n{{"half a li')
        told = json.loads(
            command(
                "grade", path, "--resume", "--journal", journal, "--format=json", cwd=tmp_path
            ).stdout
        )
        taken_up = told["notebooks"][0]["problems"] == ["from the journal"]
        assert taken_up == (answer == WRONG["2.1"])
        assert told["seed"] == "s"


def test_what_could_not_be_graded_is_tried_again(tmp_path: Path) -> None:
    path = write(tmp_path / "02.ipynb", exercise_cell("2.1", RIGHT["2.1"]))
    told = json.loads(command("grade", path, "--format", "json", cwd=tmp_path).stdout)
    lost = {**told["notebooks"][0], "exercises": [], "problems": ["not graded: a worker died."]}
    head = json.dumps({"labkit": told["labkit"], "seed": "s"})
    (tmp_path / "j").write_text(f"{head}\n{json.dumps(lost)}\n")
    done = command("grade", path, "--resume", "--journal=j", "--format=json", cwd=tmp_path)
    assert "0 of 1 notebooks are kept" in done.stderr
    assert statuses(json.loads(done.stdout)["notebooks"][0])["2.1"] == "passed"


# Verify


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record of one notebook, beside it."""
    folder = tmp_path_factory.mktemp("record")
    write(folder / "ada" / "02.ipynb", exercise_cell("2.1", RIGHT["2.1"]))
    done = command("grade", "ada", "--format", "json", "--out", "r.json", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "r.json"


def test_a_true_record_is_true(record: Path) -> None:
    done = command("verify", "r.json", "ada", cwd=record.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "is true" in done.stdout


def test_a_learner_s_own_record_is_true_in_another_folder(record: Path, tmp_path: Path) -> None:
    shutil.copytree(record.parent / "ada", tmp_path / "inbox" / "lovelace")
    done = command("verify", record, "inbox", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda it: it["notebooks"][0]["exercises"][1].update(status="passed"), "2.2: it says"),
        (lambda it: it["notebooks"][0].update(sha256="1" * 64), "none of the notebooks"),
        (lambda it: it.update(points=99), "totals"),
        (lambda it: it.update(labkit="9.9"), "labkit 9.9"),
        (lambda it: it.update(complete=False), "interrupted"),
        (lambda it: it["notebooks"][0]["exercises"].pop(), "it says nothing"),
        (lambda it: it["notebooks"][0].update(learner="bob"), "it names ada, who has no notebook"),
        (lambda it: it["notebooks"][0]["exercises"][0].update(reference=True), "reference is True"),
        (lambda it: it["notebooks"][0]["exercises"][0].update(worth=9), "its worth is 9"),
        (lambda it: it["learners"][0].update(learner="bob"), "it names bob"),
        (lambda it: it["learners"][0].update(points=2), "in all is not the sum"),
        (lambda it: it["learners"].append({"learner": "x", "points": 0, "worth": 0}), "names x"),
    ],
)
def test_a_changed_record_is_not(change: Any, says: str, record: Path) -> None:
    told = json.loads(record.read_text())
    change(told)
    (record.parent / "changed.json").write_text(json.dumps(told))
    done = command("verify", "changed.json", "ada", cwd=record.parent)
    assert done.returncode == 1, done.stdout + done.stderr
    assert says in done.stdout


def test_a_record_of_a_class_names_each_learner(tmp_path: Path) -> None:
    for learner in ("ada", "bob", "cy"):  # the same file, as it was handed out
        write(tmp_path / "class" / learner / "02.ipynb", exercise_cell("2.1", WRONG["2.1"]))
    (tmp_path / "class" / "dan").mkdir()
    command("grade", "class", "--format=json", "--out=r.json", cwd=tmp_path)
    done = command("verify", "r.json", "class", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "not in it" not in done.stdout

    told = json.loads((tmp_path / "r.json").read_text())
    swapped = {"ada": "bob", "bob": "ada", "cy": "dan"}
    for notebook in told["notebooks"]:
        notebook["learner"] = swapped.get(notebook["learner"], notebook["learner"])
    (tmp_path / "swapped.json").write_text(json.dumps(told))
    done = command("verify", "swapped.json", "class", cwd=tmp_path)
    assert done.returncode == 1
    assert "it says that this is dan's; by its folder, class/cy/02.ipynb is cy's" in done.stdout

    told = json.loads((tmp_path / "r.json").read_text())
    told["notebooks"] = [it for it in told["notebooks"] if it["learner"] != "bob"]
    told["learners"] = [it for it in told["learners"] if it["learner"] != "bob"]
    told["worth"] -= told["learners"][0]["worth"]
    (tmp_path / "r.json").write_text(json.dumps(told))
    done = command("verify", "r.json", "class", cwd=tmp_path)
    assert done.returncode == 0, "what it leaves out does not make it untrue"
    assert done.stdout.endswith("not in it:\n  - class/bob/02.ipynb, of bob\n")


def test_a_record_for_an_answer_that_knows_its_seed_is_not_true(tmp_path: Path) -> None:
    from tests.test_grade_hostile import memorized

    write(tmp_path / "ada" / "02.ipynb", exercise_cell("2.1", memorized("mine")))
    made = command("grade", "ada", "--seed", "mine", "--format=json", "--out=r", cwd=tmp_path)
    assert made.returncode == 0
    assert json.loads((tmp_path / "r").read_text())["points"] == 1
    done = command("verify", "r", "ada", cwd=tmp_path)
    assert done.returncode == 1
    assert "with another seed" in done.stdout


def test_a_record_with_notebooks_that_cannot_be_graded_can_be_verified(tmp_path: Path) -> None:
    write(tmp_path / "class" / "ada" / "02.ipynb", exercise_cell("2.1", RIGHT["2.1"]))
    for learner, text in (("bob", ""), ("cy", "no JSON"), ("dan", "")):
        (tmp_path / "class" / learner).mkdir()
        (tmp_path / "class" / learner / "02.ipynb").write_text(text)
    (tmp_path / "class" / "eve").mkdir()
    (tmp_path / "class" / "eve" / "out.ipynb").symlink_to(tmp_path / "class" / "ada" / "02.ipynb")
    command("grade", "class", "--format=json", "--out=r.json", cwd=tmp_path)
    told = json.loads((tmp_path / "r.json").read_text())
    jsonschema.validate(told, SCHEMA)
    assert [len(it["sha256"]) for it in told["notebooks"]] == [64, 64, 64, 64, 0]
    done = command("verify", "r.json", "class", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr

    told["notebooks"][0]["sha256"] = ""
    told["notebooks"][4]["path"] = "class/eve/other.ipynb"
    (tmp_path / "r.json").write_text(json.dumps(told))
    done = command("verify", "r.json", "class", cwd=tmp_path)
    assert done.returncode == 1
    assert "verdicts without a hash" in done.stdout
    assert "none that cannot be read has this name" in done.stdout


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 9}', '{"schema": 1, "labkit": 2}'])
def test_what_is_no_record_is_a_usage_error(text: str, record: Path) -> None:
    (record.parent / "none.json").write_text(text)
    done = command("verify", "none.json", "ada", cwd=record.parent)
    assert done.returncode == 2
    assert "none.json" in done.stderr
    assert "Traceback" not in done.stderr


# Where nothing can be forked


def test_a_spawned_interpreter_gives_the_same_verdicts(tmp_path: Path) -> None:
    from labkit.grade.children import Spawner
    from labkit.grade.judging import grade_notebook
    from labkit.grade.sandbox import Limits

    write(
        tmp_path / "mine.ipynb",
        exercise_cell("2.1", RIGHT["2.1"]),
        code("import os; os._exit(4)"),
        exercise_cell("4.4", RIGHT["4.4"]),
        exercise_cell("3.4", "async def gather_settled(worker, tasks):\n    while True: pass"),
    )
    limits = Limits(run=1.0)
    [submission] = find([tmp_path])
    spawner = Spawner()
    spawner.begin(limits, [])
    found = grade_notebook(submission, spawner, limits, "s", {}).as_json()
    assert {id: it for id, it in statuses(found).items() if it != "missing"} == {
        "2.1": "passed",
        "3.4": "failed",
        "4.4": "passed",
    }
    assert "exit status 4" in " ".join(found["problems"])
    assert "did not come back" in feedback(found, "3.4")
    assert not any(spawner.means.told().values()) or sys.platform != "win32"
    assert not psutil.Process().children()
