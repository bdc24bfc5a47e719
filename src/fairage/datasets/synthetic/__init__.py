"""Synthetic faces with a bias of known size."""

from fairage.datasets.synthetic.biases import GroupBias
from fairage.datasets.synthetic.contact import contact_sheet
from fairage.datasets.synthetic.population import BALANCED, CHALLENGE, Population, parse_share
from fairage.datasets.synthetic.synthesis import synthesize

__all__ = [
    "BALANCED",
    "CHALLENGE",
    "GroupBias",
    "Population",
    "contact_sheet",
    "parse_share",
    "synthesize",
]
