"""What a learner moves.

Each widget shows itself where a front end is there, and says the same in text where none is.
"""

from __future__ import annotations

from .predictions import Prediction, Setting, predict, setting

__all__ = ["Prediction", "Setting", "predict", "setting"]
