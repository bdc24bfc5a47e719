"""Objectives: outputs, targets and weights in, a loss out. Torch."""

from fairage.objectives.objective import Objective, OutputKind, Targets, weighted_mean
from fairage.objectives.registry import OBJECTIVES, make_objective

__all__ = ["OBJECTIVES", "Objective", "OutputKind", "Targets", "make_objective", "weighted_mean"]
