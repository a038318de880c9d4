"""What a learner moves.

Each widget shows itself where a front end is there, and says the same in text where none is.
"""

from __future__ import annotations

from .predictions import Choice, Prediction, Setting, predict, predict_choice, setting
from .self_checks import SelfCheck, self_check

__all__ = [
    "Choice",
    "Prediction",
    "SelfCheck",
    "Setting",
    "predict",
    "predict_choice",
    "self_check",
    "setting",
]
