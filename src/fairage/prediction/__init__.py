"""From a trained model to ages: photographs in, estimates and decisions out. No torch."""

from fairage.prediction.calibration_rows import CalibrationRows, out_of_fold, person_folds
from fairage.prediction.decisions import AgeRule, RuleSide, fit_rule
from fairage.prediction.face_estimates import Estimate, Estimates
from fairage.prediction.group_numbers import GroupNumbers
from fairage.prediction.interval_table import IntervalTable
from fairage.prediction.intervals import ConformalAges
from fairage.prediction.loading import load
from fairage.prediction.model import Model

__all__ = [
    "AgeRule",
    "CalibrationRows",
    "ConformalAges",
    "Estimate",
    "Estimates",
    "GroupNumbers",
    "IntervalTable",
    "Model",
    "RuleSide",
    "fit_rule",
    "load",
    "out_of_fold",
    "person_folds",
]
