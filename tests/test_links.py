"""Who publishes the course says so in one place, and every link that depends on it follows."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools import links, notebooks

PROJECT = '[project]\nname = "x"\n\n[project.urls]\nRepository = "https://github.com/ada/course"\n'
ADDRESS = re.compile(r"mybinder\.org/v2/gh/([\w.-]+/[\w.-]+)/")


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small course of two lessons, published as ``ada/course``."""
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "README.md").write_text(f"# x\n\n{links.badge('a/b')}\n")
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for name, heading in (("00_one", "# 00 · One"), ("01_two", "# 01 · Two")):
        cells = [new_markdown_cell(heading, id="title"), new_code_cell("1 + 1", id="sum")]
        notebook = new_notebook(cells=cells)
        (folder / f"{name}.ipynb").write_text(notebooks.dumps(notebook))
    monkeypatch.setattr(links, "PROJECT", tmp_path / "pyproject.toml")
    return folder


def first_line(path: Path) -> str:
    cell = notebooks.read(path).cells[0]
    assert cell.id == notebooks.LINKS
    return str(cell.source)


def test_the_readme_and_every_notebook_name_the_projects_repository() -> None:
    name = links.repository()
    readme = links.README.read_text(encoding="utf-8")
    assert links.with_badge(readme, name) == readme
    files = [*notebooks.shipped_paths(), *(notebooks.NOTEBOOKS / "solutions").glob("*.ipynb")]
    texts = {"README": readme} | {str(path): path.read_text(encoding="utf-8") for path in files}
    for file, text in texts.items():
        assert ADDRESS.findall(text) == [name], file


def test_the_badge_opens_what_the_courses_settings_open() -> None:
    settings = (links.ROOT / "jupyter_lab_config.py").read_text(encoding="utf-8")
    assert f'c.LabApp.default_url = "/lab/tree/{links.FIRST}"' in settings


def test_every_notebook_can_be_opened_where_it_stands() -> None:
    for path in notebooks.shipped_paths():
        for file in (path, notebooks.solved_path(path)):
            places = re.findall(r"lab/tree/([\w./-]+)\)", first_line(file))
            assert places == [file.relative_to(notebooks.ROOT).as_posix()] * 2


def test_lessons_lead_to_each_other(published: Path) -> None:
    one, two = sorted(published.glob("*.ipynb"))
    for path in (one, two):
        notebooks.link(path, {})
    assert "[Two →](01_two.ipynb)" in first_line(one)
    assert "←" not in first_line(one)
    assert "[← One](00_one.ipynb)" in first_line(two)
    assert "→" not in first_line(two)


def test_links_are_written_without_running_anything_and_stay(published: Path) -> None:
    path = published / "00_one.ipynb"
    shutil.copytree(published, published / "solutions")
    before = notebooks.code_cells(notebooks.read(path))
    copied = notebooks.solved_path(path)
    assert notebooks.link(path, {}) == [path, copied]
    assert notebooks.code_cells(notebooks.read(path)) == before
    assert "gh/ada/course/HEAD?urlpath=lab/tree/notebooks/00_one.ipynb" in first_line(path)
    assert first_line(copied).count("lab/tree/notebooks/solutions/00_one.ipynb") == 2
    assert notebooks.link(path, {}) == []


def test_a_notebook_with_other_links_is_named(published: Path) -> None:
    path = published / "00_one.ipynb"
    notebooks.link(path, {})
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("ada/course", "eve/course"), encoding="utf-8")
    assert any("does not begin with its links" in fault for fault in notebooks.check(path, {}))


def test_another_publisher_is_said_once(published: Path) -> None:
    project = published.parent / "pyproject.toml"
    readme = published.parent / "README.md"
    links.rename("grace-h/fleet.course", project)
    assert project.read_text() == PROJECT.replace("ada/course", "grace-h/fleet.course")
    notebooks.link_readme(readme)
    notebooks.link(published / "01_two.ipynb", {})
    assert "gh/grace-h/fleet.course/HEAD" in readme.read_text()
    assert "gh/grace-h/fleet.course/HEAD" in first_line(published / "01_two.ipynb")


@pytest.mark.parametrize(
    "name",
    ["course", "ada/", "/course", "a b/c", "ada/course/x", 'a/b"\nx', "https://github.com/a/b"],
)
def test_what_is_no_name_of_a_repository_is_refused(published: Path, name: str) -> None:
    project = published.parent / "pyproject.toml"
    with pytest.raises(ValueError, match="OWNER/NAME"):
        links.rename(name, project)
    assert project.read_text() == PROJECT


@pytest.mark.parametrize("text", ["", "[project]\n", PROJECT.replace("github.com", "example.org")])
def test_a_project_without_a_repository_says_where_it_goes(tmp_path: Path, text: str) -> None:
    project = tmp_path / "pyproject.toml"
    project.write_text(text or "[project]\n[project.urls]\n")
    with pytest.raises(ValueError, match=re.escape("[project.urls]")):
        links.repository(project)


def test_a_readme_without_its_badge_is_told() -> None:
    with pytest.raises(ValueError, match="one badge"):
        links.with_badge("# labkit\n", "ada/course")
