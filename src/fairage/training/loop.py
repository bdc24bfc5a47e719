"""The one training loop: epochs of batches, a validation after each, the best weights kept."""

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from fairage.auditing.groups import Groups
from fairage.auditing.scoring import group_biases, known_biases, label_groups
from fairage.exceptions import ConfigError
from fairage.models import HeadKind
from fairage.models.heads import possible_ages
from fairage.objectives import Objective, Targets
from fairage.objectives.fairness import Labels
from fairage.training.data import ActiveFairness
from fairage.training.selection import BestEpoch, Epoch, History, State

Watch = Callable[[Epoch], None]
"""Sees every epoch as it ends; what it raises ends the training."""


class Batch(NamedTuple):
    """A batch, or a part of one where it goes through the network in parts.

    Args:
        inputs: What the model is called with.
        targets: Of its rows.
        weights: Sample weights, shape `(rows,)`.
        membership: Which groups its rows belong to, for a fairness term.
        total: Rows of the whole batch.
        is_last: Whether a step follows.
    """

    inputs: tuple[Tensor | None, ...]
    targets: Targets
    weights: Tensor
    membership: Tensor | None
    total: int
    is_last: bool = True


class Stepper(Protocol):
    """Gathers the gradients of a batch, and takes steps."""

    done: int

    def gather(self, loss: Tensor) -> None:
        """Add the gradients of this loss."""
        ...

    def step(self) -> None:
        """Change the weights by one step against the gradients, and forget those."""
        ...

    def averaged(self) -> AbstractContextManager[None]:
        """Put the averaged weights, where there are any, into the model while the block runs."""
        ...


class Trainee(Protocol):
    """What the loop trains: a head on embeddings, or a network on pictures."""

    @property
    def stepper(self) -> Stepper:
        """What takes its steps."""
        ...

    @property
    def loss(self) -> "BatchLoss":
        """What it is trained with."""
        ...

    def epoch(self, number: int) -> AbstractContextManager[Iterator[Batch]]:
        """Yield the batches of one epoch; the model is set to training while the block runs."""
        ...

    def outputs(self, batch: Batch) -> Tensor:
        """Return raw outputs `(rows, k)`, on the CPU in fp32; a gradient flows."""
        ...

    def validate(self) -> Epoch:
        """Return what the validation rows say; its number and training loss are the loop's."""
        ...

    def copied_state(self) -> State:
        """Return a copy of all that training changes."""
        ...

    def load_state(self, state: State) -> None:
        """Take over a state, and set the model to evaluation."""
        ...


@dataclass(frozen=True)
class BatchLoss:
    """The objective, and what a fairness term adds to it.

    Args:
        objective: The loss.
        kind: Decodes the head's outputs to ages.
        fairness: The term at work; None for none.
    """

    objective: Objective
    kind: HeadKind
    fairness: ActiveFairness | None

    def __call__(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Return the loss of a batch, or the share that a part has in its batch's loss."""
        loss = self.objective(outputs, batch.targets, batch.weights, total=batch.total)
        if self.fairness is None or batch.membership is None:
            return loss
        errors = batch.targets.errors(self.kind.decode(outputs))
        term = self.fairness.penalty.loss(errors, batch.membership)
        if term is None:
            return loss
        return loss + term * (len(errors) / batch.total) / self.objective.unit


@dataclass(frozen=True)
class Validator:
    """Judges a model after each epoch: loss, error and biases of the validation rows.

    Args:
        loss: What the model is trained with; a fairness term learns from the validation errors.
        targets: Of the validation rows.
        weights: Their sample weights, shape `(n,)`.
        labels: Their groups.
        min_rows: Rows from which a group takes part in the biases.
    """

    loss: BatchLoss
    targets: Targets
    weights: Tensor
    labels: Labels
    min_rows: int
    _groups: dict[str, Groups] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        groups = {name: label_groups(labels) for name, labels in self.labels.items()}
        object.__setattr__(self, "_groups", groups)

    @torch.no_grad()
    def judge(self, outputs: Tensor) -> Epoch:
        """Return an epoch of number 0 with its validation alone, for raw outputs `(n, k)`."""
        loss = float(self.loss.objective(outputs, self.targets, self.weights))
        errors = self.targets.errors(possible_ages(self.loss.kind.decode(outputs)))
        active = self.loss.fairness
        if active is not None and math.isfinite(loss):
            active.penalty.after_epoch(errors, active.valid)
        values = errors.numpy().astype(np.float64)
        members = group_biases(values, self._groups, min_rows=self.min_rows)
        return Epoch(0, 0.0, loss, float(errors.mean()), known_biases(members))


def run_epochs(
    trainee: Trainee,
    best_epoch: BestEpoch,
    *,
    epochs: int,
    patience: int,
    after_epoch: Watch = lambda _: None,
) -> History:
    """Train what epochs are left, and leave the trainee with the weights of the best one.

    Args:
        trainee: What is trained, in place.
        best_epoch: Keeps the best; it holds the epochs of an earlier call that was killed.
        epochs: At most so many in all.
        patience: Stop after so many epochs without a better one.
        after_epoch: Called as each epoch ends; what it raises ends the training.

    Raises:
        ConfigError: The loss stopped being a finite number.
    """
    while len(best_epoch.epochs) < epochs and not best_epoch.is_over(patience):
        number = len(best_epoch.epochs) + 1
        train_loss = _train_epoch(trainee, number)
        with trainee.stepper.averaged():
            judged = trainee.validate()
            _check_finite(judged.valid_loss, f"validation in epoch {number}")
            best_epoch.offer(judged.numbered(number, train_loss), trainee.copied_state)
        after_epoch(best_epoch.epochs[-1])
    trainee.load_state(best_epoch.states[best_epoch.best])
    return best_epoch.history


def _train_epoch(trainee: Trainee, number: int) -> float:
    """Take one step a batch, and return the mean loss of the rows."""
    total, rows, loss_of_batch = 0.0, 0, torch.zeros(())
    with trainee.epoch(number) as batches:
        for batch in batches:
            loss = trainee.loss(trainee.outputs(batch), batch)
            trainee.stepper.gather(loss)
            loss_of_batch = loss_of_batch + loss.detach()
            if not batch.is_last:
                continue
            value = float(loss_of_batch)
            _check_finite(value, f"training in epoch {number}, step {trainee.stepper.done + 1}")
            trainee.stepper.step()
            total, rows = total + value * batch.total, rows + batch.total
            loss_of_batch = torch.zeros(())
    return total / rows


def _check_finite(loss: float, where: str) -> None:
    """Refuse a loss that is no finite number."""
    if not math.isfinite(loss):
        raise ConfigError(
            f"expected a finite loss, got {loss} in {where}, lower the learning rate, the "
            "weights or the strength of the fairness term, or where the backbone is trained its "
            "backbone_rate, or set precision to 'fp32'"
        )
