"""The workflows are what GitHub reads, and the one that runs learners' code gives it nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).resolve().parent.parent / ".github" / "workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))


def load(path: Path) -> dict[Any, Any]:
    loaded: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


def schema_check(*files: Path) -> subprocess.CompletedProcess[str]:
    """Hold files against the schema of workflows that check-jsonschema carries."""
    command = [sys.executable, "-m", "check_jsonschema"]
    options = ["--builtin-schema", "vendor.github-workflows"]
    return subprocess.run([*command, *options, *files], capture_output=True, text=True)


def test_there_are_both() -> None:
    assert {path.stem for path in WORKFLOWS} >= {"grade", "test"}


def test_every_workflow_keeps_githubs_schema() -> None:
    done = schema_check(*WORKFLOWS)
    assert done.returncode == 0, done.stdout


def test_the_schema_finds_a_fault(tmp_path: Path) -> None:
    broken = tmp_path / "grade.yml"
    text = (FOLDER / "grade.yml").read_text(encoding="utf-8")
    broken.write_text(text.replace("runs-on:", "runs-in:"), encoding="utf-8")
    assert schema_check(broken).returncode != 0


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_no_workflow_has_more_than_a_token_that_reads(path: Path) -> None:
    workflow = load(path)
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert "permissions" not in job
        for step in job["steps"]:
            if str(step.get("uses", "")).startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


def test_the_job_that_runs_learners_code_has_no_secret() -> None:
    text = (FOLDER / "grade.yml").read_text(encoding="utf-8")
    assert "secrets." not in text
    assert "github.token" not in text
    assert "pull_request_target" not in text
    assert "workflow_run" not in text


def test_nothing_of_the_fork_is_installed_or_put_into_a_command() -> None:
    [job] = load(FOLDER / "grade.yml")["jobs"].values()
    for step in job["steps"]:
        command = step.get("run", "")
        assert "${{" not in command, "what a fork can choose may not become a part of a script"
        if "install" in command:
            assert "submission" not in command
            assert " -e" not in command
        if "labkit" in command and "grade" in command and "install" not in command:
            assert step["working-directory"] != "submission"
