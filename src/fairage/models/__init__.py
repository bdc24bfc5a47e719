"""Models: heads on embeddings, and the bundles they are saved in. Torch."""

from fairage.models.bundle import Bundle, load_bundle, save_bundle
from fairage.models.heads import HEADS, AgeHead, make_head

__all__ = ["HEADS", "AgeHead", "Bundle", "load_bundle", "make_head", "save_bundle"]
