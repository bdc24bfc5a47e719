"""Figures of the pages, as SVG that stands inside them."""

from fairage.reports.figures.curves import Curves, HeatMap, MapCell
from fairage.reports.figures.dots import (
    BiasFloor,
    BiasFloors,
    GroupDots,
    GroupInterval,
    GroupIntervals,
    Panel,
)
from fairage.reports.figures.scatter import OURS, REFERENCE, STUDY, TRIAL, Point, Scatter
from fairage.reports.figures.svg import Drawing, Size, figure_svg, responsive

__all__ = [
    "OURS",
    "REFERENCE",
    "STUDY",
    "TRIAL",
    "BiasFloor",
    "BiasFloors",
    "Curves",
    "Drawing",
    "GroupDots",
    "GroupInterval",
    "GroupIntervals",
    "HeatMap",
    "MapCell",
    "Panel",
    "Point",
    "Scatter",
    "Size",
    "figure_svg",
    "responsive",
]
