"""C-Mixup: who is mixed with whom, in which shares, with which targets."""

from typing import Any

import pytest
import torch

from fairage.exceptions import ConfigError
from fairage.objectives import Targets
from fairage.training import TrainingSettings
from fairage.training.head_training import Mixup


def mixed_once(ages: torch.Tensor, **told: float) -> tuple[torch.Tensor, Targets]:
    """Mix rows that are unit vectors, so that a mixture shows whom it was made of."""
    torch.manual_seed(0)
    return Mixup(**{"alpha": 1.0, "years": 5.0, **told})(torch.eye(len(ages)), Targets(ages))


def test_every_mixture_keeps_at_least_half_of_its_own_row_and_ages_follow_the_shares() -> None:
    ages = torch.linspace(1, 99, 200)
    rows, targets = mixed_once(ages)
    torch.testing.assert_close(rows.sum(dim=1), torch.ones(200))
    assert bool((rows.diagonal() >= 0.5).all())
    torch.testing.assert_close(targets.ages, rows @ ages, rtol=0, atol=1e-3)


def test_partners_are_drawn_by_a_gaussian_in_the_difference_of_ages() -> None:
    ages = torch.tensor([30.0, 35.0, 45.0, 90.0]).repeat_interleave(2000)
    torch.manual_seed(0)
    partners = ages[Mixup(1.0, 5.0)._partners(ages)]
    found = [(partners[:2000] == age).float().mean().item() for age in (30, 35, 45, 90)]
    kernel = torch.exp(-(torch.tensor([0.0, 5, 15, 60]) ** 2) / (2 * 5.0**2))
    assert found == pytest.approx((kernel / kernel.sum()).tolist(), abs=0.03)


def test_all_rows_of_a_year_are_drawn_alike() -> None:
    ages = torch.full((10,), 40.0).repeat(1000)
    torch.manual_seed(0)
    counts = torch.bincount(Mixup(1.0, 5.0)._partners(ages), minlength=10_000)
    assert counts.max() < 10
    assert 0.6 < (counts > 0).float().mean() < 0.66, "as with 10000 draws with replacement"


def test_a_row_alone_stays_as_it_is() -> None:
    rows, targets = mixed_once(torch.tensor([33.3]))
    assert rows.tolist() == [[1.0]]
    assert targets.ages.tolist() == pytest.approx([33.3])


def test_a_small_alpha_leaves_rows_nearly_as_they_are() -> None:
    ages = torch.linspace(20, 30, 500)
    little, much = (mixed_once(ages, alpha=alpha)[0].diagonal().mean() for alpha in (0.01, 4))
    assert little > 0.97
    assert much < 0.7


def test_what_raters_said_is_mixed_where_both_rows_have_it() -> None:
    votes = torch.zeros(4, 101)
    votes[0, 30], votes[1, 40], votes[2, 50] = 4, 10, 1
    stds = torch.tensor([2.0, 4.0, float("nan"), 1.0])
    left = Targets(torch.tensor([30.0, 30, 30, 30]), stds[[0, 0, 0, 3]], votes[[0, 0, 0, 3]])
    right = Targets(torch.tensor([30.0, 40, 50, 30]), stds[[0, 1, 2, 0]], votes[[0, 1, 3, 0]])
    found = left.mixed(right, torch.tensor([0.5, 0.75, 0.75, 0.5]))
    assert found.ages.tolist() == [30.0, 32.5, 35.0, 30.0]
    assert found.stds is not None
    assert found.votes is not None
    assert found.stds[[0, 1, 3]].tolist() == [2.0, 2.5, 1.5]
    assert found.stds[2].isnan()
    assert (found.votes[1, 30], found.votes[1, 40]) == (0.75, 0.25)
    assert found.votes.sum(dim=1).tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize(
    "told", [{"mixup": -1.0}, {"mixup": 1e-50}, {"mixup": float("inf")}, {"mixup_years": 0.1}]
)
def test_numbers_without_a_sense_are_refused(told: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(told))):
        TrainingSettings(**told)
