"""Objectives: outputs, targets and weights in, a loss out. Torch."""

from fairage.objectives.objective import Objective, OutputKind, Targets, weighted_mean
from fairage.objectives.registry import OBJECTIVES

__all__ = ["OBJECTIVES", "Objective", "OutputKind", "Targets", "weighted_mean"]
