"""The finished moves of an agent fleet, to use at work.

Each is a plain function over an ``anthropic.AsyncAnthropic`` or over workers of your own; none
imports anything from the rest of labkit. They are also the reference solutions of the course.
"""

from .asking import MODEL, ask, ask_both
from .conducting import Witness, atlas, conduct, run_tools, within, witness
from .gathering import (
    dispatch,
    gather_bounded,
    gather_or_stop,
    gather_settled,
    gather_streaming,
)
from .gating import gate, revise_once, score_gate, synthesize, verify_evidence
from .orchestrating import orchestrate, orchestrate_parallel, parse_plan
from .planning import choose, predict, preflight, run_dag, waves
from .racing import cancel_and_finish, hedge, race, race_within
from .routing import SPECIALIST, classify, parse_route, route
from .scaling import Ran, join_by_id, on_cluster, phases, polite

__all__ = [
    "MODEL",
    "SPECIALIST",
    "Ran",
    "Witness",
    "ask",
    "ask_both",
    "atlas",
    "cancel_and_finish",
    "choose",
    "classify",
    "conduct",
    "dispatch",
    "gate",
    "gather_bounded",
    "gather_or_stop",
    "gather_settled",
    "gather_streaming",
    "hedge",
    "join_by_id",
    "on_cluster",
    "orchestrate",
    "orchestrate_parallel",
    "parse_plan",
    "parse_route",
    "phases",
    "polite",
    "predict",
    "preflight",
    "race",
    "race_within",
    "revise_once",
    "route",
    "run_dag",
    "run_tools",
    "score_gate",
    "synthesize",
    "verify_evidence",
    "waves",
    "within",
    "witness",
]
