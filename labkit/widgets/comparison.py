"""Two runs on one axis, to be played side by side."""

from __future__ import annotations

import html
from typing import Any

from ..errors import UsageError
from ..plot import Timeline, timeline
from ..trace import Trace
from .boards import Board, Replay, unique
from .frames import Plan, Rows, at, drawing, totals
from .live import alt, bundle
from .predictions import Prediction


class Comparison:
    """Runs below each other on one axis; made by `compare`.

    Attributes:
        picture: The same as a timeline.
    """

    def __init__(self, boards: tuple[Board, ...], picture: Timeline) -> None:
        self.picture = picture
        self._boards = boards
        self._lanes = [[row.name for row in board.rows] for board in boards]

    def __repr__(self) -> str:
        return repr(self.picture)

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        text = repr(self)
        return bundle(text, self._widget, png=self.picture.png()), alt(text)

    def _widget(self) -> Any:
        import ipywidgets

        for board in self._boards:
            board.leave()
        shown = ipywidgets.HTML()
        name = unique()
        seconds = max(trace.seconds for _, trace in self.picture.traces)

        def draw(moment: float) -> None:
            shown.value = "".join(
                self._one(place, moment, seconds, f"{name}-{place}")
                for place in range(len(self._boards))
            )

        replay = Replay(draw)
        replay.offer(seconds)
        draw(seconds)
        return ipywidgets.VBox([shown, replay.bar])

    def _one(self, place: int, moment: float, seconds: float, name: str) -> str:
        title, trace = self.picture.traces[place]
        now = min(moment, trace.seconds)
        ended = moment >= trace.seconds
        then = trace if ended else at(trace, now)
        rows = Rows(self._lanes[place]).take(then)
        marked = ended and place == len(self._boards) - 1
        svg = drawing(
            rows,
            now,
            name=name,
            title=title,
            scale=seconds,
            bound=self.picture.bound if marked else None,
            guess=self.picture.guess if marked else None,
            barriers=self.picture.barriers if marked else (),
        )
        plan = Plan(self.picture.limit, self.picture.before, self.picture.after, bounded=marked)
        line = totals(then, now, rows=rows, plan=plan)
        return f"<strong>{html.escape(title)}</strong>{svg}<div style='{LINE}'>{line}</div>"


LINE = "font-size:12px;font-variant-numeric:tabular-nums;margin-bottom:8px"


def compare(
    *boards: Board,
    before: int = 0,
    after: int = 0,
    limit: int | None = None,
    guess: Prediction | float | None = None,
) -> Comparison:
    """Put runs below each other on one axis, and play them side by side.

    In a live notebook it takes the place of the boards, elsewhere it is a `labkit.timeline`.

    Args:
        boards: Two runs or more, each with a title.
        before: How many of the first calls come before the independent ones (a plan, say).
        after: How many of the last come after them (a synthesis).
        limit: How many calls may be in flight at once, for the lower bound.
        guess: What somebody predicted, in seconds.

    Returns:
        A `Comparison`, which shows itself in a notebook.

    Raises:
        UsageError: When there are fewer than two boards, or one shows no call.
    """
    if len(boards) < 2 or not all(isinstance(board, Board) for board in boards):
        raise UsageError("compare takes two boards or more: compare(one_after_another, together)")
    silent = [board.title or "a board" for board in boards if not board.trace.calls]
    if silent:
        raise UsageError(f"compare needs runs, and nothing was called in: {', '.join(silent)}")
    traces: list[Trace] = [board.trace for board in boards]
    picture = timeline(
        *traces,
        names=[board.title for board in boards],
        before=before,
        after=after,
        limit=limit,
        guess=guess.value if isinstance(guess, Prediction) else guess,
        bound=Plan().bound(traces[-1]) is not None,
    )
    return Comparison(boards, picture)
