"""The finished moves of an agent fleet, to use at work.

Each is a plain function over an ``anthropic.AsyncAnthropic`` or over workers of your own; none
imports anything from the rest of labkit. They are also the reference solutions of the course.
"""

from .asking import MODEL, ask, ask_both
from .gating import gate, revise_once, score_gate, synthesize, verify_evidence
from .orchestrating import orchestrate, orchestrate_parallel, parse_plan

__all__ = [
    "MODEL",
    "ask",
    "ask_both",
    "gate",
    "orchestrate",
    "orchestrate_parallel",
    "parse_plan",
    "revise_once",
    "score_gate",
    "synthesize",
    "verify_evidence",
]
