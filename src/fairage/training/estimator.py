"""A scikit-learn regressor: embeddings, ages and groups in, a fair head out."""

import copy
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from fairage._random import torch_seed
from fairage._registry import build
from fairage.age_groups import AgeGroups
from fairage.exceptions import ConfigError, DataError
from fairage.models import HEADS, AgeHead, HeadKind, check_pair, make_head
from fairage.objectives import OBJECTIVES, Objective
from fairage.objectives.fairness import FAIRNESS, Fairness
from fairage.training.data import Rows, group_layout, skipped_attributes
from fairage.training.estimator_data import FitRows
from fairage.training.head_training import train_head
from fairage.training.postprocess import AFTER, AfterStep
from fairage.training.selection import History, Selection
from fairage.training.training_settings import TrainingSettings
from fairage.weighting import Weighting, Weights, make_weighting

NamedPart = str | Mapping[str, Any]
"""A name, or a mapping with the key `name` and the options: `{"name": "gap", "strength": 0.5}`."""


@dataclass(frozen=True)
class SelectedParts:
    """The parts of one training; the head is made from `head` and `head_options`."""

    weighting: Weighting
    objective: Objective
    head: str
    head_options: dict[str, Any]
    fairness: Fairness | None
    selection: Selection
    after: tuple[AfterStep, ...]


def select_parts(
    *,
    weighting: NamedPart,
    objective: NamedPart,
    head: NamedPart,
    fairness: NamedPart | None,
    selection: NamedPart,
    after: NamedPart | Sequence[NamedPart] | None,
) -> SelectedParts:
    """Return the parts, or raise a ConfigError that names what is wrong.

    Examples:
        >>> names = {"weighting": "2b", "objective": "mae", "head": {"name": "linear"}}
        >>> select_parts(**names, fairness=None, selection="fair", after=None).selection
        Selection(rule='fair', delta=0.03, min_rows=None)
    """
    loss = build("objective", OBJECTIVES, *_parted("objective", objective))
    kind: HeadKind = build("head", HEADS, *_parted("head", head))
    check_pair(kind, loss)
    weights, options = _parted("weighting", weighting)
    rule, selection_options = _parted("selection", selection)
    steps = [after] if isinstance(after, str | Mapping) else list(after or ())
    return SelectedParts(
        make_weighting(weights, **options),
        loss,
        *_parted("head", head),
        None if fairness is None else build("fairness", FAIRNESS, *_parted("fairness", fairness)),
        Selection(**{**selection_options, "rule": rule}),
        tuple(build("after", AFTER, *_parted("after", step)) for step in steps),
    )


def _parted(kind: str, part: object) -> tuple[str, dict[str, Any]]:
    """Return the name and the options of a part."""
    if isinstance(part, str):
        return part, {}
    if isinstance(part, Mapping) and isinstance(part.get("name"), str):
        return str(part["name"]), {key: value for key, value in part.items() if key != "name"}
    raise ConfigError(
        f"expected a name or a mapping with the key 'name' as {kind}, got {part!r}, write for "
        f"example {kind}={{'name': ..., ...}}"
    )


Floats = NDArray[np.float64]
MOST = 0.9
_DEFAULT = TrainingSettings()


class FairAgeRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Trains a head on embeddings so that it is accurate, and fair to the groups handed over.

    A part is chosen by name, or by a mapping with its options: `{"name": "gap", "strength": 0.5}`.
    Ages are years; embeddings are standardised inside.

    Args:
        weighting: Weights of the training rows; see `fairage.weighting`.
        objective: The loss; see `fairage.objectives`.
        head: From the embedding to the age; it must fit the objective.
        fairness: A term that is added to the loss so that groups fare alike, or None.
        selection: Which epoch is kept: `"loss"`, `"mae"` or `"fair"`. Groups of fewer than 30
            validation rows take no part in biases; `{"name": "fair", "min_rows": 10}` lowers that.
        after: Steps after the training, `"last-layer"` and `"recalibrate"`, in order.
        age_groups: Groups of the true age, such as `AgeGroups.from_edges([0, 18, 65])`; young,
            adult, senior and old where None are given.
        epochs: At most so many passes over the training rows.
        batch_size: Rows a step.
        learning_rate: The optimiser's step size, at its highest.
        patience: Stop after so many epochs without a better one.
        weight_decay: Adam's L2 penalty, or AdamW's decay.
        optimizer: `"adam"` or `"adamw"`.
        schedule: `"constant"` or `"cosine"`.
        warmup: Epochs over which the step size first rises from 0.
        ema: Decay a step of an average of the weights; 0 for none.
        mixup: Mix faces of about the same age, by shares from Beta(mixup, mixup); 0 mixes none.
        mixup_years: Standard deviation in years of the Gaussian in the difference of ages by
            which partners are drawn.
        validation_fraction: Share of the rows that validate where `fit` gets no others.
        random_state: Start of the random numbers.

    Attributes:
        head_: The trained `AgeHead`.
        history_: The epochs, with validation MAE and biases.
        n_iter_: How many epochs were trained.
        n_features_in_: Width of the embeddings.
        feature_names_in_: Their names, where `fit` got a frame.

    Examples:
        >>> X = np.random.default_rng(0).normal(size=(300, 4))
        >>> y, sex = 40 + 12 * X[:, 0], np.where(X[:, 1] > 0, "f", "m")
        >>> model = FairAgeRegressor(fairness="gap", batch_size=16, random_state=0)
        >>> model.fit(X, y, groups={"sex": sex}).score(X, y) > 0.5
        True
    """

    def __init__(
        self,
        *,
        weighting: NamedPart = "none",
        objective: NamedPart = "mae",
        head: NamedPart = "regression",
        fairness: NamedPart | None = None,
        selection: NamedPart = "loss",
        after: NamedPart | Sequence[NamedPart] | None = None,
        age_groups: AgeGroups | None = None,
        epochs: int = _DEFAULT.epochs,
        batch_size: int = _DEFAULT.batch_size,
        learning_rate: float = _DEFAULT.learning_rate,
        patience: int = _DEFAULT.patience,
        weight_decay: float = _DEFAULT.weight_decay,
        optimizer: Literal["adam", "adamw"] = _DEFAULT.optimizer,
        schedule: Literal["constant", "cosine"] = _DEFAULT.schedule,
        warmup: float = _DEFAULT.warmup,
        ema: float = _DEFAULT.ema,
        mixup: float = _DEFAULT.mixup,
        mixup_years: float = _DEFAULT.mixup_years,
        validation_fraction: float = 0.2,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.weighting = weighting
        self.objective = objective
        self.head = head
        self.fairness = fairness
        self.selection = selection
        self.after = after
        self.age_groups = age_groups
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.patience = patience
        self.weight_decay = weight_decay
        self.optimizer = optimizer
        self.schedule = schedule
        self.warmup = warmup
        self.ema = ema
        self.mixup = mixup
        self.mixup_years = mixup_years
        self.validation_fraction = validation_fraction
        self.random_state = random_state

    def fit(
        self,
        X: Any,  # noqa: ANN401, N803  # scikit-learn's protocol
        y: Any,  # noqa: ANN401  # scikit-learn's protocol
        groups: object = None,
        *,
        sample_weight: ArrayLike | None = None,
        age_std: ArrayLike | None = None,
        validation: Sequence[Any] | None = None,
    ) -> Self:
        """Train the head and return the estimator.

        Args:
            X: Embeddings, shape `(n, dim)`.
            y: Ages in years, shape `(n,)`.
            groups: The attributes: a mapping or frame of label columns, or an array of labels of
                shape `(n,)` or `(n, attributes)`. Age groups, `age_group`, are always added.
            sample_weight: Multiplies the weighting's weights, shape `(n,)`; 0 leaves a row out.
            age_std: Standard deviation of the raters' guesses in years, shape `(n,)`, NaN where
                it is not known; the objective `dldl` reads it.
            validation: `(X, y)` or `(X, y, groups)` to validate on, instead of a share of the rows.

        Raises:
            ConfigError: A name, an option or a value is not one that fairage knows.
            DataError: Groups, ages or weights do not fit the rows.
        """
        parts, settings = self._parts(), self._settings()
        X, y = validate_data(self, X, y, y_numeric=True, dtype=[np.float64, np.float32])  # noqa: N806  # scikit-learn's name
        table = FitRows.of(
            X, y, groups, sample_weight, age_std, age_groups=self.age_groups
        ).present()
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        if validation is None:
            train, valid = table.split(self._fraction(), seed)
        else:
            train, valid = table, self._given(validation)
        self.head_, self.history_ = _train(parts, settings, train, valid, seed)
        if self.history_.note:
            warnings.warn(self.history_.note, stacklevel=2)
        self.n_iter_ = len(self.history_.epochs)
        return self

    def predict(self, X: Any) -> Floats:  # noqa: ANN401, N803  # scikit-learn's protocol
        """Return estimated ages in years in 0..120, shape `(n,)`, for embeddings `(n, dim)`."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64)  # noqa: N806  # scikit-learn's name
        ages: Floats = copy.deepcopy(self.head_).double().ages(torch.from_numpy(X.copy())).numpy()
        return ages

    def __sklearn_tags__(self) -> Tags:
        """Say that ages are never negative.

        `poor_score` is about scikit-learn's trial data: targets within six years of each other
        say little to a training that starts from 50 years and expects a century.
        """
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = True
        tags.regressor_tags.poor_score = True
        return tags

    def _parts(self) -> SelectedParts:
        return select_parts(
            weighting=self.weighting,
            objective=self.objective,
            head=self.head,
            fairness=self.fairness,
            selection=self.selection,
            after=self.after,
        )

    def _settings(self) -> TrainingSettings:
        return TrainingSettings(
            **{name: getattr(self, name) for name in TrainingSettings.model_fields}
        )

    def _fraction(self) -> float:
        if not 0 < self.validation_fraction <= MOST:
            raise ConfigError(
                f"expected a validation_fraction above 0 and up to {MOST}, got "
                f"{self.validation_fraction!r}, take 0.2"
            )
        return self.validation_fraction

    def _given(self, validation: Sequence[Any]) -> FitRows:
        if not isinstance(validation, tuple | list) or len(validation) not in (2, 3):
            got = f"{len(validation)} things" if isinstance(validation, tuple | list) else "another"
            raise DataError(
                "expected validation as (X, y) or (X, y, groups), a tuple, got "
                f"{got}, hand over two or three"
            )
        X, y = validate_data(  # noqa: N806  # scikit-learn's name
            self, *validation[:2], reset=False, y_numeric=True, dtype=[np.float64, np.float32]
        )
        return FitRows.of(X, y, *validation[2:], age_groups=self.age_groups)


def _train(
    parts: SelectedParts, settings: TrainingSettings, train: FitRows, valid: FitRows, seed: int
) -> tuple[AgeHead, History]:
    with torch_seed(seed, "head"):
        head = make_head(parts.head, train.embeddings.shape[1], parts.head_options)
    weighed = parts.weighting.weigh(train.frame)
    rows = train.as_rows(weighed.values * train.weights), valid.as_rows(valid.weights)
    for warning in _warnings(parts, weighed, *rows):
        warnings.warn(warning, stacklevel=3)
    history = train_head(
        head,
        *rows,
        objective=parts.objective,
        settings=settings,
        seed=seed,
        fairness=parts.fairness,
        selection=parts.selection,
    )
    for step in parts.after:
        step.apply(head, *rows, objective=parts.objective, seed=seed)
    return head, history


def _warnings(parts: SelectedParts, weights: Weights, train: Rows, valid: Rows) -> Iterator[str]:
    """Yield what the rows do not allow; raise what the steps after the training would raise."""
    if weights.note:
        yield weights.note
    if parts.fairness is not None:
        skipped = group_layout(parts.fairness, train, valid).skipped
        yield from skipped_attributes(parts.fairness, skipped)
    for step in parts.after:
        yield from step.check(train, valid)
