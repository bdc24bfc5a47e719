"""Embeddings: backbones, the store that keeps what they computed, and embedding a faces table."""

from fairage.embeddings.copies import embed_copies
from fairage.embeddings.extract import embed
from fairage.embeddings.results import Embeddings, Failure
from fairage.embeddings.spec import BackboneSpec

__all__ = ["BackboneSpec", "Embeddings", "Failure", "embed", "embed_copies"]
