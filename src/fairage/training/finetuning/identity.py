"""What makes two fine-tunings the same one, so that work of another is never gone on with."""

import hashlib
from collections.abc import Iterator

import numpy as np
from torch import Tensor

from fairage.embeddings import BackboneSpec
from fairage.models import AgeHead
from fairage.training.finetuning.rows import ImageRows

__all__ = ["identity"]


def identity(
    backbone: tuple[str, BackboneSpec],
    head: AgeHead,
    parts: tuple[ImageRows, ...],
    choices: tuple[object, ...],
) -> str:
    """Return a hash of all that the result of a fine-tuning depends on.

    Args:
        backbone: Its fingerprint, and the spec; the spec's name plays no part.
        head: With its first weights.
        parts: The rows, with the names of their images.
        choices: Dataclasses, names and numbers whose `repr` says everything.
    """
    told = hashlib.blake2b(digest_size=16)
    fingerprint, spec = backbone
    told.update(repr((fingerprint, spec.view, spec.flip, head.kind, choices)).encode())
    for name, value in _tensors(head, parts):
        told.update(name.encode() + np.ascontiguousarray(value.numpy()).tobytes())
    for rows in parts:
        told.update("\n".join(rows.images).encode())
        for name, groups in rows.groups.items():
            told.update("\n".join((name, *groups.tolist())).encode())
    return told.hexdigest()


def _tensors(head: AgeHead, parts: tuple[ImageRows, ...]) -> Iterator[tuple[str, Tensor]]:
    for name, value in head.state_dict().items():
        yield name, value.cpu()
    for rows in parts:
        known = {
            "ages": rows.targets.ages,
            "stds": rows.targets.stds,
            "votes": rows.targets.votes,
            "weights": rows.weights,
            "beside": rows.beside,
        }
        yield from ((name, value) for name, value in known.items() if value is not None)
