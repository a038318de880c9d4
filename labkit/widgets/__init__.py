"""What a learner moves and watches.

Each widget shows itself where a front end is there, and says the same in text where none is.
"""

from __future__ import annotations

from .bench import Bench, bench
from .board import Board, board
from .comparison import Comparison, compare
from .controls import Choice, Control, Setting, Switch, choose, setting, switch
from .predictions import Prediction, predict

__all__ = [
    "Bench",
    "Board",
    "Choice",
    "Comparison",
    "Control",
    "Prediction",
    "Setting",
    "Switch",
    "bench",
    "board",
    "choose",
    "compare",
    "predict",
    "setting",
    "switch",
]
