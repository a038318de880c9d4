"""Virtual environments that are made from nothing, to see what an installation brings."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

UV = (sys.executable, "-m", "uv")

PRIVATE = ("ANTHROPIC_", "COVERAGE", "JUPYTER", "LABKIT_", "PYTEST_", "PYTHON", "VIRTUAL_ENV")
"""What the variables begin with that belong to whoever makes the environment, not to it."""


class Failed(RuntimeError):
    """A command that failed; the message is what it printed."""


def bare_environment(**more: str) -> dict[str, str]:
    """This process's variables, less those that would change what is seen in another environment.

    Args:
        more: Variables to add.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PRIVATE)}
    return {**kept, **more}


def call(
    *command: str | Path, folder: Path = ROOT, environment: Mapping[str, str] | None = None
) -> str:
    """Run a command to its end.

    Args:
        command: The program and its arguments.
        folder: Its working directory.
        environment: Its variables; by default the bare ones.

    Returns:
        What it printed to standard output.

    Raises:
        Failed: When its exit status is not 0.
    """
    done = subprocess.run(
        command,
        cwd=folder,
        env=bare_environment() if environment is None else environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        told = (done.stdout + done.stderr)[-4_000:]
        raise Failed(f"{' '.join(map(str, command))}\nended with {done.returncode}:\n{told}")
    return done.stdout


@cache
def find_python(version: str) -> Path | None:
    """The interpreter of a version such as ``"3.12"``; None where there is none with ``venv``."""
    for candidate in _candidates(version):
        # A name on PATH may be a shim for a version that is not there: run it before believing it.
        ask = "import sys, venv; print('%d.%d' % sys.version_info[:2], sys.executable)"
        try:
            told, _, path = call(candidate, "-c", ask, folder=Path("/")).strip().partition(" ")
        except (OSError, Failed):
            continue
        if told == version:
            return Path(path)
    return None


def _candidates(version: str) -> Iterator[str]:
    yield f"python{version}"
    for path in sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python")):
        yield str(path)
    yield getattr(sys, "_base_executable", sys.executable)


def make(folder: Path, python: Path, *, pip: bool = False) -> Path:
    """Make an empty virtual environment.

    Args:
        folder: Where.
        python: The interpreter it is made from.
        pip: Put pip into it.

    Returns:
        Its own interpreter.
    """
    seed = ["--seed"] if pip else []
    call(*UV, "venv", "--quiet", *seed, "--python", python, folder)
    return folder / "bin" / "python"


def install(python: Path, *what: str | Path, compiled: bool = False) -> None:
    """Install into the environment of an interpreter.

    Args:
        python: The environment's interpreter.
        what: What ``uv pip install`` takes.
        compiled: Compile the bytecode too, as pip does.
    """
    compile = ["--compile-bytecode"] if compiled else []
    call(*UV, "pip", "install", "--quiet", *compile, "--python", python, *what)


def copy_of_the_repository(folder: Path) -> Path:
    """Copy what a fresh clone would hold, changes that are not committed included.

    Args:
        folder: Where to; it is made.

    Returns:
        The folder.
    """
    listed = call("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def megabytes(folder: Path) -> float:
    """What the files under a folder hold, in megabytes (10⁶ bytes); links are not followed."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files) / 1e6
