"""What every fairness term must hold; a new member of FAIRNESS is checked without another line."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from fairage._registry import build
from fairage.exceptions import ConfigError, DataError
from fairage.objectives.fairness import FAIRNESS, GroupLayout, Labels, Penalty, lay_out
from fairage.tables import UNKNOWN

every_term = pytest.mark.parametrize("name", sorted(FAIRNESS))
group_terms = pytest.mark.parametrize("name", sorted(set(FAIRNESS) - {"cvar"}))
ROWS = 60


def labels(rows: int = ROWS, seed: int = 0) -> Labels:
    rng = np.random.default_rng(seed)
    return {
        "gender": rng.choice(["f", "m"], rows),
        "place": rng.choice(["a", "b", "c"], rows, p=[0.6, 0.3, 0.1]),
    }


def layout_of(name: str, found: Labels, **options: object) -> GroupLayout:
    term = build("fairness", FAIRNESS, name, options)
    rows = len(next(iter(found.values())))
    return lay_out(found, rows=rows, attributes=term.attributes, min_rows=term.min_rows)


def started(name: str, found: Labels) -> tuple[Penalty, Tensor]:
    """A new penalty and the membership of the rows."""
    options = {} if name == "cvar" else {"min_rows": 1}
    layout = layout_of(name, found, **options)
    penalty = build("fairness", FAIRNESS, name, options).start(layout)
    return penalty, layout.membership(found, len(next(iter(found.values()))))


def errors(rows: int = ROWS, seed: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (12 * torch.rand(rows, generator=generator)).requires_grad_()


def epochs(penalty: Penalty, membership: Tensor, batches: int = 6) -> list[float]:
    """What a penalty says of some batches and validations in a row."""
    told = []
    for seed in range(batches):
        found = errors(seed=seed)
        loss = penalty.loss(found[:20], membership[:20])
        told.append(0.0 if loss is None else loss.item())
        penalty.after_epoch(found.detach(), membership)
        factors = penalty.factors(membership)
        told.append(1.0 if factors is None else factors[0].item())
    return told


@every_term
@pytest.mark.parametrize("rows", [1, 7, ROWS])
def test_the_loss_is_a_finite_scalar_with_a_finite_gradient(name: str, rows: int) -> None:
    penalty, membership = started(name, labels())
    for seed in range(3):
        found = errors(rows, seed)
        loss = penalty.loss(found, membership[:rows])
        if loss is None:
            continue
        assert loss.shape == ()
        assert torch.isfinite(loss)
        (gradient,) = torch.autograd.grad(loss, found)
        assert torch.isfinite(gradient).all()


@every_term
def test_a_term_acts_on_the_loss_or_on_the_weights(name: str) -> None:
    penalty, membership = started(name, labels())
    told = epochs(penalty, membership)
    assert any(value != 0 for value in told[::2]) or any(value != 1 for value in told[1::2])


@every_term
def test_two_trainings_never_share_what_they_remember(name: str) -> None:
    penalty, membership = started(name, labels())
    alone = epochs(penalty, membership)
    term = build("fairness", FAIRNESS, name, {} if name == "cvar" else {"min_rows": 1})
    layout = layout_of(name, labels(), **({} if name == "cvar" else {"min_rows": 1}))
    first, second = term.start(layout), term.start(layout)
    epochs(first, membership)
    assert epochs(second, membership) == alone


@every_term
def test_the_order_of_the_rows_does_not_matter(name: str) -> None:
    order = torch.randperm(ROWS, generator=torch.Generator().manual_seed(5))
    (one, membership), (other, _) = started(name, labels()), started(name, labels())
    found = errors()
    loss, shuffled = one.loss(found, membership), other.loss(found[order], membership[order])
    if loss is not None and shuffled is not None:
        assert_close(loss, shuffled)
    one.after_epoch(found.detach(), membership)
    other.after_epoch(found.detach()[order], membership[order])
    factors, others = one.factors(membership), other.factors(membership[order])
    if factors is not None and others is not None:
        assert_close(factors[order], others)


@every_term
def test_a_batch_without_a_group_and_a_batch_of_one_group_work(name: str) -> None:
    penalty, membership = started(name, labels())
    one_group = membership[torch.from_numpy(labels()["place"] == "a")]
    for _ in range(3):
        loss = penalty.loss(errors(len(one_group)), one_group)
        assert loss is None or torch.isfinite(loss)


@every_term
def test_a_step_against_the_gradient_lowers_what_the_whole_table_loses(name: str) -> None:
    penalty, membership = started(name, labels())
    found = errors()
    loss = penalty.loss(found, membership)
    if loss is None:
        return
    (gradient,) = torch.autograd.grad(loss, found)
    assert gradient.abs().sum() > 0 or loss == 0
    again, _ = started(name, labels())
    moved = again.loss((found - 1e-3 * gradient).detach(), membership)
    assert moved is not None
    assert moved <= loss


@every_term
def test_factors_have_mean_one_and_are_positive(name: str) -> None:
    penalty, membership = started(name, labels())
    for seed in range(5):
        penalty.after_epoch(errors(seed=seed).detach(), membership)
    factors = penalty.factors(membership)
    if factors is not None:
        assert factors.mean().item() == pytest.approx(1, abs=1e-5)
        assert (factors > 0).all()


@group_terms
def test_unknown_and_small_groups_are_left_out(name: str) -> None:
    found = dict(labels())
    found["place"] = np.array(["a"] * 30 + ["b"] * 20 + ["c"] * 4 + [UNKNOWN] * 6)
    layout = layout_of(name, found, attributes=["place"], min_rows=5)
    assert layout.names == (("place", "a"), ("place", "b"))
    assert layout.membership(found, ROWS).sum(dim=1).tolist() == [1.0] * 50 + [0.0] * 10


@group_terms
def test_an_attribute_with_one_group_is_an_error_that_says_what_to_do(name: str) -> None:
    found = {**labels(), "place": np.array(["a"] * ROWS)}
    with pytest.raises(DataError, match=r"two groups or more of 'place'.*name other attributes"):
        layout_of(name, found, attributes=["gender", "place"])
    with pytest.raises(DataError, match="two groups or more of 'place'"):
        lay_out({"place": found["place"]}, rows=ROWS, attributes=None, min_rows=1)
    with pytest.raises(DataError, match="got none, add a column"):
        lay_out({}, rows=ROWS, attributes=None, min_rows=1)


@group_terms
def test_an_attribute_with_one_group_is_skipped_where_nobody_names_it(name: str) -> None:
    found = {"country": np.array(["a"] * ROWS), **labels()}
    layout = layout_of(name, found)
    assert layout.skipped == ("country",)
    alone = layout_of(name, labels())
    assert layout.names == alone.names
    assert torch.equal(layout.attributes, alone.attributes)


@group_terms
def test_an_attribute_that_is_not_there_is_an_error_with_the_nearest(name: str) -> None:
    with pytest.raises(ConfigError, match=r"got 'gendr'\. Did you mean 'gender'\?"):
        layout_of(name, labels(), attributes=["gendr"])


@every_term
@pytest.mark.parametrize("wrong", [0.0, -1.0, 1e6, math.inf, math.nan])
def test_an_absurd_strength_is_an_error_that_says_what_to_do(name: str, wrong: float) -> None:
    strengths = {"strength", "beta", "eta", "largest"}
    found = [f.name for f in dataclasses.fields(FAIRNESS[name]) if f.name in strengths]
    assert found
    for option in found:
        with pytest.raises(ConfigError, match=rf"expected {option} .* start from its default"):
            build("fairness", FAIRNESS, name, {option: wrong})


@every_term
def test_an_unknown_option_is_an_error_with_the_nearest(name: str) -> None:
    with pytest.raises(ConfigError, match=f"option of fairness '{name}'"):
        build("fairness", FAIRNESS, name, {"strenght": 1})
