"""One moment of a fleet as SVG: a row a worker, its bars so far, and what is to be said of it.

Plain functions from a trace and a time to text. They know no widget, no loop and no front end, so
that the same moment is drawn live, in a replay and in a test.
"""

from __future__ import annotations

import html
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..plot import COLOURS, Timeline, kind_of, lower_bound, timeline
from ..trace import Call, Trace

WIDTH = 760
NAMES = 168
"""Units of the drawing's width that the rows' names may take."""
TOLD = 196
"""Units on the right that are kept for what is said of a row's last bar."""
BARS = WIDTH - NAMES - TOLD
FOOT = 32
"""Height of the axis and of what is written below it."""
TALL = 24
SHORT = 13
"""Height of a row, and of one where there are more than `MANY`."""
MANY = 32

SIGNS = {
    "planned": "○",
    "running": "▸",
    "done": "✓",
    "revised": "✓",
    "kicked back": "↩",
    "retried": "↻",
    "cancelled": "✕",
    "failed": "!",
}
"""What stands before each state, so that none is told by colour alone."""


@dataclass
class Row:
    """One worker of a board.

    Attributes:
        name: What it works on.
        calls: Its calls so far, in order.
    """

    name: str
    calls: list[Call] = field(default_factory=list)

    @property
    def free(self) -> bool:
        """Whether the next call of this name is for this row: it waits, or has to try again."""
        return not self.calls or kind_of(self.calls[-1]) in ("retried", "failed")

    @property
    def state(self) -> str:
        """What has become of it, as a key of `SIGNS`."""
        if not self.calls:
            return "planned"
        last = self.calls[-1]
        if last.end is None:
            return "running"
        if last.outcome == "kicked back":
            return "kicked back"
        kind = kind_of(last)
        if kind != "done":
            return kind
        return "revised" if any(c.outcome == "kicked back" for c in self.calls) else "done"


class Rows:
    """The rows of a board: those that were planned, then whatever else was called.

    Args:
        planned: Names, in dispatch order; the same one may stand there twice.
    """

    def __init__(self, planned: Sequence[str] = ()) -> None:
        self.rows = [Row(name) for name in planned]
        self._planned = len(self.rows)
        self._placed = 0

    def take(self, trace: Trace) -> list[Row]:
        """Put the calls that are new in a trace into their rows; return all rows."""
        for call in trace.calls[self._placed :]:
            self._row_of(call).calls.append(call)
        self._placed = len(trace.calls)
        return self.rows

    def find(self, name: str) -> Row | None:
        """The first row of a name, or of a name that holds it; one that was called, if any."""
        found = [row for row in self.rows if row.name == name]
        found = found or [row for row in self.rows if _holds(row.name, name)]
        return next((row for row in found if row.calls), found[0] if found else None)

    def _row_of(self, call: Call) -> Row:
        exact = [row for row in self.rows if row.name == call.lane]
        # A prompt says more than the name of the row that was planned for it.
        named = [row for row in self.rows[: self._planned] if _holds(call.lane, row.name)]
        named.sort(key=lambda row: -len(row.name))
        for row in [*exact, *named]:
            if row.free:
                return row
        self.rows.append(Row(call.lane))
        return self.rows[-1]


def _holds(text: str, name: str) -> bool:
    """Whether a text has a name in it as words of its own."""
    text, name = text.casefold(), name.casefold()
    at = text.find(name)
    while name and at >= 0:
        before, after = text[at - 1 : at], text[at + len(name) : at + len(name) + 1]
        if not before.isalnum() and not after.isalnum() and "-" not in (before, after):
            return True
        at = text.find(name, at + 1)
    return False


def at(trace: Trace, seconds: float) -> Trace:
    """A trace as it stood so many seconds after its first call: what was to come is not there."""
    calls = []
    for call in trace.calls:
        if call.start > seconds and call.start > 0:
            continue
        if call.end is not None and call.end <= seconds:
            calls.append(call)
        else:
            calls.append(Call(call.lane, call.start, None, "running", call.model))
    return Trace(calls, trace.clock)


def told(row: Row, now: float) -> str:
    """What is to be said of a row, in a few words."""
    state = row.state
    if not row.calls:
        return f"{SIGNS[state]} planned"
    last = row.calls[-1]
    seconds = (now if last.end is None else last.end) - last.start
    said = {"running": "", "done": "", "retried": last.outcome}.get(state, state)
    if state == "failed" and last.outcome != "failed":
        said = f"failed: {last.outcome}"
    if last.note:
        said = f"{said}: {last.note}" if said else last.note
    return f"{SIGNS[state]} {seconds:.2f} s {said}".rstrip()


@dataclass(frozen=True)
class Plan:
    """What is known of a run before it begins, and what its lower bound rests on.

    Attributes:
        limit: How many calls may be in flight at once; None for all.
        before: How many of the first calls come before the independent ones.
        after: How many of the last come after them.
        bounded: Whether the lower bound is to be shown.
    """

    limit: int | None = None
    before: int = 0
    after: int = 0
    bounded: bool = True

    def bound(self, trace: Trace) -> float | None:
        """The lower bound of a trace, in seconds.

        None where it has none, since calls were cut off or still run, and where none is asked for.
        """
        cut = any(call.outcome in ("cancelled", "running") for call in trace.calls)
        if not self.bounded or cut or len(trace.calls) < 2:
            return None
        return lower_bound(trace, before=self.before, after=self.after, limit=self.limit)

    def picture(self, trace: Trace, title: str, planned: Sequence[str] = ()) -> Timeline:
        """A trace as a timeline, for a reader without a front end."""
        return timeline(
            trace,
            limit=self.limit,
            before=self.before,
            after=self.after,
            title=title or None,
            planned=planned,
            bound=self.bound(trace) is not None,
        )


NO_PLAN = Plan()


def totals(trace: Trace, now: float, *, rows: Sequence[Row], plan: Plan = NO_PLAN) -> str:
    """The line under a board: time against its lower bound, what is in flight, what it cost."""
    running = sum(call.end is None for call in trace.calls)
    over = sum(row.state not in ("planned", "running") for row in rows)
    parts = [f"{now:.2f} s"]
    if over == len(rows) and (bound := plan.bound(trace)) is not None:
        parts[0] += f" (lower bound {bound:.2f} s)"
    cap = "" if plan.limit is None else f" of at most {plan.limit}"
    parts.append(f"{running} in flight{cap}")
    parts.append(f"{over} of {len(rows)} through")
    parts.append(f"{len(trace.calls)} call{'' if len(trace.calls) == 1 else 's'}")
    if any(call.model for call in trace.calls):
        dollars = trace.dollars
        price = "no price" if dollars is None else f"${dollars:.4f}"
        parts.append(f"{trace.tokens_in:,} tokens in, {trace.tokens_out:,} out, {price}")
    return " · ".join(parts)


def summary(title: str, rows: Sequence[Row], now: float) -> str:
    """A board in one sentence, for whoever hears it rather than sees it."""
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.state] = counts.get(row.state, 0) + 1
    states = ", ".join(f"{count} {state}" for state, count in counts.items()) or "nothing planned"
    return f"{title or 'Board'} at {now:.1f} seconds: {states}."


def full_scale(seconds: float, expected: float | None = None) -> float:
    """The seconds that the width stands for while a run goes on: it jumps, rather than creeps."""
    scale = expected or 1.0
    while scale < seconds:
        scale *= 1.5
    return scale


def drawing(
    rows: Sequence[Row],
    now: float,
    *,
    name: str,
    title: str = "",
    scale: float | None = None,
    bound: float | None = None,
    guess: float | None = None,
    barriers: Sequence[float] = (),
) -> str:
    """Draw the rows at a moment.

    Args:
        rows: What to draw, from top to bottom.
        now: The moment, in seconds since the first call; running bars reach to it.
        name: A word that no other drawing of the page has, for what the drawing defines.
        title: What it is about; heard, not drawn.
        scale: The seconds that the width stands for; by default as many as ``now`` needs.
        bound: The lower bound to mark, in seconds.
        guess: The guess to mark, in seconds.
        barriers: Moments at which everybody waited for everybody, in seconds.

    Returns:
        One ``svg`` element that takes its colours from the page's theme.
    """
    scale = scale or full_scale(now)
    tall = TALL if len(rows) <= MANY else SHORT
    foot = len(rows) * tall
    unit = BARS / scale
    said = html.escape(summary(title, rows, now))
    whole = foot + FOOT + (0 if guess is None else 11)
    head = (
        f'<svg class="labkit" viewBox="0 0 {WIDTH} {whole}" role="img" width="100%"'
        f' style="max-width:{WIDTH + 140}px" aria-label="{said}">{_STYLE}{_hatch(name)}'
    )
    parts = [head]
    for place, row in enumerate(rows):
        parts.append(_row(row, now, place * tall, tall, unit, name))
    for barrier in barriers:
        x = NAMES + barrier * unit
        parts.append(f'<line class="axis" x1="{x:.1f}" y1="0" x2="{x:.1f}" y2="{foot}"/>')
    parts.append(_axis(scale, foot, unit))
    marks = ((bound, "lower bound", "bound", 26), (guess, "your guess", "guess", 37))
    for seconds, label, kind, below in marks:
        if seconds is not None and seconds <= scale:
            x = NAMES + seconds * unit
            anchor, by = ("end", -3) if x > NAMES + 0.7 * BARS else ("start", 3)
            parts.append(
                f'<line class="{kind}" x1="{x:.1f}" y1="0" x2="{x:.1f}" y2="{foot}"/>'
                f'<text class="small" x="{x + by:.1f}" y="{foot + below}" text-anchor="{anchor}">'
                f"{label} {seconds:.2f} s</text>"
            )
    return "".join([*parts, "</svg>"])


def _row(row: Row, now: float, top: float, tall: float, unit: float, name: str) -> str:
    middle = top + tall / 2
    small = " small" if tall == SHORT else ""
    short = row.name if len(row.name) <= 26 else row.name[:25].rstrip() + "…"
    label = (
        f'<text class="name{small}" x="{NAMES - 8}" y="{middle:.1f}" text-anchor="end">'
        f"{html.escape(short)}</text>"
    )
    parts = [label]
    end = float(NAMES)
    for call, after in itertools.zip_longest(row.calls, row.calls[1:]):
        left = NAMES + call.start * unit
        right = NAMES + (now if call.end is None else call.end) * unit
        end = max(end, right)
        kind = "running" if call.end is None else kind_of(call)
        fill = f' fill="url(#{name}-hatch)"' if kind == "cancelled" else ""
        parts.append(
            f'<rect class="{kind}" x="{left:.1f}" y="{top + 3:.1f}" rx="3"'
            f' width="{max(right - left, 2):.1f}" height="{tall - 6:.1f}"{fill}/>'
        )
        if call.told and after is not None:
            room = int((after.start * unit + NAMES - right) / 5)
            parts.append(_said_between(call.told, right, middle, room))
    if not row.calls:
        parts.append(
            f'<rect class="planned" x="{NAMES}" y="{top + 3:.1f}" rx="3" width="26"'
            f' height="{tall - 6:.1f}"/>'
        )
        end = NAMES + 26
    said = told(row, now)
    room = int((WIDTH - end) / 6.4)
    if len(said) > room:
        said = said[: max(room - 1, 8)].rstrip() + "…"
    parts.append(
        f'<text class="told{small}" x="{end + 6:.1f}" y="{middle:.1f}">{html.escape(said)}</text>'
    )
    return "".join(parts)


def _said_between(text: str, x: float, y: float, room: int) -> str:
    """What came of an earlier try, in the gap before the next one, as far as it has room."""
    said = f"{SIGNS['kicked back']} {text}"
    if room < 4:
        return ""
    short = said if len(said) <= room else said[: room - 1].rstrip() + "…"
    return f'<text class="small" x="{x + 4:.1f}" y="{y:.1f}">{html.escape(short)}</text>'


def _axis(scale: float, foot: float, unit: float) -> str:
    step = next(s for s in _STEPS if scale / s <= 6)
    parts = [f'<line class="axis" x1="{NAMES}" y1="{foot}" x2="{NAMES + BARS}" y2="{foot}"/>']
    for number in range(int(scale / step + 1e-9) + 1):
        x = NAMES + number * step * unit
        parts.append(
            f'<line class="axis" x1="{x:.1f}" y1="{foot}" x2="{x:.1f}" y2="{foot + 3}"/>'
            f'<text class="small" x="{x:.1f}" y="{foot + 12}" text-anchor="middle">'
            f"{number * step:g}{' s' if number == 0 else ''}</text>"
        )
    return "".join(parts)


_STEPS = [m * 10**e for e in range(-3, 9) for m in (1, 2, 5)]


def _hatch(name: str) -> str:
    return (
        f'<defs><pattern id="{name}-hatch" width="6" height="6" patternUnits="userSpaceOnUse"'
        ' patternTransform="rotate(45)"><rect class="pale" width="6" height="6"/>'
        '<line class="stroke" x1="0" y1="0" x2="0" y2="6"/></pattern></defs>'
    )


def _theme(theme: str) -> str:
    names = ("ink", "faint", "ground", "done", "retried", "failed", "cancelled")
    return "".join(f"--lk-{name}:{COLOURS[theme][name]};" for name in names)


# JupyterLab says on its body which theme is on; a page that does not say is taken for a light one.
_STYLE = (
    "<style>"
    f".labkit{{{_theme('light')}font-family:var(--jp-ui-font-family,system-ui,sans-serif)}}"
    f'[data-jp-theme-light="false"] .labkit{{{_theme("dark")}}}'
    ".labkit text{font-size:12px;fill:var(--lk-ink);dominant-baseline:central}"
    ".labkit .told{font-size:11px;paint-order:stroke;stroke:var(--lk-ground);stroke-width:3px}"
    ".labkit .small{font-size:9px}"
    ".labkit .done{fill:var(--lk-done)}"
    ".labkit .running{fill:var(--lk-done);fill-opacity:.45;stroke:var(--lk-done)}"
    ".labkit .retried{fill:var(--lk-retried)}"
    ".labkit .failed{fill:var(--lk-failed)}"
    ".labkit .cancelled{stroke:var(--lk-faint);stroke-width:.6}"
    ".labkit .pale{fill:var(--lk-cancelled)}"
    ".labkit .stroke{stroke:var(--lk-faint);stroke-width:1.5}"
    ".labkit .planned{fill:none;stroke:var(--lk-faint);stroke-dasharray:3 2}"
    ".labkit .axis{stroke:var(--lk-faint);stroke-width:.8}"
    ".labkit .bound{stroke:var(--lk-ink);stroke-width:1.2;stroke-dasharray:2 3}"
    ".labkit .guess{stroke:var(--lk-retried);stroke-width:1.4;stroke-dasharray:6 3}"
    "</style>"
)
