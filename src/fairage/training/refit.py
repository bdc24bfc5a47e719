"""Refitting the last layer on balanced rows: cheap, as everything before it stays."""

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from fairage._random import torch_seed
from fairage.exceptions import ConfigError
from fairage.models.heads import AgeHead
from fairage.objectives import Objective, Targets
from fairage.training.balance import balancing_weights
from fairage.training.rows import Rows
from fairage.weighting import make_weighting

__all__ = ["LastLayer"]


@dataclass(frozen=True)
class LastLayer:
    """Deep feature reweighting: the last layer is refitted on balanced resamples, and averaged.

    Each resample draws rows with replacement, in proportion to the weights of a weighting; the
    layer starts from the trained one and is drawn back to it, so that few rows cannot bend it far.
    Source: Kirichenko, Izmailov & Wilson, Last Layer Re-Training is Sufficient for Robustness to
    Spurious Correlations, ICLR 2023.

    Args:
        on: The validation rows, which the layers before have not seen, or the training rows.
        weighting: Name of the weighting that balances.
        weighting_options: Its options.
        resamples: How many fits are averaged.
        steps: Steps of Adam a fit, each on the whole resample.
        learning_rate: Adam's step size.
        pull: Strength of the squared distance to the trained layer, as a sum over its numbers.
    """

    of_weights: ClassVar[bool] = True
    on: Literal["valid", "train"] = "valid"
    weighting: str = "raking"
    weighting_options: dict[str, Any] = field(default_factory=dict)
    resamples: int = 5
    steps: int = 60
    learning_rate: float = 2e-3
    pull: float = 0.01

    def __post_init__(self) -> None:
        make_weighting(self.weighting, **self.weighting_options)
        if self.resamples < 1 or self.steps < 1:
            raise ConfigError(
                f"expected resamples and steps of 1 or more, got {self.resamples} and "
                f"{self.steps}, leave them at 5 and 60"
            )
        if not 0 < self.learning_rate < math.inf or not 0 <= self.pull < math.inf:
            raise ConfigError(
                f"expected a learning_rate above 0 and a pull of 0 or more, got "
                f"{self.learning_rate} and {self.pull}, leave them at 0.002 and 0.01"
            )

    def check(self, train: Rows, valid: Rows) -> None:
        """Raise what `apply` would raise of rows that do not allow the weighting."""
        balancing_weights(self._own(train, valid), self.weighting, self.weighting_options)

    def apply(
        self, head: AgeHead, train: Rows, valid: Rows, *, objective: Objective, seed: int
    ) -> None:
        """Refit the head's last layer in place; a calibration that it had is dropped."""
        rows = self._own(train, valid)
        weights = balancing_weights(rows, self.weighting, self.weighting_options)
        head.calibration = None
        head.eval()
        before, last = head.parted()
        with torch.no_grad():
            features = before(head.standardised(rows.embeddings))
        trained = [parameter.detach().clone() for parameter in last.parameters()]
        mean = [torch.zeros_like(parameter) for parameter in trained]
        with torch_seed(seed, "last-layer"):
            for _ in range(self.resamples):
                drawn = torch.multinomial(weights, len(rows), replacement=True)
                _set(last, trained)
                self._fit(last, features[drawn], rows.targets.rows(drawn), objective)
                for total, parameter in zip(mean, last.parameters(), strict=True):
                    total += parameter.detach() / self.resamples
        _set(last, mean)

    def _own(self, train: Rows, valid: Rows) -> Rows:
        return valid if self.on == "valid" else train

    def _fit(
        self, last: nn.Sequential, features: Tensor, targets: Targets, objective: Objective
    ) -> None:
        parameters = list(last.parameters())
        start = [parameter.detach().clone() for parameter in parameters]
        optimizer = torch.optim.Adam(parameters, lr=self.learning_rate)
        even = torch.ones(len(targets))
        for _ in range(self.steps):
            moved = sum(
                ((now - then) ** 2).sum() for now, then in zip(parameters, start, strict=True)
            )
            loss = objective(last(features), targets, even) + self.pull / objective.unit * moved
            if not math.isfinite(float(loss.detach())):
                raise ConfigError(
                    f"expected a finite loss while refitting the last layer, got {loss.item()}, "
                    "lower its learning_rate"
                )
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves backward untyped
            optimizer.step()
        optimizer.zero_grad()


@torch.no_grad()
def _set(layer: nn.Module, values: list[Tensor]) -> None:
    for parameter, value in zip(layer.parameters(), values, strict=True):
        parameter.copy_(value)
