"""Steps that follow a training: the last layer refitted, the estimated ages recalibrated."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fairage._random import torch_seed
from fairage.exceptions import ConfigError, MissingDependencyError
from fairage.models import Calibration
from fairage.models.heads import AgeHead
from fairage.objectives import Objective, Targets
from fairage.tables import AGE, AGE_GROUP
from fairage.training.data import Rows
from fairage.weighting import Weights, make_weighting


def balance(rows: Rows, weighting: str, options: Mapping[str, object]) -> Weights:
    """Return the weights that a weighting by name gives these rows."""
    columns = {name: labels for name, labels in rows.groups.items() if name != AGE_GROUP}
    frame = pl.DataFrame({AGE: rows.targets.ages.double().numpy(), **columns})
    return make_weighting(weighting, **options).weigh(frame)


def balancing_weights(rows: Rows, weighting: str, options: Mapping[str, object]) -> Tensor:
    """Return the weights, shape `(n,)`, mean 1, that a weighting by name gives these rows.

    Examples:
        >>> import numpy as np
        >>> from fairage.objectives import Targets
        >>> groups = {"gender": np.array(["f", "f", "f", "m"])}
        >>> rows = Rows(torch.zeros(4, 2), Targets(torch.full((4,), 30.0)), torch.ones(4), groups)
        >>> balancing_weights(rows, "inverse", {"attributes": ("gender",)}).tolist()
        [0.666..., 0.666..., 0.666..., 2.0]
    """
    return torch.from_numpy(balance(rows, weighting, options).values).float()


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

    def check(self, train: Rows, valid: Rows) -> tuple[str, ...]:
        """Return warnings on the weights; raise what `apply` would raise of these rows."""
        own = self._own(train, valid)
        return balance(own, self.weighting, self.weighting_options).warnings(self.weighting)

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


Ages = NDArray[np.float64]
OLDEST = 100.0
FEWEST = 10


@dataclass(frozen=True)
class Recalibrate:
    """Estimated age to corrected age, fitted on the validation rows under balancing weights.

    The correction looks at the estimate alone, so nobody's group need be known to use the model.
    It is kept as points of a line, and scikit-learn is only needed to fit it.

    Args:
        method: `"isotonic"`, any rising line, or `"linear"`, a straight one or one that is
            straight between `knots`.
        knots: Estimated ages in years, rising, at which a linear line may bend.
        weighting: Name of the weighting that balances.
        weighting_options: Its options.
    """

    of_weights: ClassVar[bool] = False
    method: Literal["isotonic", "linear"] = "isotonic"
    knots: tuple[float, ...] = ()
    weighting: str = "raking"
    weighting_options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        make_weighting(self.weighting, **self.weighting_options)
        points = (0.0, *self.knots, OLDEST)
        rising = all(a < b for a, b in pairwise(points))
        if not rising or (self.knots and self.method != "linear"):
            raise ConfigError(
                f"expected knots that rise between 0 and {OLDEST:g} years, with the method "
                f"'linear', got {list(self.knots)} with {self.method!r}, correct them"
            )

    def check(self, train: Rows, valid: Rows) -> tuple[str, ...]:
        """Return warnings on the weights; raise what `apply` would raise of these rows."""
        return balance(valid, self.weighting, self.weighting_options).warnings(self.weighting)

    def apply(
        self, head: AgeHead, train: Rows, valid: Rows, *, objective: Objective, seed: int
    ) -> None:
        """Set the head's calibration; one that it had is replaced."""
        head.calibration = None
        estimated = head.ages(valid.embeddings).double().numpy()
        ages = valid.targets.ages.double().numpy()
        weights = balancing_weights(valid, self.weighting, self.weighting_options).double().numpy()
        if self.method == "isotonic":
            head.calibration = _isotonic(estimated, ages, weights)
        else:
            head.calibration = fitted_line(estimated, ages, weights, knots=self.knots)


def _isotonic(estimated: Ages, ages: Ages, weights: Ages) -> Calibration:
    try:
        from sklearn.isotonic import IsotonicRegression
    except ImportError as error:
        raise MissingDependencyError.for_extra("scikit-learn", "train") from error
    fitted = IsotonicRegression(out_of_bounds="clip").fit(estimated, ages, weights)
    inputs, kept = np.unique(fitted.X_thresholds_, return_index=True)
    return Calibration(tuple(inputs.tolist()), tuple(fitted.y_thresholds_[kept].tolist()))


def fitted_line(
    estimated: Ages, ages: Ages, weights: Ages, *, knots: Sequence[float] = ()
) -> Calibration:
    """Return a line of weighted least squares that never falls and may bend at the knots.

    Where fewer than ten estimates lie between two points, its slope is 1.

    Args:
        estimated: Estimated ages in years, shape `(n,)`.
        ages: True ages in years, shape `(n,)`.
        weights: Weights, shape `(n,)`.
        knots: Estimated ages in years, rising, above 0 and below 100.

    Raises:
        MissingDependencyError: scikit-learn is not installed.

    Examples:
        >>> estimated = np.arange(10.0, 70.0)
        >>> bent = fitted_line(estimated, estimated.clip(0, 40) + 5, np.ones(60), knots=(40,))
        >>> np.round(bent.outputs, 3).tolist()
        [5.0, 45.0, 45.0]
    """
    try:
        from sklearn.linear_model import LinearRegression
    except ImportError as error:
        raise MissingDependencyError.for_extra("scikit-learn", "train") from error
    points = np.array([0.0, *knots, OLDEST])
    ends = np.array([-np.inf, *knots, np.inf])
    pieces = np.clip(estimated[:, None], ends[:-1], ends[1:]) - points[:-1]
    inside = (estimated[:, None] > ends[:-1]) & (estimated[:, None] <= ends[1:])
    fitted = (inside.sum(axis=0) >= min(FEWEST, len(ages))) & (np.ptp(pieces, axis=0) > 0)
    slopes = np.ones(len(points) - 1)
    if fitted.any():
        left = ages - pieces[:, ~fitted].sum(axis=1)
        slopes[fitted] = LinearRegression(positive=True).fit(pieces[:, fitted], left, weights).coef_
    start = np.average(ages - pieces @ slopes, weights=weights)
    risen = np.concatenate([[0.0], np.cumsum(slopes * np.diff(points))])
    return Calibration(tuple(points.tolist()), tuple((start + risen).tolist()))


class AfterStep(Protocol):
    """Changes a trained head in place, from training and validation rows alone.

    `of_weights` says whether it changes weights, as opposed to correcting the ages: of heads that
    are averaged, the weights of each are changed, and the ages of the whole corrected.
    """

    of_weights: ClassVar[bool]

    def check(self, train: Rows, valid: Rows) -> tuple[str, ...]:
        """Return what the rows make of the step; raise what `apply` would raise of them."""
        ...

    def apply(
        self, head: AgeHead, train: Rows, valid: Rows, *, objective: Objective, seed: int
    ) -> None:
        """Change the head; `objective` is what it was trained with."""
        ...


AFTER: dict[str, type[AfterStep]] = {"last-layer": LastLayer, "recalibrate": Recalibrate}
