"""The report as JUnit XML, which most CI systems show."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from ..result import ExerciseResult, NotebookResult, Report
from .common import ABSENT, clean, told


def write(report: Report) -> str:
    """Write a report: a test suite for each notebook, a test case for each exercise."""
    absent = [NotebookResult(name, name, problems=[f"{ABSENT}."]) for name in report.absent]
    suites = [_suite(notebook) for notebook in [*report.notebooks, *absent]]
    root = ET.Element("testsuites", name="labkit grade", time=f"{report.seconds:.3f}")
    for count in ("tests", "failures", "errors", "skipped"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in suites)))
    root.extend(suites)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(notebook: NotebookResult) -> ET.Element:
    cases = [_case(notebook, exercise) for exercise in notebook.exercises]
    unread = not notebook.exercises
    if unread:
        case = ET.Element("testcase", classname=clean(notebook.path), name="notebook", time="0")
        ET.SubElement(case, "error", message=clean(" ".join(notebook.problems)))
        cases.append(case)
    suite = ET.Element(
        "testsuite",
        name=clean(notebook.path),
        tests=str(len(cases)),
        failures=str(sum(case.find("failure") is not None for case in cases)),
        errors=str(sum(case.find("error") is not None for case in cases)),
        skipped=str(sum(case.find("skipped") is not None for case in cases)),
        time=f"{notebook.seconds:.3f}",
    )
    suite.extend(cases)
    if notebook.problems and not unread:
        ET.SubElement(suite, "system-out").text = clean("\n".join(notebook.problems))
    return suite


def _case(notebook: NotebookResult, exercise: ExerciseResult) -> ET.Element:
    case = ET.Element(
        "testcase",
        classname=clean(notebook.path),
        name=f"{exercise.id} {exercise.name}",
        time=f"{exercise.seconds:.3f}",
    )
    feedback = told(exercise)
    if exercise.status == "not attempted":
        ET.SubElement(case, "skipped", message="not attempted")
    elif exercise.status == "not graded":
        ET.SubElement(case, "error", message="not graded").text = feedback
    elif not exercise.passed:
        first = feedback.split("\n")[0] or exercise.status
        ET.SubElement(case, "failure", message=first).text = feedback
    elif feedback:
        ET.SubElement(case, "system-out").text = feedback
    return case
