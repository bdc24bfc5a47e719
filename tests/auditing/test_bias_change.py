"""The interval of the change of a bias covers, also where neither model has a gap."""

import numpy as np
import pytest

from fairage.auditing.bias_change import BiasChange, bias_change, infer_bias_changes
from fairage.auditing.bias_interval import bias
from fairage.auditing.groups import Groups, groups_of
from fairage.auditing.noise import estimate_means

TABLES = 120


def groups_with(sizes: list[int]) -> Groups:
    return groups_of([str(i) for i in range(len(sizes))], np.repeat(np.arange(len(sizes)), sizes))


def absolute(
    rng: np.random.Generator, groups: Groups, a: list[float], b: list[float], rho: float
) -> tuple[np.ndarray, np.ndarray]:
    """Half-normal errors with these means in each group, the models' errors correlated."""
    n = len(groups.codes)
    one = rng.standard_normal(n)
    other = rho * one + np.sqrt(1 - rho**2) * rng.standard_normal(n)
    scale = np.sqrt(np.pi / 2)
    return (
        np.abs(one) * scale * np.array(a)[groups.codes],
        np.abs(other) * scale * np.array(b)[groups.codes],
    )


def changed(rng: np.random.Generator, groups: Groups, *law: object) -> BiasChange:
    a, b = absolute(rng, groups, *law)  # type: ignore[arg-type]  # options by name
    means = estimate_means({"a": a, "b": b}, {"g": groups})
    return bias_change(means, [means.columns("g", "a")], [means.columns("g", "b")])


@pytest.mark.parametrize(
    ("sizes", "a", "b", "rho"),
    [
        ([210] * 3, [3, 3, 3], [3, 3, 3], 0.8),
        ([210] * 2, [3, 3], [3, 3], 0.95),
        ([210] * 2, [3, 3], [2.5, 3.5], 0.8),
        ([600, 400, 60], [3, 3.5, 4.5], [3, 3, 3], 0.8),
        ([600, 400, 60], [3, 3.5, 4.5], [3, 3.5, 4.5], 0.8),
        ([210] * 2, [2.9, 3.1], [3.1, 2.9], 0.95),
        ([210] * 2, [2.8, 3.2], [3.2, 2.8], 0.99),
    ],
    ids=["no gaps", "no gaps, alike", "new gap", "gap closed", "same gaps", "turned", "turned far"],
)
def test_the_interval_covers(sizes: list[int], a: list[float], b: list[float], rho: float) -> None:
    rng, groups = np.random.default_rng(3), groups_with(sizes)
    truth = bias(np.array(b, float)) - bias(np.array(a, float))
    tables = [changed(rng, groups, a, b, rho) for _ in range(TABLES)]
    covered = sum(each.low - 1e-9 <= truth <= each.high + 1e-9 for each in tables)
    assert covered / TABLES >= 0.91


def test_a_large_change_is_found() -> None:
    rng, groups = np.random.default_rng(4), groups_with([210] * 2)
    tables = [changed(rng, groups, [2.5, 4.5], [3, 3], 0.8) for _ in range(20)]
    assert sum(each.high < 0 for each in tables) >= 18
    assert all(each.low <= each.value <= each.high for each in tables)


def test_shared_noise_makes_the_interval_narrow() -> None:
    groups = groups_with([210] * 2)
    near, far = (
        changed(np.random.default_rng(5), groups, [2, 4], [2, 4], rho) for rho in (0.99, 0.0)
    )
    assert near.high - near.low < 0.4 * (far.high - far.low)


def test_the_value_is_that_of_the_measured_biases() -> None:
    rng, groups = np.random.default_rng(6), groups_with([40, 60, 80])
    a, b = absolute(rng, groups, [2, 3, 4], [3, 3, 3], 0.5)
    changes = infer_bias_changes(a, b, {"g": groups}, {"g": np.array([True, True, True])})
    expected = bias(groups.means(b)) - bias(groups.means(a))
    assert changes.attributes["g"].value == pytest.approx(expected)
    assert changes.average is not None
    assert changes.average.value == pytest.approx(expected)


def test_groups_that_take_no_part_do_not_count() -> None:
    rng, groups = np.random.default_rng(7), groups_with([80, 80, 5])
    a, b = absolute(rng, groups, [2, 3, 9], [3, 3, 1], 0.5)
    part = {"g": np.array([True, True, False])}
    change = infer_bias_changes(a, b, {"g": groups}, part).attributes["g"]
    assert change.value == pytest.approx(bias(groups.means(b)[:2]) - bias(groups.means(a)[:2]))


def test_attributes_left_with_one_group_have_no_change() -> None:
    groups = groups_with([80, 5])
    changes = infer_bias_changes(
        np.ones(85), np.ones(85), {"g": groups}, {"g": np.array([True, False])}
    )
    assert changes.attributes == {}
    assert changes.average is None


def test_limits_of_several_attributes_hold_at_once() -> None:
    """Three attributes: each one's limits are wider than those of it alone."""
    rng, groups = np.random.default_rng(8), groups_with([300, 300])
    other = groups_of(("x", "y"), np.arange(600) % 2)
    a, b = absolute(rng, groups, [2, 3], [2.5, 3], 0.5)
    part = {name: np.array([True, True]) for name in ("g", "h", "i")}
    alone = infer_bias_changes(a, b, {"g": groups}, part).attributes["g"]
    three = {"g": groups, "h": other, "i": other}
    many = infer_bias_changes(a, b, three, part).attributes["g"]
    assert many.high - many.low > 1.1 * (alone.high - alone.low)


def test_the_average_covers_over_overlapping_attributes() -> None:
    rng = np.random.default_rng(9)
    n, hits = 900, 0
    for _ in range(60):
        attributes = {
            "g": groups_of(("x", "y"), rng.integers(0, 2, n)),
            "h": groups_of(("x", "y", "z"), rng.integers(0, 3, n)),
        }
        both = attributes["g"].codes
        one = rng.standard_normal(n)
        a = np.abs(one) * (3 + 1.0 * both)
        b = np.abs(0.8 * one + 0.6 * rng.standard_normal(n)) * (3 + 0.4 * both)
        part = {name: np.ones(len(own), dtype=bool) for name, own in attributes.items()}
        average = infer_bias_changes(a, b, attributes, part).average
        assert average is not None
        truth = -0.6 * np.sqrt(2 / np.pi) / 2
        hits += average.low <= truth <= average.high
    assert hits >= 0.91 * 60
