"""What validation says after an epoch: loss, error and biases, on the pictures as they are."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from fairage._random import derive_seed, torch_seed
from fairage.auditing.scoring import group_biases, known_biases, label_groups
from fairage.embeddings import BackboneSpec
from fairage.embeddings.runtime import choose_runtime
from fairage.exceptions import ConfigError
from fairage.faces import Preprocessing
from fairage.faces.augmentation import Augmentation
from fairage.models import AgeHead
from fairage.objectives import Objective
from fairage.training.checkpoint import Checkpoint, Checkpoints, penalty_tensors, restore_penalty
from fairage.training.data import ActiveFairness, ImageRows
from fairage.training.images import Pictures, bar, prepared
from fairage.training.optimizer import FineTuneStepper
from fairage.training.selection import Epoch, History, Keeper, State
from fairage.training.settings import FineTuneSettings, Resources
from fairage.training.trainable_backbone import FineTuneNetwork, Freezing

__all__ = ["FineTuneLoop", "Part", "Rules", "check_finite", "embed_pictures", "judge"]


@torch.no_grad()
def embed_pictures(
    network: FineTuneNetwork,
    pictures: Pictures,
    *,
    flip: bool,
    batch_size: int,
    advance: Callable[[int], None] = lambda _: None,
) -> Tensor:
    """Return embeddings `(n, dim)` in fp32 on the CPU, as `embed` will give them later.

    Args:
        network: Its backbone is used as in evaluation.
        pictures: Of all rows.
        flip: Average with the embedding of the mirror image.
        batch_size: Pictures at a time.
        advance: Told how many have been embedded.
    """
    network.eval()
    device = next(network.parameters()).device
    preprocessing: Preprocessing = pictures.reader.preprocessing
    found: list[Tensor] = []
    for rows, pixels in pictures.batches(torch.arange(len(pictures)), batch_size):
        values = prepared(pixels, preprocessing, device)
        embedding = network.embed(values)
        if flip:
            embedding = (embedding + network.embed(values.flip(3))) * 0.5
        found.append(embedding.cpu())
        advance(len(rows))
    return torch.cat(found)


@torch.no_grad()
def judge(
    head: AgeHead,
    embeddings: Tensor,
    rows: ImageRows,
    objective: Objective,
    fairness: ActiveFairness | None,
    *,
    min_rows: int,
) -> Epoch:
    """Return an epoch with its validation alone: its number 0, its training loss 0.

    Args:
        head: The head, in evaluation.
        embeddings: Shape `(n, dim)`, what stands beside them included, on the head's device.
        rows: The validation rows.
        objective: The loss.
        fairness: A term that learns from the validation errors.
        min_rows: Rows from which a group takes part in the biases.
    """
    outputs = head(embeddings).float().cpu()
    loss = float(objective(outputs, rows.targets, rows.weights))
    errors = (head.kind.decode(outputs) - rows.targets.ages).abs()
    if fairness is not None and math.isfinite(loss):
        fairness.penalty.after_epoch(errors, fairness.valid)
    groups = {name: label_groups(labels) for name, labels in rows.groups.items()}
    members = group_biases(errors.numpy().astype(np.float64), groups, min_rows=min_rows)
    return Epoch(0, 0.0, loss, float(errors.mean()), known_biases(members))


def check_finite(loss: float, where: str) -> None:
    """Refuse a loss that is no finite number."""
    if not math.isfinite(loss):
        raise ConfigError(
            f"expected a finite loss, got {loss} in {where}, lower learning_rate, backbone_rate, "
            "the weights or the strength of the fairness term, or set precision to 'fp32'"
        )


@dataclass(frozen=True)
class Part:
    """Rows and their pictures."""

    rows: ImageRows
    pictures: Pictures


@dataclass(frozen=True)
class Rules:
    """What is settled before a fine-tuning starts.

    Args:
        objective: The loss.
        fairness: A term that is added to it, or changes the weights.
        augmentation: Changes the training pictures.
        settings: Epochs, batches, precision.
        resources: Where it runs.
        seed: Settles order, dropout and augmentation, together with the purpose.
        purpose: Sets the random numbers of one stage apart from another's.
    """

    objective: Objective
    fairness: ActiveFairness | None
    augmentation: Augmentation | None
    settings: FineTuneSettings
    resources: Resources
    seed: int
    purpose: str


class FineTuneLoop:
    """Trains a network epoch by epoch, and can go on from a checkpoint.

    Args:
        network: What is trained, in place.
        freezing: What of its backbone moves.
        stepper: Takes the steps.
        rules: What is settled.
        spec: The view, and whether mirror images are averaged in validation.
    """

    def __init__(
        self,
        network: FineTuneNetwork,
        freezing: Freezing,
        stepper: FineTuneStepper,
        rules: Rules,
        spec: BackboneSpec,
    ) -> None:
        self.network, self.freezing, self.stepper = network, freezing, stepper
        self.rules, self.spec = rules, spec
        self.device = next(network.parameters()).device
        precision = rules.settings.precision
        if precision == "auto":
            on_gpu = self.device.type == "cuda" and torch.cuda.is_bf16_supported()
            precision = "bf16" if on_gpu else "fp32"
        self.bf16 = precision == "bf16"

    def run(self, train: Part, valid: Part, keeper: Keeper, checkpoints: Checkpoints) -> History:
        """Train what epochs are left, and leave the network with the weights of the best one."""
        settings = self.rules.settings
        while len(keeper.epochs) < settings.epochs and not (
            keeper.epochs and keeper.is_over(settings.patience)
        ):
            number = len(keeper.epochs) + 1
            loss = self._train(number, train)
            with self.stepper.averaged():
                judged = self._validate(number, valid, keeper.selection.min_rows)
                epoch = replace(judged, epoch=number, train_loss=loss)
                keeper.offer(epoch, self._copied)
            checkpoints.write(Checkpoint(self._tensors(), self.stepper.done, keeper))
        self._load(keeper.states[keeper.best])
        self.network.eval()
        return keeper.history

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint."""
        self._load(_below("network.", checkpoint.tensors))
        self.stepper.restore(_below("steps.", checkpoint.tensors), checkpoint.done)
        if self.rules.fairness is not None:
            told = _below("fairness.", checkpoint.tensors)
            restore_penalty(self.rules.fairness.penalty, told)

    def embed(self, pictures: Pictures, description: str) -> Tensor:
        """Return the embeddings `(n, dim)` of all pictures, in fp32, as they are used later."""
        size = choose_runtime(str(self.device), "fp32", batch_size=None, images=len(pictures))
        with bar(description, len(pictures), self.rules.resources) as advance:
            return embed_pictures(
                self.network,
                pictures,
                flip=self.spec.flip,
                batch_size=size.batch_size,
                advance=advance,
            )

    def _train(self, number: int, part: Part) -> float:
        """Take one step a batch, and return the mean loss of the rows."""
        rules, total = self.rules, 0.0
        self.network.train()
        self.freezing.apply()
        own, active = part.rows.weights, rules.fairness
        weights = own if active is None else active.weighted(own)
        purpose = (rules.purpose, "epoch", number)
        generator = torch.Generator().manual_seed(derive_seed(rules.seed, *purpose, "augmentation"))
        with (
            torch_seed(rules.seed, *purpose),
            bar(f"epoch {number}", len(part.rows), rules.resources) as advance,
        ):
            order = torch.randperm(len(part.rows))
            for rows, pixels in part.pictures.batches(order, rules.settings.batch_size):
                values = self._prepared(part.pictures, pixels, generator)
                loss = self._gradients(values, rows, part.rows, weights[rows])
                check_finite(loss, f"training in epoch {number}, step {self.stepper.done + 1}")
                self.stepper.step()
                total += loss * len(rows)
                advance(len(rows))
        return total / len(part.rows)

    def _prepared(self, pictures: Pictures, pixels: Tensor, generator: torch.Generator) -> Tensor:
        return prepared(
            pixels,
            pictures.reader.preprocessing,
            self.device,
            augmentation=self.rules.augmentation,
            mirror=self.rules.settings.mirror,
            generator=generator,
        )

    def _gradients(self, values: Tensor, index: Tensor, rows: ImageRows, weights: Tensor) -> float:
        """Gather the gradients of a batch, part by part, and return its loss.

        Losses and fairness terms are reckoned in fp32 on the CPU: a few numbers a row.
        """
        n, total = len(index), 0.0
        size = self.rules.settings.rows_at_once(n)
        for start in range(0, n, size):
            part = slice(start, start + size)
            targets = rows.targets.rows(index[part])
            beside = None if rows.beside is None else rows.beside[index[part]].to(self.device)
            outputs = self.network(values[part], beside, bf16=self.bf16).float().cpu()
            loss = self.rules.objective(outputs, targets, weights[part], total=n)
            term = self._term(outputs, targets.ages, index[part])
            if term is not None:
                loss = loss + term * (len(targets) / n) / self.rules.objective.unit
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves backward untyped
            total += float(loss.detach())
        return total

    def _term(self, outputs: Tensor, ages: Tensor, index: Tensor) -> Tensor | None:
        active = self.rules.fairness
        if active is None:
            return None
        errors = (self.network.head.kind.decode(outputs) - ages).abs()
        return active.penalty.loss(errors, active.train[index])

    def _validate(self, number: int, part: Part, min_rows: int) -> Epoch:
        embeddings = self.embed(part.pictures, f"validation {number}")
        if part.rows.beside is not None:
            embeddings = torch.cat([embeddings, part.rows.beside], dim=1)
        rules = self.rules
        found = judge(
            self.network.head,
            embeddings.to(self.device),
            part.rows,
            rules.objective,
            rules.fairness,
            min_rows=min_rows,
        )
        check_finite(found.valid_loss, f"validation in epoch {number}")
        return found

    def _moving(self) -> State:
        """All that training changes in the network, by name, not copied."""
        found = {f"backbone.{name}": value for name, value in self.freezing.moving()}
        return found | {f"head.{k}": v for k, v in self.network.head.state_dict().items()}

    def _copied(self) -> State:
        return {name: value.detach().cpu().clone() for name, value in self._moving().items()}

    @torch.no_grad()
    def _load(self, state: State) -> None:
        for name, value in self._moving().items():
            value.copy_(state[name])

    def _tensors(self) -> dict[str, Tensor]:
        active = self.rules.fairness
        penalty = penalty_tensors(None if active is None else active.penalty)
        return {
            **{f"network.{name}": value for name, value in self._moving().items()},
            **{f"steps.{name}": value for name, value in self.stepper.tensors().items()},
            **{f"fairness.{name}": value for name, value in penalty.items()},
        }


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): v for name, v in tensors.items() if name.startswith(prefix)}
