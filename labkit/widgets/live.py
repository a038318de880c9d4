"""Widgets in a live notebook: what is shown beside their text, and what is closed in time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..journal import watch
from ..kernel import in_kernel, running_cell

if TYPE_CHECKING:
    import ipywidgets

_open: dict[str, tuple[str, list[ipywidgets.Widget]]] = {}


def bundle(text: str, html: str | None, make: Callable[[], ipywidgets.Widget]) -> dict[str, Any]:
    """What a notebook stores and shows of something that is live.

    Args:
        text: What it says where neither HTML nor a widget is shown.
        html: What it says where no front end is there; None where the text suffices.
        make: Makes the widget; called only where a kernel runs.

    Returns:
        The display data, by MIME type.
    """
    said = {"text/plain": text} | ({} if html is None else {"text/html": html})
    if not in_kernel():
        return said
    widget = make()
    _keep(widget)
    return {**(widget._repr_mimebundle_() or {}), **said}


def follow(html: Callable[[], str]) -> ipywidgets.HTML:
    """A widget that shows some HTML, anew after each change of the learner's progress."""
    import ipywidgets

    shown = ipywidgets.HTML(html())

    def refresh() -> None:
        # A widget that was closed has no comm any more.
        if shown.comm is None:
            end()
        else:
            shown.value = html()

    end = watch(refresh)
    return shown


def _keep(widget: ipywidgets.Widget) -> None:
    """Close what an earlier run of the same cell left, so that running it again adds nothing."""
    cell, run = running_cell()
    if not cell:
        return
    last, widgets = _open.get(cell, ("", []))
    if last != run:
        for old in widgets:
            close(old)
        widgets = []
    _open[cell] = run, [*widgets, widget]


def close(widget: ipywidgets.Widget) -> None:
    """Close a widget and all that it holds, layouts and styles included."""
    for child in getattr(widget, "children", ()):
        close(child)
    for part in ("layout", "style"):
        if (held := getattr(widget, part, None)) is not None and hasattr(held, "close"):
            held.close()
    widget.close()
