"""The finished moves of an agent fleet, to use at work.

Each is a plain function over an ``anthropic.AsyncAnthropic`` or over workers of your own; none
imports anything from the rest of labkit. They are also the reference solutions of the course.
"""

from .asking import MODEL, ask, ask_both
from .orchestrating import orchestrate, orchestrate_parallel, parse_plan
from .routing import SPECIALIST, classify, parse_route, route

__all__ = [
    "MODEL",
    "SPECIALIST",
    "ask",
    "ask_both",
    "classify",
    "orchestrate",
    "orchestrate_parallel",
    "parse_plan",
    "parse_route",
    "route",
]
