"""The live lane: real calls over the network, under a budget, with errors that say what to do."""

from __future__ import annotations

from .spending import Budget, OverBudget, budget

__all__ = ["Budget", "OverBudget", "budget"]
