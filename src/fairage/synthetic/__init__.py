"""Synthetic faces with a bias of known size."""

from fairage.synthetic.population import BALANCED, CHALLENGE, GroupBias, Population, parse_share
from fairage.synthetic.preview import contact_sheet
from fairage.synthetic.synthesis import synthesize

__all__ = [
    "BALANCED",
    "CHALLENGE",
    "GroupBias",
    "Population",
    "contact_sheet",
    "parse_share",
    "synthesize",
]
