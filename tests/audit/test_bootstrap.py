"""Bootstrap replicates of group means, against drawing rows or people for real."""

import numpy as np
import pytest

from fairage.audit import bootstrap
from fairage.audit.bootstrap import draw_means
from fairage.audit.groups import Groups, group_rows
from fairage.audit.sample import gather
from fairage.audit.units import Units


def slow_draws(errors: np.ndarray, groups: Groups, times: int, rng) -> np.ndarray:
    """Draw each group's rows on their own, with replacement."""
    found = np.empty((times, len(groups)))
    for g in range(len(groups)):
        own = errors[groups.codes == g]
        for t in range(times):
            found[t, g] = rng.choice(own, len(own)).mean()
    return found


def slow_people(errors: np.ndarray, groups: Groups, people: np.ndarray, times: int, rng):
    """Draw whole people."""
    rows = [np.flatnonzero(people == p) for p in range(people.max() + 1)]
    found = np.empty((times, len(groups)))
    for t in range(times):
        drawn = np.concatenate([rows[p] for p in rng.integers(0, len(rows), len(rows))])
        for g in range(len(groups)):
            found[t, g] = errors[drawn][groups.codes[drawn] == g].mean()
    return found


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the large-sample draws begin at tiny tables."""
    monkeypatch.setattr(bootstrap, "PLAIN_UNITS", 100)
    monkeypatch.setattr(bootstrap, "DRAWN_UNITS", 60)


def draws_of(errors, groups, rng, *, units=None, times=2000, joint=True):
    sample = gather(groups, units)
    quantity = sample.quantity(errors)
    options = {"replicates": times, "rng": rng, "joint": joint}
    return draw_means([quantity], sample.attributes, sample, **options)[0]


def same(found: np.ndarray, expected: np.ndarray) -> None:
    assert found.mean(axis=0) == pytest.approx(expected.mean(axis=0), abs=0.08)
    assert found.std(axis=0) == pytest.approx(expected.std(axis=0), rel=0.09)


def test_replicates_equal_drawing_each_group_on_its_own(rng: np.random.Generator) -> None:
    groups = group_rows(np.repeat(["a", "b", "c"], [300, 60, 20]))
    errors = rng.exponential(3, 380)
    found = draws_of(errors, {"x": groups}, rng)["x"]
    same(found, slow_draws(errors, groups, 2000, rng))


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("joint", [True, False])
def test_large_sample_replicates_equal_plain_ones(joint: bool, rng: np.random.Generator) -> None:
    groups = group_rows(np.repeat(["a", "b", "c"], [500, 300, 40]))
    errors = rng.exponential(3, 840)
    found = draws_of(errors, {"x": groups}, rng, joint=joint)["x"]
    same(found, slow_draws(errors, groups, 2000, rng))


@pytest.mark.parametrize("limit", [5_000, 100])
def test_attributes_that_overlap_vary_together(
    limit: int, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "PLAIN_UNITS", limit)
    monkeypatch.setattr(bootstrap, "DRAWN_UNITS", 60)
    one = group_rows(np.repeat(["a", "b"], [400, 400]))
    other = group_rows(np.repeat(["x", "y", "x"], [300, 200, 300]))
    errors = rng.exponential(3, 800)
    found = draws_of(errors, {"one": one, "other": other}, rng, times=4000)
    shared = np.corrcoef(found["one"][:, 0], found["other"][:, 0])[0, 1]
    a, x = one.codes == 0, other.codes == 0
    residual_a = np.where(a, errors - errors[a].mean(), 0)
    residual_x = np.where(x, errors - errors[x].mean(), 0)
    expected = residual_a @ residual_x / np.sqrt((residual_a**2).sum() * (residual_x**2).sum())
    assert shared == pytest.approx(expected, abs=0.06)


@pytest.mark.usefixtures("small")
def test_two_quantities_vary_together_in_large_samples(rng: np.random.Generator) -> None:
    groups = group_rows(np.repeat(["a", "b"], [400, 400]))
    one = rng.exponential(3, 800)
    other = one + rng.normal(0, 1, 800)
    sample = gather({"x": groups})
    quantities = [sample.quantity(one), sample.quantity(other)]
    found = draw_means(quantities, sample.attributes, sample, replicates=4000, rng=rng)
    for g in range(2):
        own = groups.codes == g
        expected = np.std(one[own] - other[own]) / np.sqrt(own.sum())
        assert np.std(found[0]["x"][:, g] - found[1]["x"][:, g]) == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize("limit", [5_000, 50])
def test_people_are_drawn_with_all_of_their_rows(
    limit: int, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "PLAIN_UNITS", limit)
    monkeypatch.setattr(bootstrap, "DRAWN_UNITS", 30)
    people = np.repeat(np.arange(150), 4)
    errors = rng.exponential(3, 150)[people] + rng.exponential(0.5, 600)
    groups = group_rows(np.where(rng.random(600) < 0.7, "a", "b"))
    units = Units(people, 150)
    found = draws_of(errors, {"x": groups}, rng, units=units)["x"]
    same(found, slow_people(errors, groups, people, 1500, rng))
    alone = draws_of(errors, {"x": groups}, rng)["x"]
    assert found.std(axis=0).min() > 1.3 * alone.std(axis=0).max() * 0.9


def test_a_group_of_one_row_never_vanishes(rng: np.random.Generator) -> None:
    groups = group_rows(["a"] * 99 + ["b"])
    found = draws_of(rng.exponential(3, 100), {"x": groups}, rng, times=500)["x"]
    assert np.isfinite(found).all()
    assert np.ptp(found[:, 1]) == 0


@pytest.mark.parametrize("limit", [5_000, 2])
def test_a_group_made_of_smaller_groups_never_vanishes(
    limit: int, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "PLAIN_UNITS", limit)
    one, other = group_rows(list("ffmm")), group_rows(list("xyxy"))
    found = draws_of(np.array([1.0, 2.0, 5.0, 9.0]), {"one": one, "other": other}, rng, times=500)
    assert np.isfinite(found["other"]).all()
    assert 1 <= found["other"][:, 0].min() < found["other"][:, 0].max() <= 5


@pytest.mark.usefixtures("small")
def test_cells_and_rows_give_the_same_large_sample_draws(rng: np.random.Generator) -> None:
    one = group_rows(rng.choice(["a", "b"], 900))
    other = group_rows(rng.choice(["x", "y", "z"], 900, p=[0.6, 0.38, 0.02]))
    errors = rng.exponential(3, 900)
    cells = gather({"one": one, "other": other})
    rows = gather({"one": one, "other": other, "row": group_rows(np.arange(900).astype(str))})
    assert cells.cells is not None
    assert rows.cells is None
    found = []
    for sample in (cells, rows):
        attributes = {name: sample.attributes[name] for name in ("one", "other")}
        draw = np.random.default_rng(3)
        quantity = sample.quantity(errors)
        found.append(draw_means([quantity], attributes, sample, replicates=50, rng=draw)[0])
    for name in ("one", "other"):
        assert np.abs(found[0][name]).std(axis=0) == pytest.approx(
            np.abs(found[1][name]).std(axis=0), rel=0.35
        )
        assert found[0][name].mean(axis=0) == pytest.approx(found[1][name].mean(axis=0), abs=0.1)
