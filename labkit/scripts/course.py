"""What a plain `connect()` answers: lessons 00 and 02, and something for any other request.

The wording is illustrative; structure, counts, order and times are real.
"""

from __future__ import annotations

import re

from ..script import Reply, Request, Rule

CITY = "Kyoto: cool, dry days, and maples turning red around the temples."
DISH = "Yudofu: tofu simmered in a light broth, with ginger and spring onion."

TRIP_PLAN = "1. Research the destination\n2. Estimate the budget\n3. Draft the itinerary"
RESEARCH = "Kyoto, late November: the maples peak, and Arashiyama is quiet before eight."
BUDGET = "About $90 a day: $45 for a guesthouse, $30 for food, $15 for buses and temples."
ITINERARY = "Day 1: the temples of Higashiyama. Day 2: still open. Day 3: the markets."
ITINERARY_INFORMED = (
    "Day 1: the temples of Higashiyama. Day 2: Arashiyama, before eight. Day 3: the markets."
)

GENERAL_PLAN = "1. Research what is known\n2. Estimate time and cost\n3. Draft a first version"
GENERAL_WORK = {
    "Research what is known": "Known so far: three good sources, and they agree on the main point.",
    "Estimate time and cost": "Two days of work, and nothing to buy.",
    "Draft a first version": "Draft: state the aim, do the smallest useful part, then show it.",
}

_PLAN = re.compile(
    r"\bsub-?tasks?\b|\bbreak\b.*\b(down|into)\b|\bplan\b|\bsteps\b", re.IGNORECASE | re.DOTALL
)
_TRIP = re.compile(r"\bjapan\b|\bkyoto\b|\btrip\b", re.IGNORECASE)


def _works_on(request: Request, *subtasks: str) -> str | None:
    """The subtask that a worker's prompt is about: the one it names most often, or first."""
    prompt = request.prompt.casefold()
    named = [subtask for subtask in subtasks if subtask.casefold() in prompt]
    return max(
        named,
        key=lambda subtask: (
            prompt.count(subtask.casefold()),
            -prompt.index(subtask.casefold()),
        ),
        default=None,
    )


def _trip_work(request: Request) -> Reply:
    subtask = _works_on(request, *(line[3:] for line in TRIP_PLAN.splitlines()))
    if subtask == "Research the destination":
        return Reply(RESEARCH, seconds=0.9)
    if subtask == "Estimate the budget":
        return Reply(BUDGET, seconds=0.8)
    informed = "Arashiyama" in request.prompt
    return Reply(ITINERARY_INFORMED if informed else ITINERARY, seconds=1.0)


def _trip_summary(request: Request) -> str:
    held = request.prompt
    daily = re.search(r"\$(\d+) a day", held)
    price = f", ~${daily[1]}/day" if daily else ""
    sights = ["temples", *(["Arashiyama"] if "Arashiyama" in held else []), "markets"]
    return f"3-day Kyoto autumn trip{price}: {', '.join(sights)}."


def _general_work(request: Request) -> str:
    return GENERAL_WORK[_works_on(request, *GENERAL_WORK) or "Draft a first version"]


def _general_summary(request: Request) -> str:
    goal = re.search(r"goal:\s*(.+)", request.prompt, re.IGNORECASE)
    subject = goal[1].strip().rstrip(".") if goal else "Your goal"
    return f"{subject}: the sources agree; two days of work; start with the smallest useful part."


def _echo(request: Request) -> str:
    words = request.prompt.split()
    asked = " ".join(words[:12]) + (" …" if len(words) > 12 else "")
    return f"(scripted) You asked: {asked}"


COURSE: tuple[Rule, ...] = (
    Rule("Name a city to visit in autumn", says=CITY, seconds=0.6),
    Rule("Name a dish for a cold evening", says=DISH, seconds=0.5),
    Rule(lambda request: "Day 1:" in request.prompt, says=_trip_summary, seconds=0.3),
    Rule(
        lambda request: sum(said in request.prompt for said in GENERAL_WORK.values()) > 1,
        says=_general_summary,
        seconds=0.3,
    ),
    Rule(
        lambda request: any(line[3:] in request.prompt for line in TRIP_PLAN.splitlines()),
        says=_trip_work,
    ),
    Rule(
        lambda request: any(task in request.prompt for task in GENERAL_WORK),
        says=_general_work,
        seconds=(0.7, 1.0),
    ),
    Rule(
        lambda request: bool(_PLAN.search(request.prompt) and _TRIP.search(request.prompt)),
        says=TRIP_PLAN,
        seconds=0.3,
    ),
    Rule(_PLAN, says=GENERAL_PLAN, seconds=0.3),
    Rule("", says=_echo, seconds=(0.3, 0.8)),
)
"""The rules behind a plain `connect()`: the lessons' requests, and something for any other."""
