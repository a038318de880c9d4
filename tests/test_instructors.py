"""The page for instructors, as somebody follows it word for word."""

from __future__ import annotations

import re
from pathlib import Path

from nbformat.v4 import new_markdown_cell

from labkit.grade import Limits
from tests.grading import code, graded, write

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "instructors.md").read_text("utf-8")


def test_it_says_where_its_commands_are_before_the_first_section() -> None:
    head = PAGE[: PAGE.index("\n## ")]
    assert "source .venv/bin/activate" in head
    assert r".venv\Scripts\activate" in head


def test_the_recipe_for_nbgrader_stays_in_the_folder_it_goes_to() -> None:
    recipe = PAGE[PAGE.index("## nbgrader") : PAGE.index("## A JupyterHub")]
    assert "pip install nbgrader" in recipe
    commands = "\n".join(re.findall(r"```sh\n(.*?)```", recipe, re.DOTALL))
    before, after = commands.split("cd course\n")
    assert "--out course/" in before
    assert "course/" not in after
    assert "labkit grade submitted/" in after


def test_its_limits_are_those_of_the_code() -> None:
    limits = Limits()
    for what, seconds in (
        ("one cell", limits.cell),
        ("one run of a learner's function", limits.run),
        ("the check of one exercise", limits.exercise),
        ("one notebook in all, or what `--timeout` says", limits.notebook),
    ):
        assert f"| {what} | {seconds:g} s |" in PAGE


def test_cells_are_counted_as_it_says(tmp_path: Path) -> None:
    write(tmp_path / "mine.ipynb", new_markdown_cell("# Mine"), code("1"), code("1 / 0"))
    [notebook] = graded(tmp_path / "mine.ipynb")["notebooks"]
    assert any("cell 3 raised" in problem for problem in notebook["problems"])
    assert "Cells are counted from 1, and Markdown cells count" in PAGE
