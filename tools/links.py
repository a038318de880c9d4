"""Where the course can be opened, by the one name of its repository in ``pyproject.toml``.

``python tools/notebooks.py link`` carries these links into the README and the notebooks.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROJECT = ROOT / "pyproject.toml"
README = ROOT / "README.md"

FIRST = "notebooks/00_start_here.ipynb"

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+")
ADDRESS = re.compile(r'(?m)^(Repository = "https://github\.com/)([^"]*)(")$')
BADGE = re.compile(r"\[!\[Open in Binder\]\([^)]*\)\]\([^)]*\)")


def repository(project: Path | None = None) -> str:
    """The owner and the name of the repository on GitHub, as ``OWNER/NAME``.

    Args:
        project: The file that says it; by default the course's.

    Raises:
        ValueError: When the project names none.
    """
    project = PROJECT if project is None else project
    urls = tomllib.loads(project.read_text(encoding="utf-8"))["project"].get("urls", {})
    address = str(urls.get("Repository", ""))
    name = address.removeprefix("https://github.com/")
    if name == address or not NAME.fullmatch(name):
        raise ValueError(
            f"{project.name} should name the repository in [project.urls], as"
            f' Repository = "https://github.com/OWNER/NAME"; it says {address!r}'
        )
    return name


def rename(name: str, project: Path = PROJECT) -> None:
    """Put another repository into the project.

    Args:
        name: Its owner and name, as ``OWNER/NAME``.
        project: The file that says it.

    Raises:
        ValueError: When that is no name of a repository, or the project has no place for it.
    """
    if not NAME.fullmatch(name):
        raise ValueError(f"a repository is named OWNER/NAME, such as ada/labkit; not {name!r}")
    text, count = ADDRESS.subn(rf"\g<1>{name}\g<3>", project.read_text(encoding="utf-8"))
    if count != 1:
        raise ValueError(f"{project.name} has no line `Repository = …` in [project.urls]")
    project.write_text(text, encoding="utf-8")


def on_binder(file: str, name: str) -> str:
    """The address that opens a file of the repository in JupyterLab on mybinder.org.

    Args:
        file: Its path in the repository.
        name: The repository, as ``OWNER/NAME``.
    """
    return f"https://mybinder.org/v2/gh/{name}/HEAD?urlpath=lab/tree/{file}"


def on_this_machine(file: str) -> str:
    """The address of a file in the JupyterLab that the README's command starts.

    Args:
        file: Its path in the repository.
    """
    return f"http://localhost:8888/lab/tree/{file}"


def badge(name: str) -> str:
    """The README's badge for a repository named ``OWNER/NAME``."""
    return f"[![Open in Binder](https://mybinder.org/badge_logo.svg)]({on_binder(FIRST, name)})"


def with_badge(readme: str, name: str) -> str:
    """A README whose badge leads to a repository.

    Args:
        readme: The text.
        name: The repository, as ``OWNER/NAME``.

    Raises:
        ValueError: When the text has not exactly one badge.
    """
    text, count = BADGE.subn(lambda _: badge(name), readme)
    if count != 1:
        raise ValueError(f"the README should have one badge of Binder, and has {count}")
    return text
