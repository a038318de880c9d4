"""What a model's tokens cost: the one table of models and prices."""

from __future__ import annotations

import re

PRICES_READ = "March 2026"
"""When the prices were read."""

PRICES: dict[str, tuple[float, float]] = {
    "claude-haiku-4-5": (1.0, 5.0),
    "claude-sonnet-4-5": (3.0, 15.0),
    "claude-sonnet-4-6": (3.0, 15.0),
    "claude-opus-4-5": (5.0, 25.0),
    "claude-opus-4-6": (5.0, 25.0),
}
"""Dollars for a million tokens, in and out. Source: Anthropic's public price list.

A model that is not here is counted in tokens. Give it a price to have it counted in dollars:
``PRICES["claude-haiku-5-5"] = (dollars_in, dollars_out)``.
"""

BATCHED = 0.5
"""What a call costs in a batch, as a part of its price. Source: the same list."""

_DATED = re.compile(r"-\d{8}$")


def price_of(model: str) -> tuple[float, float] | None:
    """The price of a model.

    Args:
        model: Its name, with or without the date of its release.

    Returns:
        Dollars for a million tokens, in and out; None where `PRICES` does not have it.
    """
    return PRICES.get(model) or PRICES.get(_DATED.sub("", model))


def cost(model: str, tokens_in: int, tokens_out: int) -> float | None:
    """What tokens of a model cost.

    Args:
        model: Its name.
        tokens_in: Tokens of requests.
        tokens_out: Tokens of replies.

    Returns:
        Dollars; None where `PRICES` does not have the model.
    """
    price = price_of(model)
    if price is None:
        return None
    return (tokens_in * price[0] + tokens_out * price[1]) / 1_000_000
