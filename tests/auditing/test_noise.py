"""Group means of all attributes, their covariance, and the draws of their error."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairage.auditing import noise as module
from fairage.auditing.groups import Groups, Units, group_rows, groups_of
from fairage.auditing.means import DRAWS, UnitSums, error_draws, mean_limits
from fairage.auditing.noise import GroupMeans, estimate_means
from fairage.exceptions import ConfigError

quick = settings(max_examples=30)

Quantities = dict[str, np.ndarray]


def slow_influences(
    quantities: Quantities,
    attributes: dict[str, Groups],
    units: np.ndarray | None,
    weights: np.ndarray | None,
) -> tuple[list[float], np.ndarray]:
    """Means and influences, units x columns, from plain loops."""
    n = len(next(iter(quantities.values())))
    units = np.arange(n) if units is None else units
    weights = np.ones(n) if weights is None else weights
    means, columns = [], []
    for groups in attributes.values():
        for values in quantities.values():
            for group in range(len(groups)):
                rows = groups.codes == group
                mean = float(np.sum(values[rows] * weights[rows]) / weights[rows].sum())
                count = len(set(units[rows].tolist()))
                column = np.zeros(units.max() + 1)
                for row in np.flatnonzero(rows):
                    column[units[row]] += weights[row] * (values[row] - mean)
                factor = np.sqrt(count / (count - 1)) if count > 1 else 0.0
                means.append(mean)
                columns.append(column / weights[rows].sum() * factor)
    return means, np.stack(columns, 1)


def sample(rng: np.random.Generator, n: int = 300) -> tuple[Quantities, dict[str, Groups]]:
    errors = rng.normal(0, 4, n)
    attributes = {
        "gender": group_rows(rng.choice(["f", "m"], n)),
        "place": group_rows(rng.choice(list("abc"), n, p=[0.8, 0.15, 0.05])),
    }
    return {"mae": np.abs(errors), "mean_error": errors}, attributes


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("with_persons", [False, True])
def test_means_and_covariance_are_those_of_a_slow_loop(
    weighted: bool, with_persons: bool, rng: np.random.Generator
) -> None:
    quantities, attributes = sample(rng)
    codes = rng.integers(0, 90, 300) if with_persons else None
    weights = rng.uniform(0.2, 3, 300) if weighted else None
    units = None if codes is None else Units(codes, 90)
    estimate = estimate_means(quantities, attributes, units=units, weights=weights)
    means, influences = slow_influences(quantities, attributes, codes, weights)
    assert estimate.means == pytest.approx(means)
    assert estimate.variance == pytest.approx(influences.T @ influences, abs=1e-10)
    assert estimate.errors == pytest.approx(np.sqrt((influences**2).sum(axis=0)))


def test_sizes_count_rows_or_persons_and_weights_shrink_them(rng: np.random.Generator) -> None:
    quantities, attributes = sample(rng)
    plain = estimate_means(quantities, attributes)
    assert plain.sizes[plain.columns("gender", "mae")].sum() == 300
    units = Units(np.repeat(np.arange(100), 3), 100)
    known = estimate_means(quantities, attributes, units=units)
    for group, size in enumerate(known.sizes[known.columns("place", "mean_error")]):
        own = units.codes[attributes["place"].codes == group]
        assert size == len(set(own.tolist()))
    weighted = estimate_means(quantities, attributes, weights=rng.uniform(0.1, 5, 300))
    assert (weighted.effective < weighted.sizes).all()
    assert known.effective == pytest.approx(known.sizes)


@pytest.mark.parametrize("weighted", [False, True])
def test_very_many_rows_take_a_shortcut_to_the_same_covariance(
    weighted: bool, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    n = 20_500
    quantities, attributes = sample(rng, n)
    weights = rng.uniform(0.2, 3, n) if weighted else None
    layout = module._Layout(quantities, attributes, None, weights)
    called = []
    original = layout._variance_of_cells
    monkeypatch.setattr(
        layout, "_variance_of_cells", lambda cells: called.append(cells) or original(cells)
    )
    short = layout.variance()
    assert called == [6]
    monkeypatch.setattr(module, "MANY_ROWS", n)
    plain = module._Layout(quantities, attributes, None, weights).variance()
    assert short == pytest.approx(plain, rel=1e-6, abs=1e-12)


def test_equal_errors_of_a_group_have_no_spread_among_very_many_rows(
    rng: np.random.Generator,
) -> None:
    errors = rng.normal(0, 5, 25_000)
    errors[:80] = 2.7
    groups = groups_of(("rest", "one", "two"), np.repeat([1, 2, 0], [40, 40, 24_920]))
    estimate = estimate_means({"mean_error": errors}, {"place": groups})
    assert estimate.errors[1:].tolist() == [0, 0]
    assert estimate.errors[0] > 0
    assert not estimate.draws[:, 1:].any()


def test_draws_have_the_covariance_of_the_means(rng: np.random.Generator) -> None:
    quantities, attributes = sample(rng, 3000)
    estimate = estimate_means(quantities, attributes)
    assert estimate.draws.shape == (DRAWS, 10)
    assert estimate.draws.mean(axis=0) == pytest.approx(np.zeros(10), abs=0.05)
    drawn = np.corrcoef(estimate.draws.T)
    scale = np.outer(estimate.errors, estimate.errors)
    assert drawn == pytest.approx(estimate.variance / scale, abs=0.1)


def test_small_groups_take_the_bootstraps_draws_in_their_own_order(
    rng: np.random.Generator,
) -> None:
    quantities, attributes = sample(rng)
    estimate = estimate_means(quantities, attributes, seed=3)
    for column in estimate.columns("place", "mae").tolist():
        group = column - estimate.blocks["place", "mae"].start
        own = UnitSums.of(quantities["mae"][attributes["place"].codes == group])
        drawn = np.sort(estimate.draws[:, column])
        if len(own) <= 200:
            assert drawn == pytest.approx(error_draws(own, 3))
        limits = estimate.limits(column)
        assert limits == pytest.approx(mean_limits(own, 3))


def test_a_group_of_one_unit_or_none_has_no_limits() -> None:
    groups = groups_of(("a", "b", "c"), np.array([0, 0, 1]))
    estimate = estimate_means({"mae": np.array([1.0, 2.0, 9.0])}, {"place": groups})
    assert estimate.limits(0) is not None
    assert estimate.limits(1) is None
    assert estimate.limits(2) is None
    assert estimate.means[1] == 9
    assert np.isnan(estimate.means[2])
    assert estimate.variance[1, 1] == estimate.variance[2, 2] == 0


def test_an_attribute_twice_has_one_draw(rng: np.random.Generator) -> None:
    quantities, attributes = sample(rng)
    twice = {"one": attributes["place"], "two": attributes["place"]}
    estimate = estimate_means({"mae": quantities["mae"]}, twice)
    assert estimate.draws[:, :3] == pytest.approx(estimate.draws[:, 3:], abs=1e-6)


def test_people_of_several_rows_make_errors_wider(
    rng: np.random.Generator, people: Callable[..., Units]
) -> None:
    base = rng.normal(0, 4, 100)
    errors, groups = np.repeat(base, 4), groups_of(("f", "m"), np.repeat([0, 1], 200))
    rows = estimate_means({"mae": errors}, {"gender": groups})
    persons = estimate_means({"mae": errors}, {"gender": groups}, units=people(*[4] * 100))
    assert persons.errors == pytest.approx(2 * rows.errors, rel=0.02)


@quick
@given(order=st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(order) -> None:
    rng = np.random.default_rng(2)
    quantities, attributes = sample(rng, 60)
    places = list(range(60))
    order.shuffle(places)
    moved = {name: values[places] for name, values in quantities.items()}
    mixed = {name: groups_of(own.names, own.codes[places]) for name, own in attributes.items()}
    one, other = estimate_means(quantities, attributes), estimate_means(moved, mixed)
    assert one.means == pytest.approx(other.means)
    assert one.variance == pytest.approx(other.variance, abs=1e-12)


def test_persons_are_chunked_without_a_change(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    quantities, attributes = sample(rng)
    units = Units(rng.integers(0, 60, 300), 60)
    units = units.at(np.arange(300))
    whole = estimate_means(quantities, attributes, units=units)
    monkeypatch.setattr(module, "CHUNK", 70)
    parts = estimate_means(quantities, attributes, units=units)
    assert parts.variance == pytest.approx(whole.variance, abs=1e-12)


def test_too_many_groups_are_an_error() -> None:
    groups = groups_of([str(i) for i in range(5000)], np.arange(5000))
    with pytest.raises(ConfigError, match=r"expected at most 4,000 groups .* got 5,000, name"):
        estimate_means({"mae": np.ones(5000)}, {"place": groups})


def test_different_purposes_have_different_draws(rng: np.random.Generator) -> None:
    quantities, attributes = sample(rng, 3000)

    def draws(**options: object) -> GroupMeans:
        return estimate_means(quantities, attributes, **options)  # type: ignore[arg-type]  # options by name

    one = draws(purpose="one").draws[:, 0]
    assert np.array_equal(one, draws(purpose="one").draws[:, 0])
    assert not np.array_equal(one, draws(purpose="two").draws[:, 0])
    assert not np.array_equal(one, draws(purpose="one", seed=1).draws[:, 0])
