"""Lesson 01: a support desk with five routes, and 40 mails that somebody has labelled by hand.

The router's errors are a setting, never a measurement of any model. The wording is illustrative;
structure, counts, order and times are real.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..errors import UsageError
from ..script import Reply, Request, Rule

SPECIALISTS: dict[str, str] = {
    "billing": "You handle billing: charges, refunds, invoices and means of payment.",
    "shipping": "You handle shipping: parcels, addresses, couriers and customs.",
    "tech-support": "You handle tech-support: devices, the app, errors and updates.",
    "account": "You handle account: login, profile, security and members.",
    "front-desk": "You are the front-desk: you take whatever fits nobody else.",
}
"""The system prompt of each specialist, by its route."""

FALLBACK = "front-desk"


@dataclass(frozen=True)
class Mail:
    """One labelled request.

    Attributes:
        text: What somebody wrote.
        fits: The routes that are right for it; mostly one, sometimes two.
    """

    text: str
    fits: tuple[str, ...]


def load() -> list[Mail]:
    """The 40 mails, in the order in which they came in."""
    lines = (Path(__file__).parent / "support_mail.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return [Mail(row["mail"], tuple(row["fits"])) for row in rows]


MAIL = load()

WORDS: dict[str, tuple[str, ...]] = {
    "billing": ("charge", "refund", "invoice", "pay", "paid", "card", "bill", "receipt"),
    "shipping": ("parcel", "deliver", "delivery", "tracking", "ship", "courier", "address", "box"),
    "tech-support": ("app", "error", "update", "screen", "bluetooth", "sync", "phone"),
    "account": ("account", "log in", "login", "password", "profile", "signed in"),
}
"""What the keyword router looks for: a plausible first list, not tuned to these mails."""


def by_keyword(text: str) -> str | None:
    """Choose a route by the words in a request, without asking anybody.

    Whole words count, and so do those with an ``s``, ``d``, ``ed`` or ``ing`` more.

    Returns:
        The route whose words occur most often in the text; None where that is no single one.
    """
    hits = {
        name: len(re.findall(rf"\b(?:{'|'.join(words)})(?:s|d|ed|ing)?\b", text.lower()))
        for name, words in WORDS.items()
    }
    best = max(hits.values())
    leading = [name for name, count in hits.items() if count == best]
    return leading[0] if best and len(leading) == 1 else None


_MANNERS: tuple[Callable[[str], str], ...] = (
    lambda name: name,
    lambda name: f"{name.capitalize()}.",
    lambda name: f"**{name}**",
    lambda name: f'I would send this to "{name}", since it is mainly about that.',
    lambda name: f"Route: `{name}`\n",
    lambda name: f"{name.upper()}!",
)


def support(*, errs: int = 3, seed: int = 0) -> list[Rule]:
    """What the desk's model says: it routes, in words or under a schema, and it answers.

    Args:
        errs: On how many of the 40 mails it names a wrong route: a setting.
        seed: Which mails those are.

    Raises:
        UsageError: When ``errs`` is not between 0 and the number of mails.
    """
    if not 0 <= errs <= len(MAIL):
        raise UsageError(f"support(errs=...) is 0 to {len(MAIL)}, not {errs!r}")
    chance = random.Random(seed)
    # One shuffle for all settings, so that one error more leaves the others where they were.
    order = chance.sample(range(len(MAIL)), len(MAIL))
    wrong = set(order[:errs])
    said: dict[str, tuple[int, tuple[str, ...]]] = {}
    for place, mail in enumerate(MAIL):
        others = [name for name in SPECIALISTS if name not in mail.fits]
        mistaken = random.Random(f"{seed}/{place}").choice(others)
        said[mail.text] = (place, (mistaken,) if place in wrong else mail.fits)

    def known(request: Request) -> tuple[int, tuple[str, ...]]:
        found = (said[text] for text in said if text in request.text)
        return next(found, (0, (FALLBACK,)))

    def under_schema(request: Request) -> str:
        properties = (request.schema or {}).get("properties", {})
        return json.dumps({next(iter(properties), "route"): known(request)[1][0]})

    def in_words(request: Request) -> str:
        place, named = known(request)
        if len(named) > 1:
            return f"This could be {named[0]}, or {named[1]}."
        return _MANNERS[place % len(_MANNERS)](named[0])

    def answer(request: Request) -> Reply:
        about = re.sub(r"\s+", " ", request.prompt)[:60]
        text = (
            f"Thank you for writing. About “{about}”: I have looked into it, and this is"
            " what happens next. We see to it today, you get a mail once it is done, and you"
            " need not do anything until then. Should it not be right by the end of the week,"
            " answer this mail and it comes straight back to me."
        )
        return Reply(text)

    return [
        Rule(lambda request: request.schema is not None, says=under_schema, seconds=(0.3, 0.5)),
        Rule(
            lambda request: (request.system or "") in SPECIALISTS.values(),
            says=answer,
            seconds=(0.8, 1.0),
        ),
        Rule("", says=in_words, seconds=(0.3, 0.5)),
    ]
