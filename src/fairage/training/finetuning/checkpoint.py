"""The checkpoint of a fine-tuning after an epoch: a folder that appears whole or not at all.

It holds `state.safetensors` and `state.json`; nothing is pickled. Chance needs no place in it:
every epoch draws from streams of its own, which depend on the seed and the epoch's number.
"""

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from fairage._files import atomic_folder
from fairage.training.selection import Epoch, Keeper

__all__ = ["Checkpoint", "Checkpoints"]

_TENSORS, _TOLD = "state.safetensors", "state.json"
_PREFIX = "epoch-"
_KEPT = "kept."


@dataclass(frozen=True)
class Checkpoint:
    """How things stand after an epoch.

    Args:
        tensors: All that training changes, by name.
        done: Steps taken.
        keeper: Epochs so far, and the weights of those that may be chosen.
    """

    tensors: dict[str, Tensor]
    done: int
    keeper: Keeper


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
        keeper = checkpoint.keeper
        tensors = dict(checkpoint.tensors)
        for index, state in keeper.states.items():
            tensors |= {f"{_KEPT}{index}.{name}": value for name, value in state.items()}
        told = {
            "fingerprint": self.fingerprint,
            "done": checkpoint.done,
            "epochs": [asdict(epoch) for epoch in keeper.epochs],
            "progress": keeper.progress,
        }
        final = self.folder / f"{_PREFIX}{len(keeper.epochs):06d}"
        plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
        with atomic_folder(final) as partial:
            save_file(plain, partial / _TENSORS)
            (partial / _TOLD).write_text(json.dumps(told) + "\n", encoding="utf-8")
        for path in self.folder.iterdir():
            if path != final:
                shutil.rmtree(path, ignore_errors=True)

    def newest(self, keeper: Keeper) -> Checkpoint | None:
        """Return the newest checkpoint of this training, or None; the keeper is filled from it."""
        for path in sorted(self.folder.glob(f"{_PREFIX}*"), reverse=True):
            try:
                told = json.loads((path / _TOLD).read_text(encoding="utf-8"))
                tensors = load_file(path / _TENSORS)
            except (OSError, ValueError, SafetensorError):
                continue  # one that is being removed, or damaged
            if told["fingerprint"] == self.fingerprint:
                return _restored(told, tensors, keeper)
        return None

    def remove(self) -> None:
        """Remove all checkpoints."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _restored(told: dict[str, Any], tensors: dict[str, Tensor], keeper: Keeper) -> Checkpoint:
    keeper.epochs = [Epoch(**epoch) for epoch in told["epochs"]]
    keeper.progress = told["progress"]
    keeper.states = {}
    for name in [name for name in tensors if name.startswith(_KEPT)]:
        index, _, rest = name.removeprefix(_KEPT).partition(".")
        keeper.states.setdefault(int(index), {})[rest] = tensors.pop(name)
    return Checkpoint(tensors, told["done"], keeper)
