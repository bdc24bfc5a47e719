"""Training a head on cached embeddings: batches, early stopping, best weights kept."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from fairage.exceptions import ConfigError, DataError
from fairage.models.heads import AgeHead
from fairage.objectives.objective import Objective
from fairage.seeding import torch_seed

__all__ = ["Epoch", "History", "Rows", "TrainingSettings", "train_head"]


@dataclass(frozen=True)
class TrainingSettings:
    """How long and how fast a head is trained; the defaults are the kit's first stage.

    Args:
        epochs: At most so many passes over the training rows.
        batch_size: Rows a step.
        learning_rate: Adam's step size.
        patience: Stop after so many epochs without a lower validation loss.
        weight_decay: Adam's L2 penalty.
    """

    epochs: int = 50
    batch_size: int = 32
    learning_rate: float = 1e-4
    patience: int = 5
    weight_decay: float = 0.0


@dataclass(frozen=True)
class Rows:
    """Rows to train or validate on.

    Args:
        embeddings: Shape `(n, dim)`.
        ages: True ages in years, shape `(n,)`.
        weights: Sample weights with mean 1, shape `(n,)`.
    """

    embeddings: Tensor
    ages: Tensor
    weights: Tensor


@dataclass(frozen=True)
class Epoch:
    """One line of the training log; losses are the objective's, the MAE is in years."""

    epoch: int
    train_loss: float
    valid_loss: float
    valid_mae: float


@dataclass(frozen=True)
class History:
    """All epochs of a training, and the one whose weights were kept."""

    epochs: tuple[Epoch, ...]
    best: int


def train_head(
    head: AgeHead,
    train: Rows,
    valid: Rows,
    *,
    objective: Objective,
    settings: TrainingSettings,
    seed: int,
) -> History:
    """Train the head in place and leave it with the weights of its best epoch.

    The best epoch is the one of the lowest validation loss; validation rows keep their own
    weights (1 each in the kit). Embeddings are standardised by the training rows' mean and
    standard deviation, which the head keeps.

    Raises:
        ConfigError: The loss stopped being a finite number.

    Examples:
        >>> from fairage.models.heads import make_head
        >>> from fairage.objectives.regression import MeanSquaredError
        >>> rows = Rows(torch.randn(64, 4), torch.full((64,), 30.0), torch.ones(64))
        >>> history = train_head(make_head("regression", 4, {}), rows, rows,
        ...     objective=MeanSquaredError(), settings=TrainingSettings(epochs=2), seed=0)
        >>> len(history.epochs)
        2
    """
    if len(train.ages) == 0 or len(valid.ages) == 0:
        raise DataError(
            f"expected rows to train and to validate on, got {len(train.ages)} and "
            f"{len(valid.ages)}, check the splits of the faces table"
        )
    head.standardise_by(train.embeddings)
    standardised = (train.embeddings - head.mean) / head.scale
    inputs = Rows(standardised, train.ages, train.weights)
    with torch_seed(seed, "training"):
        return _epochs(head, inputs, valid, objective, settings)


def _epochs(
    head: AgeHead, train: Rows, valid: Rows, objective: Objective, settings: TrainingSettings
) -> History:
    optimizer = torch.optim.Adam(
        head.parameters(),
        lr=settings.learning_rate,
        weight_decay=settings.weight_decay,
        eps=1e-7,
        fused=True,
    )
    log: list[Epoch] = []
    best, kept = 0, _copy(head)
    for number in range(settings.epochs):
        train_loss = _one_epoch(head, train, objective, optimizer, settings.batch_size)
        epoch = _validate(number, train_loss, head, valid, objective)
        log.append(epoch)
        if epoch.valid_loss < log[best].valid_loss or number == 0:
            best, kept = number, _copy(head)
        if number - best >= settings.patience:
            break
    head.load_state_dict(kept)
    head.eval()
    return History(tuple(log), best)


def _one_epoch(
    head: AgeHead,
    train: Rows,
    objective: Objective,
    optimizer: torch.optim.Optimizer,
    batch_size: int,
) -> float:
    head.train()
    order = torch.randperm(len(train.ages))
    total = torch.zeros(())
    for batch in torch.split(order, batch_size):
        outputs = head.from_standardised(train.embeddings[batch])
        rows = len(batch)
        loss = objective(outputs, train.ages[batch], train.weights[batch], total=rows)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves backward untyped
        optimizer.step()
        total += loss.detach() * rows
    return float(total) / len(train.ages)


@torch.inference_mode()
def _validate(
    number: int, train_loss: float, head: AgeHead, valid: Rows, objective: Objective
) -> Epoch:
    head.eval()
    outputs = head(valid.embeddings)
    valid_loss = float(objective(outputs, valid.ages, valid.weights))
    if not (math.isfinite(train_loss) and math.isfinite(valid_loss)):
        raise ConfigError(
            f"expected a finite loss, got {train_loss} in training and {valid_loss} in validation "
            f"in epoch {number + 1}, lower the learning rate or the weights"
        )
    mae = float((head.kind.decode(outputs) - valid.ages).abs().mean())
    return Epoch(number + 1, train_loss, valid_loss, mae)


def _copy(head: AgeHead) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in head.state_dict().items()}
