"""The noise floor, against plain permutation, full enumeration and its own promise."""

from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from statsmodels.stats.multitest import multipletests

from fairage.age_groups import AgeGroups
from fairage.audit import permutation
from fairage.audit.gaps import bias, biases
from fairage.audit.groups import group_means, group_rows
from fairage.audit.permutation import permuted_means
from fairage.audit.resampling import (
    CHANCE,
    average_noise_floor,
    holm,
    noise_floor,
    noise_floors,
)
from fairage.audit.units import Units
from fairage.exceptions import DataError


def slow_floor(errors: np.ndarray, labels: np.ndarray, times: int, rng) -> np.ndarray:
    return np.array(
        [bias(group_means(errors, rng.permutation(labels)).means) for _ in range(times)]
    )


def test_the_floor_equals_that_of_shuffled_labels(rng: np.random.Generator) -> None:
    errors = rng.exponential(3, 400)
    labels = rng.choice(["a", "b", "c"], 400, p=[0.8, 0.15, 0.05])
    slow = slow_floor(errors, labels, 3000, rng)
    found = noise_floor(errors, labels, permutations=3000, rng=rng)
    assert found.mean == pytest.approx(slow.mean(), rel=0.05)
    assert found.p95 == pytest.approx(np.quantile(slow, 0.95), rel=0.07)
    assert found.excess == pytest.approx(found.bias - found.mean)


def test_a_tiny_table_has_the_p_value_of_all_its_partitions(rng: np.random.Generator) -> None:
    errors, labels = np.array([1.0, 2.0, 9.0, 4.0, 6.0]), np.array(list("aabbb"))
    every = [bias(group_means(errors, list(p)).means) for p in set(permutations(labels.tolist()))]
    share = np.mean([value >= bias(group_means(errors, labels).means) - 1e-9 for value in every])
    found = noise_floor(errors, labels, permutations=20_000, rng=rng)
    assert found.p_value == pytest.approx(share, abs=0.015)


@pytest.mark.parametrize("shares", [[0.5, 0.3, 0.2], [0.97, 0.02, 0.01], [0.6, 0.395, 0.005]])
def test_the_large_sample_draws_equal_plain_ones(
    shares: list[float], rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = rng.exponential(3, 9000)
    groups = group_rows(rng.choice(["a", "b", "c"], 9000, p=shares))
    plain = permuted_means(values, groups, 1500, rng)
    monkeypatch.setattr(permutation, "PLAIN_ROWS", 100)
    monkeypatch.setattr(permutation, "DRAWN_ROWS", 300)
    quick = permuted_means(values, groups, 1500, rng)
    assert quick.mean(axis=0) == pytest.approx(plain.mean(axis=0), abs=0.03)
    assert quick.std(axis=0) == pytest.approx(plain.std(axis=0), rel=0.1)
    assert np.corrcoef(quick.T) == pytest.approx(np.corrcoef(plain.T), abs=0.12)
    for share in (0.5, 0.95):
        expected = np.quantile(biases(plain), share)
        assert np.quantile(biases(quick), share) == pytest.approx(expected, rel=0.12)


@pytest.mark.parametrize("plain_rows", [10_000, 10])
def test_every_permutation_keeps_the_total(
    plain_rows: int, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(permutation, "PLAIN_ROWS", plain_rows)
    monkeypatch.setattr(permutation, "DRAWN_ROWS", 60)
    values = rng.exponential(3, 500)
    groups = group_rows(rng.choice(["a", "b", "c"], 500, p=[0.6, 0.3, 0.1]))
    means = permuted_means(values, groups, 50, rng)
    assert means @ groups.counts == pytest.approx(np.full(50, values.sum()))


def test_without_a_difference_the_p_value_is_below_5_percent_in_5_percent(
    rng: np.random.Generator,
) -> None:
    labels = np.repeat(["a", "b", "c"], [120, 50, 30])
    hits = [
        noise_floor(rng.gamma(1.5, 2, 200), labels, permutations=199, rng=rng).p_value < 0.05
        for _ in range(1500)
    ]
    assert 0.03 <= np.mean(hits) <= 0.07  # 3.5 standard errors around 5 %


def test_a_real_difference_is_found(rng: np.random.Generator) -> None:
    errors = np.concatenate([rng.exponential(3, 300), rng.exponential(5, 300)])
    found = noise_floor(errors, np.repeat(["a", "b"], 300), rng=rng)
    assert found.p_value < 0.005
    assert found.excess > 1


def test_one_group_has_no_bias_and_no_floor(rng: np.random.Generator) -> None:
    found = noise_floor([1.0, 2.0, 5.0], ["a", "a", "a"], rng=rng)
    assert (found.bias, found.mean, found.p_value) == (0, 0, 1)


def test_holm_equals_statsmodels(rng: np.random.Generator) -> None:
    values = rng.uniform(0, 0.2, 7)
    assert holm(values) == pytest.approx(multipletests(values, method="holm")[1])


def test_the_average_floor_is_the_mean_of_the_attributes_floors(rng: np.random.Generator) -> None:
    errors = rng.exponential(3, 300)
    labels = {"x": rng.choice(["a", "b"], 300), "y": rng.choice(["a", "b", "c"], 300)}
    own, average = noise_floors(errors, labels, permutations=500, rng=rng)
    assert average.mean == pytest.approx((own["x"].mean + own["y"].mean) / 2)
    alone = average_noise_floor(errors, labels, permutations=500, rng=rng)
    assert alone.mean == pytest.approx(average.mean, rel=0.1)
    assert own["x"].holm_p_value == pytest.approx(min(1, 2 * own["x"].p_value), abs=0.6)


@pytest.mark.parametrize(
    ("errors", "labels"), [([], []), ([1.0, 2.0], ["a"]), ([[1.0], [2.0]], ["a", "b"])]
)
def test_wrong_shapes_are_an_error(errors, labels, rng: np.random.Generator) -> None:
    with pytest.raises(DataError, match="expected at least one attribute"):
        noise_floor(errors, labels, rng=rng)


@pytest.mark.real_data
def test_farl_has_the_noise_floor_that_the_study_page_states(real_data: Path) -> None:
    path = real_data / "data" / "predictions" / "appa_real_test_farl.csv"
    frame = pl.read_csv(path).drop_nulls("pred_apparent_farl_exp008")
    ages = frame["apparent_age_avg"].to_numpy()
    errors = np.abs(frame["pred_apparent_farl_exp008"].to_numpy() - ages)
    labels = {n: frame[n].to_numpy() for n in ("gender", "expression", "ethnicity")}
    labels["age_group"] = AgeGroups().assign(ages)
    own, average = noise_floors(errors, labels, permutations=4000, rng=np.random.default_rng(0))
    found = [own[name].mean for name in labels]
    assert found == pytest.approx([0.121, 0.218, 0.358, 0.213], abs=0.01)
    assert average.mean == pytest.approx(0.228, abs=0.01)
    assert average.p95 == pytest.approx(0.345, abs=0.01)


def persons(
    rng: np.random.Generator, count: int, rows: int
) -> tuple[np.ndarray, np.ndarray, Units]:
    """Errors that a person's rows share, groups that persons have, and who each row is of."""
    codes = np.repeat(np.arange(count), rows)
    errors = rng.exponential(3, count)[codes] + rng.exponential(0.3, len(codes))
    return errors, rng.choice(["a", "b"], count)[codes], Units(codes, count)


def test_rows_of_one_person_do_not_count_as_many(rng: np.random.Generator) -> None:
    below = 0
    for _ in range(400):
        errors, labels, units = persons(rng, 60, 10)
        found, _ = noise_floors(errors, {"x": labels}, permutations=200, rng=rng, units=units)
        below += found["x"].p_value < 0.05
    assert 0.03 * 400 <= below <= 0.07 * 400


def test_persons_beyond_the_plain_limit_have_the_floor_of_plain_shuffles(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors, labels, units = persons(rng, 3000, 3)
    plain, _ = noise_floors(errors, {"x": labels}, permutations=2000, rng=rng, units=units)
    monkeypatch.setattr(permutation, "PLAIN_ROWS", 100)
    monkeypatch.setattr(permutation, "DRAWN_ROWS", 100)
    large, _ = noise_floors(errors, {"x": labels}, permutations=2000, rng=rng, units=units)
    assert large["x"].mean == pytest.approx(plain["x"].mean, rel=0.07)
    assert large["x"].p95 == pytest.approx(plain["x"].p95, rel=0.1)


def test_one_row_a_person_is_a_shuffle_of_rows(rng: np.random.Generator) -> None:
    errors, labels, units = persons(rng, 500, 1)
    with_units, _ = noise_floors(errors, {"x": labels}, permutations=4000, rng=rng, units=units)
    without, _ = noise_floors(errors, {"x": labels}, permutations=4000, rng=rng)
    assert with_units["x"].mean == pytest.approx(without["x"].mean, rel=0.06)


def test_the_verdict_is_of_the_corrected_p_value(rng: np.random.Generator) -> None:
    found = noise_floor(rng.exponential(3, 50), ["a", "b"] * 25, permutations=20, rng=rng)
    alone = replace(found, p_value=0.03)
    assert (alone.corrected, alone.by_chance, alone.beyond_chance) == (0.03, False, True)
    among = replace(alone, holm_p_value=0.06)
    assert (among.corrected, among.by_chance, among.beyond_chance) == (0.06, False, False)
    edge = replace(found, p_value=CHANCE)
    assert (edge.by_chance, edge.beyond_chance) == (True, False)
