"""Figures of the reports, as SVG that stands inside a page."""

from fairage.report.figures.group_dots import GroupDots
from fairage.report.figures.scatter import OURS, REFERENCE, STUDY, TRIAL, Point, Scatter
from fairage.report.figures.svg import Size, figure_svg, responsive

__all__ = [
    "OURS",
    "REFERENCE",
    "STUDY",
    "TRIAL",
    "GroupDots",
    "Point",
    "Scatter",
    "Size",
    "figure_svg",
    "responsive",
]
