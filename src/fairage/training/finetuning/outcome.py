"""What a fine-tuning leaves behind: the backbone in transformers' layout, the head, the log."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from fairage._files import atomic_folder, atomic_path, write_text
from fairage.embeddings.transformers_backbone import CONFIG, PROCESSOR, PooledModel, load_pooled
from fairage.exceptions import DataError
from fairage.models import AgeHead
from fairage.training.selection import Epoch, History

__all__ = [
    "BACKBONE",
    "FineTuned",
    "add_to_bundle",
    "finished",
    "forget_outcome",
    "save_backbone",
    "write_outcome",
]

BACKBONE = "backbone"
_HEAD, _DONE = "head.safetensors", "finetuned.json"


@dataclass(frozen=True)
class FineTuned:
    """A head and a backbone that were trained together.

    Args:
        head: The head, with the weights of the best epoch.
        backbone_folder: The backbone in the layout of transformers, ready for `BackboneSpec`.
        history: All epochs.
        description: The backbone as a bundle names it; its `folder` is relative to the bundle's.
    """

    head: AgeHead
    backbone_folder: Path
    history: History
    description: dict[str, Any]


def save_backbone(backbone: PooledModel, source: Path, folder: Path) -> None:
    """Write a backbone to a folder that appears whole, with the source's preprocessing.

    A pooler that the source's file had no weights for is left out, so that it is not trusted
    when the folder is loaded.

    Raises:
        DataError: What is loaded from the folder would not be the same model.
    """
    state = {
        name: value.detach().cpu().contiguous()
        for name, value in backbone.model.state_dict().items()
        if backbone.trust_pooler or "pooler" not in name
    }
    with atomic_folder(folder) as partial:
        with _no_progress_bar():
            backbone.model.save_pretrained(partial, state_dict=state)  # type: ignore[operator]  # a transformers model
        shutil.copyfile(source / PROCESSOR, partial / PROCESSOR)
        _check_same(backbone, load_pooled(partial))


def forget_outcome(folder: Path) -> None:
    """Unmark what an earlier fine-tuning left in the folder, before it is written over."""
    (folder / _DONE).unlink(missing_ok=True)


def write_outcome(folder: Path, fingerprint: str, tuned: FineTuned) -> None:
    """Note in the folder, where the backbone lies already, that the fine-tuning is finished."""
    tensors = {name: value.cpu().contiguous() for name, value in tuned.head.state_dict().items()}
    with atomic_path(folder / _HEAD) as path:
        save_file(tensors, path)
    told = {
        "fingerprint": fingerprint,
        "epochs": [asdict(epoch) for epoch in tuned.history.epochs],
        "best": tuned.history.best,
        "note": tuned.history.note,
        "description": tuned.description,
    }
    write_text(folder / _DONE, json.dumps(told, indent=2) + "\n")


def finished(folder: Path, fingerprint: str, head: AgeHead) -> FineTuned | None:
    """Return what this very fine-tuning left in the folder, the head being set; None if nothing."""
    try:
        told = json.loads((folder / _DONE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if told["fingerprint"] != fingerprint or not (folder / BACKBONE / CONFIG).is_file():
        return None
    head.load_state_dict(load_file(folder / _HEAD))
    head.eval()
    epochs = tuple(Epoch(**epoch) for epoch in told["epochs"])
    history = History(epochs, told["best"], told.get("note", ""))
    return FineTuned(head, folder / BACKBONE, history, told["description"])


def add_to_bundle(tuned: FineTuned, bundle: str | Path) -> None:
    """Copy the backbone into a saved bundle's folder, so that the bundle needs nothing else.

    The bundle's `backbones` should hold `tuned.description`, which names it by `folder`.
    """
    target = Path(bundle) / str(tuned.description["folder"])
    with atomic_folder(target) as partial:
        shutil.copytree(tuned.backbone_folder, partial, dirs_exist_ok=True)


@contextmanager
def _no_progress_bar() -> Iterator[None]:
    """Keep transformers from showing a bar of its own while the block runs."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _check_same(saved: PooledModel, loaded: PooledModel) -> None:
    wanted, found = _state(saved.model), _state(loaded.model)
    if not loaded.trust_pooler:
        wanted = {name: value for name, value in wanted.items() if "pooler" not in name}
    same = saved.trust_pooler == loaded.trust_pooler and all(
        name in found and torch.equal(value, found[name]) for name, value in wanted.items()
    )
    if not same:
        raise DataError(
            "expected a backbone that transformers saves and loads again as it was, got "
            f"{type(saved.model).__name__}, which it does not, choose another to fine-tune"
        )


def _state(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.cpu() for name, value in model.state_dict().items()}
