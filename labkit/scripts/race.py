"""Lesson 05: three ways to find the commit since which a checkout fails, and a slow tail.

The wording is illustrative; structure, counts, order and times are real.
"""

from __future__ import annotations

import random
import re

from ..script import Rule

QUESTION = "Since which commit does the checkout fail?"

APPROACHES = {
    "logs": f"Read the logs.\n{QUESTION}",
    "blame": f"Ask blame.\n{QUESTION}",
    "bisect": f"Bisect the history.\n{QUESTION}",
}
"""Approach → its prompt, in the order in which one would try them."""

HISTORY = ("9be03d7", "4f2a9c1", "c81e44a", "07d5e62")
"""The commits of the repository, oldest first."""

CULPRIT = "4f2a9c1"


def names_a_commit(answer: str) -> bool:
    """Whether an answer names a commit, and one that is in the history."""
    return bool(set(re.findall(r"\b[0-9a-f]{7}\b", answer)) & set(HISTORY))


RACE: tuple[Rule, ...] = (
    Rule(
        "Read the logs",
        says=(
            "The log of that night was rotated at midnight, and the first error in the new one is"
            " a time-out of the payment service. Before that there are three warnings that may or"
            " may not belong to it. Since when the checkout fails is not to be seen from here."
        ),
        seconds=1.1,
    ),
    Rule("Ask blame", fails=400, seconds=0.3),
    Rule(
        "Bisect the history",
        says=f"Since {CULPRIT}: it changed how a basket's total is rounded.",
        seconds=0.7,
    ),
)
"""What each approach comes to: the logs say nothing, blame fails, the bisection finds it."""

SLOW_SHARE = 0.03
"""How many requests of the slow tail are slow; a setting, not a measurement of any service."""


def slow_tail(chance: random.Random) -> float:
    """Seconds of one request to a service that is mostly quick: half a second, or several."""
    usual = chance.lognormvariate(-0.7, 0.2)
    return usual + (chance.uniform(2.0, 8.0) if chance.random() < SLOW_SHARE else 0.0)
