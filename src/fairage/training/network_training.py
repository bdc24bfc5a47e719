"""Training a network of backbone and head on pictures: batches, checkpoints, validation."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from fairage._random import derive_seed, torch_seed
from fairage._work import Advance, progress_bar
from fairage.embeddings.runtime import choose_runtime, warn_of_slow_bf16
from fairage.faces.augmentation import Augmentation
from fairage.training.checkpoint import Checkpoint, penalty_tensors, restore_penalty
from fairage.training.data import ImageRows
from fairage.training.images import Pictures, prepared
from fairage.training.loop import Batch, Validator
from fairage.training.optimizer import NetworkStepper
from fairage.training.selection import BestEpoch, Epoch, State
from fairage.training.trainable_backbone import FineTuneNetwork, Freezing
from fairage.training.training_settings import FineTuneSettings


@dataclass(frozen=True)
class ShownRows:
    """Rows and their pictures."""

    rows: ImageRows
    pictures: Pictures


@dataclass(frozen=True)
class NetworkSetup:
    """What is settled before a network is trained.

    Args:
        settings: Batches, precision, mirroring.
        augmentation: Changes the training pictures.
        flip: Average embeddings with those of mirror images, in validation.
        seed: Settles order, dropout and augmentation, together with the purpose.
        purpose: Sets the random numbers of one stage apart from another's.
        progress: Whether to show a bar on a terminal.
    """

    settings: FineTuneSettings
    augmentation: Augmentation | None
    flip: bool
    seed: int
    purpose: str
    progress: bool


class NetworkTrainee:
    """A network and the pictures that it is trained on; it can go on from a checkpoint.

    Args:
        network: What is trained, in place.
        freezing: What of its backbone moves.
        stepper: Takes the steps.
        setup: What is settled.
        train: Training rows.
        valid: Validation rows.
        validator: Judges the network after each epoch.
    """

    def __init__(
        self,
        network: FineTuneNetwork,
        freezing: Freezing,
        stepper: NetworkStepper,
        setup: NetworkSetup,
        train: ShownRows,
        valid: ShownRows,
        validator: Validator,
    ) -> None:
        self.network, self.freezing, self.stepper, self.setup = network, freezing, stepper, setup
        self.train, self.valid, self.validator, self.loss = train, valid, validator, validator.loss
        self.device = next(network.parameters()).device
        precision = setup.settings.precision
        if precision == "auto":
            on_gpu = self.device.type == "cuda" and torch.cuda.is_bf16_supported()
            precision = "bf16" if on_gpu else "fp32"
        elif precision == "bf16":
            warn_of_slow_bf16(self.device.type)
        self.bf16 = precision == "bf16"

    @contextmanager
    def epoch(self, number: int) -> Iterator[Iterator[Batch]]:
        """Yield the batches of one epoch; each epoch has random numbers of its own."""
        setup, rows = self.setup, len(self.train.rows)
        self.network.train()
        self.freezing.apply()
        with (
            torch_seed(setup.seed, setup.purpose, "epoch", number),
            progress_bar(f"epoch {number}", rows, unit="images", shown=setup.progress) as advance,
        ):
            yield self._batches(number, advance)

    def _batches(self, number: int, advance: Advance) -> Iterator[Batch]:
        setup, active = self.setup, self.loss.fairness
        rows, pictures = self.train.rows, self.train.pictures
        weights = rows.weights if active is None else active.weighted(rows.weights)
        seed = derive_seed(setup.seed, setup.purpose, "epoch", number, "augmentation")
        generator = torch.Generator().manual_seed(seed)
        order = torch.randperm(len(rows))
        for index, pixels in pictures.batches(order, setup.settings.batch_size):
            values = self._prepared(pixels, generator)
            yield from self._parts(values, index, weights[index])
            advance(len(index))

    def _parts(self, values: Tensor, index: Tensor, weights: Tensor) -> Iterator[Batch]:
        """Yield the parts in which a batch goes through the network."""
        rows, active, n = self.train.rows, self.loss.fairness, len(index)
        size = self.setup.settings.rows_at_once(n)
        for start in range(0, n, size):
            part = slice(start, start + size)
            beside = None if rows.beside is None else rows.beside[index[part]].to(self.device)
            yield Batch(
                (values[part], beside),
                rows.targets.rows(index[part]),
                weights[part],
                None if active is None else active.train[index[part]],
                n,
                is_last=start + size >= n,
            )

    def _prepared(self, pixels: Tensor, generator: torch.Generator) -> Tensor:
        return prepared(
            pixels,
            self.train.pictures.reader.preprocessing,
            self.device,
            augmentation=self.setup.augmentation,
            mirror=self.setup.settings.mirror,
            generator=generator,
        )

    def outputs(self, batch: Batch) -> Tensor:
        """Return raw outputs; losses are reckoned in fp32 on the CPU: a few numbers a row."""
        values, beside = batch.inputs
        assert values is not None, "every batch of a network has pictures"
        outputs: Tensor = self.network(values, beside, bf16=self.bf16)
        return outputs.float().cpu()

    @torch.no_grad()
    def validate(self) -> Epoch:
        """Return what the validation rows say, from embeddings as they are used later."""
        embeddings = self.embed(self.valid, "validation")
        outputs = self.network.head(embeddings.to(self.device))
        return self.validator.judge(outputs.float().cpu())

    @torch.no_grad()
    def embed(self, shown: ShownRows, description: str) -> Tensor:
        """Return embeddings `(n, dim)` in fp32 on the CPU, as `embed` will give them later.

        What stands beside the pictures is put behind them.
        """
        self.network.eval()
        pictures, parts = shown.pictures, list[Tensor]()
        preprocessing = pictures.reader.preprocessing
        size = choose_runtime(
            str(self.device), "fp32", batch_size=None, images=len(pictures)
        ).batch_size
        with progress_bar(
            description, len(pictures), unit="images", shown=self.setup.progress
        ) as advance:
            for rows, pixels in pictures.batches(torch.arange(len(pictures)), size):
                values = prepared(pixels, preprocessing, self.device)
                embedding = self.network.embed(values)
                if self.setup.flip:
                    embedding = (embedding + self.network.embed(values.flip(3))) * 0.5
                parts.append(embedding.cpu())
                advance(len(rows))
        embeddings = torch.cat(parts)
        beside = shown.rows.beside
        return embeddings if beside is None else torch.cat([embeddings, beside], dim=1)

    def copied_state(self) -> State:
        """Return a copy of all that training changes."""
        return {name: value.detach().cpu().clone() for name, value in self._moving().items()}

    def load_state(self, state: State) -> None:
        """Take over these weights, and set the network to evaluation."""
        self._load(state)
        self.network.eval()

    def checkpoint(self, best_epoch: BestEpoch) -> Checkpoint:
        """Return how things stand after an epoch."""
        active = self.loss.fairness
        penalty = penalty_tensors(None if active is None else active.penalty)
        tensors = {
            **{f"network.{name}": value for name, value in self._moving().items()},
            **{f"steps.{name}": value for name, value in self.stepper.tensors().items()},
            **{f"fairness.{name}": value for name, value in penalty.items()},
        }
        return Checkpoint(tensors, self.stepper.done, best_epoch)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint."""
        self._load(_below("network.", checkpoint.tensors))
        self.stepper.restore(_below("steps.", checkpoint.tensors), checkpoint.done)
        if self.loss.fairness is not None:
            penalty = _below("fairness.", checkpoint.tensors)
            restore_penalty(self.loss.fairness.penalty, penalty)

    def _moving(self) -> State:
        """All that training changes in the network, by name, not copied."""
        backbone = {f"backbone.{name}": value for name, value in self.freezing.moving()}
        return backbone | {f"head.{k}": v for k, v in self.network.head.state_dict().items()}

    @torch.no_grad()
    def _load(self, state: State) -> None:
        for name, value in self._moving().items():
            value.copy_(state[name])


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): v for name, v in tensors.items() if name.startswith(prefix)}
