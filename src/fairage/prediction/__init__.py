"""From a trained model to ages: photographs in, estimates and decisions out. No torch."""

from fairage.prediction.calibration_rows import CalibrationRows, out_of_fold, person_folds
from fairage.prediction.decisions import AgeRule, DecisionCosts, RuleSide, fit_rule
from fairage.prediction.estimates import Estimate, Estimates
from fairage.prediction.intervals import BandTable, ConformalAges
from fairage.prediction.loading import load
from fairage.prediction.model import Model

__all__ = [
    "AgeRule",
    "BandTable",
    "CalibrationRows",
    "ConformalAges",
    "DecisionCosts",
    "Estimate",
    "Estimates",
    "Model",
    "RuleSide",
    "fit_rule",
    "load",
    "out_of_fold",
    "person_folds",
]
