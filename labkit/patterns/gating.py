"""Gating: let nothing into the synthesis that has not been doubted first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any


def gate(
    findings: Sequence[Any],
    required: Sequence[str] = ("id", "topic", "claim", "evidence"),
) -> tuple[list[Any], list[dict[Any, Any]]]:
    """Separate the findings that are complete from those to be kicked back.

    A field is missing where it is absent, None or a string with nothing but white space; ``0`` and
    ``False`` are values. Nothing that was passed in is changed.

    Args:
        findings: What the workers brought, of any kind.
        required: The fields that a finding must have.

    Returns:
        The findings that pass, as they came, and those kicked back: copies with the reason under
        ``_kicked``, such as ``missing claim,evidence`` or ``not a finding``. Both in order.
    """
    passed: list[Any] = []
    kicked_back: list[dict[Any, Any]] = []
    for finding in findings:
        if not isinstance(finding, dict):
            kicked_back.append({"_kicked": "not a finding"})
            continue
        missing = []
        for name in required:
            value = finding.get(name)
            if value is None or (isinstance(value, str) and not value.strip()):
                missing.append(name)
        if missing:
            kicked_back.append({**finding, "_kicked": f"missing {','.join(missing)}"})
        else:
            passed.append(finding)
    return passed, kicked_back


def verify_evidence(finding: Mapping[str, Any], sources: Mapping[str, str]) -> str | None:
    """Look up a finding's evidence and say why it does not stand; None where it does.

    Args:
        finding: Its ``evidence`` is ``path:line``, lines counted from 1; its ``quote``, where it
            has one, must be part of that line.
        sources: Path → the file's whole text.

    Returns:
        None where the line is there, is not blank and holds the quote; else a short reason.
        Evidence of any other form is a reason, never an exception.
    """
    evidence = finding.get("evidence")
    if not isinstance(evidence, str):
        return "no evidence"
    path, _, digits = evidence.rpartition(":")
    if not (digits.isascii() and digits.isdigit()):
        return f"not path:line: {evidence}"
    if path not in sources:
        return f"no such file: {path}"
    lines = sources[path].splitlines()
    digits = digits.lstrip("0") or "0"
    # int() refuses very long numbers; no file has that many lines.
    number = int(digits) if len(digits) < 20 else len(lines) + 1
    if not 1 <= number <= len(lines):
        return f"{path} has no line {digits[:20]}"
    line = lines[number - 1]
    if not line.strip():
        return f"{evidence} is blank"
    quote = finding.get("quote")
    if quote is not None and not (isinstance(quote, str) and quote in line):
        return f"{evidence} does not say that"
    return None


async def revise_once(
    worker: Callable[[Any, str | None], Awaitable[Any]],
    specs: Sequence[Any],
    gate: Callable[[list[Any]], tuple[list[Any], list[dict[Any, Any]]]],
) -> tuple[list[Any], list[dict[Any, Any]]]:
    """Run all specs, gate what comes back, and give each one kicked back exactly one more try.

    A worker that raises is kicked back like a bad finding and sinks at most its own spec. It takes
    as long as the slowest first try and the slowest second one; cancelling it cancels every worker.

    Args:
        worker: Called with a spec and the feedback; None at the first try.
        specs: What is to be done.
        gate: Sorts findings into passed and kicked back, as `gate` does; asked about one by one.

    Returns:
        What passed and what was rejected, each in the order of ``specs``. A spec whose second try
        raised is rejected as ``{"_kicked": "failed: …"}``.
    """

    async def attempt(spec: Any, feedback: str | None) -> tuple[bool, Any]:
        try:
            return True, await worker(spec, feedback)
        except Exception as error:
            return False, {"_kicked": f"failed: {error}"}

    def judged(came_back: bool, finding: Any) -> tuple[bool, Any]:
        if not came_back:
            return False, finding
        # Asked about one finding, the gate's answer can belong to no other.
        passed, kicked_back = gate([finding])
        return (True, passed[0]) if passed else (False, kicked_back[0])

    first = await asyncio.gather(*(attempt(spec, None) for spec in specs))
    board = [judged(*outcome) for outcome in first]
    again = [place for place, (passed, _) in enumerate(board) if not passed]
    second = await asyncio.gather(
        *(attempt(specs[place], board[place][1]["_kicked"]) for place in again)
    )
    for place, outcome in zip(again, second, strict=True):
        board[place] = judged(*outcome)
    return (
        [finding for passed, finding in board if passed],
        [finding for passed, finding in board if not passed],
    )


def synthesize(passed: Sequence[Mapping[str, Any]]) -> str:
    """Write the fleet's report from the findings that passed the gate.

    Args:
        passed: Findings with an ``id`` of their own, a ``topic``, a ``claim`` and ``evidence``.

    Returns:
        ``FLEET REPORT`` and a line ``- claim [evidence]`` for each topic, by ascending ``id``; the
        lowest stands for its topic. Where nothing passed, the second line says so.
    """
    by_topic: dict[Any, Mapping[str, Any]] = {}
    for finding in sorted(passed, key=lambda finding: finding["id"]):
        by_topic.setdefault(finding["topic"], finding)
    lines = [f"- {finding['claim']} [{finding['evidence']}]" for finding in by_topic.values()]
    return "\n".join(["FLEET REPORT", *(lines or ["(nothing passed the gate)"])])


def score_gate(
    gate: Callable[[list[Any]], tuple[list[Any], list[dict[Any, Any]]]],
    labelled: Sequence[tuple[Any, bool]],
) -> dict[str, int]:
    """Count how often a gate is wrong, each way.

    Args:
        gate: Sorts findings into passed and kicked back, as `gate` does; asked about one by one.
        labelled: Pairs of a finding and whether it is good.

    Returns:
        ``false_accept``, the bad findings it let through, and ``false_reject``, the good ones it
        kicked back.
    """
    false_accept = false_reject = 0
    for finding, is_good in labelled:
        passed, _ = gate([finding])
        if passed and not is_good:
            false_accept += 1
        if not passed and is_good:
            false_reject += 1
    return {"false_accept": false_accept, "false_reject": false_reject}
