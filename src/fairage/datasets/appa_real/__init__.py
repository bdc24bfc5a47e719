"""APPA-REAL in its three layouts."""

from fairage.datasets.appa_real.layouts import APPA_REAL

__all__ = ["APPA_REAL"]
