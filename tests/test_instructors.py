"""The page for instructors, as somebody follows it word for word."""

from __future__ import annotations

import re
from pathlib import Path

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
