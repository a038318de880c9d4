"""What a learner moves and watches.

Each widget shows itself where a front end is there, and says the same in text where none is.
"""

from __future__ import annotations

from .benches import Bench, bench
from .boards import Board, board
from .comparison import Comparison, compare
from .controls import Choice, Control, Setting, Switch, choose, setting, switch
from .predictions import ChoicePrediction, Prediction, predict, predict_choice
from .self_checks import SelfCheck, self_check

__all__ = [
    "Bench",
    "Board",
    "Choice",
    "ChoicePrediction",
    "Comparison",
    "Control",
    "Prediction",
    "SelfCheck",
    "Setting",
    "Switch",
    "bench",
    "board",
    "choose",
    "compare",
    "predict",
    "predict_choice",
    "self_check",
    "setting",
    "switch",
]
