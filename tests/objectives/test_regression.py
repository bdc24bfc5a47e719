"""The regression losses against slow re-writes; every loss's contract is in tests/checks."""

import pytest
import torch

from fairage.config import build
from fairage.exceptions import ConfigError
from fairage.objectives import OBJECTIVES, weighted_mean
from fairage.objectives.regression import HuberLoss, MeanAbsoluteError, MeanSquaredError

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
        torch.tensor(OUTPUTS)[:, None], torch.tensor(AGES), torch.tensor(WEIGHTS)
    ).item()
    assert found == pytest.approx(total / divisor, rel=1e-5)


@pytest.mark.parametrize("name", ["mse", "mae", "huber"])
def test_the_right_age_costs_nothing(name: str) -> None:
    ages = torch.tensor([25.0, 50.0])
    assert OBJECTIVES[name]()(ages[:, None] / 100, ages, torch.ones(2)) == pytest.approx(0)


def test_huber_pulls_an_outlier_no_harder_than_its_delta() -> None:
    outputs = torch.tensor([[0.1], [0.9]], requires_grad=True)
    HuberLoss(delta=5)(outputs, torch.tensor([0.0, 0.0]), torch.ones(2), total=1).backward()
    assert outputs.grad is not None
    assert outputs.grad.squeeze().tolist() == pytest.approx([0.05, 0.05])


@pytest.mark.parametrize("delta", [0, -1, float("inf"), float("nan")])
def test_a_huber_delta_that_is_not_positive_is_an_error(delta: float) -> None:
    with pytest.raises(ConfigError, match="expected a delta above 0 years"):
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
