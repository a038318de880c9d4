"""Confusion matrices: what a router chose beside what was right, as a picture and as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import UsageError
from .plot import COLOURS, Picture, Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Confusion(Picture):
    """A drawn confusion matrix; it shows itself in a notebook, and its text says the same.

    Attributes:
        names: The routes, in the order of rows and columns.
        counts: How often (right, chosen) occurred.
        title: A line above it.
        theme: ``light`` or ``dark``.
    """

    names: tuple[str, ...]
    counts: Counter[tuple[str, str]]
    title: str = ""
    theme: Theme = "light"

    @property
    def total(self) -> int:
        """How many choices there were."""
        return sum(self.counts.values())

    @property
    def errors(self) -> int:
        """How many of them were wrong."""
        return sum(count for (right, chosen), count in self.counts.items() if right != chosen)

    def __repr__(self) -> str:
        width = max(map(len, self.names)) + 2
        head = f"{'right ↓  chosen →':<18}" + "".join(f"{name:>{width}}" for name in self.names)
        rows = [
            f"{right:<18}"
            + "".join(f"{self.counts[right, chosen] or '·':>{width}}" for chosen in self.names)
            for right in self.names
        ]
        foot = f"{self.errors} of {self.total} in the wrong place"
        return "\n".join([*([self.title] if self.title else []), head, *rows, foot])

    def draw(self) -> Figure:
        """Draw it, a field for each pair."""
        return _draw(self)


def confusion(
    pairs: Iterable[tuple[str, str]],
    names: Sequence[str],
    *,
    title: str = "",
    theme: Theme = "light",
) -> Confusion:
    """Draw which route was chosen where which was right.

    Args:
        pairs: (right, chosen) of each request.
        names: The routes, in the order of rows and columns.
        title: A line above it.
        theme: ``light`` or ``dark``.

    Returns:
        A `Confusion`, which shows itself in a notebook.

    Raises:
        UsageError: When a pair holds a route that has no name, or the theme is not known.
    """
    counts = Counter(pairs)
    strange = sorted({name for pair in counts for name in pair} - set(names))
    if strange:
        raise UsageError(f"confusion knows {', '.join(names)}, and not {', '.join(strange)}")
    if theme not in COLOURS:
        raise UsageError(f"confusion's theme is 'light' or 'dark', not {theme!r}")
    return Confusion(tuple(names), counts, title, theme)


def _draw(picture: Confusion) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine
    from matplotlib.patches import Rectangle

    colours = COLOURS[picture.theme]
    names = picture.names
    figure = Figure(
        figsize=(2.2 + 0.95 * len(names), 1.3 + 0.5 * len(names)),
        facecolor=colours["ground"],
        layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.08),
    )
    ax = figure.subplots()
    most = max(picture.counts.values(), default=1)
    for row, right in enumerate(names):
        for column, chosen in enumerate(names):
            count = picture.counts[right, chosen]
            colour = colours["done" if right == chosen else "failed"]
            ax.add_patch(
                Rectangle(
                    (column - 0.5, row - 0.5),
                    1,
                    1,
                    facecolor=colour if count else "none",
                    alpha=0.25 + 0.5 * count / most if count else 1.0,
                    edgecolor=colours["faint"],
                    linewidth=0.8,
                    clip_on=False,
                )
            )
            # A wrong choice is told by its sign as well as by its colour.
            told = str(count) if right == chosen else f"✗ {count}"
            if count:
                ax.text(column, row, told, ha="center", va="center", color=colours["ink"])
    ax.set_xlim(-0.5, len(names) - 0.5)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_facecolor(colours["ground"])
    ax.set_xticks(range(len(names)), names, fontsize=9, color=colours["ink"])
    ax.set_yticks(range(len(names)), names, fontsize=9, color=colours["ink"])
    ax.tick_params(length=0)
    ax.set_xlabel("chosen", fontsize=9, color=colours["ink"])
    ax.set_ylabel("right", fontsize=9, color=colours["ink"])
    for spine in ax.spines.values():
        spine.set_visible(False)
    if picture.title:
        # A title may hold dollars, which are no mathematics.
        figure.suptitle(
            picture.title, color=colours["ink"], fontsize=11, x=0.01, ha="left", parse_math=False
        )
    return figure
