"""Worst-best gap, ratio and Gini coefficient of group errors."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairage.auditing.groups import Groups, Units, groups_of
from fairage.auditing.inference import Inference, infer, spread_intervals
from fairage.auditing.result_parts import MAE

quick = settings(max_examples=30)


def inference_of(
    rng: np.random.Generator, groups: Groups, scale: np.ndarray | float = 1.0, **options: object
) -> Inference:
    errors = rng.normal(0, 4, len(groups.codes)) * scale
    return infer(errors, {"x": groups}, **options)  # type: ignore[arg-type]  # options by name


def slow_gini(values: list[float]) -> float:
    total = sum(abs(one - other) for one in values for other in values)
    return total / (2 * len(values) ** 2 * (sum(values) / len(values)))


def test_values_are_those_of_slow_loops(
    rng: np.random.Generator, groups_sized: Callable[..., Groups]
) -> None:
    groups = groups_sized(100, 80, 60, 10)
    inference = inference_of(rng, groups, np.repeat([1.0, 1.5, 2.0, 9.0], groups.counts))
    means = inference.means.means[inference.means.columns("x", MAE)][:3].tolist()
    spread = spread_intervals(inference)["x"]
    assert spread["gap"].value == pytest.approx(max(means) - min(means))
    assert spread["ratio"].value == pytest.approx(max(means) / min(means))
    assert spread["gini"].value == pytest.approx(slow_gini(means))
    assert {(own.n, own.n_persons) for own in spread.values()} == {(240, None)}


def test_rows_are_counted_beside_persons(
    rng: np.random.Generator,
    groups_sized: Callable[..., Groups],
    people: Callable[..., Units],
) -> None:
    inference = inference_of(rng, groups_sized(160, 200), units=people(*[4] * 90))
    assert {(own.n, own.n_persons) for own in spread_intervals(inference)["x"].values()} == {
        (360, 90)
    }


def test_two_groups_have_the_limits_of_their_gap(
    rng: np.random.Generator, groups_sized: Callable[..., Groups]
) -> None:
    inference = inference_of(rng, groups_sized(150, 150), np.repeat([1.0, 2.0], 150))
    gap = next(own for own in inference.gaps["x"] if own.measure == MAE)
    spread = spread_intervals(inference)["x"]
    assert spread["gap"].low == gap.interval.low
    assert spread["gap"].high == gap.interval.high
    g, h = inference.means.columns("x", MAE).tolist()
    means, variance = inference.means.means, inference.means.variance
    error = np.sqrt(variance[g, g] / means[g] ** 2 + variance[h, h] / means[h] ** 2)
    ratio = spread["ratio"]
    assert ratio.low is not None
    assert ratio.high is not None
    assert np.log(ratio.high / ratio.value) == pytest.approx(np.log(ratio.value / ratio.low))
    assert np.log(ratio.high / ratio.value) == pytest.approx(1.96 * error, rel=0.1)


def test_gini_has_the_ends_of_the_bias(
    rng: np.random.Generator, groups_sized: Callable[..., Groups]
) -> None:
    inference = inference_of(rng, groups_sized(150, 150, 90), np.repeat([1, 2, 1], [150, 150, 90]))
    bias, gini = inference.bias["x"], spread_intervals(inference)["x"]["gini"]
    assert gini.low is not None
    assert gini.high is not None
    assert gini.low / gini.value == pytest.approx(bias.low / bias.value)
    assert gini.high / gini.value == pytest.approx(bias.high / bias.value)


@quick
@given(
    seed=st.integers(0, 999),
    sizes=st.lists(st.integers(30, 80), min_size=2, max_size=5),
    steps=st.floats(0, 2),
)
def test_every_number_lies_in_its_interval_and_agrees_with_the_verdict(
    seed: int, sizes: list[int], steps: float
) -> None:
    rng, codes = np.random.default_rng(seed), np.repeat(np.arange(len(sizes)), sizes)
    groups = groups_of([f"g{i}" for i in range(len(sizes))], codes)
    inference = inference_of(rng, groups, 1 + steps * codes)
    spread, gaps = spread_intervals(inference)["x"], inference.gaps["x"]
    for name in ("gap", "ratio"):
        own = spread[name]
        assert own.low is not None
        assert own.high is not None
        assert own.low <= own.value + 1e-9
        assert own.value <= own.high + 1e-9
    differ = any(gap.differs for gap in gaps if gap.measure == MAE)
    assert ((spread["gap"].low or 0) > 0) == differ
    assert ((spread["gini"].low or 0) > 0) == differ
    assert (spread["ratio"].low or 0) >= 1


def test_groups_without_errors_have_no_ratio() -> None:
    groups = groups_of(("a", "b"), np.repeat([0, 1], 50))
    perfect = spread_intervals(infer(np.zeros(100), {"x": groups}))["x"]
    assert set(perfect) == {"gap"}
    assert (perfect["gap"].value, perfect["gap"].low, perfect["gap"].high) == (0, 0, 0)
    half = infer(np.repeat([0.0, 3.0], 50), {"x": groups})
    assert set(spread_intervals(half)["x"]) == {"gap", "gini"}
    assert spread_intervals(half)["x"]["gini"].value == pytest.approx(0.5)


def test_equal_errors_have_a_ratio_of_one() -> None:
    groups = groups_of(("a", "b", "c"), np.repeat([0, 1, 2], [49, 50, 51]))
    spread = spread_intervals(infer(np.full(150, 2.7), {"x": groups}))["x"]
    for name, value in {"gap": 0.0, "ratio": 1.0, "gini": 0.0}.items():
        own = spread[name]
        assert own.value == pytest.approx(value, abs=1e-12)
        assert own.low == pytest.approx(value, abs=1e-12)
        assert own.high == pytest.approx(value, abs=1e-12)


def test_an_attribute_of_one_group_has_no_spread(
    rng: np.random.Generator, groups_sized: Callable[..., Groups]
) -> None:
    assert spread_intervals(inference_of(rng, groups_sized(100, 5))) == {}
