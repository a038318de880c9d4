"""labkit: run many LLM agents at once, and learn how by doing it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .checks import check, hint, solution
    from .client import connect
    from .clock import FreeClock, run
    from .errors import Deadlock, LabkitError, UsageError
    from .live import Budget, OverBudget, budget
    from .overview import progress
    from .plot import timeline
    from .script import Reply, Request, Rule
    from .trace import Call, Trace, record, traced
    from .widgets import bench, board, compare, predict, predict_choice, self_check

__version__ = "0.1.0"

_HOMES = {
    "Budget": "live",
    "Call": "trace",
    "Deadlock": "errors",
    "FreeClock": "clock",
    "LabkitError": "errors",
    "OverBudget": "live",
    "Reply": "script",
    "Request": "script",
    "Rule": "script",
    "Trace": "trace",
    "UsageError": "errors",
    "bench": "widgets",
    "board": "widgets",
    "budget": "live",
    "check": "checks",
    "compare": "widgets",
    "connect": "client",
    "hint": "checks",
    "predict": "widgets",
    "predict_choice": "widgets",
    "progress": "overview",
    "record": "trace",
    "run": "clock",
    "self_check": "widgets",
    "solution": "checks",
    "timeline": "plot",
    "traced": "trace",
}

__all__ = [
    "Budget",
    "Call",
    "Deadlock",
    "FreeClock",
    "LabkitError",
    "OverBudget",
    "Reply",
    "Request",
    "Rule",
    "Trace",
    "UsageError",
    "bench",
    "board",
    "budget",
    "check",
    "compare",
    "connect",
    "hint",
    "predict",
    "predict_choice",
    "progress",
    "record",
    "run",
    "self_check",
    "solution",
    "timeline",
    "traced",
]


def __getattr__(name: str) -> Any:
    # Each name is loaded when it is first used, so that `import labkit` costs next to nothing.
    if name not in _HOMES:
        raise AttributeError(f"labkit has no {name!r}; it offers {', '.join(__all__)}")
    from importlib import import_module

    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__", "patterns"])


if "ipykernel" in sys.modules:
    from .kernel import make_interruptible

    make_interruptible()
