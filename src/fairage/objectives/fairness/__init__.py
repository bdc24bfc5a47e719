"""Fairness terms: what is added to any objective so that groups fare alike. Torch."""

from fairage.objectives.fairness.groups import GroupLayout, Labels, lay_out
from fairage.objectives.fairness.names import FAIRNESS
from fairage.objectives.fairness.term import Fairness, Penalty

__all__ = ["FAIRNESS", "Fairness", "GroupLayout", "Labels", "Penalty", "lay_out"]
