"""What a learner does on the page: answers, hints, a solution, a green card, and progress kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import (
    IDLE,
    MARKS,
    READY,
    SOLVED,
    output_of,
    page,
    pictures,
    run,
    serve,
    shoot,
)

__all__ = ["page", "pictures"]  # fixtures

pytestmark = MARKS


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[str]:
    """A JupyterLab of its own for each test, whose learner has done nothing yet."""
    with serve(tmp_path / "lab", LABKIT_PROGRESS="") as address:
        yield address


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until something has the focus."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if target.evaluate("it => it === document.activeElement"):
            return
    raise AssertionError(f"Tab never reaches {target}")


def test_a_self_check_is_answered_by_keyboard_alone(page: Page, pictures: Path) -> None:
    output = run(page, "setup", "self-check-code")
    first = output.get_by_role("radio").first
    first.wait_for()
    page.evaluate("window.jupyterapp.shell.currentWidget.content.activeCell.node.focus()")

    tab_to(page, first)
    page.keyboard.press("Space")
    tab_to(page, output.get_by_role("button", name="Answer").first)
    page.keyboard.press("Enter")
    told = output.get_by_role("status").first
    expect(told).to_contain_text("✗ Not yet.")
    expect(told).to_contain_text("That would be a task.")
    shoot(page, output, pictures, "self-check")

    page.evaluate("window.jupyterapp.shell.currentWidget.content.activeCell.node.focus()")
    tab_to(page, output.get_by_role("radio").nth(1))
    page.keyboard.press("Space")
    tab_to(page, output.get_by_role("button", name="Answer").first)
    page.keyboard.press("Space")
    expect(told).to_contain_text("✓ Right.")
    assert page.evaluate(IDLE)


def test_hints_open_one_by_one_and_the_solution_at_the_second_click(
    page: Page, pictures: Path
) -> None:
    card = run(page, "setup", "imports-0-1", "exercise-0-1", "check-0-1")
    expect(card).to_contain_text("○ 0.1 ask: not attempted yet")
    card.get_by_role("button", name="Hint").click()
    expect(card).to_contain_text("Hint 1, a nudge.")
    expect(card).not_to_contain_text("Hint 2")
    card.get_by_role("button", name="Next hint (2 left)").click()
    expect(card).to_contain_text("Hint 2, the approach.")

    card.get_by_role("button", name="Solution").click()
    expect(card).to_contain_text("Show it all the same?")
    expect(card).not_to_contain_text("async def ask")
    card.get_by_role("button", name="Next hint (1 left)").click()
    expect(card).to_contain_text("Hint 3, nearly the code.")
    card.get_by_role("button", name="Show it anyway").click()
    expect(card).to_contain_text("async def ask")
    shoot(page, card, pictures, "hints-and-solution")


def test_a_solved_exercise_turns_green_and_is_found_again(page: Page, pictures: Path) -> None:
    progress = run(page, "setup", "imports-0-1", "progress")
    expect(progress).to_contain_text("0 of 2 solved")
    shoot(page, run(page, "wrong-answer"), pictures, "not-right-yet")

    # Typed as a learner types it, into the stub's last line.
    page.evaluate(
        """() => {
            const notebook = window.jupyterapp.shell.currentWidget.content;
            notebook.activeCellIndex =
                notebook.widgets.findIndex(it => it.model.id === 'exercise-0-1');
            notebook.mode = 'edit';
        }"""
    )
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text(SOLVED)
    page.keyboard.press("Shift+Enter")
    card = run(page, "check-0-1")
    expect(card).to_contain_text("✓ 0.1 ask: passed, 1 point")
    expect(card).to_contain_text("00 Start here 1 of 2 solved")
    rule = card.get_by_role("status").first.evaluate("it => getComputedStyle(it).borderLeftColor")
    assert rule == "rgb(46, 158, 79)"
    shoot(page, card, pictures, "passed")
    # Without running its cell again.
    expect(output_of(page, "progress")).to_contain_text("1 of 2 solved")

    page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    page.wait_for_function(IDLE)
    # ipywidgets notes in the browser's console that nobody listens; a learner sees nothing.
    before = card.inner_text()
    card.get_by_role("button", name="Compare with the reference").click()
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert card.inner_text() == before
    expect(page.locator(".jp-Dialog")).to_have_count(0)

    page.reload()
    page.wait_for_function(READY, timeout=60_000)
    progress = run(page, "setup", "progress")
    expect(progress).to_contain_text("✓")
    expect(progress).to_contain_text("1 of 2 solved, 1 of 2 points")
    shoot(page, progress, pictures, "progress")
