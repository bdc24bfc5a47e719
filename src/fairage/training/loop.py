"""Numbers too small for full precision: a processor is many times slower where it meets them."""

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from fairage._random import torch_seed
from fairage.auditing.groups import Groups
from fairage.auditing.scoring import group_biases, known_biases, label_groups
from fairage.exceptions import ConfigError
from fairage.models.heads import AgeHead
from fairage.models.registry import check_pair
from fairage.objectives import Objective, Targets
from fairage.objectives.fairness import Fairness
from fairage.training.data import (
    ActiveFairness,
    Rows,
    check_batches,
    check_embeddings,
    check_rows,
    start_fairness,
)
from fairage.training.optimizer import Stepper
from fairage.training.selection import Epoch, History, Keeper, Selection
from fairage.training.settings import TrainingSettings

__all__ = ["Mixup", "Watch", "denormals_flushed", "train_head"]


@contextmanager
def denormals_flushed() -> Iterator[None]:
    """Take numbers below 1e-38 for zero while the block runs, where the processor can.

    Only where torch has one thread, as in a suite's workers: the setting is each thread's own, and
    threads that start meanwhile would keep it.

    Adam's averages of a weight whose gradient is zero from some step on, as behind a unit that
    never fires, shrink towards zero and stay among such numbers.

    Examples:
        >>> with denormals_flushed():
        ...     torch.tensor(1e-30) * 1e-10
        tensor(0.)
    """
    if torch.get_num_threads() > 1:
        yield
        return
    before = sys.float_info.min / 2 == 0
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


@dataclass(frozen=True)
class Mixup:
    """Mixes each row of a batch with one drawn from it, which is the likelier the nearer in age.

    A row that has no other near its age draws itself, and stays as it is. A row keeps the larger
    share, so that its weight and its groups stay those of the mixture. Ages count as whole years
    while partners are drawn. Source: Yao, Wang, Zhang, Zou & Finn, C-Mixup: Improving
    Generalization in Regression, NeurIPS 2022.

    Args:
        alpha: Shares are drawn from Beta(alpha, alpha): the higher, the more is mixed.
        years: Standard deviation in years of the Gaussian in the difference of ages by which
            partners are drawn.

    Examples:
        >>> rows, targets = torch.eye(3), Targets(torch.tensor([20.0, 21.0, 80.0]))
        >>> mixed, found = Mixup(alpha=1.0, years=2.0)(rows, targets)
        >>> mixed[2].tolist(), found.ages[2].item()
        ([0.0, 0.0, 1.0], 80.0)
    """

    alpha: float
    years: float

    def __call__(self, rows: Tensor, targets: Targets) -> tuple[Tensor, Targets]:
        """Return the mixtures of rows `(n, dim)` of floats, and their targets, one a row."""
        ages = targets.ages
        shares = torch.distributions.Beta(self.alpha, self.alpha).sample((len(ages),)).to(ages)
        shares = torch.maximum(shares, 1 - shares)
        partners = self._partners(ages)
        mixed = torch.lerp(rows.index_select(0, partners), rows, shares[:, None])
        return mixed, targets.mixed(targets.rows(partners), shares)

    def _partners(self, ages: Tensor) -> Tensor:
        """Draw the year of each row's partner, then one of the rows of that year."""
        years, place, counts = torch.unique(ages.round(), return_inverse=True, return_counts=True)
        near = torch.exp(-(((years[:, None] - years) / self.years) ** 2) / 2) * counts
        drawn = torch.multinomial(near[place], 1).squeeze(1)
        within = torch.rand_like(ages) * counts[drawn]
        first = counts.cumsum(0) - counts
        rank = torch.minimum(within.long(), counts[drawn] - 1)
        by_year: Tensor = place.argsort()
        return by_year[first[drawn] + rank]


Watch = Callable[[Epoch], None]
"""Sees every epoch as it ends; what it raises ends the training."""


def train_head(
    head: AgeHead,
    train: Rows,
    valid: Rows,
    *,
    objective: Objective,
    settings: TrainingSettings,
    seed: int,
    fairness: Fairness | None = None,
    selection: Selection | None = None,
    warm: bool = False,
    purpose: str = "training",
    watch: Watch | None = None,
) -> History:
    """Train the head in place and leave it with the weights of its best epoch.

    Validation rows keep their own weights (1 each in the kit). Embeddings are standardised by the
    training rows' mean and standard deviation, which the head keeps.

    Args:
        head: What is trained; only what requires a gradient moves.
        train: Training rows.
        valid: Validation rows: they stop the training and choose the epoch, nothing else.
        objective: The loss; it must fit the head.
        settings: Epochs, batches, optimiser.
        seed: Settles the order of the rows and the dropout.
        fairness: A term that is added to the objective, or changes the weights.
        selection: Which epoch is kept; by default that of the lowest validation loss.
        warm: The head was trained before, on a stage that this one follows: its standardisation
            stays.
        purpose: Sets the random numbers of one stage apart from another's.
        watch: Sees every epoch as it ends, and may raise to stop.

    Raises:
        ConfigError: The loss stopped being a finite number, head and objective do not fit, or the
            batches hold too few rows for the objective.
        DataError: There are no rows, embeddings are not finite, or the groups do not allow the
            fairness term.

    Examples:
        >>> from fairage.models.registry import (make_head)
        >>> from fairage.objectives import OBJECTIVES, Targets
        >>> rows = Rows(torch.randn(64, 4), Targets(torch.full((64,), 30.0)), torch.ones(64))
        >>> history = train_head(make_head("regression", 4, {}), rows, rows,
        ...     objective=OBJECTIVES["mse"](), settings=TrainingSettings(epochs=2), seed=0)
        >>> len(history.epochs)
        2
    """
    check_pair(head.kind, objective)
    check_rows(train, valid)
    check_embeddings(train)
    check_embeddings(valid)
    check_batches(objective, min(settings.batch_size, len(train)))
    if not warm:
        head.standardise_by(train.embeddings)
    active = None if fairness is None else start_fairness(fairness, train, valid)
    work = _Work(head, objective, active, _standardised(head, train), _standardised(head, valid))
    with torch_seed(seed, purpose), denormals_flushed():
        return _epochs(work, settings, selection or Selection(), watch)


@dataclass(frozen=True)
class _Work:
    """What stays the same through all epochs; the rows' embeddings are standardised."""

    head: AgeHead
    objective: Objective
    fairness: ActiveFairness | None
    train: Rows
    valid: Rows


def _standardised(head: AgeHead, rows: Rows) -> Rows:
    embeddings = head.standardised(rows.embeddings).contiguous()
    return Rows(embeddings, rows.targets, rows.weights, rows.groups)


def _epochs(
    work: _Work, settings: TrainingSettings, selection: Selection, watch: Watch | None
) -> History:
    stepper = Stepper(work.head, settings, math.ceil(len(work.train) / settings.batch_size))
    keeper = Keeper(selection)
    groups = {name: label_groups(labels) for name, labels in work.valid.groups.items()}
    for number in range(1, settings.epochs + 1):
        train_loss = _one_epoch(work, stepper, settings)
        with stepper.averaged():
            epoch = _validate(number, train_loss, work, groups, selection.min_rows)
            keeper.offer(epoch, work.head.copied_state)
        if watch is not None:
            watch(keeper.epochs[-1])
        if keeper.is_over(settings.patience):
            break
    work.head.load_state_dict(keeper.states[keeper.best])
    work.head.eval()
    return keeper.history


def _one_epoch(work: _Work, stepper: Stepper, settings: TrainingSettings) -> float:
    """Take one step a batch, and return the mean loss of the rows."""
    work.head.train()
    train, active, batch_size = work.train, work.fairness, settings.batch_size
    mixup = Mixup(settings.mixup, settings.mixup_years) if settings.mixup > 0 else None
    order = torch.randperm(len(train))
    inputs = train.embeddings.new_empty((min(batch_size, len(train)), train.embeddings.shape[1]))
    weights = train.weights if active is None else active.weighted(train.weights)
    targets, weights = train.targets.rows(order), weights[order]
    membership = None if active is None else active.train[order]
    total = torch.zeros(())
    for start in range(0, len(train), batch_size):
        stop = min(start + batch_size, len(train))
        batch = inputs[: stop - start]
        torch.index_select(train.embeddings, 0, order[start:stop], out=batch)
        now = targets.batch(start, stop)
        if mixup is not None:
            batch, now = mixup(batch, now)
        outputs = work.head.from_standardised(batch)
        loss = work.objective(outputs, now, weights[start:stop], total=stop - start)
        if active is not None and membership is not None:
            errors = (work.head.kind.decode(outputs) - now.ages).abs()
            term = active.penalty.loss(errors, membership[start:stop])
            loss = loss if term is None else loss + term / work.objective.unit
        stepper.step(loss)
        total += loss.detach() * (stop - start)
    return float(total) / len(train)


@torch.inference_mode()
def _validate(
    number: int, train_loss: float, work: _Work, groups: dict[str, Groups], min_rows: int
) -> Epoch:
    work.head.eval()
    valid = work.valid
    outputs = work.head.from_standardised(valid.embeddings)
    valid_loss = float(work.objective(outputs, valid.targets, valid.weights))
    if not (math.isfinite(train_loss) and math.isfinite(valid_loss)):
        raise ConfigError(
            f"expected a finite loss, got {train_loss} in training and {valid_loss} in validation "
            f"in epoch {number}, lower the learning rate, the weights or the strength of the "
            "fairness term"
        )
    errors = (work.head.kind.decode(outputs) - valid.targets.ages).abs()
    if work.fairness is not None:
        work.fairness.penalty.after_epoch(errors, work.fairness.valid)
    members = group_biases(errors.numpy().astype(np.float64), groups, min_rows=min_rows)
    return Epoch(number, train_loss, valid_loss, float(errors.mean()), known_biases(members))
