"""Timelines and tails: what was measured, as a picture and as text."""

from __future__ import annotations

import functools
import io
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any, Literal

from .errors import UsageError
from .trace import Call, Trace

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Theme = Literal["light", "dark"]

# After Okabe and Ito's palette for the colour-blind, its blue calmed for large areas.
COLOURS: dict[str, dict[str, str]] = {
    "light": {
        "ground": "#ffffff",
        "ink": "#24292f",
        "faint": "#8c959f",
        "done": "#3f83b5",
        "retried": "#e69f00",
        "failed": "#d55e00",
        "cancelled": "#c3d9e8",
        "planned": "#8c959f",
    },
    "dark": {
        "ground": "#16191d",
        "ink": "#e6e8eb",
        "faint": "#7d8590",
        "done": "#56b4e9",
        "retried": "#f0b840",
        "failed": "#ff7f4d",
        "cancelled": "#3d5f75",
        "planned": "#7d8590",
    },
}

RETRIED = ("408", "409", "429", "500", "529", "timed out", "kicked back")
"""Outcomes after which there is another try: the SDK's, or that of a worker told what to mend."""


def kind_of(call: Call) -> str:
    """How a call is drawn: done, cancelled, retried, failed or planned."""
    if call.outcome == "ok":
        return "done"
    if call.outcome in ("cancelled", "running"):
        return "cancelled" if call.outcome == "cancelled" else "planned"
    return "retried" if call.outcome in RETRIED else "failed"


def lower_bound(
    trace: Trace,
    *,
    before: int = 0,
    after: int = 0,
    limit: int | None = None,
    needs: Mapping[str, Sequence[str]] | None = None,
) -> float:
    """The least seconds that a trace's calls can take, however they are scheduled.

    ``max(longest, total / limit)`` for the independent calls (Graham, 1966); the calls of the
    phases before and after are added. Where some need others, the slowest chain is the longest.

    Args:
        trace: The calls.
        before: How many of the first calls come before the independent ones.
        after: How many of the last come after them.
        limit: How many may be in flight at once; None for all.
        needs: A lane → the lanes it needs, where some do; then there are no phases.
    """
    if needs is not None:
        return _slowest_chain(trace, needs, limit)
    # Another try waits for the one before it, and as long as the service asks.
    lanes = [(calls[-1].end or calls[-1].start) - calls[0].start for _, calls in trace.lanes()]
    middle = lanes[before : len(lanes) - after]
    ends = sum(lanes[:before]) + sum(lanes[len(lanes) - after :] if after else [])
    longest = max(middle, default=0.0)
    return ends + (longest if limit is None else max(longest, sum(middle) / limit))


def _slowest_chain(trace: Trace, needs: Mapping[str, Sequence[str]], limit: int | None) -> float:
    took = {
        lane: (calls[-1].end or calls[-1].start) - calls[0].start for lane, calls in trace.lanes()
    }
    ends: dict[str, float] = {}
    for lane in TopologicalSorter(needs).static_order():
        start = max((ends[need] for need in needs.get(lane, ())), default=0.0)
        ends[lane] = start + took.get(lane, 0.0)
    chain = max(ends.values(), default=0.0)
    return chain if limit is None else max(chain, sum(took.values()) / limit)


def bars(
    trace: Trace, *, seconds: float | None = None, names: int = 0, width: int = 40
) -> list[str]:
    """A trace as lines of text, one a lane.

    Args:
        trace: The trace.
        seconds: What the width stands for; by default the trace's own seconds.
        names: Characters for the lanes' names, at least.
        width: Characters for the bars.
    """
    scale = width / (seconds or trace.seconds or 1.0)
    fill = {"done": "█", "cancelled": "░", "retried": "▒", "failed": "▒", "planned": "·"}
    lanes = trace.lanes()
    names = max([names, *(len(name) for name, _ in lanes)])
    lines = []
    for name, calls in lanes:
        row = [" "] * width
        for call in calls:
            start = min(width - 1, round(call.start * scale))
            end = max(start + 1, round((call.end or trace.seconds) * scale))
            row[start : min(end, width)] = fill[kind_of(call)] * (min(end, width) - start)
        last = calls[-1]
        told = f" {last.told}" if last.told else ""
        lines.append(f"{name:<{names}} |{''.join(row)}| {last.end or 0:.3f} s{told}")
    return lines


class Picture:
    """What shows itself in a notebook as a picture, and whose text says the same."""

    def draw(self) -> Figure:
        """Draw it."""
        raise NotImplementedError

    def png(self) -> bytes:
        """The picture, as PNG."""
        return self._png

    @functools.cached_property
    def _png(self) -> bytes:
        buffer = io.BytesIO()
        self.draw().savefig(buffer, format="png", dpi=100, metadata={"Software": None})
        return buffer.getvalue()

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        from base64 import b64encode

        data = {"text/plain": repr(self), "image/png": b64encode(self.png()).decode("ascii")}
        return data, {"image/png": {"alt": repr(self).replace("\n", "; ")}}


@dataclass(frozen=True)
class Timeline(Picture):
    """A drawn timeline; it shows itself in a notebook, and its text says the same."""

    traces: tuple[tuple[str, Trace], ...]
    before: int = 0
    after: int = 0
    limit: int | None = None
    guess: float | None = None
    theme: Theme = "light"
    title: str | None = None
    planned: tuple[str, ...] = ()
    marks: tuple[tuple[str, float], ...] = ()
    bounded: bool = True
    needs: Mapping[str, Sequence[str]] | None = None

    @property
    def bound(self) -> float | None:
        """The least seconds the calls can take; None where that is not asked or is plain to see."""
        trace = self.traces[-1][1]
        if not self.bounded or len(trace.calls) < 2:
            return None
        return lower_bound(
            trace, before=self.before, after=self.after, limit=self.limit, needs=self.needs
        )

    @property
    def barriers(self) -> list[float]:
        """Seconds at which the last trace's phases end, where it has phases."""
        lanes = self.traces[-1][1].lanes()
        if len(lanes) <= self.before + self.after + 1:
            return []
        ends = sorted(calls[-1].end or calls[-1].start for _, calls in lanes)
        through = [self.before] * bool(self.before)
        through += [len(lanes) - self.after] * bool(self.after)
        return [ends[count - 1] for count in through]

    def __repr__(self) -> str:
        lines = [self.title] if self.title else []
        for name, trace in self.traces:
            lines.append(f"{name}: {trace!r}" if name else repr(trace))
            for lane, calls in trace.lanes():
                spans = [
                    f"{trace.say(call.start)} – "
                    + ("still running" if call.end is None else trace.say(call.end))
                    + (f" {call.told}" if call.told else "")
                    for call in calls
                ]
                lines.append(f"  {lane}: {'; '.join(spans)}")
        lines += [f"  {lane}: planned" for lane in self.planned]
        trace = self.traces[-1][1]
        lines += [f"{name}: {seconds:g} s" for name, seconds in self.marks]
        if self.bound is not None:
            lines.append(f"lower bound: {trace.say(self.bound)}")
        if len(self.traces) == 2 and self.traces[0][1].seconds:
            mark = "≈" if trace.clock == "real" else ""
            ratio = trace.seconds / self.traces[0][1].seconds
            lines.append(f"{self.traces[1][0]} / {self.traces[0][0]}: {mark}{ratio:.2f}")
        if self.guess is not None:
            lines.append(f"your guess: {self.guess:g} s")
        return "\n".join(lines)

    def draw(self) -> Figure:
        """Draw it, one set of axes a trace."""
        return _draw(self)


def timeline(
    *traces: Trace,
    names: Sequence[str] | None = None,
    before: int = 0,
    after: int = 0,
    limit: int | None = None,
    guess: float | None = None,
    theme: Theme = "light",
    title: str | None = None,
    planned: Sequence[str] = (),
    marks: Mapping[str, float] | None = None,
    bound: bool = True,
    needs: Mapping[str, Sequence[str]] | None = None,
) -> Timeline:
    """Draw one trace, or several below each other on one axis.

    Time runs left to right in seconds, one lane a call in dispatch order. The dotted line is the
    lower bound of the last trace, thin lines are its barriers.

    Args:
        traces: What to draw, such as sequential, then parallel.
        names: A name for each; by default "one after another" and "together" where there are two.
        before: How many of the first calls come before the independent ones (a plan, say).
        after: How many of the last come after them (a synthesis).
        limit: How many calls may be in flight at once, for the lower bound.
        guess: Seconds somebody predicted, drawn beside the truth.
        theme: ``light`` or ``dark``.
        title: A line above it all.
        planned: Lanes of the last trace in which nothing was started.
        marks: Moments to mark on each trace, in seconds, such as ``{"deadline": 1.0}``.
        bound: Whether to draw the lower bound; of calls that were cut off it says little.
        needs: A lane → the lanes it needs: the lower bound is then that of the slowest chain.

    Returns:
        A `Timeline`, which shows itself in a notebook.

    Raises:
        UsageError: When there is no trace, a name is missing or the theme is not known.
    """
    if not traces or not all(isinstance(trace, Trace) for trace in traces):
        raise UsageError("timeline draws one trace or more: timeline(trace)")
    if names is None:
        names = [""] if len(traces) == 1 else ["one after another", "together"]
    if len(names) != len(traces):
        raise UsageError(f"timeline needs a name for each of its {len(traces)} traces: names=[...]")
    if theme not in COLOURS:
        raise UsageError(f"timeline's theme is 'light' or 'dark', not {theme!r}")
    pairs = tuple(zip(names, traces, strict=True))
    idle, moments = tuple(planned), tuple((marks or {}).items())
    return Timeline(pairs, before, after, limit, guess, theme, title, idle, moments, bound, needs)


def _draw(picture: Timeline) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    colours = COLOURS[picture.theme]
    rows = [max(1, len(trace.lanes())) for _, trace in picture.traces]
    rows[-1] += len(picture.planned)
    figure = Figure(
        figsize=(8.4, 0.55 + sum(0.31 * n + 0.42 for n in rows)),
        facecolor=colours["ground"],
        layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.08),
    )
    axes = figure.subplots(len(rows), 1, sharex=True, squeeze=False, height_ratios=rows)[:, 0]
    others = [picture.guess or 0.0, *(seconds for _, seconds in picture.marks), 0.1]
    width = max([trace.seconds for _, trace in picture.traces] + others)
    for place, (ax, (name, trace)) in enumerate(zip(axes, picture.traces, strict=True)):
        last = place == len(rows) - 1
        _draw_trace(ax, name, trace, width, picture, colours, last=last)
    if picture.title:
        figure.suptitle(picture.title, color=colours["ink"], fontsize=11, x=0.01, ha="left")
    return figure


def _draw_trace(
    ax: Axes,
    name: str,
    trace: Trace,
    width: float,
    picture: Timeline,
    colours: dict[str, str],
    *,
    last: bool,
) -> None:
    lanes = trace.lanes()
    for row, (_, calls) in enumerate(lanes):
        for call, later in itertools.zip_longest(calls, calls[1:]):
            _draw_call(ax, row, call, later, trace, width, colours)
    names = [name for name, _ in lanes]
    if last:
        for row, _ in enumerate(picture.planned, len(lanes)):
            _draw_planned(ax, row, width, colours)
        names += picture.planned
    ax.set_facecolor(colours["ground"])
    ax.set_xlim(0, width * 1.16)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.set_yticks(range(len(names)), names, fontsize=9, color=colours["ink"])
    ax.tick_params(length=0, colors=colours["ink"], labelsize=9)
    for side in ("top", "right", "left", "bottom"):
        ax.spines[side].set_visible(side == "bottom" and last)
    ax.spines["bottom"].set_color(colours["faint"])
    ax.tick_params(axis="x", labelbottom=last, length=3 if last else 0)
    if last:
        ax.set_xlabel("seconds", fontsize=9, color=colours["ink"])
    if name:
        approximate = "≈" if trace.clock == "real" else ""
        title = f"{name}: {approximate}{trace.seconds:.2f} s"
        # A lower bound that lies far left has its label where the title would stand.
        crowded = last and picture.bound is not None and picture.bound < 0.3 * width
        pad = 16 if crowded else 6
        ax.set_title(title, loc="left", fontsize=10, color=colours["ink"], pad=pad)
    for barrier in picture.barriers if last else ():
        ax.axvline(barrier, color=colours["faint"], linewidth=0.8, zorder=0)
    for text, seconds in picture.marks:
        _mark(ax, seconds, text, "-.", colours["ink"], len(names))
    if last and picture.bound is not None:
        _mark(ax, picture.bound, "lower bound", ":", colours["ink"], len(names))
    if last and picture.guess is not None:
        _mark(ax, picture.guess, "your guess", "--", colours["retried"], len(names))


def _draw_planned(ax: Axes, row: int, width: float, colours: dict[str, str]) -> None:
    ax.barh(row, width / 30, height=0.62, color="none", edgecolor=colours["faint"], linestyle="--")
    ax.text(width / 24, row, "planned", va="center", fontsize=8, color=colours["ink"])


LETTER = 0.016
"""How wide a letter beside a bar is, at most, as a part of the axis."""


def _draw_call(
    ax: Axes,
    row: int,
    call: Call,
    later: Call | None,
    trace: Trace,
    width: float,
    colours: dict[str, str],
) -> None:
    from matplotlib.patheffects import withStroke

    kind = kind_of(call)
    end = trace.seconds if call.end is None else call.end
    hollow = kind == "planned"
    ax.barh(
        row,
        max(end - call.start, width / 400),
        left=call.start,
        height=0.62,
        color="none" if hollow else colours[kind],
        edgecolor=colours["faint"] if hollow else colours["ground"],
        hatch="////" if kind == "cancelled" else None,
        linewidth=0.8,
    )
    approximate = "≈" if trace.clock == "real" else ""
    took = f"{approximate}{end - call.start:.2f} s"
    told = f"{took}  {call.told}" if call.told else took
    if later is not None and call.told:
        # The rest would run over the bar of the later try; the text form has it.
        told = call.outcome
    room = later is None or later.start - end > LETTER * len(told) * width
    ax.text(
        end + width * (0.008 if room else -0.008),
        row,
        told,
        va="center",
        ha="left" if room else "right",
        fontsize=8,
        color=colours["ink"],
        path_effects=[withStroke(linewidth=2.5, foreground=colours["ground"])],
        zorder=4,
    )


def _mark(ax: Axes, x: float, text: str, style: str, colour: str, rows: int) -> None:
    ax.axvline(x, color=colour, linewidth=1.2, linestyle=style, zorder=3)
    ax.annotate(
        text,
        (x, math.fsum([rows, -0.45]) if style == "--" else -0.6),
        xytext=(3, 2),
        textcoords="offset points",
        fontsize=8,
        color=colour,
        annotation_clip=False,
    )


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that so many per cent of the values do not exceed: the nearest-rank method.

    Args:
        values: At least one.
        percent: More than 0, 100 at most.

    Raises:
        UsageError: When there is no value, or ``percent`` lies outside.
    """
    if not values or not 0 < percent <= 100:
        raise UsageError(
            f"percentile needs a value or more and a percentage in (0, 100]; these are"
            f" {len(values)} values and {percent!r}"
        )
    # In exact steps, since 0.07 * 100 is a little over 7.
    rank = -(-len(values) * round(percent * 1_000) // 100_000)
    return sorted(values)[max(1, rank) - 1]


PERCENTILES = (50.0, 95.0, 99.0)
"""What a `Tail` tells of."""


@dataclass(frozen=True)
class Tail(Picture):
    """A drawn latency tail; it shows itself in a notebook, and its text says the same."""

    series: tuple[tuple[str, tuple[float, ...]], ...]
    theme: Theme = "light"
    title: str | None = None

    def __repr__(self) -> str:
        width = max(len(name) for name, _ in self.series)
        lines = [self.title] if self.title else []
        for name, values in self.series:
            told = [f"p{p:g} {percentile(values, p):.2f} s" for p in PERCENTILES]
            lines.append(f"{name:<{width}}  {'  '.join(told)}  max {max(values):.2f} s")
        return "\n".join(lines)

    def draw(self) -> Figure:
        """Draw the share of requests that take longer than a time, on a logarithmic scale."""
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine
        from matplotlib.ticker import NullLocator

        colours = COLOURS[self.theme]
        figure = Figure(
            figsize=(8.4, 3.6),
            facecolor=colours["ground"],
            layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.08),
        )
        ax = figure.subplots()
        strokes = [
            ("retried", "--", "s"),
            ("done", "-", "o"),
            ("failed", ":", "^"),
            ("ink", "-.", "D"),
        ]
        longest = max(max(values) for _, values in self.series)
        least = 0.9 / min(len(values) for _, values in self.series)
        for place, (name, values) in enumerate(self.series):
            colour, line, mark = strokes[place % len(strokes)]
            ordered = sorted(values)
            longer = [1 - n / len(ordered) for n in range(1, len(ordered) + 1)]
            ax.step(
                [0.0, *ordered],
                [1.0, *longer],
                where="post",
                color=colours[colour],
                linestyle=line,
                linewidth=1.8,
                label=name,
            )
            ax.plot(
                [percentile(values, p) for p in PERCENTILES],
                [1 - p / 100 for p in PERCENTILES],
                linestyle="none",
                marker=mark,
                markersize=6,
                color=colours[colour],
                markeredgecolor=colours["ground"],
                zorder=4,
            )
        for p in (p for p in PERCENTILES if 1 - p / 100 > least):
            ax.axhline(1 - p / 100, color=colours["faint"], linewidth=0.6, linestyle=":", zorder=0)
            ax.text(
                1.005,
                1 - p / 100,
                f"p{p:g}",
                transform=ax.get_yaxis_transform(),
                fontsize=8,
                color=colours["ink"],
                va="center",
            )
        ax.set_yscale("log")
        ax.set_ylim(least, 1.3)
        ax.set_xlim(0, longest * 1.04)
        shares = [share for share in (1.0, 0.1, 0.01, 0.001) if share > least]
        ax.set_yticks(shares, [f"{share * 100:g} %" for share in shares])
        ax.yaxis.set_minor_locator(NullLocator())
        ax.tick_params(colors=colours["ink"], labelsize=9)
        ax.set_facecolor(colours["ground"])
        ax.set_xlabel("seconds", fontsize=9, color=colours["ink"])
        ax.set_ylabel("requests that take longer", fontsize=9, color=colours["ink"])
        for side, spine in ax.spines.items():
            spine.set_visible(side in ("left", "bottom"))
            spine.set_color(colours["faint"])
        ax.legend(
            fontsize=9,
            labelcolor=colours["ink"],
            loc="upper right",
            facecolor=colours["ground"],
            edgecolor="none",
            framealpha=1.0,
        )
        if self.title:
            figure.suptitle(self.title, color=colours["ink"], fontsize=11, x=0.01, ha="left")
        return figure


def tail(
    series: Mapping[str, Sequence[float]], *, theme: Theme = "light", title: str | None = None
) -> Tail:
    """Draw how many requests take longer than how long, for one way of sending them or several.

    Args:
        series: A name → the seconds of its requests.
        theme: ``light`` or ``dark``.
        title: A line above it all.

    Returns:
        A `Tail`, which shows itself in a notebook.

    Raises:
        UsageError: When there is no series, one is empty or the theme is not known.
    """
    if not series or not all(series.values()):
        raise UsageError('tail draws one series or more: tail({"plain": [0.4, 0.5, 2.0]})')
    if theme not in COLOURS:
        raise UsageError(f"tail's theme is 'light' or 'dark', not {theme!r}")
    return Tail(tuple((name, tuple(values)) for name, values in series.items()), theme, title)
