"""The service of lesson 07, its reviewers, and the conductor that is taken home."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from labkit import connect, patterns, run
from labkit.scripts.reviewers import _TASK, FAULTS, SECONDS, find_fault, reviewers
from tests.service import Answer, Seen, message, served
from tools import notebooks

ROOT = Path(__file__).resolve().parent.parent
SERVICE = ROOT / "notebooks" / "service"
FLEET = ROOT / "notebooks" / "fleet.py"
CAPSTONE = ROOT / "notebooks" / "07_capstone.ipynb"

MENDED = {
    "auth": ("digest_of(password, user.salt) == user.digest", "compare_digest(a, user.digest)"),
    "config": ("settings: dict[str, Any] = {}", "settings: dict[str, Any] | None = None"),
    "jobs": ("        asyncio.create_task(", "        self._task = asyncio.create_task("),
    "memory": ("lru_cache(maxsize=None)", "lru_cache(maxsize=10_000)"),
    "rate-limits": ("len(hits) > self.limit", "len(hits) >= self.limit"),
    "retries": ("except BaseException:", "except Exception:"),
    "schema": ("f\"SELECT id, cents FROM orders WHERE customer = '{customer}'", '"SELECT id'),
    "sessions": ("random.choices(ALPHABET, k=32)", "secrets.choice(ALPHABET)"),
    "telemetry": ("customer, token)", "customer)"),
    "webhooks": ("urlopen(request)", "urlopen(request, timeout=5.0)"),
}
"""Topic → the faulty text of its file, and one without the fault."""


def source(topic: str) -> tuple[str, str]:
    path = SERVICE / f"{topic.replace('-', '_')}.py"
    return path.name, path.read_text("utf-8")


def test_there_is_a_file_a_fault_and_a_time_for_each_topic() -> None:
    topics = {path.stem.replace("_", "-") for path in SERVICE.glob("*.py")}
    assert topics == set(FAULTS) == set(SECONDS) == set(MENDED)
    assert len(topics) == 10


@pytest.mark.parametrize("topic", FAULTS)
def test_the_planted_fault_is_found_in_its_line(topic: str) -> None:
    path, text = source(topic)
    finding = find_fault(topic, path, text)
    assert finding["claim"] == FAULTS[topic].claim
    assert patterns.verify_evidence(finding, {path: text}) is None
    faulty = text[: text.index(MENDED[topic][0].strip())].count("\n") + 1
    assert finding["evidence"] == f"{path}:{faulty}"


@pytest.mark.parametrize("topic", FAULTS)
def test_a_fault_is_planted_once(topic: str) -> None:
    _, text = source(topic)
    located = [n for n in ast.walk(ast.parse(text)) if FAULTS[topic].at(n) is not None]
    assert len(located) == 1


@pytest.mark.parametrize("topic", FAULTS)
def test_an_edit_of_the_file_changes_the_finding(topic: str, tmp_path: Path) -> None:
    path, text = source(topic)
    faulty, mended = MENDED[topic]
    assert text.count(faulty) == 1

    moved = find_fault(topic, path, f"# one line more\n{text}")
    before = find_fault(topic, path, text)
    line = int(before["evidence"].rpartition(":")[2])
    assert moved == {**before, "evidence": f"{path}:{line + 1}"}

    sound = find_fault(topic, path, text.replace(faulty, mended))
    assert sound["claim"] == f"holds nothing that the {topic} reviewer knows as a fault"
    assert sound["evidence"] == f"{path}:1"


@pytest.mark.parametrize("text", ["", "\n\n", "def f(:\n", "x = 1\n" * 3])
def test_any_text_gets_a_finding(text: str) -> None:
    finding = find_fault("auth", "a.py", text)
    assert finding.keys() == {"claim", "evidence", "quote"}
    stands = patterns.verify_evidence(finding, {"a.py": text}) is None
    assert stands == bool(text.strip())


def test_a_topic_that_is_not_known_is_reviewed_for_every_fault() -> None:
    finding = find_fault("misc", "misc.py", "import random\ntoken = random.choice('ab')\n")
    assert finding["evidence"] == "misc.py:2"
    assert finding["claim"] == FAULTS["sessions"].claim


def test_a_prompt_without_a_file_is_told_what_to_send() -> None:
    rules = reviewers()
    said = run(patterns.ask(connect(rules), 'Review auth. <file path="a.py">'))
    assert "<file path=" in said


def test_the_service_can_be_imported() -> None:
    """It reads like real code because it is: every file compiles and runs as a module."""
    names = ", ".join(sorted(path.stem for path in SERVICE.glob("*.py")))
    command = [sys.executable, "-B", "-c", f"import {names}"]
    subprocess.run(command, cwd=SERVICE, check=True, timeout=60)


# What is taken home


def cell_sources() -> list[str]:
    return [cell.source for cell in notebooks.code_cells(notebooks.read(CAPSTONE))]


def test_the_program_is_what_the_notebook_writes() -> None:
    functions: dict[str, str] = {}
    head, parts = "", []
    for text in cell_sources():
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                functions[node.name] = f"{ast.get_source_segment(text, node)}\n"
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                if node.targets[0].id == "HEAD":
                    head = ast.literal_eval(node.value)
                if node.targets[0].id == "PARTS" and isinstance(node.value, ast.List):
                    parts = [part.id for part in node.value.elts if isinstance(part, ast.Name)]
    end = 'if __name__ == "__main__":\n    main()\n'
    written = "\n\n".join([head, *(functions[name] for name in parts), end])
    assert FLEET.read_text("utf-8") == written


def program(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ANTHROPIC_", "LABKIT_"))}
    return subprocess.run(
        [sys.executable, "-B", str(FLEET), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env={**kept, **environment},
        check=False,
    )


def test_the_program_runs_on_the_scripted_model() -> None:
    done = program()
    assert (done.returncode, done.stderr) == (0, "")
    plan, report, caught = (part.splitlines() for part in done.stdout.strip().split("\n\n"))
    assert plan[0] == "PLAN"
    assert plan[1].startswith("10 specs: auth, config, ")
    assert report[0] == "FLEET REPORT"
    assert len(report) == 9
    assert caught[0] == "CAUGHT"
    assert sorted(line.rpartition(" -> ")[2] for line in caught[1:]) == [
        "mended", "mended", "rejected", "rejected",
    ]  # fmt: skip


def test_the_program_sees_an_edited_file(tmp_path: Path) -> None:
    _, text = source("auth")
    faulty, mended = MENDED["auth"]
    (tmp_path / "auth.py").write_text(text.replace(faulty, mended), "utf-8")
    (tmp_path / "config.py").write_text(source("config")[1], "utf-8")
    done = program(str(tmp_path))
    assert done.stdout.strip().split("\n\n")[1].splitlines() == [
        "FLEET REPORT",
        "- holds nothing that the auth reviewer knows as a fault [auth.py:1]",
        f"- {FAULTS['config'].claim} [config.py:22]",
    ]


KEY = "sk-ant-a-key-that-must-not-be-seen"


async def by_schema(seen: Seen, answer: Answer) -> None:
    """Review as a model would that is bound by the schema of the request, and knows only that."""
    asked = seen.json
    task = _TASK.search(asked["messages"][0]["content"])
    schema = asked["output_config"]["format"]["schema"]
    assert task is not None
    assert schema["additionalProperties"] is False
    finding = find_fault(task["topic"], task["path"], task["text"])
    bound = {name: finding[name] for name in schema["required"]}
    await answer.send(200, message(json.dumps(bound)))


def test_the_program_asks_the_api_where_it_is_told_to() -> None:
    with served(by_schema) as api:
        there = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": api.url}
        scripted = program(LABKIT_LIVE="1", **there)
        assert not api.seen
        live = program("--live", **there)
    assert (scripted.returncode, live.returncode) == (0, 0), scripted.stderr + live.stderr
    assert scripted.stdout.startswith("scripted-only: ")
    assert "live: calls go to 127.0.0.1" in live.stderr
    assert KEY not in scripted.stdout + scripted.stderr + live.stdout + live.stderr
    _, report, caught = live.stdout.strip().split("\n\n")
    assert len(api.seen) == 10
    assert api.most <= 5
    assert caught.splitlines() == ["CAUGHT", "(nothing was kicked back)"]
    claims = [line.rpartition(" [")[0] for line in report.splitlines()[1:]]
    assert claims == [f"- {FAULTS[topic].claim}" for topic in sorted(FAULTS)]


def test_the_program_says_what_is_missing(tmp_path: Path) -> None:
    empty = program(str(tmp_path))
    assert empty.returncode == 2
    assert "there is no Python file in" in empty.stderr
    keyless = program("--live")
    assert keyless.returncode == 2
    assert "ANTHROPIC_API_KEY" in keyless.stderr
    assert "Traceback" not in empty.stderr + keyless.stderr


def test_the_notebook_leaves_no_file_that_is_not_kept(tmp_path: Path) -> None:
    """Whatever the capstone writes is `fleet.py`, and both copies write the same one."""
    writes = [text for text in cell_sources() if "write_text" in text]
    assert len(writes) == 1
    assert 'HERE / "fleet.py"' in writes[0]
    solved: Any = json.loads(notebooks.solved_path(CAPSTONE).read_text("utf-8"))
    assert any("HERE = Path()" in "".join(cell["source"]) for cell in solved["cells"])
