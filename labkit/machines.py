"""Who worked where: a trace with one lane for each place of each machine."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import UsageError
from .plot import COLOURS, Picture, Theme, kind_of
from .trace import Call, Trace

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Machines(Picture):
    """A drawn trace by machine; it shows itself in a notebook.

    Its text says what is the same in every run; `listing`, the picture's alternative text, says
    which machine worked on what.

    Attributes:
        trace: The calls.
        title: A line above it.
        theme: ``light`` or ``dark``.
    """

    trace: Trace
    title: str = ""
    theme: Theme = "light"

    def __repr__(self) -> str:
        names = sorted({call.machine or "here" for call in self.trace.calls})
        lines = [self.title] if self.title else []
        lines.append(repr(self.trace))
        return "\n".join([*lines, f"machines that took part: {', '.join(names) or 'none'}"])

    def listing(self) -> str:
        """What the picture shows, lane by lane."""
        lines = [self.title] if self.title else []
        lines.append(repr(self.trace))
        say = self.trace.say
        for lane, calls in self.trace.machines():
            spans = [
                f"{call.lane} {say(call.start)} – {say(self._end(call))}"
                + (f" {call.told}" if call.told else "")
                for call in calls
            ]
            lines.append(f"  {lane}: {'; '.join(spans)}")
        return "\n".join(lines)

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = super()._repr_mimebundle_(**options)
        metadata["image/png"]["alt"] = self.listing().replace("\n", "; ")
        return data, metadata

    def _end(self, call: Call) -> float:
        return self.trace.seconds if call.end is None else call.end

    def draw(self) -> Figure:
        """Draw it, one lane a place."""
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine

        colours = COLOURS[self.theme]
        lanes = self.trace.machines()
        figure = Figure(
            figsize=(8.4, 0.95 + 0.42 * max(1, len(lanes))),
            facecolor=colours["ground"],
            layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.08),
        )
        ax = figure.subplots()
        for row, (_, calls) in enumerate(lanes):
            for call in calls:
                self._draw_call(ax, row, call)
        names = [name for name, _ in lanes]
        ax.set_facecolor(colours["ground"])
        ax.set_xlim(0, (self.trace.seconds or 1.0) * 1.02)
        ax.set_ylim(len(names) - 0.4, -0.6)
        ax.set_yticks(range(len(names)), names, fontsize=9, color=colours["ink"])
        ax.tick_params(length=0, colors=colours["ink"], labelsize=9)
        for side in ("top", "right", "left"):
            ax.spines[side].set_visible(False)
        ax.spines["bottom"].set_color(colours["faint"])
        ax.set_xlabel("seconds", fontsize=9, color=colours["ink"])
        # A thin line where one machine ends and the next begins.
        for row, (above, below) in enumerate(itertools.pairwise(names)):
            if above.partition(",")[0] != below.partition(",")[0]:
                ax.axhline(row + 0.5, color=colours["faint"], linewidth=0.8)
        if self.title:
            ax.set_title(self.title, loc="left", fontsize=10, color=colours["ink"])
        return figure

    def _draw_call(self, ax: Axes, row: int, call: Call) -> None:
        from matplotlib.patheffects import withStroke

        colours = COLOURS[self.theme]
        kind, end = kind_of(call), self._end(call)
        ax.barh(
            row,
            max(end - call.start, self.trace.seconds / 400),
            left=call.start,
            height=0.66,
            color="none" if kind == "planned" else colours[kind],
            edgecolor=colours["faint" if kind == "planned" else "ground"],
            hatch="////" if kind == "cancelled" else None,
            linewidth=0.8,
        )
        ax.text(
            call.start + self.trace.seconds * 0.008,
            row,
            call.lane + (f" ({call.told})" if call.told else ""),
            va="center",
            ha="left",
            fontsize=8,
            color=colours["ink"],
            path_effects=[withStroke(linewidth=2.5, foreground=colours["ground"])],
            clip_on=True,
        )


def by_machine(trace: Trace, *, title: str = "", theme: Theme = "light") -> Machines:
    """Draw which machine worked on what, and when.

    Time runs left to right in seconds, one lane for each place of each machine; what ran on none
    of them stands in the lanes of ``here``.

    Args:
        trace: The calls, as `labkit.traced` and `labkit.trace.on_machine` record them.
        title: A line above it.
        theme: ``light`` or ``dark``.

    Returns:
        A `Machines`, which shows itself in a notebook.

    Raises:
        UsageError: When that is no trace, or the theme is not known.
    """
    if not isinstance(trace, Trace):
        raise UsageError("by_machine draws a trace: by_machine(trace)")
    if theme not in COLOURS:
        raise UsageError(f"by_machine's theme is 'light' or 'dark', not {theme!r}")
    return Machines(trace, title, theme)
