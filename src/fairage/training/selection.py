"""Which epoch is kept: the lowest loss, or the fairest among those that are nearly as accurate."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from pydantic import Field
from torch import Tensor

from fairage._settings import Settings
from fairage.auditing.scoring import MIN_ROWS, average_bias

State = dict[str, Tensor]


class Selection(Settings):
    """How an epoch is chosen, from validation alone.

    Where the validation rows have no average bias, `"fair"` takes the lowest MAE, and the history
    says so in its `note`.
    """

    rule: Literal["loss", "mae", "fair"] = Field(
        "loss",
        description="Lowest validation loss, lowest MAE, or lowest average bias among the epochs "
        "whose MAE is at most (1 + delta) times the lowest.",
    )
    delta: float = Field(
        0.03, ge=0, description="Share of the lowest MAE that `fair` may give up for fairness."
    )
    min_rows: int | None = Field(
        None,
        ge=2,
        description="Validation faces that a group must have to take part in biases; that of the "
        "command, 30 by default, if unset.",
    )

    @property
    def least_rows(self) -> int:
        """Validation rows from which a group takes part in biases."""
        return MIN_ROWS if self.min_rows is None else self.min_rows

    @property
    def effect(self) -> dict[str, object]:
        """What of it may change which epoch is kept."""
        rows = self.least_rows if self.sees_biases else None
        return {"rule": self.rule, "delta": self.delta, "min_rows": rows}

    @property
    def sees_biases(self) -> bool:
        """Whether other `min_rows` may choose another epoch."""
        return self.rule == "fair"


@dataclass(frozen=True)
class Epoch:
    """One line of the training log.

    Args:
        epoch: Its number, from 1.
        train_loss: The objective's, with what a fairness term adds.
        valid_loss: The objective's alone.
        valid_mae: In years.
        valid_biases: The bias of each attribute with two groups or more that take part, in years.
    """

    epoch: int
    train_loss: float
    valid_loss: float
    valid_mae: float
    valid_biases: dict[str, float] = field(default_factory=dict)

    @property
    def valid_average_bias(self) -> float:
        """The mean of the biases that are there, in years; NaN where there is none."""
        return average_bias(self.valid_biases.values())

    def numbered(self, number: int, train_loss: float) -> "Epoch":
        """Return the epoch with its number and its training loss."""
        return replace(self, epoch=number, train_loss=train_loss)


@dataclass(frozen=True)
class History:
    """All epochs of a training.

    Args:
        epochs: In order.
        best: Index of the one whose weights were kept.
        note: What a reader must know of the choice; empty where there is nothing.
    """

    epochs: tuple[Epoch, ...]
    best: int
    note: str = ""


def no_bias_note(min_rows: int) -> str:
    """Return what to say where the fairest was to be chosen and there is no average bias."""
    return (
        f"No attribute has two groups of {min_rows} validation rows or more, so that there is no "
        "bias to choose by: the lowest MAE was chosen instead of the fairest."
    )


def fairest(maes: Sequence[float], biases: Sequence[float], *, delta: float = 0.03) -> int:
    """Return the index of the lowest bias among those with an MAE up to `(1 + delta)` the lowest.

    Of equally fair ones the more accurate is taken, and the most accurate of all where no bias is
    known (NaN). For epochs, trials or candidates alike; a low bias alone can simply mean a worse
    model.

    Examples:
        >>> fairest([4.0, 4.1, 9.0], [0.8, 0.6, 0.1], delta=0.03)
        1
        >>> fairest([4.1, 4.0], [math.nan, math.nan])
        1
    """
    limit = min(maes) * (1 + delta)
    eligible = [i for i, mae in enumerate(maes) if mae <= limit]
    return min(eligible, key=lambda i: (_known(biases[i]), maes[i], i))


def _known(bias: float) -> float:
    """Return the bias; a bias that is not known counts as worse than any."""
    return math.inf if math.isnan(bias) else bias


class BestEpoch:
    """Keeps the weights of every epoch that may still be chosen, and says when to stop.

    Args:
        selection: The rule.
    """

    def __init__(self, selection: Selection) -> None:
        self.selection = selection
        self.epochs: list[Epoch] = []
        self.states: dict[int, State] = {}
        self.progress = 0

    @property
    def best(self) -> int:
        """Index of the epoch that the rule takes of all so far."""
        rule = self.selection.rule
        if rule == "fair":
            maes = [epoch.valid_mae for epoch in self.epochs]
            biases = [epoch.valid_average_bias for epoch in self.epochs]
            return fairest(maes, biases, delta=self.selection.delta)
        values = [e.valid_loss if rule == "loss" else e.valid_mae for e in self.epochs]
        return values.index(min(values))

    @property
    def history(self) -> History:
        """All epochs so far, and what must be known of the choice among them."""
        blind = self.selection.rule == "fair" and all(
            math.isnan(epoch.valid_average_bias) for epoch in self.epochs
        )
        note = no_bias_note(self.selection.least_rows) if blind else ""
        return History(tuple(self.epochs), self.best, note)

    def offer(self, epoch: Epoch, state: Callable[[], State]) -> None:
        """Take in an epoch; its state is only asked for where it may be chosen."""
        self.epochs.append(epoch)
        newest = len(self.epochs) - 1
        candidates = self._may_be_chosen()
        self.states = {i: kept for i, kept in self.states.items() if i in candidates}
        if newest in candidates:
            self.states[newest] = state()
        lowest = min(self.epochs, key=lambda e: e.valid_mae) is epoch
        if self.best == newest or (self.selection.rule == "fair" and lowest):
            self.progress = newest

    def is_over(self, patience: int) -> bool:
        """Whether the last so many epochs brought no better choice."""
        return len(self.epochs) - 1 - self.progress >= patience

    def _may_be_chosen(self) -> set[int]:
        """Epochs that are the best now, or would be if a later one moved the limit."""
        if self.selection.rule != "fair":
            return {self.best}
        limit = min(epoch.valid_mae for epoch in self.epochs) * (1 + self.selection.delta)
        near = [i for i, epoch in enumerate(self.epochs) if epoch.valid_mae <= limit]
        by_mae = sorted(near, key=lambda i: (self.epochs[i].valid_mae, i))
        may: set[int] = set()
        lowest = math.inf
        for i in by_mae:
            bias = _known(self.epochs[i].valid_average_bias)
            if bias < lowest or not may:
                lowest = bias
                may.add(i)
        return may
