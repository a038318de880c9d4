"""How labkit's HTML looks, in a light theme and in a dark one."""

from __future__ import annotations

import html
import re

# Each is seen on white and on black: 3 : 1 at least, as WCAG 2.2 asks of what is no text.
GREEN = "#2e9e4f"
ORANGE = "#d07a1a"
GREY = "#848d97"
BLUE = "#3f83b5"

BAR = 20
"""Characters of a bar in text."""


def rich(text: str) -> str:
    """Text with `code` and *stress* as HTML."""
    told = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text, quote=False))
    return re.sub(r"(?<![\w*])\*([^*\s][^*]*)\*(?![\w*])", r"<em>\1</em>", told)


def plain(text: str) -> str:
    """Text with `code` and *stress* as plain text, for labels that show no markup."""
    return re.sub(r"(?<![\w*])\*([^*\s][^*]*)\*(?![\w*])", r"\1", text.replace("`", ""))


def card(colour: str, body: str, *, role: str = "status") -> str:
    """Some HTML beside a coloured rule; a screen reader reads it out when it appears."""
    return (
        f"<div role='{role}' style='border-left:4px solid {colour};background:{colour}1a;"
        f"padding:4px 12px;line-height:1.5'>{body}</div>"
    )


def bar(share: float) -> str:
    """A bar in text, from 0 to 1."""
    full = round(share * BAR)
    return "█" * full + "░" * (BAR - full)


def bar_html(share: float, colour: str = GREEN) -> str:
    """A bar in HTML, from 0 to 1; what it says has to stand beside it in text."""
    return (
        f"<span aria-hidden='true' style='display:inline-block;width:10em;height:.7em;"
        f"border:1px solid {GREY};border-radius:3px'><span style='display:block;height:100%;"
        f"width:{share:.0%};background:{colour}'></span></span>"
    )


def count(number: int, one: str, many: str | None = None) -> str:
    """A number of things, such as "1 point" or "2 points"."""
    return f"{number} {one if number == 1 else many or one + 's'}"
