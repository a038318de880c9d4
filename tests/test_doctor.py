"""`labkit doctor` finds each fault of an installation, says what to do, and tells no secret."""

from __future__ import annotations

import importlib.util
import json
import platform
import shutil
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from labkit import doctor
from labkit.__main__ import main
from labkit.doctor import FINE, NOTE, WRONG, Finding
from labkit.grade.sandbox import Means

KEY = "sk-ant-not-a-real-key-7f3a"


@pytest.fixture(autouse=True)
def learner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a learner's course, whose installation is sound."""
    (tmp_path / "notebooks").mkdir()
    for name in ("LABKIT_LIVE", "LABKIT_PROGRESS", *doctor.KEYS):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(doctor, "probe", lambda: Means(True, True, True, True))
    sdk = tmp_path / "site" / "anthropic"
    sdk.mkdir(parents=True)
    (sdk / "__init__.py").touch()
    compiled(sdk)
    find = importlib.util.find_spec
    found = {"anthropic": SimpleNamespace(origin=str(sdk / "__init__.py"))}
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: found.get(name) or find(name))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "0")
    return tmp_path


def compiled(package: Path) -> None:
    for file in package.rglob("*.py"):
        cache = Path(importlib.util.cache_from_source(str(file)))
        cache.parent.mkdir(exist_ok=True)
        cache.touch()


def versions(monkeypatch: pytest.MonkeyPatch, **installed: str | None) -> None:
    """Have some packages installed in other versions, or not at all."""
    real = metadata.version

    def version(name: str) -> str:
        told = installed.get(name, real(name) if name not in installed else None)
        if told is None:
            raise metadata.PackageNotFoundError(name)
        return told

    monkeypatch.setattr(metadata, "version", version)


def kernel_spec(learner: Path, *argv: str) -> None:
    folder = learner / "jupyter" / "kernels" / "python3"
    folder.mkdir(parents=True)
    spec = {"argv": [*argv, "-m", "ipykernel_launcher"], "display_name": "x", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(spec))


def wrong(learner: Path) -> Finding:
    """The one thing that is wrong."""
    [found] = [it for it in doctor.examine(learner) if it.mark == WRONG]
    return found


def test_a_sound_installation_has_nothing_wrong_and_exits_with_0(
    learner: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", str(learner)]) == 0
    told = capsys.readouterr().out
    assert "\nNothing is wrong.\n" in told
    assert f"✓ Python {platform.python_version()} is one that the course supports." in told
    assert "in versions that fit" in told
    assert WRONG not in told
    assert len(list(learner.rglob("*"))) == 6, "it has written something"


def test_what_is_wrong_is_counted_and_exits_with_1(
    learner: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    versions(monkeypatch, matplotlib=None, nbclient="0.1")
    assert main(["doctor", str(learner)]) == 1
    assert "\n2 things to mend.\n" in capsys.readouterr().out


def test_a_folder_that_is_not_there_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "no/such/folder"]) == 2
    assert "there is no folder no/such/folder" in capsys.readouterr().err


def test_a_python_that_is_too_old_is_told(learner: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "python_version", lambda: "3.9.18")
    found = wrong(learner)
    assert found.what == "Python 3.9.18 is none that the course supports: it needs >=3.11, <3.14."
    assert "virtual environment" in found.do


def test_a_missing_dependency_is_told_with_how_to_install_it(
    learner: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions(monkeypatch, matplotlib=None)
    found = wrong(learner)
    assert found.what == "matplotlib is not installed."
    assert found.do.startswith("Install it: ")
    assert "'matplotlib>=" in found.do


def test_a_version_that_does_not_fit_is_told_with_the_one_that_does(
    learner: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions(monkeypatch, anthropic="1.0")
    found = wrong(learner)
    assert found.what.startswith("anthropic 1.0 is installed; the course needs >=2.")
    assert "'anthropic>=2." in found.do


@pytest.mark.parametrize("version", ["7.0.1", "7.3.0"])
def test_the_ipykernel_that_breaks_widgets_is_told_with_what_it_does(
    learner: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    versions(monkeypatch, ipykernel=version)
    found = wrong(learner)
    assert f"ipykernel {version} runs the buttons" in found.what
    assert "'ipykernel>=7.4,<8'" in found.do


def test_the_way_to_install_is_one_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert doctor._pip().startswith("uv pip install --python ")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: object())
    assert doctor._pip().endswith(" -m pip install")


def test_a_course_that_is_not_installed_is_told_first_and_alone(
    learner: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions(monkeypatch, labkit=None)
    [found] = doctor.examine(learner)
    assert found.mark == WRONG
    assert "only its folder is at hand" in found.what
    assert " -e " in found.do


def test_a_kernel_of_another_python_is_told(learner: Path) -> None:
    other = learner / "other" / "bin" / "python"
    other.parent.mkdir(parents=True)
    # As in a virtual environment: a link to the very same interpreter.
    other.symlink_to(sys.executable)
    kernel_spec(learner, str(other))
    found = wrong(learner)
    assert found.what.startswith(f"The kernel 'python3' is {other}, but labkit is installed in")
    assert str(learner / "jupyter" / "kernels" / "python3" / "kernel.json") in found.what
    assert "-m ipykernel install --" in found.do


def test_a_kernel_whose_python_is_gone_is_told(learner: Path) -> None:
    kernel_spec(learner, "/nowhere/bin/python")
    assert "is /nowhere/bin/python, which is not there, but" in wrong(learner).what


@pytest.mark.parametrize("program", [sys.executable, "python", "python3"])
def test_a_kernel_of_this_python_is_fine(learner: Path, program: str) -> None:
    kernel_spec(learner, program)
    [found] = doctor.kernel(learner)
    assert found.mark == FINE


def test_no_kernel_at_all_is_told(learner: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "KERNEL", "python-of-nobody")
    assert "knows no kernel 'python-of-nobody'" in wrong(learner).what


def test_a_jupyterlab_without_its_half_of_widgets_is_told(
    learner: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "WIDGETS", Path("labextensions", "gone", "package.json"))
    found = wrong(learner)
    assert "lacks its extension for widgets" in found.what
    assert "jupyterlab_widgets" in found.do


def test_missing_bytecode_is_noted_and_is_wrong_where_it_stays_missing(
    learner: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(learner / "site" / "anthropic" / "__pycache__")
    [found] = doctor.bytecode(learner)
    assert found.mark == NOTE
    assert "1 of the SDK's 1 files are not compiled: its first import" in found.what
    assert f"-m compileall -q {learner / 'site' / 'anthropic'}" in found.do
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert "every import takes some ten seconds, since PYTHONDONT" in wrong(learner).what
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(doctor, "_trouble_in", lambda _folder: "Read-only file system")
    [found] = doctor.bytecode(learner)
    assert found.mark == WRONG
    assert "(Read-only file system)" in found.what


@pytest.mark.parametrize(
    "name",
    ["anthropic.py", "asyncio.py", "notebooks/random.py", "labkit/__init__.py",
     "notebooks/labkit/__init__.py"],
)  # fmt: skip
def test_a_file_that_hides_a_module_is_told(learner: Path, name: str) -> None:
    file = learner / name
    file.parent.mkdir(exist_ok=True)
    file.touch()
    path = file.parent if file.name == "__init__.py" else file
    found = wrong(learner)
    assert found.what.startswith(f"{path} hides the module {path.stem!r}")
    assert "Rename it" in found.do


def test_the_course_itself_hides_nothing() -> None:
    [found] = doctor.shadows(doctor.PACKAGE.parent)
    assert found.mark == FINE


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "cannot be read"),
        ('{"labkit_progress": 99}', "later labkit"),
        (None, "cannot be read"),
    ],
)
def test_a_progress_file_that_cannot_be_read_is_told(
    learner: Path, text: str | None, told: str
) -> None:
    file = learner / "notebooks" / ".labkit" / "progress.json"
    file.parent.mkdir()
    if text is None:
        file.mkdir()
    else:
        file.write_text(text)
    found = wrong(learner)
    assert str(file) in found.what
    assert told in found.what
    assert "Move that file away" in found.do


def test_progress_that_cannot_be_written_is_told(learner: Path) -> None:
    # Whoever is root may write into any folder; into a file nobody can.
    (learner / "notebooks" / ".labkit").touch()
    found = wrong(learner)
    assert f"{learner / 'notebooks' / '.labkit'}" in found.what
    assert found.do


def test_progress_in_memory_is_noted(learner: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABKIT_PROGRESS", "off")
    [found] = doctor.progress(learner)
    assert (found.mark, "memory" in found.what) == (NOTE, True)


def test_the_file_that_the_setting_names_is_the_one_looked_at(
    learner: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABKIT_PROGRESS", str(learner / "mine.json"))
    [found] = doctor.progress(learner)
    assert found == Finding(FINE, f"Progress will be kept in {learner / 'mine.json'}.")


def test_a_missing_cluster_is_noted_and_an_old_one_is_wrong(
    learner: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions(monkeypatch, dask=None)
    [found] = doctor.cluster(learner)
    assert found.mark == NOTE
    assert "lesson 08 skips" in found.what
    assert "'dask[distributed]>=" in found.do
    versions(monkeypatch, dask="2020.1")
    assert "dask 2020.1 is installed; the course needs" in wrong(learner).what


@pytest.mark.parametrize("name", doctor.KEYS)
def test_that_a_key_is_set_is_told_and_never_the_key(
    learner: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    assert "No key is set" in next(doctor.live(learner)).what
    monkeypatch.setenv(name, KEY)
    assert main(["doctor", str(learner)]) == 0
    told = capsys.readouterr()
    assert f"○ {name} is set" in told.out
    assert not any(part in told.out + told.err for part in (KEY, KEY[-4:]))


@pytest.mark.parametrize(
    ("setting", "key", "told"),
    [
        ("1", None, "LABKIT_LIVE needs a key and none is set"),
        ("perhaps", None, "LABKIT_LIVE is 1 for the real API or 0 for the script"),
        ("0", f"{KEY}\n", "holds a space, a line break"),
    ],
)
def test_a_live_session_that_cannot_begin_is_told(
    learner: Path, monkeypatch: pytest.MonkeyPatch, setting: str, key: str | None, told: str
) -> None:
    monkeypatch.setenv("LABKIT_LIVE", setting)
    if key is not None:
        monkeypatch.setenv(doctor.KEYS[0], key)
    found = wrong(learner)
    assert told in found.what
    assert KEY not in str(found)


def test_a_live_session_is_noted(learner: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABKIT_LIVE", "1")
    monkeypatch.setenv(doctor.KEYS[0], KEY)
    [found] = doctor.live(learner)
    assert found.mark == NOTE
    assert "paid for with ANTHROPIC_API_KEY." in found.what


def test_what_a_grader_lacks_is_noted(learner: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [found] = doctor.sandbox(learner)
    assert found.mark == FINE
    monkeypatch.setattr(doctor, "probe", lambda: Means(files=True))
    [found] = doctor.sandbox(learner)
    assert found.mark == NOTE
    assert "It lacks: no network, no other processes, processes counted." in found.what
    assert "as root" in found.do


def test_what_cannot_be_examined_does_not_keep_the_rest_from_being_told(
    learner: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As where Jupyter is not installed.
    monkeypatch.setitem(sys.modules, "jupyter_client.kernelspec", None)
    found = doctor.examine(learner)
    assert "The kernel could not be examined: ModuleNotFoundError" in wrong(learner).what
    assert found[-1].what.startswith("`labkit grade`")
