"""The lab bench: settings to move, and the run that answers."""

from __future__ import annotations

import asyncio
import html
import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ..clock import run
from ..errors import UsageError
from ..plot import Picture
from ..trace import Trace, record
from .boards import Screen
from .controls import Control
from .frames import Plan, Row, Rows
from .live import alt, bundle, close, keep

Scene = Callable[..., Any]
"""What a bench runs: called with its settings by name, it returns what there is to show."""


class Answer:
    """What came of one run of a scene.

    Attributes:
        trace: The calls it made.
        value: What it returned; None where it raised.
        error: What ended it, in a line, where it did not return.
    """

    def __init__(self, trace: Trace, value: Any = None, error: str = "") -> None:
        self.trace = trace
        self.value = value
        self.error = error

    @property
    def text(self) -> str:
        """What is told beside the picture."""
        if self.error:
            return self.error
        return "" if self.value is None else str(self.value)


class Bench:
    """A scene with settings to move; made by `bench`.

    Attributes:
        title: What it is about.
        settings: The controls, by the name that the scene knows them by.
        rows: The workers that are planned, by name.
    """

    def __init__(
        self,
        scene: Scene,
        title: str,
        settings: Mapping[str, Control],
        limit: str | None,
        plan: Plan,
        rows: tuple[str, ...],
    ) -> None:
        self.title = title
        self.settings = dict(settings)
        self.rows = rows
        self._scene = scene
        self._limit = limit
        self._plan = plan
        self._shown: _Widget | None = None

    @property
    def values(self) -> dict[str, Any]:
        """The settings as they stand."""
        return {name: control.value for name, control in self.settings.items()}

    @property
    def plan(self) -> Plan:
        """What is known of a run beforehand, with the settings as they stand."""
        return replace(self._plan, limit=int(self.values[self._limit]) if self._limit else None)

    @property
    def is_async(self) -> bool:
        """Whether the scene can be watched while it runs."""
        return inspect.iscoroutinefunction(self._scene)

    def answer(self) -> Answer:
        """Run the scene at once, on the free clock, with the settings as they stand."""
        with record() as trace:
            try:
                value = self._scene(**self.values)
                if inspect.iscoroutine(value):
                    value = run(value)
            except Exception as error:
                return Answer(trace, error=_told(error))
        return Answer(trace, value)

    async def watch(self, answer: Answer) -> None:
        """Run the scene in real time, filling an answer as it goes.

        Raises:
            CancelledError: When it was cancelled; the answer then holds what was done so far.
        """
        with record(answer.trace):
            try:
                answer.value = await self._scene(**self.values)
            except Exception as error:
                answer.error = _told(error)

    def picture(self, answer: Answer) -> Picture:
        """An answer as a picture: the one that the scene returned, else its calls."""
        if isinstance(answer.value, Picture):
            return answer.value
        return self.plan.picture(answer.trace, self.title)

    def _text(self, answer: Answer) -> str:
        lines = [self.title] if self.title else []
        lines += [f"  {control.told}" for control in self.settings.values()]
        if isinstance(answer.value, Picture):
            return "\n".join([*lines, repr(answer.value)])
        if answer.trace.calls:
            lines.append(repr(self.plan.picture(answer.trace, "")))
        return "\n".join([*lines, answer.text]).rstrip()

    def __repr__(self) -> str:
        return self._text(self.answer())

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        answer = self.answer()

        def make() -> Any:
            if self._shown is not None:
                self._shown.close()
            self._shown = _Widget(self, answer)
            keep(self._shown.close)
            return self._shown.box

        shows = isinstance(answer.value, Picture) or answer.trace.calls
        png = self.picture(answer).png() if shows else None
        text = self._text(answer)
        return bundle(text, make, png=png), alt(text)


def bench(
    scene: Scene,
    *,
    title: str = "",
    limit: str | None = None,
    before: int = 0,
    after: int = 0,
    bound: bool = True,
    rows: tuple[str, ...] | list[str] = (),
    **settings: Control,
) -> Bench:
    """Offer a scene with settings to move.

    Each move of a setting is answered at once, on the free clock. Run plays the scene in real
    time, where a board shows it working; a move or Stop ends that run, clean-up and all.

    Args:
        scene: Called with the settings by name. An async scene's calls are recorded and drawn; a
            picture that a scene returns (a `labkit.timeline`, say) is shown in their place, and
            any other value as text.
        title: What it is about.
        limit: The name of the setting that says how many calls may be in flight.
        before: As for `labkit.board`.
        after: As for `labkit.board`.
        bound: As for `labkit.board`.
        rows: The workers that are planned, as for `labkit.board`.
        settings: A control for each parameter, made by `setting`, `switch` or `choose`.

    Returns:
        A `Bench`; shown as a cell's last expression, it answers with the settings as they are, and
        in a live notebook has its controls beside it.

    Raises:
        UsageError: When a control is none, or the scene does not take the settings.
    """
    strange = [name for name, control in settings.items() if not isinstance(control, Control)]
    if strange or not settings:
        what = f"{strange[0]} is none" if strange else "there is none"
        raise UsageError(
            f"bench needs a control for each setting, and {what}:"
            ' bench(scene, limit=setting("in flight", 1, 6, start=2))'
        )
    try:
        inspect.signature(scene).bind(**settings)
    except (TypeError, ValueError) as error:
        raise UsageError(f"the scene cannot be called with these settings: {error}") from None
    if limit is not None and limit not in settings:
        raise UsageError(f"limit names a setting, one of {', '.join(settings)}, not {limit!r}")
    plan = Plan(before=before, after=after, bounded=bound)
    return Bench(scene, title, settings, limit, plan, tuple(rows))


class _Widget:
    """A bench on a page: controls, a picture, and the run that goes on, if any."""

    def __init__(self, bench: Bench, answer: Answer) -> None:
        import ipywidgets

        self._bench = bench
        self._task: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._screen = Screen(bench.title, bench.plan)
        self._image = ipywidgets.Image(format="png")
        self._told = ipywidgets.HTML()
        controls = [control.widget() for control in bench.settings.values()]
        for widget in controls:
            widget.observe(self._moved, "value")
        self._run = ipywidgets.Button(
            description="Run", icon="play", tooltip="run it in real time, and watch"
        )
        self._stop = ipywidgets.Button(
            description="Stop", icon="stop", disabled=True, tooltip="cancel the run that goes on"
        )
        self._run.on_click(lambda _: self._start())
        self._stop.on_click(lambda _: self._cancel())
        buttons = [ipywidgets.HBox([self._run, self._stop])] if bench.is_async else []
        self._controls = controls
        settings = ipywidgets.VBox(controls)
        settings.add_class("labkit-bench-settings")
        self.box = ipywidgets.VBox([settings, *buttons, self._screen.box, self._image, self._told])
        self.box.add_class("labkit-bench")
        self._lanes: list[str] = []
        self._seconds = 0.0
        self._expect(answer)

    def close(self) -> None:
        """Take it off the page, and end what runs."""
        self._cancel()
        self._task = None
        for widget in self._controls:
            widget.unobserve(self._moved, "value")
        self._screen.close()
        close(self.box)

    def _moved(self, _change: Any) -> None:
        self._cancel()
        self._task = None  # what it did no longer matters: the settings are others now
        self._busy(False)
        self._expect(self._bench.answer())

    def _expect(self, answer: Answer) -> None:
        """Show what came of it at once: the run in real time is to be laid out alike."""
        self._lanes = [row.name for row in self._placed(answer.trace)]
        self._seconds = answer.trace.seconds
        self._show(answer)

    def _show(self, answer: Answer) -> None:
        drawn = isinstance(answer.value, Picture)
        self._image.layout.display = "" if drawn else "none"
        self._screen.box.layout.display = "none" if drawn else ""
        if isinstance(answer.value, Picture):
            self._image.value = answer.value.png()
        else:
            self._screen.plan = self._bench.plan
            rows = Rows(self._lanes).take(answer.trace)
            self._screen.rest(answer.trace, rows)
        text = repr(answer.value) if drawn else answer.text
        shown = f"<pre>{html.escape(text)}</pre>" if text else ""
        if drawn:
            # Who sees the picture need not read it again; who does not finds it here.
            shown = f"<details><summary>the same in text</summary>{shown}</details>"
        self._told.value = shown

    def _placed(self, trace: Trace) -> list[Row]:
        return Rows(self._bench.rows).take(trace)

    def _start(self) -> None:
        self._cancel()
        self._task = asyncio.get_running_loop().create_task(self._watch(set(self._tasks)))
        # A loop keeps no hold of its tasks, and one that was cancelled still has to clean up.
        self._tasks.add(self._task)
        self._task.add_done_callback(self._tasks.discard)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _watch(self, before: set[asyncio.Task[None]]) -> None:
        answer = Answer(Trace())
        if before:
            await asyncio.wait(before)  # each of them was cancelled and may have to clean up
        rows = Rows(self._lanes)
        self._busy(True)
        self._told.value = ""
        self._screen.plan = self._bench.plan
        self._screen.follow(
            lambda: (answer.trace, rows.take(answer.trace), answer.trace.now),
            seconds=self._seconds,
        )
        try:
            await self._bench.watch(answer)
        except asyncio.CancelledError:
            answer.error = "stopped"
        if self._task is asyncio.current_task():
            self._busy(False)
            self._show(answer)

    def _busy(self, busy: bool) -> None:
        self._stop.disabled = not busy


def _told(error: Exception) -> str:
    return f"raised {type(error).__name__}: {error}"
