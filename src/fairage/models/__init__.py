"""Models: heads on embeddings, and the bundles they are saved in. Torch."""

from fairage.models.bundle import (
    Bundle,
    check_same_backbones,
    load_bundle,
    save_bundle,
)
from fairage.models.calibration import Calibration
from fairage.models.experts import HEADS, Experts, member_heads, merged_head
from fairage.models.heads import AgeHead, HeadKind
from fairage.models.registry import check_pair, make_head
from fairage.models.spread import ages_and_spreads, spreads_of

__all__ = [
    "HEADS",
    "AgeHead",
    "Bundle",
    "Calibration",
    "Experts",
    "HeadKind",
    "ages_and_spreads",
    "check_pair",
    "check_same_backbones",
    "load_bundle",
    "make_head",
    "member_heads",
    "merged_head",
    "save_bundle",
    "spreads_of",
]
