"""Tuning: a search for the fairest of the most accurate recipes."""

from fairage.experiments.tuning.search import TuningSettings, tune

__all__ = ["TuningSettings", "tune"]
