"""Whether anybody is there to see a widget, and what stands in for one where nobody is."""

from __future__ import annotations

import sys
from base64 import b64encode
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ipywidgets

VIEW = "application/vnd.jupyter.widget-view+json"
"""The form in which a widget is sent to a front end; `tools/notebooks.py` stores none."""


def kernel() -> Any | None:
    """The shell of the notebook kernel that this code runs in; None in plain Python."""
    if "ipykernel" not in sys.modules:
        return None
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    return shell if getattr(shell, "kernel", None) is not None else None


def show(widget: ipywidgets.DOMWidget) -> None:
    """Show a widget in the output of the running cell, and nothing where no front end draws it."""
    from IPython.display import publish_display_data

    publish_display_data({VIEW: view_of(widget.model_id)})  # type: ignore[no-untyped-call]  # IPython leaves it untyped


def view_of(model_id: str) -> dict[str, Any]:
    """What names a widget to a front end.

    Args:
        model_id: The widget's; empty for one that is gone, which a front end then hides together
            with what stands beside it for readers without one.
    """
    return {"version_major": 2, "version_minor": 0, "model_id": model_id}


def bundle(
    text: str, png: bytes | None = None, model_id: str | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a cell shows: a widget in a live notebook, a picture and a text anywhere else.

    Args:
        text: What the picture shows, in words.
        png: The picture.
        model_id: The widget's, where there is one.
    """
    data: dict[str, Any] = {"text/plain": text}
    metadata: dict[str, Any] = {}
    if png is not None:
        data["image/png"] = b64encode(png).decode("ascii")
        metadata["image/png"] = {"alt": text.replace("\n", "; ")}
    if model_id is not None:
        data[VIEW] = view_of(model_id)
    return data, metadata
