"""The course in a real JupyterLab, as a learner opens it: driven through a headless Chromium."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Page

from tests.browser import IDLE, MARKS, command, lab, page, write

__all__ = ["lab", "page"]  # fixtures

pytestmark = MARKS

SOLVED = """async def ask(client, prompt, *, system=None):
    extra = {} if system is None else {"system": system}
    reply = await client.messages.create(
        model=MODEL, max_tokens=50, messages=[{"role": "user", "content": prompt}], **extra
    )
    return "".join(block.text for block in reply.content if block.type == "text")"""


def test_it_opens_at_the_first_lesson_and_a_solved_exercise_turns_green(page: Page) -> None:
    assert page.url.split("?")[0].endswith("/lab/tree/notebooks/00_start_here.ipynb")
    write(page, "exercise-0-1", SOLVED)
    command(page, "run-all-above")
    command(page, "run-cell-and-select-next")
    command(page, "run-cell")
    page.get_by_text("✓ 0.1 ask: passed, 1 point").wait_for(timeout=60_000)


@pytest.mark.parametrize(
    "source",
    [
        "await asyncio.sleep(60)",
        (
            "from labkit import run\n\nasync def forever():\n    while True:\n"
            "        await asyncio.sleep(1)\n\nawait asyncio.sleep(0)\nrun(forever())"
        ),
    ],
    ids=["a cell that awaits", "a run on the free clock"],
)
def test_the_stop_button_stops(page: Page, source: str) -> None:
    write(page, "setup", "import asyncio\nimport labkit\nprint('under way')")
    command(page, "run-cell")
    page.get_by_text("under way", exact=True).last.wait_for(timeout=60_000)
    write(page, "setup", source)
    page.evaluate("void window.jupyterapp.commands.execute('notebook:run-cell')")
    page.wait_for_function(f"!({IDLE})", timeout=10_000)
    started = time.monotonic()
    command(page, "interrupt-kernel")
    page.wait_for_function(IDLE, timeout=30_000)
    # A minute's sleep, or a run without end: what matters is that neither is waited for.
    assert time.monotonic() - started < 10
