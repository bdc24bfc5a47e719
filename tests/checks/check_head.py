"""What every head must hold; a new member of HEADS is checked without another line."""

import pytest
import torch
from torch.testing import assert_close

from fairage._random import torch_seed
from fairage.models import HEADS, AgeHead, make_head

every_head = pytest.mark.parametrize("name", sorted(HEADS))
DIM = 6


def new_head(name: str, seed: int = 0) -> AgeHead:
    with torch_seed(seed, "head"):
        return make_head(name, DIM, {})


def decoded(head: AgeHead, rows: torch.Tensor) -> torch.Tensor:
    """Return what an untrained head says, which may be no age."""
    return head.kind.decode(head.eval()(rows)).detach()


def embeddings(rows: int) -> torch.Tensor:
    return torch.randn(rows, DIM, generator=torch.Generator().manual_seed(1))


@every_head
@pytest.mark.parametrize("rows", [1, 9])
def test_one_finite_age_comes_back_for_each_row(name: str, rows: int) -> None:
    found = new_head(name).ages(embeddings(rows))
    assert found.shape == (rows,)
    assert torch.isfinite(found).all()


@every_head
def test_ages_are_decoded_from_the_raw_outputs(name: str) -> None:
    head = new_head(name).eval()
    rows = embeddings(9)
    outputs = head(rows)
    assert outputs.ndim == 2
    assert len(outputs) == 9
    assert_close(head.ages(rows), head.kind.decode(outputs).detach().clamp(0, 120))


@every_head
def test_an_age_depends_on_its_own_row_alone(name: str) -> None:
    head, rows = new_head(name), embeddings(9)
    alone = torch.cat([head.ages(row[None]) for row in rows])
    assert_close(head.ages(rows), alone, rtol=1e-5, atol=1e-4)


@every_head
def test_ages_vary_with_the_embedding(name: str) -> None:
    assert decoded(new_head(name), embeddings(9)).unique().numel() == 9


@every_head
def test_estimating_twice_gives_the_same_ages_after_training_mode(name: str) -> None:
    head = new_head(name).train()
    first = head.ages(embeddings(9))
    head.train()
    assert torch.equal(first, head.ages(embeddings(9)))


@every_head
def test_a_gradient_flows_to_every_parameter(name: str) -> None:
    head = new_head(name).eval()
    head(embeddings(64)).square().sum().backward()
    for parameter_name, parameter in head.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert torch.isfinite(parameter.grad).all(), parameter_name
        assert parameter.grad.abs().sum() > 0, parameter_name


@every_head
def test_the_seed_alone_settles_the_first_weights(name: str) -> None:
    rows = embeddings(9)
    first = decoded(new_head(name), rows)
    assert torch.equal(first, decoded(new_head(name), rows))
    assert not torch.equal(first, decoded(new_head(name, seed=1), rows))


@every_head
def test_standardised_rows_give_the_same_as_raw_ones(name: str) -> None:
    head, rows = new_head(name).eval(), 40 + 7 * embeddings(50)
    head.standardise_by(rows)
    standardised = (rows - rows.mean(0)) / rows.std(0, correction=0)
    assert_close(head(rows), head.from_standardised(standardised), rtol=1e-4, atol=1e-5)


@every_head
def test_the_state_holds_all_that_the_ages_depend_on(name: str) -> None:
    head, rows = new_head(name), 40 + 7 * embeddings(50)
    head.standardise_by(rows)
    other = new_head(name, seed=1)
    other.load_state_dict(head.state_dict())
    assert torch.equal(head.ages(rows), other.ages(rows))
