"""What Binder builds: pinned, no more than is needed, and open at the first lesson in seconds."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.browser import CHROMIUM, chromium, opened_as_on_binder, solve_the_first_exercise
from tools import binder
from tools.environments import call, find_python

ROOT = binder.ROOT
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def pins() -> dict[str, str]:
    """Each pinned package of Binder's Python on Linux, with its version."""
    held = {}
    for line in binder.REQUIREMENTS.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith(("#", "-")):
            wanted = Requirement(line)
            here = {"python_version": "3.12", "python_full_version": "3.12.0"}
            if wanted.marker is None or wanted.marker.evaluate({**here, "sys_platform": "linux"}):
                [exactly] = wanted.specifier
                assert exactly.operator == "==", line
                held[canonicalize_name(wanted.name)] = exactly.version
    return held


def test_its_versions_agree_with_the_lock_and_the_lock_with_the_project() -> None:
    faults = binder.disagreements()
    assert not faults, "\n".join(faults)


def test_a_version_that_disagrees_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = binder.REQUIREMENTS.read_text(encoding="utf-8")
    other = tmp_path / "requirements.txt"
    other.write_text(re.sub(r"(?m)^anthropic==.*$", "anthropic==1.0", text), encoding="utf-8")
    monkeypatch.setattr(binder, "REQUIREMENTS", other)
    [fault] = binder.disagreements()
    assert "tools/binder.py pin" in fault


def test_its_versions_are_what_the_project_allows() -> None:
    project = PROJECT["project"]
    held = pins()
    for line in [*project["dependencies"], *project["optional-dependencies"]["cluster"]]:
        wanted = Requirement(line)
        assert held[canonicalize_name(wanted.name)] in wanted.specifier


def test_it_brings_no_test_tool() -> None:
    wanted = [Requirement(it) for it in PROJECT["project"]["optional-dependencies"]["test"]]
    # Dask has these two besides.
    tools = {canonicalize_name(it.name) for it in wanted} - {"labkit", "jsonschema", "psutil"}
    assert len(tools) >= 8
    assert not tools & set(pins())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> binder.Built:
    """The course, built as Binder would build it."""
    if find_python("3.12") is None:
        pytest.skip("Python 3.12, on which Binder builds, is not here")
    return binder.build(tmp_path_factory.mktemp("binder"))


@pytest.mark.long
def test_repo2docker_reads_the_configuration_as_it_is_meant(built: binder.Built) -> None:
    told = built.steps
    assert told.buildpack == "PythonBuildPack"
    assert told.python == "3.12"
    [install] = told.assemble
    assert '-r "binder/requirements.txt"' in install
    assert told.post_build == ("binder/postBuild",)
    assert told.start == "${REPO_DIR}/binder/start"
    # Its own command line says the same, as a Dockerfile.
    python = built.prefix.parent / "repo2docker" / "bin" / "python"
    command = (python, "-m", "repo2docker", "--no-build", "--debug", ".")
    printed = call("bash", "-c", f"{' '.join(map(str, command))} 2>&1", folder=built.repository)
    assert "RUN ${KERNEL_PYTHON_PREFIX}/bin/pip install --no-cache-dir -r" in printed
    assert "RUN ./binder/postBuild" in printed
    assert "environment-2epy-2d3-2e12-2dlinux" in printed


@pytest.mark.long
def test_what_it_builds_fits_together_and_is_what_is_pinned(built: binder.Built) -> None:
    python = built.prefix / "bin" / "python"
    call(python, "-m", "pip", "check")
    installed = {
        canonicalize_name(it["name"]): it["version"]
        for it in json.loads(call(python, "-m", "pip", "list", "--format=json"))
    }
    wanted = pins()
    assert {name: installed.get(name) for name in wanted} == wanted
    assert "labkit" in installed
    doctor = (built.prefix / "bin" / "labkit", "doctor")
    told = call(*doctor, folder=built.repository, environment=built.environment)
    assert "Nothing is wrong." in told


@pytest.mark.long
def test_its_bytecode_is_compiled(built: binder.Built) -> None:
    folder = built.prefix / "lib" / "python3.12" / "site-packages"
    packages = [folder / name for name in ("anthropic", "pydantic", "matplotlib", "ipywidgets")]
    for package in [*packages, built.repository / "labkit"]:
        files = list(package.rglob("*.py"))
        assert files
        missing = [
            str(file)
            for file in files
            if not (file.parent / "__pycache__" / f"{file.stem}.cpython-312.pyc").exists()
        ]
        assert not missing


@pytest.mark.long
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_the_badge_opens_the_first_lesson_and_an_exercise_turns_green(built: binder.Built) -> None:
    with chromium() as browser, opened_as_on_binder(built, browser) as page:
        assert page.url.split("?")[0].endswith(binder.FIRST_LESSON)
        solve_the_first_exercise(page)
        settings = json.loads(page.locator("#jupyter-config-data").inner_text())
    # What jupyter_lab_config.py says, which the server's command does not name.
    assert settings["news"] == {"disabled": True}
