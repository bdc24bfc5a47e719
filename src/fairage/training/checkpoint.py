"""Checkpoints of a training, and what a fairness term remembers between steps.

A penalty keeps its memory in tensors: attributes of its own, or of the objects that it holds.
"""

import dataclasses
import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from fairage._files import (
    atomic_folder,
    changed_files,
    folder_hashes,
    hash_of,
    is_sealed,
    read_json,
    sealed,
)
from fairage.embeddings import BackboneSpec
from fairage.exceptions import named_refusals
from fairage.models import AgeHead
from fairage.objectives.fairness import Penalty
from fairage.training.data import ImageRows
from fairage.training.selection import BestEpoch, Epoch


def penalty_tensors(penalty: Penalty | None) -> dict[str, Tensor]:
    """Return all tensors of a penalty by their dotted names, not copied.

    Examples:
        >>> from fairage.objectives.fairness import FAIRNESS, GroupLayout
        >>> groups = ("gender", "f"), ("gender", "m")
        >>> layout = GroupLayout(groups, torch.tensor([3, 3]), torch.tensor([0, 0]), rows=6)
        >>> sorted(penalty_tensors(FAIRNESS["adaptive"]().start(layout)))
        ['logs', 'same']
    """
    return {} if penalty is None else _tensors(penalty, "")


@torch.no_grad()
def restore_penalty(penalty: Penalty | None, tensors: dict[str, Tensor]) -> None:
    """Put tensors that `penalty_tensors` returned into a new penalty of the same term."""
    for name, value in penalty_tensors(penalty).items():
        value.copy_(tensors[name])


def _tensors(holder: object, prefix: str) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    for name, value in getattr(holder, "__dict__", {}).items():
        if isinstance(value, Tensor):
            tensors[prefix + name] = value
        elif not dataclasses.is_dataclass(value):  # the term's options, which do not change
            tensors |= _tensors(value, f"{prefix}{name}.")
    return tensors


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
    fingerprint, spec = backbone
    hashed: list[str | bytes] = [repr((fingerprint, spec.view, spec.flip, head.kind, choices))]
    for name, value in _hashed_tensors(head, parts):
        hashed += [name, value.numpy().tobytes()]
    for rows in parts:
        hashed.append("\n".join(rows.images))
        hashed += ["\n".join((name, *groups.tolist())) for name, groups in rows.groups.items()]
    return hash_of(*hashed)


def _hashed_tensors(head: AgeHead, parts: tuple[ImageRows, ...]) -> Iterator[tuple[str, Tensor]]:
    for name, value in head.state_dict().items():
        yield name, value.cpu()
    for rows in parts:
        yield from (rows.targets.known() | {"weights": rows.weights}).items()
        if rows.beside is not None:
            yield "beside", rows.beside


_TENSORS, _ABOUT = "state.safetensors", "state.json"
_PREFIX = "epoch-"
_KEPT = "kept."


@dataclass(frozen=True)
class Checkpoint:
    """How things stand after an epoch.

    Args:
        tensors: All that training changes, by name.
        done: Steps taken.
        best_epoch: Epochs so far, and the weights of those that may be chosen.
    """

    tensors: dict[str, Tensor]
    done: int
    best_epoch: BestEpoch


class Checkpoints:
    """The checkpoints of one fine-tuning; only the newest is left.

    Args:
        folder: Where they lie.
        fingerprint: Hash of all that the training depends on; a checkpoint of another training
            is not read, and removed when the first of this one is written.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.folder, self.fingerprint = folder, fingerprint

    def write(self, checkpoint: Checkpoint) -> None:
        """Write the checkpoint, then remove the older ones."""
        best_epoch = checkpoint.best_epoch
        tensors = dict(checkpoint.tensors)
        for index, state in best_epoch.states.items():
            tensors |= {f"{_KEPT}{index}.{name}": value for name, value in state.items()}
        about = {
            "fingerprint": self.fingerprint,
            "done": checkpoint.done,
            "epochs": [asdict(epoch) for epoch in best_epoch.epochs],
            "progress": best_epoch.progress,
        }
        final = self.folder / f"{_PREFIX}{len(best_epoch.epochs):06d}"
        plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
        with atomic_folder(final) as partial:
            with named_refusals(partial, SafetensorError):
                save_file(plain, partial / _TENSORS)
            content = sealed({**about, "files": folder_hashes(partial)})
            (partial / _ABOUT).write_text(json.dumps(content) + "\n", encoding="utf-8")
        for path in self.folder.iterdir():
            if path != final:
                shutil.rmtree(path, ignore_errors=True)

    def newest(self, best_epoch: BestEpoch) -> Checkpoint | None:
        """Return the newest checkpoint of this training, or None; it fills `best_epoch`."""
        for path in sorted(self.folder.glob(f"{_PREFIX}*"), reverse=True):
            try:
                about = read_json(path / _ABOUT)
                if not is_sealed(about) or changed_files(path, about["files"]):
                    continue  # damaged
                if about["fingerprint"] == self.fingerprint:
                    return _restored(about, load_file(path / _TENSORS), best_epoch)
            except (OSError, ValueError):
                continue  # one that is being removed
        return None

    def remove(self) -> None:
        """Remove all checkpoints."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _restored(
    about: dict[str, Any], tensors: dict[str, Tensor], best_epoch: BestEpoch
) -> Checkpoint:
    best_epoch.epochs = [Epoch(**epoch) for epoch in about["epochs"]]
    best_epoch.progress = about["progress"]
    best_epoch.states = {}
    for name in [name for name in tensors if name.startswith(_KEPT)]:
        index, _, rest = name.removeprefix(_KEPT).partition(".")
        best_epoch.states.setdefault(int(index), {})[rest] = tensors.pop(name)
    return Checkpoint(tensors, about["done"], best_epoch)
