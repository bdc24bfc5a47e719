"""What every objective must hold; a new member of OBJECTIVES is checked without another line."""

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from fairage.exceptions import DataError
from fairage.objectives import OBJECTIVES, Targets
from fairage.objectives.distribution import normal_distribution
from fairage.objectives.ordinal import levels

every_objective = pytest.mark.parametrize("name", sorted(OBJECTIVES))
every_dtype = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])


WIDTHS = {"number": 1, "distribution": 101, "coral": 100, "corn": 100}
COMPARES_ROWS = {"balanced-mse"}
"""Objectives that learn from how rows differ: one row alone tells them nothing."""


def batch(
    name: str, rows: int, dtype: torch.dtype = torch.float64
) -> tuple[Tensor, Targets, Tensor]:
    """Outputs, targets and weights of a batch; outputs are leaves that take a gradient."""
    generator = torch.Generator().manual_seed(3)

    def draw(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator, dtype=torch.float64).to(dtype)

    outputs = draw(rows, WIDTHS[OBJECTIVES[name].fits])
    targets = Targets(100 * draw(rows), stds=1 + 5 * draw(rows))
    return outputs.requires_grad_(), targets, 0.1 + draw(rows)


def loss_and_gradient(
    name: str, outputs: Tensor, targets: Targets, weights: Tensor
) -> tuple[Tensor, Tensor]:
    loss = OBJECTIVES[name]()(outputs, targets, weights)
    (gradient,) = torch.autograd.grad(loss, outputs)
    return loss.detach(), gradient


def perfect(name: str, age: float) -> tuple[Tensor, Targets, Tensor]:
    """One row whose outputs say its age."""
    ages = torch.tensor([age])
    certain = {
        "number": ages[:, None] / 100,
        "distribution": (normal_distribution(ages, torch.tensor([0.5])) + 1e-12).log(),
        "coral": 40 * (levels(ages) - 0.5),
        "corn": 40 * (levels(ages) - 0.5),
    }
    return certain[OBJECTIVES[name].fits].requires_grad_(), Targets(ages), torch.ones(1)


@every_objective
@every_dtype
def test_the_loss_is_a_finite_scalar_of_the_same_dtype(name: str, dtype: torch.dtype) -> None:
    loss = OBJECTIVES[name]()(*batch(name, 7, dtype))
    assert loss.shape == ()
    assert loss.dtype == dtype
    assert torch.isfinite(loss)
    assert loss > 0 or name in COMPARES_ROWS
    assert OBJECTIVES[name].unit > 0


@every_objective
def test_float32_and_float64_agree(name: str) -> None:
    single, double = (
        OBJECTIVES[name]()(*batch(name, 7, d)) for d in (torch.float32, torch.float64)
    )
    assert_close(single.double(), double, rtol=1e-5, atol=1e-6)


@every_objective
@every_dtype
@pytest.mark.parametrize("rows", [1, 7])
def test_a_gradient_flows_to_every_row(name: str, dtype: torch.dtype, rows: int) -> None:
    _, gradient = loss_and_gradient(name, *batch(name, rows, dtype))
    assert torch.isfinite(gradient).all()
    assert (gradient != 0).any(dim=1).all() or (rows == 1 and name in COMPARES_ROWS)


@every_objective
def test_the_gradient_is_the_slope(name: str) -> None:
    outputs, targets, weights = batch(name, 5)
    assert torch.autograd.gradcheck(
        lambda values: OBJECTIVES[name]()(values, targets, weights), (outputs,)
    )


@every_objective
def test_a_step_against_the_gradient_lowers_the_loss(name: str) -> None:
    outputs, targets, weights = batch(name, 7)
    loss, gradient = loss_and_gradient(name, outputs, targets, weights)
    assert OBJECTIVES[name]()(outputs.detach() - 1e-3 * gradient, targets, weights) < loss


@every_objective
def test_the_gradient_of_a_perfect_row_is_finite(name: str) -> None:
    for age in (0.0, 30.0, 99.5, 100.0):
        _, gradient = loss_and_gradient(name, *perfect(name, age))
        assert torch.isfinite(gradient).all()


@every_objective
def test_ages_beyond_a_hundred_and_outputs_far_off_stay_finite(name: str) -> None:
    outputs = torch.full((2, WIDTHS[OBJECTIVES[name].fits]), 1e4, requires_grad=True)
    targets = Targets(torch.tensor([0.0, 117.0]))
    loss, gradient = loss_and_gradient(name, outputs, targets, torch.ones(2))
    assert torch.isfinite(loss)
    assert torch.isfinite(gradient).all()


@every_objective
def test_weight_zero_removes_a_row(name: str) -> None:
    outputs, targets, weights = batch(name, 7)
    weights[2] = 0
    kept = torch.tensor([0, 1, 3, 4, 5, 6])
    loss, gradient = loss_and_gradient(name, outputs, targets, weights)
    without = OBJECTIVES[name]()(outputs[kept], targets.rows(kept), weights[kept])
    assert_close(loss, without.detach())
    assert gradient[2].abs().sum() == 0


@every_objective
def test_a_double_weight_counts_a_row_twice(name: str) -> None:
    outputs, targets, weights = batch(name, 7)
    doubled = weights.clone()
    doubled[2] *= 2
    twice = torch.tensor([0, 1, 2, 2, 3, 4, 5, 6])
    expected = OBJECTIVES[name]()(outputs[twice], targets.rows(twice), weights[twice])
    assert_close(OBJECTIVES[name]()(outputs, targets, doubled), expected)


@every_objective
def test_a_total_replaces_the_sum_of_the_weights(name: str) -> None:
    outputs, targets, weights = batch(name, 7)
    whole = OBJECTIVES[name]()(outputs, targets, weights) * weights.sum()
    assert_close(OBJECTIVES[name]()(outputs, targets, weights, total=4.0), whole / 4)


@every_objective
def test_the_order_of_the_rows_does_not_matter(name: str) -> None:
    outputs, targets, weights = batch(name, 7)
    order = torch.tensor([3, 1, 6, 0, 5, 2, 4])
    shuffled = OBJECTIVES[name]()(outputs[order], targets.rows(order), weights[order])
    assert_close(shuffled, OBJECTIVES[name]()(outputs, targets, weights))


@every_objective
def test_an_empty_batch_is_an_error(name: str) -> None:
    with pytest.raises(DataError, match="expected at least one row in a batch, got none"):
        OBJECTIVES[name]()(*batch(name, 0))
