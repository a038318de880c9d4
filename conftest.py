"""How pytest runs the notebooks: nbval compares every cell with the outputs that are stored."""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from nbval.kernel import RunningKernel
from nbval.plugin import IPyNbCell

ROOT = Path(__file__).parent

# The kernels inherit this environment: no key, no setting and no saved progress of whoever runs
# the tests may reach them.
for _name in [name for name in os.environ if name.startswith(("ANTHROPIC_", "LABKIT_"))]:
    if _name != "LABKIT_SCREENSHOTS":  # a folder, which the browser tests alone read
        del os.environ[_name]
# How long the SDK takes to load is the machine's affair and no output of a cell.
os.environ["LABKIT_QUIET"] = "1"
# A test run is nobody's progress.
os.environ["LABKIT_PROGRESS"] = "off"


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    # Not in addopts, where it would be relative to wherever pytest is started.
    config.option.nbval_sanitize_with = str(ROOT / "tests" / "nbval_sanitize.cfg")
    RunningKernel.await_reply = _await_reply


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, IPyNbCell):
            ran = item.cell.execution_count is not None
            compared = ran and item.options["check"] and not item.options["skip"]
            item.user_properties.append(("nbval", "compared" if compared else "exempt"))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    counts: dict[str, Counter[str]] = {}
    for outcome in ("passed", "failed", "xfailed"):
        for report in terminalreporter.stats.get(outcome, ()):
            how = dict(report.user_properties).get("nbval")
            if how and report.when == "call":
                counts.setdefault(report.nodeid.partition("::")[0], Counter())[how] += 1
    if not counts:
        return
    terminalreporter.section("notebook cells")
    for notebook, count in [*sorted(counts.items()), ("in all", sum(counts.values(), Counter()))]:
        terminalreporter.line(f"{notebook}: {count['compared']} compared, {count['exempt']} exempt")


_await_reply_as_nbval_does = RunningKernel.await_reply


def _await_reply(kernel: RunningKernel, msg_id: str, timeout: float | None = None) -> None:
    """Wait for a reply, but not for one from a kernel that has died: nbval does not notice."""
    deadline = time.monotonic() + (timeout or float("inf"))
    while True:
        try:
            _await_reply_as_nbval_does(kernel, msg_id, timeout=1)
            return
        except Empty:
            if not kernel.is_alive():
                raise RuntimeError("the kernel died in this cell") from None
            if time.monotonic() > deadline:
                raise
