"""Controls: figures, switches and choices that are set rather than measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from .live import bundle

if TYPE_CHECKING:
    import ipywidgets

WIDE = "34em"
LABEL = "13em"


class Control:
    """Something that the reader sets; made by `setting`, `switch` or `choose`.

    Attributes:
        what: What is set.
        value: How it stands; every widget that shows it follows, and moves it.
    """

    def __init__(self, what: str, value: Any) -> None:
        self.what = what
        self.value = value

    def widget(self) -> ipywidgets.DOMWidget:
        """A new widget that moves it."""
        widget = self._widget(
            value=self.value,
            description=self.what,
            tooltip=self.what,
            style={"description_width": LABEL},
            width=WIDE,
        )

        def moved(change: Any) -> None:
            self.value = change["new"]

        widget.observe(moved, "value")
        return widget

    def _widget(self, *, width: str, **of_all: Any) -> ipywidgets.DOMWidget:
        raise NotImplementedError

    @property
    def told(self) -> str:
        """How it stands, in a line."""
        return f"{self.what}: {self.value}"

    def __repr__(self) -> str:
        return f"{self.told} (move the slider)"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return bundle(repr(self), self.widget)


class Setting(Control):
    """A figure with a slider; made by `setting`."""

    def __init__(self, what: str, low: float, high: float, start: float, step: float, unit: str):
        # A count is a whole number, and is handed on as one.
        whole = all(float(figure).is_integer() for figure in (low, high, start, step))
        self._low, self._high, self._step = low, high, step
        self._whole = whole
        self.unit = unit
        super().__init__(what, int(start) if whole else float(start))

    def _widget(self, *, width: str, **of_all: Any) -> ipywidgets.DOMWidget:
        import ipywidgets

        kind = ipywidgets.IntSlider if self._whole else ipywidgets.FloatSlider
        form = {} if self._whole else {"readout_format": ".2f"}
        of_all["description"] = f"{self.what} [{self.unit}]" if self.unit else self.what
        return kind(
            min=self._low,
            max=self._high,
            step=self._step,
            layout=ipywidgets.Layout(width=width),
            **form,
            **of_all,
        )

    @property
    def told(self) -> str:
        """How it stands, in a line."""
        return f"{self.what}: {self.value:g} {self.unit}".rstrip()


class Switch(Control):
    """Something that is on or off; made by `switch`."""

    def _widget(self, *, width: str, **of_all: Any) -> ipywidgets.DOMWidget:
        import ipywidgets

        return ipywidgets.Checkbox(layout=ipywidgets.Layout(width=width), **of_all)

    @property
    def told(self) -> str:
        """How it stands, in a line."""
        return f"{self.what}: {'on' if self.value else 'off'}"

    def __repr__(self) -> str:
        return f"{self.told} (tick the box)"


class Choice(Control):
    """One of several; made by `choose`."""

    def __repr__(self) -> str:
        return f"{self.told} (choose from the list)"

    def __init__(self, what: str, options: Sequence[Any], start: Any):
        self._options = list(options)
        super().__init__(what, start)

    def _widget(self, *, width: str, **of_all: Any) -> ipywidgets.DOMWidget:
        import ipywidgets

        layout = ipywidgets.Layout(width=width)
        return ipywidgets.Dropdown(options=self._options, layout=layout, **of_all)


def setting(
    what: str, low: float, high: float, *, start: float, step: float = 1.0, unit: str = ""
) -> Setting:
    """Offer a slider for a figure that is set rather than measured.

    Args:
        what: What is set.
        low: The lowest value.
        high: The highest.
        start: Where the slider stands at first.
        step: How fine it is.
        unit: What is counted.

    Returns:
        The setting; its ``value`` is the figure as it stands, an ``int`` where low, high, start
        and step are whole numbers.

    Raises:
        UsageError: When there is no room between the lowest and the highest, or ``start`` lies
            outside.
    """
    fits("setting", low, high, start, step)
    return Setting(what, low, high, start, step, unit)


def fits(name: str, low: float, high: float, start: float, step: float) -> None:
    """See that a slider can be made of these figures.

    Raises:
        UsageError: When one is no number, there is no room between the lowest and the highest,
            ``start`` lies outside, or the step is not above 0.
    """
    numbers = all(
        isinstance(it, int | float) and not isinstance(it, bool) for it in (low, high, start, step)
    )
    if not numbers or not low < high or not low <= start <= high or not step > 0:
        raise UsageError(
            f"{name} needs low < high, a start between them and a step above 0; these are"
            f" low={low!r}, high={high!r}, start={start!r}, step={step!r}"
        )


def switch(what: str, *, start: bool = False) -> Switch:
    """Offer something to switch on and off.

    Args:
        what: What is switched.
        start: Whether it is on at first.

    Returns:
        The switch; its ``value`` says whether it is on.
    """
    return Switch(what, bool(start))


def choose(what: str, options: Sequence[Any], *, start: Any = None) -> Choice:
    """Offer a choice of one among several.

    Args:
        what: What is chosen.
        options: What there is to choose from.
        start: What is chosen at first; by default the first of them.

    Returns:
        The choice; its ``value`` is the option that is chosen.

    Raises:
        UsageError: When there is nothing to choose from, or ``start`` is not among it.
    """
    if isinstance(options, str) or not options:
        raise UsageError(
            f"choose needs a list of options, such as ['gate', 'no gate'], not {options!r}"
        )
    begin = options[0] if start is None else start
    if begin not in options:
        raise UsageError(f"choose starts with one of its options, {list(options)}, not {start!r}")
    return Choice(what, options, begin)
