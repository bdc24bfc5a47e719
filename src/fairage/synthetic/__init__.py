"""Synthetic faces with a bias of known size."""

from fairage.synthetic.population import BALANCED, CHALLENGE, GroupBias, Population, parse_share
from fairage.synthetic.synthesis import contact_sheet, synthesize

__all__ = [
    "BALANCED",
    "CHALLENGE",
    "GroupBias",
    "Population",
    "contact_sheet",
    "parse_share",
    "synthesize",
]
