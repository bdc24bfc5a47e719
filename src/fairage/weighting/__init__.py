"""Weightings: a faces table in, one positive weight a row out. Numpy only."""

from fairage.weighting.registry import WEIGHTINGS, make_weighting
from fairage.weighting.weights import GroupWeights, Weighting, Weights

__all__ = ["WEIGHTINGS", "GroupWeights", "Weighting", "Weights", "make_weighting"]
