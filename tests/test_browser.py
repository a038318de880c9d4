"""The course in a real JupyterLab, as a learner opens it: driven through a headless Chromium."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Error, Page

from tests.browser import (
    IDLE,
    MARKS,
    chromium,
    command,
    killing_after,
    lab,
    page,
    solve_the_first_exercise,
    start,
    write,
)

__all__ = ["lab", "page"]  # fixtures

pytestmark = MARKS


def test_it_opens_at_the_first_lesson_and_a_solved_exercise_turns_green(page: Page) -> None:
    assert page.url.split("?")[0].endswith("/lab/tree/notebooks/00_start_here.ipynb")
    solve_the_first_exercise(page)


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
    command(page, "notebook:run-cell")
    page.get_by_text("under way", exact=True).last.wait_for(timeout=60_000)
    write(page, "setup", source)
    start(page, "notebook:run-cell")
    page.wait_for_function(f"!({IDLE})", timeout=10_000)
    started = time.monotonic()
    command(page, "notebook:interrupt-kernel")
    page.wait_for_function(IDLE, timeout=30_000)
    # A minute's sleep, or a run without end: what matters is that neither is waited for.
    assert time.monotonic() - started < 10


def test_a_page_that_never_answers_is_given_up() -> None:
    with chromium() as browser:
        page = browser.new_page()
        with killing_after(1), pytest.raises(Error, match=r"closed|crashed"):
            page.evaluate("new Promise(() => {})")
