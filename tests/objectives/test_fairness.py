"""The fairness terms against slow re-writes, and what each does to whom."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from fairage._registry import build
from fairage.auditing.scoring import score
from fairage.exceptions import ConfigError
from fairage.objectives.fairness import FAIRNESS, GroupLayout, Labels, lay_out
from fairage.objectives.fairness.term import RunningGroupErrors
from fairage.objectives.fairness.terms import (
    Adaptive,
    BoundedGroupLoss,
    Cvar,
    Gap,
    GroupDro,
    Variance,
)

Row = tuple[float, str, str]
row = st.tuples(st.floats(0, 50), st.sampled_from("fm"), st.sampled_from("abc"))
tables = st.lists(row, min_size=1, max_size=25).map(
    lambda rows: [*rows, (1.0, "f", "a"), (2.0, "m", "b"), (3.0, "f", "c")]
)


def split(rows: list[Row]) -> tuple[Tensor, Labels, GroupLayout, Tensor]:
    errors, gender, place = zip(*rows, strict=True)
    labels = {"gender": np.array(gender), "place": np.array(place)}
    layout = lay_out(labels, rows=len(rows), attributes=None, min_rows=1)
    found = torch.tensor(errors, dtype=torch.float32, requires_grad=True)
    return found, labels, layout, layout.membership(labels, len(rows))


def group_errors(rows: list[Row], column: int) -> dict[str, float]:
    groups = sorted({row[column] for row in rows})
    inside = {g: [row[0] for row in rows if row[column] == g] for g in groups}
    return {g: sum(values) / len(values) for g, values in inside.items()}


def study_average(errors: np.ndarray, labels: dict[str, np.ndarray]) -> float:
    """The average bias; every row twice, so that each group takes part; 0 for one group alone."""
    twice = {name: np.repeat(groups, 2) for name, groups in labels.items()}
    biases = score(np.zeros(2 * len(errors)), np.repeat(errors, 2), twice, min_rows=2).biases
    return float(np.nan_to_num(list(biases.values())).mean())


@given(rows=tables, strength=st.floats(0.1, 10))
def test_the_gap_of_all_rows_is_the_studys_average_bias(rows: list[Row], strength: float) -> None:
    errors, labels, layout, membership = split(rows)
    loss = Gap(strength=strength, memory=0).start(layout).loss(errors, membership)
    expected = study_average(errors.detach().double().numpy(), labels)
    assert loss.item() == pytest.approx(strength * expected, rel=1e-4, abs=1e-4)


@given(rows=tables)
def test_the_gaps_gradient_is_that_of_the_average_bias(rows: list[Row]) -> None:
    rows = [(1 + error, gender, place) for error, gender, place in rows]
    errors, labels, layout, membership = split(rows)
    loss = Gap(memory=0).start(layout).loss(errors, membership)
    (gradient,) = torch.autograd.grad(loss, errors)
    values = errors.detach().double().numpy()

    def average(values: np.ndarray) -> float:
        return study_average(values, labels)

    direction = np.random.default_rng(0).normal(size=len(rows))
    slope = (average(values + 1e-7 * direction) - average(values - 1e-7 * direction)) / 2e-7
    means = [m for c in (1, 2) for m in group_errors(rows, c).values()]
    apart = min(abs(a - b) for i, a in enumerate(means) for b in means[:i])
    if apart > 1e-4:
        assert gradient.double().numpy() @ direction == pytest.approx(slope, abs=1e-3)


@given(rows=tables)
def test_the_variance_equals_a_slow_loop(rows: list[Row]) -> None:
    errors, _, layout, membership = split(rows)
    loss = Variance(beta=2.0, memory=0).start(layout).loss(errors, membership)
    expected = 0.0
    for column in (1, 2):
        means = list(group_errors(rows, column).values())
        centre = sum(means) / len(means)
        expected += sum((mean - centre) ** 2 for mean in means) / len(means)
    assert loss.item() == pytest.approx(2.0 * expected / 2, rel=1e-3, abs=1e-3)


@given(rows=tables)
def test_group_dro_equals_a_slow_loop(rows: list[Row]) -> None:
    errors, _, layout, membership = split(rows)
    penalty = GroupDro(eta=0.2, strength=3.0, memory=0).start(layout)
    for step in (1, 2, 3):
        loss = penalty.loss(errors, membership)
        expected = 0.0
        for column in (1, 2):
            means = group_errors(rows, column)
            raw = {g: math.exp(0.2 * step * mean) for g, mean in means.items()}
            expected += sum(raw[g] / sum(raw.values()) * means[g] for g in means)
        assert loss.item() == pytest.approx(3.0 * expected, rel=1e-3, abs=1e-3)


def test_group_dro_moves_its_shares_to_the_worst_group_and_never_overflows() -> None:
    rows = [(1.0, "f", "a"), (90.0, "m", "b")]
    errors, _, layout, membership = split(rows)
    penalty = GroupDro(eta=1000.0).start(layout)
    for _ in range(20):
        penalty.loss(errors, membership)
    assert penalty.shares().tolist() == pytest.approx([0, 1, 0, 1])


@given(rows=tables, zeta=st.floats(0, 30))
def test_a_bound_pulls_on_those_above_it_alone(rows: list[Row], zeta: float) -> None:
    errors, _, layout, membership = split(rows)
    penalty = BoundedGroupLoss(zeta=zeta, eta=0.5, largest=2.0, memory=0).start(layout)
    means = {**group_errors(rows, 1), **group_errors(rows, 2)}
    multipliers = dict.fromkeys(means, 0.0)
    for _ in range(3):
        loss = penalty.loss(errors, membership)
        for group, mean in means.items():
            multipliers[group] = min(2.0, max(0.0, multipliers[group] + 0.5 * (mean - zeta)))
        expected = sum(multipliers[group] * (mean - zeta) for group, mean in means.items())
        assert loss.item() == pytest.approx(expected, rel=1e-3, abs=1e-3)
    assert all(m == 0 for g, m in multipliers.items() if means[g] < zeta)


@given(
    values=st.lists(st.floats(0, 50), min_size=1, max_size=20),
    alpha=st.floats(0.05, 1),
)
def test_cvar_is_the_lowest_value_of_its_definition(values: list[float], alpha: float) -> None:
    found = Cvar(alpha=alpha).loss(torch.tensor(values, dtype=torch.float64), torch.ones(0))

    def at(eta: float) -> float:
        return eta + sum(max(value - eta, 0) for value in values) / (alpha * len(values))

    assert found.item() == pytest.approx(min(at(value) for value in values), rel=1e-6, abs=1e-6)


def test_adaptive_weights_follow_the_formula() -> None:
    rows = [(2.0, "f", "a"), (6.0, "m", "b"), (2.0, "f", "b")]
    errors, _, layout, membership = split(rows[:2] + rows[2:])
    penalty = Adaptive(eta=0.1).start(layout)
    for _ in range(2):
        penalty.after_epoch(errors.detach(), membership)
    gender = {"f": math.exp(2 * 0.1 * (2 - 4)), "m": math.exp(2 * 0.1 * (6 - 4))}
    place = {"a": math.exp(2 * 0.1 * (2 - 3)), "b": math.exp(2 * 0.1 * (4 - 3))}
    raw = [gender[g] * place[p] for _, g, p in rows]
    expected = [value * 3 / sum(raw) for value in raw]
    assert penalty.factors(membership).tolist() == pytest.approx(expected, rel=1e-5)


def test_adaptive_factors_stay_within_their_limit() -> None:
    errors, _, layout, membership = split([(0.0, "f", "a"), (90.0, "m", "b")])
    penalty = Adaptive(eta=5.0, largest=3.0).start(layout)
    for _ in range(10):
        penalty.after_epoch(errors.detach(), membership)
    factors = penalty.factors(membership)
    assert (factors.max() / factors.min()).item() == pytest.approx(3.0**4, rel=1e-3)


def two_groups(counts: tuple[int, int]) -> GroupLayout:
    labels = {"gender": np.repeat(["f", "m"], counts)}
    return lay_out(labels, rows=sum(counts), attributes=None, min_rows=1)


def test_a_group_that_a_batch_lacks_keeps_its_remembered_error() -> None:
    errors = RunningGroupErrors(two_groups((9, 1)), memory=5)
    errors.update(torch.tensor([2.0, 8.0]), torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
    for _ in range(300):
        found, seen = errors.update(torch.tensor([4.0]), torch.tensor([[1.0, 0.0]]))
    assert found.tolist() == pytest.approx([4, 8], rel=1e-4)
    assert seen[0] == 1


def test_a_group_that_no_batch_held_does_not_count() -> None:
    penalty = Gap().start(two_groups((9, 1)))
    assert penalty.loss(torch.tensor([5.0]), torch.tensor([[1.0, 0.0]])).item() == 0


def test_the_gradients_of_the_batches_of_an_epoch_add_up_to_that_of_all_rows() -> None:
    counts = (90, 10)
    layout = two_groups(counts)
    labels = {"gender": np.repeat(["f", "m"], counts)}
    membership = layout.membership(labels, 100)
    order = torch.randperm(100, generator=torch.Generator().manual_seed(0))
    values = torch.where(membership[:, 1] > 0, 9.0, 2.0).requires_grad_()
    penalty = Gap(memory=1e6).start(layout)
    penalty.loss(values, membership)
    batches = [penalty.loss(values[part], membership[part]) for part in order.split(5)]
    (summed,) = torch.autograd.grad(sum(batches) / len(batches), values)
    (whole,) = torch.autograd.grad(Gap(memory=0).start(layout).loss(values, membership), values)
    torch.testing.assert_close(summed, whole)


def test_options_out_of_range_are_errors() -> None:
    for wrong in (lambda: Gap(memory=-1), lambda: Gap(min_rows=0), lambda: Cvar(alpha=0)):
        with pytest.raises(ConfigError, match="expected"):
            wrong()
    with pytest.raises(ConfigError, match=r"expected a zeta in 0\.\.100 years"):
        BoundedGroupLoss(zeta=-1)


@pytest.mark.parametrize("name", sorted(set(FAIRNESS) - {"cvar"}))
def test_an_empty_list_of_attributes_is_an_error(name: str) -> None:
    with pytest.raises(ConfigError, match="expected attributes for the fairness term, got an emp"):
        build("fairness", FAIRNESS, name, {"attributes": []})
