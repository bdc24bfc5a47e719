"""Fairness terms: what is added to any objective so that groups fare alike. Torch."""

from fairage.objectives.fairness.registry import FAIRNESS, make_fairness
from fairage.objectives.fairness.term import Fairness, GroupLayout, Labels, Penalty, lay_out

__all__ = ["FAIRNESS", "Fairness", "GroupLayout", "Labels", "Penalty", "lay_out", "make_fairness"]
