"""Embeddings: backbones, the store that keeps what they computed, and embedding a faces table."""

from fairage.embeddings.embed_options import BackboneSpec, EmbedOptions
from fairage.embeddings.embedding import embed, embed_copies
from fairage.embeddings.pipeline import Embeddings, Failure

__all__ = ["BackboneSpec", "EmbedOptions", "Embeddings", "Failure", "embed", "embed_copies"]
