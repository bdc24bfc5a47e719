"""Objectives: outputs, targets and weights in, a loss out. Torch."""

from fairage.objectives.names import OBJECTIVES
from fairage.objectives.objective import Objective, OutputKind, weighted_mean
from fairage.objectives.targets import Targets

__all__ = ["OBJECTIVES", "Objective", "OutputKind", "Targets", "weighted_mean"]
