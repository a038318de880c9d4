"""Lesson 07: ten reviewers of a small service, each one a rule over the syntax tree of a file.

They read the file that the prompt carries, so whoever edits a file changes what they find. The
wording is illustrative; structure, counts, order and times are real.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..script import Reply, Request, Rule

SECONDS = {
    "auth": 0.35,
    "config": 0.2,
    "jobs": 0.35,
    "memory": 0.4,
    "rate-limits": 0.25,
    "retries": 0.2,
    "schema": 0.2,
    "sessions": 0.3,
    "telemetry": 0.25,
    "webhooks": 0.35,
}
"""Topic → how long its review takes."""

FOREVER = 3_600.0
"""Seconds after which a reviewer that hangs would answer; nobody waits for that long."""

SECRETS = ("digest", "password", "secret", "signature", "token")


def _name(node: ast.AST) -> str:
    """The last part of what a name, an attribute or a call refers to."""
    if isinstance(node, ast.Call):
        return _name(node.func)
    return getattr(node, "attr", getattr(node, "id", ""))


def _plain_comparison(node: ast.AST) -> ast.AST | None:
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq):
        sides = (node.left, *node.comparators)
        return node if any(_name(side) in SECRETS for side in sides) else None
    return None


def _one_too_many(node: ast.AST) -> ast.AST | None:
    counts = (
        isinstance(node, ast.Compare)
        and _name(node.left) == "len"
        and isinstance(node.ops[0], ast.Gt)
        and _name(node.comparators[0]) == "limit"
    )
    return node if counts else None


def _built_sql(node: ast.AST) -> ast.AST | None:
    if isinstance(node, ast.Call) and _name(node) == "execute" and node.args:
        sql = node.args[0]
        return sql if isinstance(sql, ast.JoinedStr | ast.BinOp) else None
    return None


def _unbounded_cache(node: ast.AST) -> ast.AST | None:
    if isinstance(node, ast.Call) and _name(node) == "lru_cache":
        sizes = [keyword.value for keyword in node.keywords if keyword.arg == "maxsize"]
        endless = any(isinstance(s, ast.Constant) and s.value is None for s in sizes + node.args)
        return node if endless else None
    return None


def _logged_secret(node: ast.AST) -> ast.AST | None:
    logs = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    if logs and isinstance(node, ast.Call) and _name(node) in ("debug", "info", "warning", "error"):
        return next((argument for argument in node.args if _name(argument) in SECRETS), None)
    return None


def _swallowed_cancel(node: ast.AST) -> ast.AST | None:
    if not isinstance(node, ast.ExceptHandler):
        return None
    everything = node.type is None or _name(node.type) == "BaseException"
    raises = any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
    return node if everything and not raises else None


def _dropped_task(node: ast.AST) -> ast.AST | None:
    starts = isinstance(node, ast.Expr) and _name(node.value) in ("create_task", "ensure_future")
    return node if starts else None


def _shared_default(node: ast.AST) -> ast.AST | None:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return None
    defaults = [*node.args.defaults, *node.args.kw_defaults]
    return next((d for d in defaults if isinstance(d, ast.Dict | ast.List | ast.Set)), None)


def _guessable_token(node: ast.AST) -> ast.AST | None:
    draws = (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and _name(node.func.value) == "random"
    )
    return node if draws else None


def _endless_wait(node: ast.AST) -> ast.AST | None:
    if isinstance(node, ast.Call) and _name(node) == "urlopen":
        timed = len(node.args) > 2 or any(keyword.arg == "timeout" for keyword in node.keywords)
        return None if timed else node
    return None


@dataclass(frozen=True)
class Fault:
    """One kind of fault.

    Attributes:
        claim: What is said of it.
        at: The node to point at, where a node of the syntax tree has this fault.
    """

    claim: str
    at: Callable[[ast.AST], ast.AST | None]


FAULTS = {
    "auth": Fault(
        "compares a secret with ==, whose time tells how much was right", _plain_comparison
    ),
    "config": Fault("has a default that all its calls share and change", _shared_default),
    "jobs": Fault("keeps no hold of its task, which may vanish in mid-run", _dropped_task),
    "memory": Fault("caches without a bound", _unbounded_cache),
    "rate-limits": Fault("lets one request more through than the limit says", _one_too_many),
    "retries": Fault("swallows a cancellation and tries again", _swallowed_cancel),
    "schema": Fault("builds SQL from what a customer typed", _built_sql),
    "sessions": Fault("draws its tokens from a generator that can be predicted", _guessable_token),
    "telemetry": Fault("writes a session's token into the log", _logged_secret),
    "webhooks": Fault("waits for a stranger's server without a time-out", _endless_wait),
}
"""Topic → the fault that its reviewer knows."""

_TASK = re.compile(
    r"Review (?P<topic>[\w-]+)\..*?<file path=\"(?P<path>[^\"\n]+)\">\n(?P<text>.*)\n</file>",
    re.DOTALL,
)


def find_fault(topic: str, path: str, text: str) -> dict[str, str]:
    """Review one file for the fault of one topic.

    Args:
        topic: One of `FAULTS`; any other topic is reviewed for all of them.
        path: The file's path, as the evidence is to name it.
        text: The file's whole text.

    Returns:
        A finding's ``claim``, ``evidence`` (``path:line``) and ``quote`` (from that line); where
        nothing was found it points at the file's first line that is not blank.
    """
    lines = text.splitlines()
    line, claim = next((n for n, said in enumerate(lines, 1) if said.strip()), 1), ""
    try:
        nodes = sorted(_located(ast.parse(text)), key=lambda node: node[0])
    except SyntaxError as error:
        line, claim = error.lineno or line, "is no Python that can be read"
    else:
        faults = [FAULTS[topic]] if topic in FAULTS else list(FAULTS.values())
        found = ((at, fault) for _, node in nodes for fault in faults if (at := fault.at(node)))
        for at, fault in found:
            line, claim = getattr(at, "lineno", line), fault.claim
            break
    quote = lines[line - 1].strip() if line <= len(lines) else ""
    claim = claim or f"holds nothing that the {topic} reviewer knows as a fault"
    return {"claim": claim, "evidence": f"{path}:{line}", "quote": quote}


def _located(tree: ast.AST) -> Iterator[tuple[int, ast.AST]]:
    for node in ast.walk(tree):
        if hasattr(node, "lineno"):
            yield int(node.lineno), node


def reviewers(
    *,
    lazy: str | None = None,
    liar: str | None = None,
    crashes: str | None = None,
    hangs: str | None = None,
) -> list[Rule]:
    """The rules of the ten reviewers, some of whom may misbehave.

    Args:
        lazy: The topic whose reviewer leaves its evidence out until it is told.
        liar: The topic whose reviewer invents its evidence, and does so again when it is told.
        crashes: The topic whose reviewer is cut short at its first try, in the midst of its JSON.
        hangs: The topic whose reviewer does not answer for an hour.
    """

    def review(request: Request) -> Reply:
        task = _TASK.search(request.prompt)
        if task is None:
            return Reply("Send one file between <file path=…> and </file>.", seconds=0.1)
        topic, path, text = task["topic"], task["path"], task["text"]
        seconds = FOREVER if topic == hangs else SECONDS.get(topic, 0.3)
        finding = find_fault(topic, path, text)
        revised = "sent back" in request.prompt
        if topic == liar:
            # An invented line at first; then a line that is there, and does not say that.
            line = 1 if revised else len(text.splitlines()) + 100
            finding = {
                "claim": "is tested under load",
                "evidence": f"{path}:{line}",
                "quote": "assert load.passed",
            }
        if topic == lazy and not revised:
            finding["evidence"] = ""
        if topic == crashes and not revised:
            return Reply(json.dumps(finding)[:40], seconds=seconds, stop_reason="max_tokens")
        return Reply(finding, seconds=seconds)

    return [Rule("<file path=", says=review)]


FLEET_OF_TEN: list[Rule] = reviewers(
    lazy="schema", liar="memory", crashes="retries", hangs="webhooks"
)
"""Ten reviewers of whom one is lazy, one lies, one is cut short and one hangs."""
