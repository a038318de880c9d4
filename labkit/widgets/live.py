"""Widgets in a live notebook: what is shown beside their text, and what is closed in time."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .. import kernel
from ..journal import watch

if TYPE_CHECKING:
    import ipywidgets

VIEW = "application/vnd.jupyter.widget-view+json"
"""The form in which a widget is sent to a front end; `tools/notebooks.py` stores none."""

_open: dict[str, tuple[str, list[Callable[[], None]]]] = {}


def bundle(
    text: str,
    make: Callable[[], ipywidgets.Widget],
    *,
    html: str | None = None,
    png: bytes | None = None,
) -> dict[str, Any]:
    """What a notebook stores and shows of something that is live.

    Args:
        text: What it says where nothing else of it is shown.
        make: Makes the widget; called only where a kernel runs.
        html: What it says where no front end is there; None where the text suffices.
        png: What it looks like where no front end is there.

    Returns:
        The display data, by MIME type.
    """
    said = stored(text, html=html, png=png)
    if not kernel.in_kernel():
        return said
    widget = make()
    keep(lambda: close(widget))
    return said | {VIEW: view_of(widget)}


def stored(text: str, *, html: str | None = None, png: bytes | None = None) -> dict[str, Any]:
    """What a notebook stores, by MIME type; the arguments are those of `bundle`."""
    said = {"text/plain": text}
    if html is not None:
        said["text/html"] = html
    if png is not None:
        said["image/png"] = b64encode(png).decode("ascii")
    return said


def alt(text: str) -> dict[str, Any]:
    """The metadata of a bundle whose picture says a text."""
    return {"image/png": {"alt": text.replace("\n", "; ")}}


def view_of(widget: ipywidgets.Widget | None) -> dict[str, Any]:
    """What names a widget to a front end.

    Args:
        widget: The widget; None for one that is gone, which a front end then hides together with
            what stands beside it for readers without one.
    """
    model_id = "" if widget is None else widget.model_id
    return {"version_major": 2, "version_minor": 0, "model_id": model_id}


def show(widget: ipywidgets.Widget) -> None:
    """Show a widget in the output of the running cell, and nothing where no front end draws it."""
    from IPython.display import publish_display_data

    publish_display_data({VIEW: view_of(widget)})  # type: ignore[no-untyped-call]  # IPython's


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


def keep(end: Callable[[], None]) -> None:
    """Have something closed when its cell is run again, so that running it again adds nothing."""
    cell, run = kernel.running_cell()
    if not cell:
        return
    last, ends = _open.get(cell, ("", []))
    if last != run:
        for old in ends:
            old()
        ends = []
    _open[cell] = run, [*ends, end]


def close(widget: ipywidgets.Widget) -> None:
    """Close a widget and all that it holds, layouts and styles included."""
    for child in getattr(widget, "children", ()):
        close(child)
    for part in ("layout", "style"):
        if (held := getattr(widget, part, None)) is not None and hasattr(held, "close"):
            held.close()
    widget.close()
