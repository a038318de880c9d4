"""Every lesson run in a real JupyterLab: what moves, what answers, and what Stop ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import (
    IDLE,
    MARKS,
    command,
    lab,
    open_notebook,
    output_of,
    page,
    pictures,
    select,
    shoot,
    start,
    write,
)
from tools import notebooks

__all__ = ["lab", "page", "pictures"]  # fixtures

pytestmark = MARKS

LESSONS = [path.stem for path in notebooks.shipped_paths()]
RUN = "run it in real time, and watch"
STOP = "cancel the run that goes on"
FLEET = """import asyncio
from labkit import board, traced

@traced
async def worker(name):
    await asyncio.sleep(60)

with board("Sleepers", ["a", "b", "c"]) as live:
    await asyncio.gather(*map(worker, "abc"))
live"""


def picture_of(output: Locator) -> str:
    """What an output shows at this moment."""
    return output.evaluate(
        "it => [...it.querySelectorAll('svg.labkit, img')].map(it => it.outerHTML).join()"
    )


def expect_change(page: Page, output: Locator, before: str) -> str:
    """Wait until an output shows something else; what it shows then."""
    page.wait_for_function(
        """([it, before]) => [...it.querySelectorAll('svg.labkit, img')]
            .map(it => it.outerHTML).join() !== before""",
        arg=[output.element_handle(), before],
        timeout=30_000,
    )
    return picture_of(output)


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_runs_and_its_bench_answers_runs_and_stops(
    page: Page, lesson: str, pictures: Path
) -> None:
    open_notebook(page, lesson)
    command(page, "notebook:run-all-cells")
    assert page.locator("[data-mime-type='application/vnd.jupyter.error']").count() == 0
    assert page.get_by_text("Error displaying widget").count() == 0

    outputs = page.locator(".jp-Cell-outputWrapper")
    benches = outputs.filter(has=page.locator(".labkit-bench"))
    assert benches.count() >= 1, "no bench"
    for number in range(benches.count()):
        bench = benches.nth(number)
        bench.scroll_into_view_if_needed()
        before = picture_of(bench)
        slider = bench.locator(".labkit-bench-settings").get_by_role("slider").first
        slider.focus()
        page.keyboard.press("ArrowRight")
        moved = expect_change(page, bench, before)
        if bench.get_by_title(RUN).count():
            run_and_stop(page, bench, moved)
        shoot(page, bench, pictures, f"{lesson}-bench-{number}")


def run_and_stop(page: Page, bench: Locator, before: str) -> None:
    """Press Run and see the board move and finish; press it again and stop in the middle."""
    run, stop = bench.get_by_title(RUN), bench.get_by_title(STOP)
    run.click()
    for _ in range(3):
        before = expect_change(page, bench, before)
    expect(stop).to_be_disabled(timeout=60_000)
    expect(bench).to_contain_text("0 in flight")
    assert "stopped" not in bench.inner_text()

    # A run may be over before the kernel hears of the click; not so time after time.
    for _ in range(3):
        run.click()
        stop_in_the_middle(page, bench)
        expect(stop).to_be_disabled()
        expect(bench).to_contain_text("0 in flight")
        if "stopped" in bench.inner_text():
            return
    pytest.fail("Stop stops nothing")


def stop_in_the_middle(page: Page, bench: Locator) -> None:
    """Click Stop from within the page, in the first frame in which something moves."""
    page.wait_for_function(
        """([it, stop]) => {
            if (stop.disabled || !it.querySelector('svg.labkit .running')) return false;
            stop.click();
            return true;
        }""",
        arg=[bench.element_handle(), bench.get_by_title(STOP).element_handle()],
        timeout=30_000,
    )


def test_stop_in_the_middle_of_a_cell_leaves_every_row_cancelled(
    page: Page, pictures: Path
) -> None:
    open_notebook(page, "00_start_here")
    write(page, "setup", FLEET)
    start(page, "notebook:run-cell")
    output = page.locator(".jp-Cell-outputWrapper").filter(has_text="Sleepers")
    expect(output).to_contain_text("3 in flight", timeout=60_000)
    before = picture_of(output)
    expect_change(page, output, before)
    command(page, "notebook:interrupt-kernel")
    page.wait_for_function(IDLE, timeout=30_000)
    expect(output).to_contain_text("0 in flight")
    assert picture_of(output).count("cancelled</text>") == 3
    shoot(page, output, pictures, "stopped")


def test_two_runs_are_played_side_by_side(page: Page, pictures: Path) -> None:
    open_notebook(page, "02_orchestrator_workers")
    command(page, "notebook:run-all-cells")
    output = page.locator(".jp-Cell-outputWrapper").filter(
        has=page.locator("svg.labkit[aria-label^='together']")
    )
    assert output.count() == 1  # the boards have made room for it
    output.scroll_into_view_if_needed()
    before = picture_of(output)
    slider = output.get_by_role("slider")
    slider.focus()
    page.keyboard.press("Home")
    at_the_start = expect_change(page, output, before)
    assert at_the_start.count('class="running"') == 2  # a plan each
    output.get_by_role("button").first.click()
    for _ in range(5):
        at_the_start = expect_change(page, output, at_the_start)
    shoot(page, output, pictures, "side-by-side")


def test_a_board_shows_what_is_kicked_back_while_it_is_revised(page: Page, pictures: Path) -> None:
    open_notebook(page, "04_adversarial_gate")
    select(page, "revise-code")
    command(page, "notebook:run-all-above")
    select(page, "revise-code")
    board = output_of(page, "revise-code")
    board.scroll_into_view_if_needed()
    start(page, "notebook:run-cell")
    # Two were kicked back, and both are at it again. Looked for in every frame: it does not last.
    page.wait_for_function(
        """it => it.querySelectorAll('svg.labkit .retried').length === 2
            && it.querySelectorAll('svg.labkit .running').length === 2""",
        arg=board.element_handle(),
        timeout=30_000,
    )
    page.screenshot(path=pictures / "course.png")
    expect(board).to_contain_text("0 in flight")
    assert "revised" in picture_of(board)
    expect(board).to_contain_text("4 passed; rejected")
