"""The board: what each worker of a fleet does, while it does it, and again afterwards."""

from __future__ import annotations

import asyncio
import html
import itertools
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from .. import kernel
from ..errors import UsageError
from ..plot import Timeline
from ..trace import Trace, record
from . import live
from .frames import NO_PLAN, Plan, Row, Rows, at, drawing, full_scale, summary, totals

if TYPE_CHECKING:
    import ipywidgets

RATE = 10.0
"""Pictures a second while a run goes on: more than the eye asks of a bar that grows."""

SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0)
"""How fast a replay can go, against the seconds of its trace."""

PATIENCE = 8.0
"""Seconds that a replay takes at most before it is offered faster."""

Gate = TypeVar("Gate", bound=Callable[[Any], tuple[Any, Any]])

_names = itertools.count(1)


def unique() -> str:
    """A word that no other drawing of this kernel has."""
    return f"labkit-{next(_names)}"


class Board(AbstractContextManager["Board"]):
    """One run, a row a worker in dispatch order; made by `board`.

    Attributes:
        title: What it is about.
        plan: What is known of the run beforehand.
        trace: The calls that were made while it was open.
    """

    def __init__(self, title: str, rows: Sequence[str], plan: Plan) -> None:
        self.title = title
        self.plan = plan
        self.trace = Trace()
        self._planned = tuple(rows)
        self._rows = Rows(rows)
        self._recorder: AbstractContextManager[Trace] | None = None
        self._live: Screen | None = None
        self._run = ""

    def __enter__(self) -> Board:
        if self._recorder is not None:
            raise UsageError(
                "a board shows one run, and this one has had its own: make another with board(...)"
            )
        if kernel.in_kernel():
            self._run = kernel.running_cell()[1]
            self._live = Screen(self.title, self.plan)
            self._live.planned(self._planned)
            live.keep(self._live.close)
            live.show(self._live.box)
            self._live.follow(self._moment)
        self._recorder = record()
        self.trace = self._recorder.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        assert self._recorder is not None
        self._recorder.__exit__(kind, error, where)
        if self._live is not None:
            self._live.rest(self.trace, self.rows)

    @property
    def seconds(self) -> float:
        """Seconds from the first call's start to the last call's end."""
        return self.trace.seconds

    @property
    def rows(self) -> list[Row]:
        """The rows as they stand."""
        return self._rows.take(self.trace)

    def kicked_back(self, name: str, reason: str) -> None:
        """Mark the last call of a row as refused.

        Args:
            name: The row's name.
            reason: Why, in a few words.

        Raises:
            UsageError: When nothing was called in a row of that name.
        """
        if not self._kick(name, reason):
            known = ", ".join(row.name for row in self.rows) or "none yet"
            raise UsageError(f"no call in a row {name!r} could be kicked back; rows: {known}")

    def gate(self, gate: Gate, *, by: str = "topic") -> Gate:
        """Have what a gate kicks back shown in its row, with the reason.

        Args:
            gate: Parts findings into passed and kicked back, as `labkit.patterns.gate` does.
            by: The field of a finding that names its row. What lacks it is not marked.

        Returns:
            A gate that judges as the given one does.
        """

        def watched(findings: Any) -> tuple[Any, Any]:
            passed, kicked = gate(findings)
            for finding in kicked:
                if isinstance(finding, dict) and by in finding:
                    self._kick(str(finding[by]), str(finding.get("_kicked", "")))
            return passed, kicked

        return watched  # type: ignore[return-value]  # it takes and returns what the gate does

    def _kick(self, name: str, reason: str) -> bool:
        self._rows.take(self.trace)
        row = self._rows.find(name)
        if row is None or not row.calls or row.calls[-1].end is None:
            return False
        row.calls[-1].outcome, row.calls[-1].note = "kicked back", reason
        return True

    def _moment(self) -> tuple[Trace, list[Row], float]:
        return self.trace, self.rows, self.trace.now

    @property
    def picture(self) -> Timeline:
        """The run as a timeline, for a reader without a front end."""
        calls = [replace(call, lane=row.name) for row in self.rows for call in row.calls]
        idle = [row.name for row in self.rows if not row.calls]
        trace = Trace(calls, self.trace.clock)
        return self.plan.picture(trace, self.title, idle)

    def leave(self) -> None:
        """Take the live board off the page: something else shows the run."""
        if self._live is not None:
            self._live.close()
            self._live = None

    def __repr__(self) -> str:
        return repr(self.picture)

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        text = repr(self)
        data = live.stored(text, png=self.picture.png())
        if kernel.in_kernel():
            # In the cell that ran it the board is on the page already.
            seen = self._live is not None and self._run == kernel.running_cell()[1]
            data[live.VIEW] = live.view_of(None if seen else self._screen().box)
        return data, live.alt(text)

    def _screen(self) -> Screen:
        if self._live is None or self._live.box.comm is None:
            self._live = Screen(self.title, self.plan)
            self._live.rest(self.trace, self.rows)
            live.keep(self._live.close)
        return self._live


def board(
    title: str = "",
    rows: Sequence[str] = (),
    *,
    limit: int | None = None,
    before: int = 0,
    after: int = 0,
    bound: bool = True,
) -> Board:
    """Watch a fleet while it works: a row a worker, live while the cell awaits.

    Use it as a context manager around what is to be watched, then show it as the cell's last
    expression: in a live notebook it can be played again, elsewhere it leaves a picture.

    Args:
        title: What it is about.
        rows: The workers that are planned, in dispatch order. A call goes to the row whose name
            is its lane or stands in it; calls that fit no row get rows of their own.
        limit: How many may be in flight at once, for the lower bound; None for all.
        before: How many of the first calls come before the independent ones (a plan, say).
        after: How many of the last come after them (a synthesis).
        bound: Whether to show the lower bound.

    Returns:
        A `Board`, which records as `labkit.record` does.

    Raises:
        UsageError: When ``rows`` is no list of names or ``limit`` is under 1.
    """
    if isinstance(rows, str) or not all(isinstance(name, str) for name in rows):
        raise UsageError('board takes the names of its rows as a list: board("Fleet", ["a", "b"])')
    if limit is not None and limit < 1:
        raise UsageError(f"board's limit is 1 or more, not {limit}")
    return Board(title, list(rows), Plan(limit, before, after, bound))


class Screen:
    """The widget of a board: a picture that follows a run, then a bar to play it again.

    Args:
        title: What it is about.
        plan: What is known of the run beforehand.
    """

    def __init__(self, title: str = "", plan: Plan = NO_PLAN) -> None:
        import ipywidgets

        self.plan = plan
        self.guess: float | None = None
        self._title = title
        self._name = unique()
        self._picture = ipywidgets.HTML()
        # What a screen reader is told, once at the start and once at the end, not ten times a
        # second.
        self._said = ipywidgets.HTML()
        self._replay = Replay(self._draw_at)
        self._timer: asyncio.TimerHandle | None = None
        self._moment: Callable[[], tuple[Trace, list[Row], float]] | None = None
        self._shown: tuple[Trace, tuple[str, ...]] = (Trace(), ())
        self._scale: float | None = None
        self._expected: float | None = None
        heading = [ipywidgets.HTML(f"<strong>{html.escape(title)}</strong>")] if title else []
        self._replay.bar.layout.visibility = "hidden"
        self.box: ipywidgets.VBox = ipywidgets.VBox(
            [*heading, self._picture, self._replay.bar, self._said]
        )

    def planned(self, names: Sequence[str]) -> None:
        """Show rows in which nothing has been started."""
        rows = Rows(names).rows
        self._draw(Trace(), rows, 0.0)
        self._say(summary(self._title, rows, 0.0))

    def follow(
        self, moment: Callable[[], tuple[Trace, list[Row], float]], *, seconds: float | None = None
    ) -> None:
        """Draw what a function tells of a run, again and again, until `rest`.

        A timer of the running loop does it, and no task: nothing is left to be awaited.

        Args:
            moment: Tells the trace so far, its rows, and the seconds since its first call.
            seconds: How long the run is expected to take.
        """
        self._moment = moment
        self._shown = (Trace(), ())
        self._expected = seconds
        # It keeps its room, so that what stands below it on the page does not move.
        self._replay.bar.layout.visibility = "hidden"
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            return  # nothing runs beside a cell that does not await
        self._tick()

    def _tick(self) -> None:
        if self._moment is not None:
            self._draw(*self._moment())
            self._timer = self._loop.call_later(1 / RATE, self._tick)

    def rest(self, trace: Trace, rows: Sequence[Row]) -> None:
        """Show how a run ended, and offer to play it again."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._moment = None
        self._shown = (trace, tuple(row.name for row in rows))
        self._scale = trace.seconds or None
        self._draw(trace, rows, trace.seconds, resting=True)
        self._say(summary(self._title, rows, trace.seconds))
        self._replay.offer(trace.seconds)
        self._replay.bar.layout.visibility = "visible" if trace.calls else "hidden"

    def close(self) -> None:
        """Take it off the page."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._moment = None
        live.close(self.box)

    def _draw_at(self, seconds: float) -> None:
        trace, names = self._shown
        if seconds >= trace.seconds:
            self._draw(trace, _placed(trace, names), trace.seconds, resting=True)
        else:
            past = at(trace, seconds)
            self._draw(past, _placed(past, names), seconds)

    def _draw(
        self, trace: Trace, rows: Sequence[Row], now: float, *, resting: bool = False
    ) -> None:
        replaying = self._moment is None
        bound = self.plan.bound(trace) if resting else None
        svg = drawing(
            rows,
            now,
            name=self._name,
            title=self._title,
            scale=self._scale if replaying else full_scale(now, self._expected),
            bound=bound,
            guess=self.guess if resting else None,
        )
        line = totals(trace, now, rows=rows, plan=self.plan)
        self._picture.value = (
            f'{svg}<div style="font-size:12px;font-variant-numeric:tabular-nums">{line}</div>'
        )

    def _say(self, text: str) -> None:
        self._said.value = f'<span role="status" style="{_UNSEEN}">{html.escape(text)}</span>'


_UNSEEN = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)"


def _placed(trace: Trace, names: Sequence[str]) -> list[Row]:
    """The rows of a trace, laid out as those of the whole run were."""
    return Rows(names).take(trace)


class Replay:
    """A bar to scrub through a trace and to play it, slower or faster than it was.

    Args:
        draw: Draws the moment so many seconds after the first call.
    """

    def __init__(self, draw: Callable[[float], None]) -> None:
        import ipywidgets

        self._draw = draw
        self._quiet = False
        self._play = ipywidgets.Play(interval=100, min=0, max=1, tooltip="play it again")
        self._slider = ipywidgets.IntSlider(
            min=0,
            max=1,
            readout=False,
            description="replay",
            tooltip="the moment that is shown",
            layout=ipywidgets.Layout(width="22em"),
        )
        self._clock = ipywidgets.Label()
        self._speed = ipywidgets.Dropdown(
            options=[(f"{speed:g}×", speed) for speed in SPEEDS],
            value=1.0,
            description="speed",
            layout=ipywidgets.Layout(width="11em"),
        )
        ipywidgets.jslink((self._play, "value"), (self._slider, "value"))
        self._slider.observe(self._moved, "value")
        self._speed.observe(self._paced, "value")
        self.bar = ipywidgets.HBox([self._play, self._slider, self._clock, self._speed])

    def offer(self, seconds: float) -> None:
        """Stand at the end of a trace of so many seconds."""
        last = max(1, round(seconds * 1000))
        self._quiet = True
        try:
            for widget in (self._play, self._slider):
                widget.max = last
            self._play.playing = False
            self._speed.value = next((s for s in SPEEDS[3:] if seconds / s <= PATIENCE), SPEEDS[-1])
            self._paced()
            self._slider.value = self._play.value = last
            self._clock.value = f"{seconds:.2f} s"
        finally:
            self._quiet = False

    def _moved(self, change: Any) -> None:
        if not self._quiet:
            seconds = change["new"] / 1000
            self._clock.value = f"{seconds:.2f} s"
            self._draw(seconds)

    def _paced(self, _change: Any = None) -> None:
        self._play.step = max(1, round(self._play.interval * self._speed.value))
