"""Fairness terms in training: that they act, that they log, what they refuse."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from fairage._registry import build
from fairage.auditing.scoring import score
from fairage.exceptions import ConfigError, DataError
from fairage.models import AgeHead
from fairage.objectives import OBJECTIVES
from fairage.objectives.fairness import FAIRNESS, Fairness
from fairage.objectives.fairness.terms import Gap
from fairage.tables import UNKNOWN
from fairage.training import History, Rows, Selection, TrainingSettings, train_head

DIM = 6
SETTINGS = TrainingSettings(epochs=25, batch_size=32, learning_rate=5e-3, patience=25)


Trained = tuple[AgeHead, History]


@pytest.fixture
def trained(grouped, small_head) -> Callable[..., Trained]:
    """Trains a small head on toy rows, by default with the absolute error."""

    def train(
        fairness: Fairness | None,
        *,
        name: str = "regression",
        objective: str = "mae",
        settings: TrainingSettings = SETTINGS,
        **options: Any,
    ) -> Trained:
        head = small_head(name, hidden=options.pop("hidden", [16]))
        history = train_head(
            head,
            options.pop("train", None) or grouped(600, 1),
            options.pop("valid", None) or grouped(300, 2),
            objective=OBJECTIVES[objective](),
            settings=settings,
            seed=0,
            fairness=fairness,
            **options,
        )
        return head, history

    return train


def group_gap(head: AgeHead, rows: Rows) -> float:
    """How many years the two genders' errors are apart."""
    errors = (head.ages(rows.embeddings) - rows.targets.ages).abs().numpy()
    rare = rows.groups["gender"] == "m"
    return abs(float(errors[rare].mean() - errors[~rare].mean()))


def same_weights(one: AgeHead, other: AgeHead) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(left, right) for left, right in pairs)


@pytest.mark.parametrize("name", sorted(FAIRNESS))
def test_every_term_changes_the_training_and_keeps_it_finite(trained, name: str) -> None:
    plain, _ = trained(None)
    head, history = trained(build("fairness", FAIRNESS, name, {}))
    assert not same_weights(plain, head)
    assert all(np.isfinite(epoch.train_loss) for epoch in history.epochs)


@pytest.mark.parametrize("name", sorted(FAIRNESS))
def test_a_term_that_was_used_before_gives_the_same_training(trained, name: str) -> None:
    term = build("fairness", FAIRNESS, name, {})
    (one, first), (other, second) = (trained(term) for _ in range(2))
    assert same_weights(one, other)
    assert first == second


def test_the_gap_penalty_narrows_the_gap(trained, grouped) -> None:
    plain, _ = trained(None, hidden=[])
    fair, _ = trained(
        Gap(attributes=("gender",)), hidden=[], selection=Selection(rule="fair", delta=9.0)
    )
    rows = grouped(400, 3)
    assert group_gap(fair, rows) < 0.5 * group_gap(plain, rows)


@pytest.mark.parametrize(
    ("objective", "head"),
    [("dldl", "label-distribution"), ("coral", "coral"), ("corn", "corn"), ("mse", "linear")],
)
def test_a_term_works_with_every_kind_of_head(trained, objective: str, head: str) -> None:
    _, history = trained(Gap(strength=0.3), name=head, objective=objective)
    assert history.epochs[-1].valid_mae < history.epochs[0].valid_mae


def test_the_logged_biases_are_the_metrics(trained, grouped) -> None:
    valid = grouped(300, 2)
    head, history = trained(None, valid=valid)
    found = score(valid.targets.ages, head.ages(valid.embeddings), valid.groups)
    kept = history.epochs[history.best]
    assert kept.valid_biases == pytest.approx(found.biases, abs=1e-4)
    assert kept.valid_average_bias == pytest.approx(found.average_bias, abs=1e-4)


def test_the_fair_rule_keeps_the_weights_of_its_epoch(trained, grouped) -> None:
    valid = grouped(300, 2)
    head, history = trained(None, valid=valid, selection=Selection(rule="fair", delta=0.5))
    kept = history.epochs[history.best]
    lowest = min(epoch.valid_mae for epoch in history.epochs)
    near = [e for e in history.epochs if e.valid_mae <= 1.5 * lowest]
    assert kept.valid_average_bias == min(epoch.valid_average_bias for epoch in near)
    found = score(valid.targets.ages, head.ages(valid.embeddings), valid.groups)
    assert found.average_bias == pytest.approx(kept.valid_average_bias, abs=1e-4)


def relabelled(rows: Rows, gender: np.ndarray) -> Rows:
    return Rows(rows.embeddings, rows.targets, rows.weights, {**rows.groups, "gender": gender})


def test_a_large_group_that_no_training_row_has_is_an_error_that_names_it(trained, grouped) -> None:
    valid = grouped(300, 2)
    gender = valid.groups["gender"].astype("<U7").copy()
    gender[:9] = "x"
    trained(Gap(min_rows=10), valid=relabelled(valid, gender))
    gender[9] = "x"
    with pytest.raises(DataError, match=r"training rows of each group of 'gender'.*\['x'\]"):
        trained(Gap(), valid=relabelled(valid, gender))
    gender[:10] = UNKNOWN
    trained(Gap(), valid=relabelled(valid, gender))


def test_validation_rows_without_the_terms_attribute_are_an_error(trained, grouped) -> None:
    rows = grouped(300, 2)
    bare = Rows(rows.embeddings, rows.targets, rows.weights)
    with pytest.raises(DataError, match="of the fairness term in the validation rows too"):
        trained(Gap(), valid=bare)


def test_an_attribute_with_one_value_or_none_is_an_error(trained, grouped) -> None:
    train = grouped(600, 1)
    constant = relabelled(train, np.full(600, "f"))
    with pytest.raises(DataError, match="two groups or more of 'gender'"):
        trained(Gap(attributes=("gender",)), train=constant)
    with pytest.raises(ConfigError, match="Did you mean 'gender'"):
        trained(Gap(attributes=("gendr",)))
    bare = Rows(train.embeddings, train.targets, train.weights)
    with pytest.raises(DataError, match="expected attributes for the fairness term"):
        trained(Gap(), train=bare)


def test_a_strength_that_breaks_the_training_is_told(trained) -> None:
    wild = TrainingSettings(epochs=3, learning_rate=1e30)
    with pytest.raises(ConfigError, match="strength of the fairness term"):
        trained(Gap(strength=1000.0), name="linear", objective="mse", settings=wild)
