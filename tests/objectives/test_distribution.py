"""Label distributions and mean-variance loss against slow re-writes."""

from math import exp, log

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fairage.exceptions import ConfigError, DataError
from fairage.objectives import Targets
from fairage.objectives.distribution import (
    LabelDistributionLoss,
    MeanVarianceLoss,
    expected_age,
    normal_distribution,
)

ages = st.floats(0, 100)
stds = st.floats(0.5, 15)
seeds = st.integers(0, 99)


def logits(seed: int, rows: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 3 * torch.randn(rows, 101, generator=generator, dtype=torch.float64)


def softmax(values: list[float]) -> list[float]:
    highest = max(values)
    raw = [exp(value - highest) for value in values]
    return [value / sum(raw) for value in raw]


def slow_normal(age: float, std: float) -> list[float]:
    raw = [exp(-(((year - age) / std) ** 2) / 2) for year in range(101)]
    return [value / sum(raw) for value in raw]


def slow_kl(wanted: list[float], found: list[float]) -> float:
    return sum(p * (log(p) - log(q)) for p, q in zip(wanted, found, strict=True) if p > 0)


def one(age: float, std: float | None = None) -> Targets:
    told = None if std is None else torch.tensor([std], dtype=torch.float64)
    return Targets(torch.tensor([age], dtype=torch.float64), stds=told)


ONE = torch.ones(1, dtype=torch.float64)


@given(age=ages, std=stds, seed=seeds)
def test_dldl_equals_a_slow_loop(age: float, std: float, seed: int) -> None:
    objective = LabelDistributionLoss(kl_weight=2.0, mae_weight=0.5)
    found = objective(logits(seed), one(age, std), ONE).item()
    predicted = softmax(logits(seed)[0].tolist())
    mean = sum(year * share for year, share in enumerate(predicted))
    expected = 2 * slow_kl(slow_normal(age, std), predicted) + 0.5 * abs(mean - age)
    assert found == pytest.approx(expected, rel=1e-9)


@given(age=ages, seed=seeds)
def test_mean_variance_equals_a_slow_loop(age: float, seed: int) -> None:
    found = MeanVarianceLoss(0.3, 0.1)(logits(seed), one(age), ONE).item()
    predicted = softmax(logits(seed)[0].tolist())
    mean = sum(year * share for year, share in enumerate(predicted))
    variance = sum(share * (year - mean) ** 2 for year, share in enumerate(predicted))
    below = int(age)
    above = min(below + 1, 100)
    share = age - below
    entropy = -(1 - share) * log(predicted[below]) - share * log(predicted[above])
    expected = entropy + 0.3 * (mean - age) ** 2 / 2 + 0.1 * variance
    assert found == pytest.approx(expected, rel=1e-6)


def test_an_unknown_std_is_replaced_by_sigma_and_a_tiny_one_by_half_a_year() -> None:
    targets = Targets(torch.tensor([30.0, 30.0, 30.0]), stds=torch.tensor([float("nan"), 0, 7]))
    found = LabelDistributionLoss(sigma=4.0).distribution(targets)
    stds = torch.tensor([4.0, 0.5, 7.0])
    torch.testing.assert_close(found, normal_distribution(targets.ages, stds))


def test_without_stds_sigma_holds_for_all() -> None:
    found = LabelDistributionLoss(sigma=4.0).distribution(Targets(torch.tensor([30.0])))
    torch.testing.assert_close(
        found, normal_distribution(torch.tensor([30.0]), torch.tensor([4.0]))
    )


def test_votes_are_smoothed_and_replace_the_normal_where_there_are_some() -> None:
    votes = torch.zeros(2, 101)
    votes[0, 20], votes[0, 40] = 3, 1
    targets = Targets(torch.tensor([25.0, 60.0]), votes=votes)
    found = LabelDistributionLoss(use_votes=True, smoothing=1.0, sigma=4.0).distribution(targets)
    expected = [
        0.75 * a + 0.25 * b for a, b in zip(slow_normal(20, 1), slow_normal(40, 1), strict=True)
    ]
    assert found[0].tolist() == pytest.approx(expected, abs=1e-6)
    assert found[1].tolist() == pytest.approx(slow_normal(60, 4), abs=1e-6)


def test_votes_that_are_wanted_and_not_there_are_an_error() -> None:
    with pytest.raises(DataError, match="expected votes of the raters, got none"):
        LabelDistributionLoss(use_votes=True)(logits(0), one(30.0), ONE)


@given(age=st.floats(10, 90), std=st.floats(0.5, 3))
def test_a_normal_distribution_decodes_to_its_mean(age: float, std: float) -> None:
    found = normal_distribution(torch.tensor([age]), torch.tensor([std]))
    assert found.sum().item() == pytest.approx(1, abs=1e-5)
    assert expected_age(found.clamp(min=1e-30).log()).item() == pytest.approx(age, abs=0.05)


@pytest.mark.parametrize(
    "options",
    [{"sigma": 0.1}, {"smoothing": 0}, {"kl_weight": -1}, {"kl_weight": 0}, {"mae_weight": -2}],
)
def test_a_wrong_option_of_dldl_is_an_error(options: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="expected a"):
        LabelDistributionLoss(**options)


def test_a_wrong_option_of_mean_variance_is_an_error() -> None:
    with pytest.raises(ConfigError, match="expected a mean_weight"):
        MeanVarianceLoss(mean_weight=float("nan"))
