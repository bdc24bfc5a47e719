"""Backbones: the networks that turn the pixels of a face into an embedding."""

from fairage.embeddings.backbones.registry import EMBEDDED, Backbone, Network, find_backbone

__all__ = ["EMBEDDED", "Backbone", "Network", "find_backbone"]
