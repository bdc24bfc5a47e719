"""The regression losses against slow re-writes; every loss's contract is in tests/checks."""

from math import exp, log

import pytest
import torch

from fairage._registry import build
from fairage.exceptions import ConfigError
from fairage.objectives import OBJECTIVES, Targets, weighted_mean
from fairage.objectives.regression import (
    BalancedMSE,
    HuberLoss,
    MeanAbsoluteError,
    MeanSquaredError,
)

OUTPUTS = [0.31, 0.5, 0.02, 0.9]
AGES = [30.0, 20.0, 2.0, 41.5]
WEIGHTS = [1.0, 0.5, 2.0, 0.25]


def slow_huber(difference: float, delta: float) -> float:
    if abs(difference) <= delta:
        return difference**2 / 2
    return delta * (abs(difference) - delta / 2)


SLOW = [
    (MeanSquaredError(), lambda d: d * d),
    (MeanAbsoluteError(), abs),
    (HuberLoss(), lambda d: slow_huber(d, 0.05)),
    (HuberLoss(delta=20), lambda d: slow_huber(d, 0.2)),
]


@pytest.mark.parametrize(("objective", "slow"), SLOW)
def test_the_loss_equals_a_slow_loop(objective, slow) -> None:
    total = divisor = 0.0
    for output, age, weight in zip(OUTPUTS, AGES, WEIGHTS, strict=True):
        total += weight * slow(output - age / 100)
        divisor += weight
    found = objective(
        torch.tensor(OUTPUTS)[:, None], Targets(torch.tensor(AGES)), torch.tensor(WEIGHTS)
    ).item()
    assert found == pytest.approx(total / divisor, rel=1e-5)


@pytest.mark.parametrize("name", ["mse", "mae", "huber"])
def test_the_right_age_costs_nothing(name: str) -> None:
    ages = torch.tensor([25.0, 50.0])
    assert OBJECTIVES[name]()(ages[:, None] / 100, Targets(ages), torch.ones(2)) == pytest.approx(0)


def test_huber_pulls_an_outlier_no_harder_than_its_delta() -> None:
    outputs = torch.tensor([[0.1], [0.9]], requires_grad=True)
    HuberLoss(delta=5)(outputs, Targets(torch.zeros(2)), torch.ones(2), total=1).backward()
    assert outputs.grad is not None
    assert outputs.grad.squeeze().tolist() == pytest.approx([0.05, 0.05])


@pytest.mark.parametrize("delta", [0, -1, float("inf"), float("nan")])
def test_a_huber_delta_that_is_not_positive_is_an_error(delta: float) -> None:
    with pytest.raises(ConfigError, match="expected a delta of 0\\.01\\.\\.1000 years"):
        HuberLoss(delta)


def test_an_unknown_objective_or_option_is_an_error_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"got 'hubber'\. Did you mean 'huber'\?"):
        build("objective", OBJECTIVES, "hubber", {})
    with pytest.raises(ConfigError, match=r"got 'deltas'\. Did you mean 'delta'\?"):
        build("objective", OBJECTIVES, "huber", {"deltas": 3})


def test_without_a_total_only_the_ratios_of_the_weights_matter() -> None:
    losses, weights = torch.tensor([1.0, 2.0, 7.0]), torch.tensor([1.0, 2.0, 0.5])
    assert weighted_mean(losses, weights).item() == pytest.approx(
        weighted_mean(losses, 10 * weights).item()
    )


def test_with_the_rows_as_total_batches_add_up_to_the_weighted_loss() -> None:
    losses, weights = torch.tensor([1.0, 2.0, 7.0, 3.0]), torch.tensor([0.1, 0.2, 3.0, 0.7])
    batches = [weighted_mean(losses[i : i + 2], weights[i : i + 2], total=2.0) for i in (0, 2)]
    assert (sum(batches) / 2).item() == pytest.approx((losses * weights).mean().item())


def slow_balanced(sigma: float) -> float:
    """The weighted mean of -2 s^2 log softmax, ages in hundreds; a weight counts a row so often."""
    spread = 2 * (sigma / 100) ** 2
    total = 0.0
    for output, age, weight in zip(OUTPUTS, AGES, WEIGHTS, strict=True):
        crowd = sum(
            w * exp(-((output - other / 100) ** 2) / spread)
            for other, w in zip(AGES, WEIGHTS, strict=True)
        )
        total += weight * spread * (log(crowd) + (output - age / 100) ** 2 / spread)
    return total / sum(WEIGHTS)


@pytest.mark.parametrize("sigma", [5.0, 20.0])
def test_the_balanced_squared_error_equals_a_slow_loop(sigma: float) -> None:
    outputs = torch.tensor(OUTPUTS)[:, None]
    found = BalancedMSE(sigma)(outputs, Targets(torch.tensor(AGES)), torch.tensor(WEIGHTS))
    assert found.item() == pytest.approx(slow_balanced(sigma), rel=1e-4)


def test_a_rare_age_is_pulled_to_the_common_one_less_than_by_the_squared_error() -> None:
    targets = Targets(torch.tensor([20.0] * 19 + [60.0]))
    best = {}
    for name, objective in (("mse", MeanSquaredError()), ("balanced", BalancedMSE(20.0))):
        guesses = torch.linspace(0, 1, 201)
        losses = [objective(g.expand(20, 1), targets, torch.ones(20)).item() for g in guesses]
        best[name] = 100 * guesses[losses.index(min(losses))].item()
    assert best["mse"] == pytest.approx(22, abs=0.5)
    assert best["balanced"] > best["mse"] + 5


@pytest.mark.parametrize("sigma", [0, -1, float("nan"), float("inf")])
def test_a_sigma_that_is_not_positive_is_an_error(sigma: float) -> None:
    with pytest.raises(ConfigError, match="expected a sigma of 0\\.01\\.\\.1000 years"):
        BalancedMSE(sigma)
