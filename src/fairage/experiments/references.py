"""Published points that a report shows beside ours, and the faces they were measured on."""

import polars as pl

from fairage.report import Reference
from fairage.tables import AGE

__all__ = ["REFERENCES", "is_challenge_test"]

REFERENCES = (Reference("FaRL ViT-B/16 (CVPR 2024 benchmark)", mae=3.4325, average_bias=0.763),)

_ROWS, _MEAN_AGE = 1978, 33.0873


def is_challenge_test(test: pl.DataFrame) -> bool:
    """Return whether these are APPA-REAL's test faces with their apparent ages.

    Only there may the study's numbers and the references stand beside ours.
    """
    mean = test[AGE].mean()
    return test.height == _ROWS and isinstance(mean, float) and abs(mean - _MEAN_AGE) < 1e-3
