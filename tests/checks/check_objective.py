"""What every objective must hold; a new member of OBJECTIVES is checked without another line."""

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from fairage.exceptions import DataError
from fairage.objectives import OBJECTIVES

every_objective = pytest.mark.parametrize("name", sorted(OBJECTIVES))
every_dtype = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])


def batch(rows: int, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor]:
    """Outputs, ages and weights of a batch; outputs are leaves that take a gradient."""
    generator = torch.Generator().manual_seed(3)
    outputs = torch.rand(rows, 1, generator=generator, dtype=torch.float64).to(dtype)
    ages = 100 * torch.rand(rows, generator=generator, dtype=torch.float64).to(dtype)
    weights = 0.1 + torch.rand(rows, generator=generator, dtype=torch.float64).to(dtype)
    return outputs.requires_grad_(), ages, weights


def loss_and_gradient(
    name: str, outputs: Tensor, ages: Tensor, weights: Tensor
) -> tuple[Tensor, Tensor]:
    loss = OBJECTIVES[name]()(outputs, ages, weights)
    (gradient,) = torch.autograd.grad(loss, outputs)
    return loss.detach(), gradient


@every_objective
@every_dtype
def test_the_loss_is_a_finite_scalar_of_the_same_dtype(name: str, dtype: torch.dtype) -> None:
    outputs, ages, weights = batch(7, dtype)
    loss = OBJECTIVES[name]()(outputs, ages, weights)
    assert loss.shape == ()
    assert loss.dtype == dtype
    assert torch.isfinite(loss)
    assert loss > 0


@every_objective
def test_float32_and_float64_agree(name: str) -> None:
    single, double = (OBJECTIVES[name]()(*batch(7, d)) for d in (torch.float32, torch.float64))
    assert_close(single.double(), double, rtol=1e-5, atol=1e-6)


@every_objective
@every_dtype
@pytest.mark.parametrize("rows", [1, 7])
def test_a_gradient_flows_to_every_row(name: str, dtype: torch.dtype, rows: int) -> None:
    _, gradient = loss_and_gradient(name, *batch(rows, dtype))
    assert torch.isfinite(gradient).all()
    assert (gradient != 0).any(dim=1).all()


@every_objective
def test_the_gradient_is_the_slope(name: str) -> None:
    outputs, ages, weights = batch(5)
    assert torch.autograd.gradcheck(
        lambda values: OBJECTIVES[name]()(values, ages, weights), (outputs,)
    )


@every_objective
def test_a_step_against_the_gradient_lowers_the_loss(name: str) -> None:
    outputs, ages, weights = batch(7)
    loss, gradient = loss_and_gradient(name, outputs, ages, weights)
    assert OBJECTIVES[name]()(outputs.detach() - 1e-3 * gradient, ages, weights) < loss


@every_objective
def test_the_gradient_of_a_perfect_row_is_finite(name: str) -> None:
    outputs = torch.tensor([[0.3]], requires_grad=True)
    _, gradient = loss_and_gradient(name, outputs, torch.tensor([30.0]), torch.ones(1))
    assert torch.isfinite(gradient).all()


@every_objective
def test_weight_zero_removes_a_row(name: str) -> None:
    outputs, ages, weights = batch(7)
    weights[2] = 0
    kept = torch.tensor([0, 1, 3, 4, 5, 6])
    loss, gradient = loss_and_gradient(name, outputs, ages, weights)
    without = OBJECTIVES[name]()(outputs[kept], ages[kept], weights[kept])
    assert_close(loss, without.detach())
    assert gradient[2].abs().sum() == 0


@every_objective
def test_a_double_weight_counts_a_row_twice(name: str) -> None:
    outputs, ages, weights = batch(7)
    doubled = weights.clone()
    doubled[2] *= 2
    twice = torch.tensor([0, 1, 2, 2, 3, 4, 5, 6])
    expected = OBJECTIVES[name]()(outputs[twice], ages[twice], weights[twice])
    assert_close(OBJECTIVES[name]()(outputs, ages, doubled), expected)


@every_objective
def test_a_total_replaces_the_sum_of_the_weights(name: str) -> None:
    outputs, ages, weights = batch(7)
    whole = OBJECTIVES[name]()(outputs, ages, weights) * weights.sum()
    assert_close(OBJECTIVES[name]()(outputs, ages, weights, total=4.0), whole / 4)


@every_objective
def test_the_order_of_the_rows_does_not_matter(name: str) -> None:
    outputs, ages, weights = batch(7)
    order = torch.tensor([3, 1, 6, 0, 5, 2, 4])
    shuffled = OBJECTIVES[name]()(outputs[order], ages[order], weights[order])
    assert_close(shuffled, OBJECTIVES[name]()(outputs, ages, weights))


@every_objective
def test_an_empty_batch_is_an_error(name: str) -> None:
    with pytest.raises(DataError, match="expected at least one row in a batch, got none"):
        OBJECTIVES[name]()(*batch(0))
