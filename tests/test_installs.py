"""The wheel and the sdist hold the whole package, and it works wherever it is installed."""

from __future__ import annotations

import json
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from labkit import __version__
from tools.environments import ROOT, UV, call, copy_of_the_repository, find_python, install, make

pytestmark = pytest.mark.long

PYTHONS = ("3.11", "3.12", "3.13")

TRIAL = """
import json
from importlib.resources import files
import labkit
from labkit import check, connect, record, run, timeline
from labkit.checks import exercises
from labkit.grade.shipped import lessons
from labkit.patterns import ask
from labkit.questions import lessons as questions
from labkit.scripts.support import MAIL

for name in labkit.__all__:
    getattr(labkit, name)
assert len(MAIL) == 40
assert check("2.1", exercises["2.1"].reference).passed
with record() as trace:
    run(ask(connect(), "hello"))
assert timeline(trace)._repr_mimebundle_()[0]["image/png"]
print(json.dumps({
    "where": labkit.__file__,
    "shipped": [lesson.name for lesson in lessons()],
    "questions": sorted(questions()),
    "schema": files("labkit.grade").joinpath("report.schema.json").is_file(),
    "typed": files("labkit").joinpath("py.typed").is_file(),
}))
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The sdist, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("built")
    repository = copy_of_the_repository(folder / "repository")
    call(*UV, "build", "--quiet", "--out-dir", folder / "dist", folder=repository)
    [sdist] = (folder / "dist").glob("*.tar.gz")
    [wheel] = (folder / "dist").glob("*.whl")
    return sdist, wheel


def package_files() -> set[str]:
    listed = call("git", "ls-files", "--cached", "--others", "--exclude-standard", "labkit")
    return {name for name in listed.splitlines() if (ROOT / name).exists()}


def test_the_wheel_holds_the_package_and_nothing_else(built: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(built[1]) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert names == package_files()


def test_the_sdist_holds_the_course_and_nothing_of_its_keeping(built: tuple[Path, Path]) -> None:
    with tarfile.open(built[0]) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert names >= package_files()
    assert names >= {"LICENSE", "README.md", "notebooks/00_start_here.ipynb", "tests/conftest.py"}
    assert not any(name.startswith((".ci/", ".github/", "uv.lock")) for name in names)


def use(python: Path, folder: Path) -> None:
    """Use the package that is installed for a Python as its learners do, far from the checkout."""
    told = json.loads(call(python, "-c", TRIAL, folder=folder))
    assert not Path(told["where"]).is_relative_to(ROOT)
    stems = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
    assert told["shipped"] == stems
    assert told["questions"] == [stem.partition("_")[0] for stem in stems]
    assert told["schema"]
    assert told["typed"]
    command = python.parent / "labkit"
    assert call(command, "--version", folder=folder) == f"labkit {__version__}\n"
    assert "Nothing is wrong." in call(command, "doctor", folder=folder)


@pytest.mark.parametrize("version", PYTHONS)
def test_the_wheel_works_in_an_empty_environment(
    built: tuple[Path, Path], tmp_path: Path, version: str
) -> None:
    interpreter = find_python(version)
    if interpreter is None:
        pytest.skip(f"Python {version} is not here")
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    python = make(tmp_path / "environment", interpreter)
    install(python, built[1])
    use(python, folder)
    if version == PYTHONS[-1]:
        # What it needs is there already: the package alone comes from the sdist now.
        install(python, "--no-deps", "--reinstall", built[0])
        use(python, folder)
        solved = folder / "00_start_here.ipynb"
        shutil.copy(ROOT / "notebooks" / "solutions" / solved.name, solved)
        call(python.parent / "labkit", "grade", solved, "--require", "100", folder=folder)
    shutil.rmtree(tmp_path / "environment")
