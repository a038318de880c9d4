"""Load: how many requests a service worked on at each moment, and how many it refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import UsageError
from .plot import COLOURS, Picture, Theme
from .trace import Trace

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

REFUSED = "429"


@dataclass(frozen=True)
class Load(Picture):
    """What traces asked of a service; it shows itself in a notebook, and its text says the same.

    Attributes:
        traces: A name and the requests of each run.
        allows: How many requests the service works on at once; None where that is not known.
        theme: ``light`` or ``dark``.
    """

    traces: tuple[tuple[str, Trace], ...]
    allows: int | None = None
    theme: Theme = "light"

    def __repr__(self) -> str:
        width = max(len(name) for name, _ in self.traces)
        return "\n".join(f"{name:<{width}}  {told(trace)}" for name, trace in self.traces)

    def draw(self) -> Figure:
        """Draw it, one set of axes a run."""
        return _draw(self)


def answered(trace: Trace) -> tuple[int, int]:
    """How many questions were answered in the end, and how many there were, retries not counted."""
    lanes = [calls for _, calls in trace.lanes()]
    return sum(calls[-1].outcome == "ok" for calls in lanes), len(lanes)


def told(trace: Trace) -> str:
    """A run in a line: answers, requests, refusals and seconds."""
    good, asked = answered(trace)
    refused = sum(call.outcome == REFUSED for call in trace.calls)
    return (
        f"{good} of {asked} answered, {len(trace.calls)} requests, {refused} refused,"
        f" {trace.say(trace.seconds)}"
    )


def load(
    *traces: Trace,
    names: Sequence[str] | None = None,
    allows: int | None = None,
    theme: Theme = "light",
) -> Load:
    """Draw what a service had to do in one run, or in several below each other on one axis.

    The area is what it worked on, at each moment; a spike is what it refused then; the dotted line
    is what it allows.

    Args:
        traces: The requests of each run.
        names: A name for each run.
        allows: How many requests the service works on at once.
        theme: ``light`` or ``dark``.

    Returns:
        A `Load`, which shows itself in a notebook.

    Raises:
        UsageError: When there is no trace, a name is missing or the theme is not known.
    """
    if not traces or not all(isinstance(trace, Trace) for trace in traces):
        raise UsageError("load draws one trace or more: load(trace)")
    if names is None:
        names = ["load"] if len(traces) == 1 else [f"run {n}" for n, _ in enumerate(traces, 1)]
    if len(names) != len(traces):
        raise UsageError(f"load needs a name for each of its {len(traces)} traces: names=[...]")
    if theme not in COLOURS:
        raise UsageError(f"load's theme is 'light' or 'dark', not {theme!r}")
    return Load(tuple(zip(names, traces, strict=True)), allows, theme)


def levels(trace: Trace) -> list[tuple[float, int]]:
    """How many requests were being worked on, from each moment on at which that changes."""
    changes: Counter[float] = Counter()
    for call in trace.calls:
        if call.outcome != REFUSED:
            changes[call.start] += 1
            changes[trace.seconds if call.end is None else call.end] -= 1
    level, steps = 0, []
    for moment in sorted(changes):
        level += changes[moment]
        steps.append((moment, level))
    return steps


def _draw(picture: Load) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    colours = COLOURS[picture.theme]
    count = len(picture.traces)
    figure = Figure(
        figsize=(8.4, 0.6 + 1.5 * count),
        facecolor=colours["ground"],
        layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.08),
    )
    axes = figure.subplots(count, 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    width = max([trace.seconds for _, trace in picture.traces] + [0.1])
    for place, (ax, (name, trace)) in enumerate(zip(axes, picture.traces, strict=True)):
        _draw_run(ax, trace, picture, colours)
        ax.set_title(f"{name}: {told(trace)}", loc="left", fontsize=9, color=colours["ink"])
        ax.set_xlim(-0.02 * width, 1.06 * width)
        if place == count - 1:
            ax.set_xlabel("seconds", fontsize=9, color=colours["ink"])
    axes[0].set_ylim(0, 1.15 * axes[0].get_ylim()[1])  # room for what stands on the spikes
    return figure


def _draw_run(ax: Axes, trace: Trace, picture: Load, colours: dict[str, str]) -> None:
    from matplotlib.patheffects import withStroke

    moments, heights = zip(*[(0.0, 0), *levels(trace)], strict=True)
    ax.fill_between(moments, heights, step="post", color=colours["done"], linewidth=0)
    spikes = Counter(call.start for call in trace.calls if call.outcome == REFUSED)
    for moment, refused in spikes.items():
        ax.plot([moment, moment], [0, refused], color=colours["retried"], linewidth=3)
        ax.annotate(
            f"✗ {refused}",
            (moment, refused),
            xytext=(0, 2),
            textcoords="offset points",
            fontsize=8,
            ha="center",
            color=colours["ink"],
            path_effects=[withStroke(linewidth=2.5, foreground=colours["ground"])],
        )
    if picture.allows is not None:
        ax.axhline(picture.allows, color=colours["ink"], linewidth=1.0, linestyle=":")
        ax.annotate(
            f"allows {picture.allows}",
            (1.0, picture.allows),
            xycoords=("axes fraction", "data"),
            xytext=(-2, 2),
            textcoords="offset points",
            ha="right",
            fontsize=8,
            color=colours["ink"],
        )
    ax.set_facecolor(colours["ground"])
    ax.set_ylabel("requests", fontsize=9, color=colours["ink"])
    ax.tick_params(colors=colours["ink"], labelsize=8, length=3)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(colours["faint"])
