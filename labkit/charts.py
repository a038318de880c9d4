"""Charts of what a fan-out is worth: the speed-up curve with its peak, and the break-even map."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import UsageError
from .plot import COLOURS, Picture, Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 40
"""Characters of the longest bar of a curve's text."""


@dataclass(frozen=True)
class Speedup(Picture):
    """A drawn speed-up curve; it shows itself in a notebook, and its text says the same.

    Attributes:
        points: Number of workers, and how many times faster they are than one agent alone.
        at: The number of workers to point out, if any.
        title: A line above it.
        theme: ``light`` or ``dark``.
    """

    points: tuple[tuple[int, float], ...]
    at: int | None = None
    title: str = ""
    theme: Theme = "light"

    @property
    def peak(self) -> tuple[int, float]:
        """The number of workers with the highest speed-up, and that; of equal ones the fewest."""
        return max(self.points, key=lambda point: (point[1], -point[0]))

    def __repr__(self) -> str:
        most = self.peak[1]
        lines = [self.title] if self.title else []
        for workers, times in self.points:
            bar = "█" * round(WIDTH * times / most)
            told = [
                name
                for name, there in (
                    ("peak", workers == self.peak[0]),
                    ("you are here", workers == self.at),
                    ("slower than one agent", times < 1),
                )
                if there
            ]
            lines.append(f"{workers:>3}  {times:5.2f}×  {bar}  {', '.join(told)}".rstrip())
        return "\n".join(lines)

    def draw(self) -> Figure:
        """Draw the curve, its peak, and the line under which one agent alone is faster."""
        figure, ax = _axes(self.title, self.theme, (8.4, 3.4))
        colours = COLOURS[self.theme]
        workers = [n for n, _ in self.points]
        times = [speedup for _, speedup in self.points]
        ax.plot(workers, times, color=colours["done"], linewidth=2, marker="o", markersize=5)
        ax.axhline(1, color=colours["ink"], linewidth=1.0, linestyle=":")
        ax.annotate(
            "one agent alone",
            (1, 1),
            xycoords=ax.get_yaxis_transform(),
            xytext=(-4, 4),
            textcoords="offset points",
            ha="right",
            fontsize=8,
            color=colours["ink"],
        )
        best, highest = self.peak
        ax.vlines(best, 0, highest, color=colours["faint"], linewidth=0.9, zorder=0)
        ax.plot([best], [highest], marker="D", markersize=9, color=colours["retried"], zorder=4)
        ax.annotate(
            f"peak: {best} workers, {highest:.2f}×",
            (best, highest),
            xytext=(0, 10),
            textcoords="offset points",
            ha="center",
            fontsize=9,
            color=colours["ink"],
        )
        for at, here in self.points:
            if at != self.at or at == best:
                continue
            ax.plot(
                [at],
                [here],
                marker="o",
                markersize=11,
                markerfacecolor="none",
                markeredgecolor=colours["ink"],
            )
            ax.annotate(
                f"{at}: {here:.2f}×",
                (at, here),
                xytext=(0, -18),
                textcoords="offset points",
                ha="center",
                fontsize=9,
                color=colours["ink"],
            )
        ax.set_ylim(0, max(highest, 1.0) * 1.25)
        ax.set_xlim(min(workers) - 0.5, max(workers) + 0.5)
        ax.set_xticks(workers)
        ax.set_xlabel("workers", fontsize=9, color=colours["ink"])
        ax.set_ylabel("times faster than one agent", fontsize=9, color=colours["ink"])
        return figure


@dataclass(frozen=True)
class BreakEven(Picture):
    """A drawn break-even map; it shows itself in a notebook, and its text says the same.

    Attributes:
        sizes: The task sizes, in tokens, one a row.
        workers: The numbers of workers, one a column.
        speedups: How many times faster together is than one after another, row by row.
        rule: A task size to draw a line at, in tokens, such as that of a rule of thumb.
        title: A line above it.
        theme: ``light`` or ``dark``.
    """

    sizes: tuple[int, ...]
    workers: tuple[int, ...]
    speedups: tuple[tuple[float, ...], ...]
    rule: int | None = None
    title: str = ""
    theme: Theme = "light"

    def pays_from(self, workers: int) -> int | None:
        """The smallest task size on the map from which so many workers are faster, in tokens."""
        column = self.workers.index(workers)
        found = None
        for size, row in sorted(zip(self.sizes, self.speedups, strict=True), reverse=True):
            if row[column] <= 1:
                break
            found = size
        return found

    def __repr__(self) -> str:
        head = f"{'tokens ↓  workers →':<20}" + "".join(f"{n:>7}" for n in self.workers)
        rows = [
            f"{size:<20,}" + "".join(f"{_told(times):>7}" for times in row)
            for size, row in zip(self.sizes, self.speedups, strict=True)
        ]
        foot = "✗: one after another is as fast, or faster"
        return "\n".join([*([self.title] if self.title else []), head, *rows, foot])

    def draw(self) -> Figure:
        """Draw a field for each size and number of workers, and the line where it breaks even."""
        from matplotlib.patches import Rectangle

        size = (2.4 + 0.62 * len(self.workers), 1.4 + 0.36 * len(self.sizes))
        figure, ax = _axes(self.title, self.theme, size)
        colours = COLOURS[self.theme]
        most = max(max(row) for row in self.speedups)
        for row, line in enumerate(self.speedups):
            for column, times in enumerate(line):
                pays = times > 1
                depth = math.log(times) / math.log(most) if pays and most > 1 else 0.0
                ax.add_patch(
                    Rectangle(
                        (column - 0.5, row - 0.5),
                        1,
                        1,
                        facecolor=colours["done" if pays else "failed"],
                        alpha=0.2 + 0.6 * depth if pays else 0.35,
                        edgecolor=colours["ground"],
                        linewidth=0.8,
                    )
                )
                # What does not pay is told by its sign as well as by its colour.
                ax.text(
                    column,
                    row,
                    _told(times),
                    ha="center",
                    va="center",
                    fontsize=8,
                    color=colours["ink"],
                )
        self._border(ax)
        if self.rule in self.sizes:
            ax.axhline(
                self.sizes.index(self.rule) - 0.5,
                color=colours["ink"],
                linewidth=1.2,
                linestyle="--",
            )
            ax.annotate(
                f"{self.rule:,}",
                (1, self.sizes.index(self.rule) - 0.5),
                xycoords=ax.get_yaxis_transform(),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
                color=colours["ink"],
            )
        ax.set_xlim(-0.5, len(self.workers) - 0.5)
        ax.set_ylim(len(self.sizes) - 0.5, -0.5)
        ax.set_xticks(range(len(self.workers)), [str(n) for n in self.workers])
        ax.set_yticks(range(len(self.sizes)), [f"{size:,}" for size in self.sizes])
        ax.tick_params(length=0)
        ax.set_xlabel("workers", fontsize=9, color=colours["ink"])
        ax.set_ylabel("tokens a task", fontsize=9, color=colours["ink"])
        for spine in ax.spines.values():
            spine.set_visible(False)
        return figure

    def _border(self, ax: Axes) -> None:
        ink = COLOURS[self.theme]["ink"]
        for row, line in enumerate(self.speedups):
            for column, times in enumerate(line):
                for over, right in ((1, 0), (0, 1)):
                    if row + over >= len(self.sizes) or column + right >= len(self.workers):
                        continue
                    if (times > 1) == (self.speedups[row + over][column + right] > 1):
                        continue
                    xs = (column - 0.5, column + 0.5) if over else (column + 0.5, column + 0.5)
                    ys = (row + 0.5, row + 0.5) if over else (row - 0.5, row + 0.5)
                    ax.plot(xs, ys, color=ink, linewidth=2)


def _told(times: float) -> str:
    return f"{times:.2f}" if times > 1 else f"✗ {times:.2f}"


def _axes(title: str, theme: Theme, size: tuple[float, float]) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    colours = COLOURS[theme]
    figure = Figure(
        figsize=size,
        facecolor=colours["ground"],
        layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.08),
    )
    ax = figure.subplots()
    ax.set_facecolor(colours["ground"])
    ax.tick_params(colors=colours["ink"], labelsize=9)
    for side, spine in ax.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(colours["faint"])
    if title:
        figure.suptitle(title, color=colours["ink"], fontsize=11, x=0.01, ha="left")
    return figure, ax


def speedup(
    curve: Mapping[int, float], *, at: int | None = None, title: str = "", theme: Theme = "light"
) -> Speedup:
    """Draw how many times faster some numbers of workers are than one agent alone.

    Args:
        curve: Number of workers → how many times faster.
        at: A number of workers to point out.
        title: A line above it.
        theme: ``light`` or ``dark``.

    Returns:
        A `Speedup`, which shows itself in a notebook and knows its peak.

    Raises:
        UsageError: When there is no point, one is not above 0, or the theme is not known.
    """
    _check("speedup", theme)
    if not curve or not all(times > 0 and math.isfinite(times) for times in curve.values()):
        raise UsageError(
            "speedup draws number of workers → how many times faster, each above 0:"
            " speedup({1: 1.0, 2: 1.7})"
        )
    return Speedup(tuple(sorted(curve.items())), at, title, theme)


def break_even(
    speedups: Mapping[int, Mapping[int, float]],
    *,
    rule: int | None = None,
    title: str = "",
    theme: Theme = "light",
) -> BreakEven:
    """Draw for which task sizes and numbers of workers a fan-out is faster.

    Args:
        speedups: Task size in tokens → number of workers → how many times faster together is than
            one after another.
        rule: One of the sizes, to draw a line at.
        title: A line above it.
        theme: ``light`` or ``dark``.

    Returns:
        A `BreakEven`, which shows itself in a notebook.

    Raises:
        UsageError: When there is no field, the rows differ in their numbers of workers, a speed-up
            is not above 0, or the theme is not known.
    """
    _check("break_even", theme)
    rows = sorted(speedups.items())
    columns: Sequence[int] = sorted(rows[0][1]) if rows else ()
    if not columns or any(sorted(row) != list(columns) for _, row in rows):
        raise UsageError(
            "break_even draws size → number of workers → how many times faster, the same numbers"
            " for each size: break_even({500: {2: 0.9, 4: 1.2}, 5_000: {2: 1.8, 4: 3.1}})"
        )
    fields = tuple(tuple(row[n] for n in columns) for _, row in rows)
    if not all(times > 0 and math.isfinite(times) for line in fields for times in line):
        raise UsageError("break_even needs speed-ups above 0; 1 is as fast as one after another")
    return BreakEven(tuple(size for size, _ in rows), tuple(columns), fields, rule, title, theme)


def _check(name: str, theme: str) -> None:
    if theme not in COLOURS:
        raise UsageError(f"{name}'s theme is 'light' or 'dark', not {theme!r}")
