"""The workflows are what GitHub reads, and the one that runs learners' code gives it nothing."""

from __future__ import annotations

import os
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


def test_all_are_there() -> None:
    assert {path.stem for path in WORKFLOWS} >= {"grade", "newest", "test"}


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
    for name, job in workflow["jobs"].items():
        # One may write an issue, and runs nothing of anybody's.
        writes = (path.stem, name) == ("newest", "report")
        assert job.get("permissions") == ({"issues": "write"} if writes else None)
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


def report_job() -> dict[str, Any]:
    job: dict[str, Any] = load(FOLDER / "newest.yml")["jobs"]["report"]
    return job


def test_the_job_that_writes_the_issue_runs_no_code_of_others() -> None:
    job = report_job()
    assert job["needs"] == "course"
    assert job["if"] == "failure()"
    assert [step["uses"] for step in job["steps"] if "uses" in step] == [
        "actions/download-artifact@v4"
    ]
    [script] = [step["run"] for step in job["steps"] if "run" in step]
    assert "${{" not in script
    assert not any(word in script for word in ("pip", "python", "pytest", "eval"))


def test_the_newest_versions_are_run_weekly_and_not_those_of_the_lock() -> None:
    workflow = load(FOLDER / "newest.yml")
    # YAML reads the key `on` as true.
    [schedule] = workflow[True]["schedule"]
    *_, month, weekday = schedule["cron"].split()
    assert month == "*"
    assert weekday.isdigit()
    steps = workflow["jobs"]["course"]["steps"]
    commands = "\n".join(step.get("run", "") for step in steps)
    assert "--upgrade-strategy eager" in commands
    # With a pipe, GitHub's own default would take the exit status of `tee`.
    assert all(step.get("shell") == "bash" for step in steps if "| tee" in step.get("run", ""))
    assert "uv" not in commands
    assert "requirements" not in commands


@pytest.mark.parametrize("open_issue", ["", "17"])
def test_a_failed_run_opens_one_issue_and_brings_it_up_to_date(
    tmp_path: Path, open_issue: str
) -> None:
    """The script, run with a stand-in for GitHub's command that notes how it is called."""
    gh = tmp_path / "gh"
    gh.write_text(
        "#!/bin/sh\n"
        'echo "$*" >> calls.txt\n'
        f'if [ "$1 $2" = "issue list" ]; then echo "{open_issue}"; fi\n'
    )
    gh.chmod(0o755)
    report = "x" * 40_000 + "\ncell 7 shows 5 calls\n```\n@ada /close\n"
    (tmp_path / "report.txt").write_text(report)
    (tmp_path / "versions.txt").write_text("anthropic==2.14.0\n")
    [script] = [step["run"] for step in report_job()["steps"] if "run" in step]
    subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "RUN": "https://example.org/runs/1"},
        check=True,
    )
    calls = (tmp_path / "calls.txt").read_text().splitlines()
    written = [call for call in calls if call.startswith(("issue create", "issue edit"))]
    if open_issue:
        assert written == ["issue edit 17 --body-file issue.md"]
    else:
        [made] = written
        assert "--body-file issue.md" in made
    body = (tmp_path / "issue.md").read_text()
    assert len(body) < 65_536
    assert "https://example.org/runs/1" in body
    assert "    cell 7 shows 5 calls\n    ```\n    @ada /close\n" in body
    assert "    anthropic==2.14.0\n" in body
