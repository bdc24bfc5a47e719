"""Training a head on cached embeddings: quick steps, mixtures of faces, numbers flushed to zero."""

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from fairage._random import torch_seed
from fairage.models import AgeHead, check_pair
from fairage.objectives import Objective, Targets
from fairage.objectives.fairness import Fairness
from fairage.training.data import (
    Rows,
    check_batches,
    check_embeddings,
    check_rows,
    start_fairness,
)
from fairage.training.loop import Batch, BatchLoss, Validator, Watch, run_epochs
from fairage.training.optimizer import HeadStepper
from fairage.training.selection import BestEpoch, Epoch, History, Selection, State
from fairage.training.training_settings import TrainingSettings


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
        >>> from fairage.models import make_head
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
    loss = BatchLoss(objective, head.kind, active)
    best_epoch = BestEpoch(selection or Selection())
    min_rows = best_epoch.selection.least_rows
    validator = Validator(loss, valid.targets, valid.weights, valid.groups, min_rows)
    trainee = _HeadTrainee(head, train, valid, settings, validator)
    with torch_seed(seed, purpose), denormals_flushed():
        return run_epochs(
            trainee,
            best_epoch,
            epochs=settings.epochs,
            patience=settings.patience,
            after_epoch=watch or (lambda _: None),
        )


class _HeadTrainee:
    """A head and the standardised embeddings that it is trained on."""

    def __init__(
        self,
        head: AgeHead,
        train: Rows,
        valid: Rows,
        settings: TrainingSettings,
        validator: Validator,
    ) -> None:
        self.head, self.train, self.settings, self.validator = head, train, settings, validator
        self.loss = validator.loss
        self.inputs = head.standardised(train.embeddings).contiguous()
        self.valid_inputs = head.standardised(valid.embeddings).contiguous()
        self.stepper = HeadStepper(head, settings, math.ceil(len(train) / settings.batch_size))

    @contextmanager
    def epoch(self, number: int) -> Iterator[Iterator[Batch]]:
        """Yield the batches of one epoch, in an order drawn anew."""
        self.head.train()
        yield self._batches()

    def _batches(self) -> Iterator[Batch]:
        train, size, active = self.train, self.settings.batch_size, self.loss.fairness
        chosen = self.settings
        mixup = Mixup(chosen.mixup, chosen.mixup_years) if chosen.mixup > 0 else None
        order = torch.randperm(len(train))
        buffer = self.inputs.new_empty((min(size, len(train)), self.inputs.shape[1]))
        weights = train.weights if active is None else active.weighted(train.weights)
        targets, weights = train.targets.rows(order), weights[order]
        membership = None if active is None else active.train[order]
        for start in range(0, len(train), size):
            stop = min(start + size, len(train))
            rows, now = buffer[: stop - start], targets.batch(start, stop)
            torch.index_select(self.inputs, 0, order[start:stop], out=rows)
            if mixup is not None:
                rows, now = mixup(rows, now)
            groups = None if membership is None else membership[start:stop]
            yield Batch((rows,), now, weights[start:stop], groups, stop - start)

    def outputs(self, batch: Batch) -> Tensor:
        """Return raw outputs for standardised embeddings."""
        (rows,) = batch.inputs
        assert rows is not None, "every batch of a head has embeddings"
        return self.head.from_standardised(rows)

    @torch.inference_mode()
    def validate(self) -> Epoch:
        """Return what the validation rows say."""
        self.head.eval()
        return self.validator.judge(self.head.from_standardised(self.valid_inputs))

    def copied_state(self) -> State:
        """Return a copy of the head's weights."""
        return self.head.copied_state()

    def load_state(self, state: State) -> None:
        """Give the head these weights."""
        self.head.load_state_dict(state)
        self.head.eval()


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
        >>> mixed, mixed_targets = Mixup(alpha=1.0, years=2.0)(rows, targets)
        >>> mixed[2].tolist(), mixed_targets.ages[2].item()
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
