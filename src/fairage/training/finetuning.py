"""Fine-tuning a backbone together with a head, in one call that can be killed and repeated."""

import json
import math
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from fairage._bundle_files import note_files
from fairage._files import (
    atomic_folder,
    atomic_path,
    file_hash,
    is_sealed,
    read_json,
    sealed,
    write_text,
)
from fairage._images import DECODING_VERSION
from fairage.embeddings import BackboneSpec, EmbedOptions
from fairage.embeddings.backbones.transformers import (
    PROCESSOR,
    PooledModel,
    fingerprint,
    load_pooled,
)
from fairage.embeddings.runtime import choose_runtime
from fairage.exceptions import ConfigError, DataError, named_refusals
from fairage.faces.augmentation import Augmentation
from fairage.faces.detection import DETECTION_VERSION
from fairage.faces.preprocessing import RESIZING_VERSION
from fairage.faces.views import ALIGNMENT_VERSION, view_from_name
from fairage.models import AgeHead, check_pair
from fairage.objectives import Objective
from fairage.objectives.fairness import Fairness
from fairage.training.checkpoint import Checkpoints, identity
from fairage.training.data import ImageRows, check_batches, check_rows, start_fairness
from fairage.training.images import PictureReader, open_pictures
from fairage.training.loop import BatchLoss, Validator, run_epochs
from fairage.training.network_training import NetworkSetup, NetworkTrainee, ShownRows
from fairage.training.optimizer import NetworkStepper
from fairage.training.selection import BestEpoch, Epoch, History, Selection
from fairage.training.trainable_backbone import (
    FineTuneNetwork,
    Source,
    find_blocks,
    find_source,
    freeze,
)
from fairage.training.training_settings import FineTuneSettings

BACKBONE = "backbone"
_HEAD, _DONE = "head.safetensors", "finetuned.json"
_CHECKPOINTS = "checkpoint"


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


def finetune(
    head: AgeHead,
    backbone: BackboneSpec,
    train: ImageRows,
    valid: ImageRows,
    *,
    objective: Objective,
    settings: FineTuneSettings,
    seed: int,
    folder: str | Path,
    fairness: Fairness | None = None,
    selection: Selection | None = None,
    augmentation: Augmentation | None = None,
    options: EmbedOptions | None = None,
    memory: float = 4.0,
    warm: bool = False,
    purpose: str = "finetuning",
) -> FineTuned:
    """Train head and backbone together, and leave both with the weights of the best epoch.

    Every epoch ends with a checkpoint in the folder. Killed at any moment and called again with
    the same arguments, the work goes on with the epoch that was not finished, and ends on a CPU
    with the weights of an undisturbed run. Called after it has finished, it returns what it left.

    Args:
        head: Trained in place; its width is the backbone's, plus what stands beside it. A
            calibration that it had is dropped.
        backbone: A backbone in the layout of transformers; its `flip` averages mirror images in
            validation, as `embed` does.
        train: Training rows.
        valid: Validation rows: they stop the training and choose the epoch, nothing else.
        objective: The loss; it must fit the head.
        settings: What trains, how fast, how long.
        seed: Settles the order of the rows, dropout and augmentation.
        folder: Of this fine-tuning alone; holds checkpoints, then the result.
        fairness: A term that is added to the objective, or changes the weights.
        selection: Which epoch is kept; by default that of the lowest validation loss.
        augmentation: Changes each training picture anew in each epoch.
        options: Store, device, detector, progress; nothing of it changes what is trained.
        memory: GiB for decoded pictures; those that do not fit are read anew in every epoch.
        warm: The head was trained on embeddings of this backbone: its standardisation stays.
        purpose: Sets the random numbers of one stage apart from another's.

    Raises:
        ConfigError: The backbone cannot be fine-tuned so, the loss stopped being a finite number,
            or head and objective do not fit.
        DataError: There are no rows, an image cannot be read, or widths do not fit.
    """
    if not memory >= 0:
        raise ConfigError(f"expected memory of 0 GiB or more, got {memory}, correct it")
    check_pair(head.kind, objective)
    check_rows(train, valid)
    check_batches(objective, settings.rows_at_once(len(train)))
    selection, folder = selection or Selection(), Path(folder)
    source = find_source(backbone)
    choices = (objective, settings, fairness, selection, augmentation, seed, warm, purpose)
    mark = identity((source.backbone.fingerprint, backbone), head, (train, valid), choices)
    checkpoints = Checkpoints(folder / _CHECKPOINTS, mark)
    head.calibration = None  # it corrected another model
    done = finished(folder, mark, head)
    if done is not None:
        checkpoints.remove()
        return done
    active = None if fairness is None else start_fairness(fairness, train.labelled, valid.labelled)
    loss = BatchLoss(objective, head.kind, active)
    labels, least = valid.groups, selection.least_rows
    validator = Validator(loss, valid.targets, valid.weights, labels, least)
    options = options or EmbedOptions(backbones=(backbone,))
    setup = NetworkSetup(
        settings, augmentation, backbone.flip, seed, purpose, progress=options.progress
    )
    job = _Job(source, backbone, train, valid, setup, validator, options, memory)
    return job.run(head, BestEpoch(selection), checkpoints, warm=warm)


@dataclass(frozen=True)
class _Job:
    """A fine-tuning that is not finished."""

    source: Source
    spec: BackboneSpec
    train: ImageRows
    valid: ImageRows
    setup: NetworkSetup
    validator: Validator
    options: EmbedOptions
    memory: float

    def run(
        self, head: AgeHead, best_epoch: BestEpoch, checkpoints: Checkpoints, *, warm: bool
    ) -> FineTuned:
        folder, settings = checkpoints.folder.parent, self.setup.settings
        device = choose_runtime(self.options.device, "fp32", batch_size=None, images=1).device
        network = FineTuneNetwork.load(self.source, head, torch.device(device))
        trainee, width = self._trainee(network)
        checkpoint = checkpoints.newest(best_epoch)
        if checkpoint is not None:
            trainee.restore(checkpoint)
        elif not warm:  # by the embeddings as they are before the first step
            head.standardise_by(trainee.embed(trainee.train, "embedding").to(trainee.device))
        history = run_epochs(
            trainee,
            best_epoch,
            epochs=settings.epochs,
            patience=settings.patience,
            after_epoch=lambda _: checkpoints.write(trainee.checkpoint(best_epoch)),
        )
        forget_outcome(folder)
        save_backbone(network.backbone, self.source.folder, folder / BACKBONE)
        description = self._description(width, folder / BACKBONE, trainee.train.pictures.reader)
        tuned = FineTuned(head.cpu(), folder / BACKBONE, history, description)
        write_outcome(folder, checkpoints.fingerprint, tuned)
        checkpoints.remove()
        return tuned

    def _trainee(self, network: FineTuneNetwork) -> tuple[NetworkTrainee, int]:
        """Return what is trained, and the width of the backbone's embedding."""
        settings, preprocessing = self.setup.settings, self.source.backbone.preprocessing
        blocks = find_blocks(network.backbone.model)
        freezing = freeze(network.backbone.model, blocks, settings)
        steps = math.ceil(len(self.train) / settings.batch_size)
        stepper = NetworkStepper(network, blocks, freezing, settings, steps)
        width = network.width(preprocessing.height, preprocessing.width)
        self._check_widths(width, network.head.dim)
        parts = self.train, self.valid
        opened = open_pictures(parts, self.spec, preprocessing, self.options, memory=self.memory)
        train, valid = (ShownRows(*pair) for pair in zip(parts, opened, strict=True))
        trainee = NetworkTrainee(
            network, freezing, stepper, self.setup, train, valid, self.validator
        )
        return trainee, width

    def _check_widths(self, width: int, expected: int) -> None:
        beside = [0 if r.beside is None else r.beside.shape[1] for r in (self.train, self.valid)]
        if {width + dim for dim in beside} != {expected}:
            raise DataError(
                f"expected a head for {width} numbers of {self.spec.name!r} and {beside} beside "
                f"them in training and validation, got one for {expected}, make it anew with dim "
                f"{width + beside[0]}"
            )

    def _description(self, dim: int, folder: Path, reader: PictureReader) -> dict[str, Any]:
        """Return what a bundle has to know, with the keys of any other backbone and `folder`."""
        description: dict[str, Any] = {
            "name": self.spec.name,
            "folder": BACKBONE,
            "kind": self.source.backbone.kind,
            "view": view_from_name(self.spec.view).name,
            "flip": self.spec.flip,
            "precision": "fp32",
            "preprocessing": json.loads(json.dumps(reader.preprocessing.to_dict())),
            "dim": dim,
            "fingerprint": fingerprint(folder),
            "decoding": DECODING_VERSION,
            "resizing": RESIZING_VERSION,
        }
        if reader.detections is not None:
            description["detector"] = reader.detections.detector.fingerprint()
            description |= {"detection": DETECTION_VERSION, "alignment": ALIGNMENT_VERSION}
        return description


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
        with _no_progress_bar(), named_refusals(folder, SafetensorError):
            backbone.model.save_pretrained(partial, state_dict=state)  # type: ignore[operator]  # a transformers model
        shutil.copyfile(source / PROCESSOR, partial / PROCESSOR)
        _check_same(backbone, load_pooled(partial))


def forget_outcome(folder: Path) -> None:
    """Unmark what an earlier fine-tuning left in the folder, before it is written over."""
    (folder / _DONE).unlink(missing_ok=True)


def write_outcome(folder: Path, fingerprint: str, tuned: FineTuned) -> None:
    """Note in the folder, where the backbone lies already, that the fine-tuning is finished."""
    tensors = {name: value.cpu().contiguous() for name, value in tuned.head.state_dict().items()}
    with atomic_path(folder / _HEAD) as path, named_refusals(folder / _HEAD, SafetensorError):
        save_file(tensors, path)
    outcome = {
        "fingerprint": fingerprint,
        "files": _files_hash(folder),
        "epochs": [asdict(epoch) for epoch in tuned.history.epochs],
        "best": tuned.history.best,
        "note": tuned.history.note,
        "description": tuned.description,
    }
    write_text(folder / _DONE, json.dumps(sealed(outcome), indent=2) + "\n")


def _files_hash(folder: Path) -> str:
    return file_hash([folder / _HEAD, *sorted((folder / BACKBONE).iterdir())])


def finished(folder: Path, fingerprint: str, head: AgeHead) -> FineTuned | None:
    """Return what this very fine-tuning left in the folder, the head being set; else None.

    What is damaged is none: the work goes on from the last checkpoint, or begins anew.
    """
    try:
        outcome = read_json(folder / _DONE)
        whole = is_sealed(outcome) and outcome["files"] == _files_hash(folder)
    except (OSError, ValueError):
        return None
    if not whole or outcome["fingerprint"] != fingerprint:
        return None
    head.load_state_dict(load_file(folder / _HEAD))
    head.eval()
    epochs = tuple(Epoch(**epoch) for epoch in outcome["epochs"])
    history = History(epochs, outcome["best"], outcome.get("note", ""))
    return FineTuned(head, folder / BACKBONE, history, outcome["description"])


def add_to_bundle(tuned: FineTuned, bundle: str | Path) -> None:
    """Copy the backbone into a saved bundle's folder, so that the bundle needs nothing else.

    Its files are from then on among those that the bundle has checksums of.

    The bundle's `backbones` should hold `tuned.description`, which names it by `folder`.
    """
    target = Path(bundle) / str(tuned.description["folder"])
    with atomic_folder(target) as partial:
        shutil.copytree(tuned.backbone_folder, partial, dirs_exist_ok=True)
    note_files(bundle)


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
    expected, got = _state(saved.model), _state(loaded.model)
    if not loaded.trust_pooler:
        expected = {name: value for name, value in expected.items() if "pooler" not in name}
    same = saved.trust_pooler == loaded.trust_pooler and all(
        name in got and torch.equal(value, got[name]) for name, value in expected.items()
    )
    if not same:
        raise DataError(
            "expected a backbone that transformers saves and loads again as it was, got "
            f"{type(saved.model).__name__}, which it does not, choose another to fine-tune"
        )


def _state(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.cpu() for name, value in model.state_dict().items()}
