"""The inference of one model: who takes part, gaps, verdicts and biases that agree."""

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairage.auditing import inference as module
from fairage.auditing.bias_interval import BiasEstimate
from fairage.auditing.groups import Groups, Units, group_rows, groups_of
from fairage.auditing.inference import Inference, infer
from fairage.auditing.result_parts import DIFFER, MAE, MEAN_ERROR, TELL, WITHIN, NoiseFloor
from fairage.auditing.scoring import score_errors
from fairage.tables import AGE_GROUP, UNKNOWN

quick = settings(max_examples=30)


def check_agreement(inference: Inference, margin: float = 1.0) -> None:
    """Fail where two parts of one inference contradict each other."""
    for name, verdict in inference.verdicts.items():
        gaps = inference.gaps[name]
        sure = [gap for gap in gaps if gap.differs]
        assert {id(gap) for gap in verdict.differing} == {id(gap) for gap in sure}
        if not gaps:
            assert (verdict.kind, verdict.reason) == (TELL, "fewer than two groups")
            assert name not in inference.bias
            continue
        most = max(gap.at_most for gap in gaps if gap.at_most is not None)
        assert verdict.at_most == most
        assert (verdict.kind == WITHIN) == (most <= margin)
        assert (verdict.kind == TELL) == (most > margin and not sure)
        for measure, biases in ((MAE, inference.bias), (MEAN_ERROR, inference.mean_error_bias)):
            own, estimate = [gap for gap in gaps if gap.measure == measure], biases[name]
            differ = any(gap.differs for gap in own)
            assert (estimate.low > 0) == differ
            least = np.mean([gap.at_least for gap in own])
            largest = np.mean([gap.at_most for gap in own])
            assert least - 1e-9 <= estimate.low <= estimate.corrected <= estimate.high
            assert estimate.high <= largest + 1e-9
            assert estimate.value == pytest.approx(np.mean([g.interval.value for g in own]))
    average = inference.average_bias
    if average is not None:
        assert average.value == pytest.approx(
            np.mean([own.value for own in inference.bias.values()])
        )
        differ = any(own.low > 0 for own in inference.bias.values())
        assert (average.low > 0) == differ
    head = [own for name, own in inference.verdicts.items() if name != AGE_GROUP]
    judged = [own for own in head or inference.verdicts.values() if own.at_most is not None]
    if judged:
        kinds = {own.kind for own in judged}
        expected = WITHIN if kinds == {WITHIN} else DIFFER if DIFFER in kinds else TELL
        assert inference.verdict.kind == expected


@quick
@given(
    seed=st.integers(0, 10_000),
    sizes=st.lists(st.integers(1, 90), min_size=1, max_size=5),
    spread=st.floats(0.1, 5),
    step=st.floats(0, 3),
    persons=st.booleans(),
    weighted=st.booleans(),
)
def test_no_two_parts_of_an_inference_contradict_each_other(
    seed: int, sizes: list[int], spread: float, step: float, persons: bool, weighted: bool
) -> None:
    rng = np.random.default_rng(seed)
    n = sum(sizes)
    codes = np.repeat(np.arange(len(sizes)), sizes)
    errors = rng.normal(step * codes, spread + codes, n)
    attributes = {
        "place": groups_of([f"p{i}" for i in range(len(sizes))], codes),
        "gender": group_rows(rng.choice(["f", "m", UNKNOWN], n)),
        AGE_GROUP: groups_of(("young", "old", "oldest"), rng.integers(0, 2, n)),
    }
    _, people = np.unique(rng.integers(0, n, n), return_inverse=True)
    inference = infer(
        errors,
        attributes,
        units=Units(people, int(people.max()) + 1) if persons else None,
        weights=rng.uniform(0.5, 2, n) if weighted else None,
        min_rows=10,
    )
    check_agreement(inference)


def test_values_are_those_of_the_one_scoring_function(rng: np.random.Generator) -> None:
    errors = rng.normal(0, 4, 500)
    attributes = {
        "gender": group_rows(rng.choice(["f", "m"], 500)),
        "place": group_rows(rng.choice(list("abcd"), 500, p=[0.5, 0.3, 0.17, 0.03])),
    }
    inference, score = infer(errors, attributes), score_errors(errors, attributes)
    for name, value in score.biases.items():
        assert inference.bias[name].value == pytest.approx(value)
        assert inference.takes_part[name].tolist() == score.groups[name].takes_part.tolist()
    assert inference.average_bias is not None
    assert inference.average_bias.value == pytest.approx(score.average_bias)
    names = attributes["place"].names
    means = score.groups["place"].errors
    pairs = {
        frozenset((g.first, g.second)): g.interval.value
        for g in inference.gaps["place"]
        if g.measure == MAE
    }
    part = np.flatnonzero(score.groups["place"].takes_part)
    assert len(pairs) == len(list(combinations(part, 2))) == 3
    for i, j in combinations(part, 2):
        assert pairs[frozenset((names[i], names[j]))] == pytest.approx(abs(means[i] - means[j]))


def test_small_groups_and_unknown_take_no_part_and_are_named(
    rng: np.random.Generator,
) -> None:
    labels = ["a"] * 60 + ["b"] * 50 + ["few"] * 29 + [UNKNOWN] * 40
    inference = infer(rng.normal(0, 4, 179), {"x": group_rows(labels)})
    verdict = inference.verdicts["x"]
    assert verdict.groups == (("x", "a"), ("x", "b"))
    assert verdict.left_out == (("x", "few", 29), ("x", UNKNOWN, 40))
    assert inference.verdict.left_out == verdict.left_out
    assert {gap.measure for gap in inference.gaps["x"]} == {MAE, MEAN_ERROR}
    assert len(inference.gaps["x"]) == 2
    assert inference.behind["x"] == (110, None)


def test_attributes_with_one_group_take_no_part_in_the_average(
    rng: np.random.Generator, groups_sized: Callable[..., Groups]
) -> None:
    errors = rng.normal(0, 4, 200) + np.repeat([0, 8], 100)
    gender = groups_sized(100, 100)
    alone = infer(errors, {"gender": gender})
    constant = {f"c{i}": groups_sized(200) for i in range(3)}
    assert alone.average_bias is not None
    more = infer(errors, {"gender": gender, **constant, "small": groups_sized(190, 10)})
    assert more.average_bias is not None
    assert more.average_bias.value == pytest.approx(alone.average_bias.value)
    assert more.average_bias.low == pytest.approx(alone.average_bias.low, rel=0.05)
    assert set(more.bias) == {"gender"}
    assert more.verdicts["c0"].reason == "fewer than two groups"
    assert more.verdict.kind == DIFFER


def test_without_two_groups_anywhere_nothing_can_be_told(
    rng: np.random.Generator, groups_sized: Callable[..., Groups]
) -> None:
    inference = infer(rng.normal(size=40), {"x": groups_sized(35, 5)})
    assert inference.verdict.kind == TELL
    assert inference.verdict.reason == "fewer than two groups"
    assert inference.average_bias is None
    assert inference.average_mean_error_bias is None
    check_agreement(inference)


def test_the_age_group_is_judged_apart(rng: np.random.Generator) -> None:
    n = 600
    old = np.repeat([0, 1], 300)
    errors = rng.normal(0, 1, n) * (1 + 9 * old)
    attributes = {
        "gender": groups_of(("f", "m"), np.tile([0, 1], 300)),
        AGE_GROUP: groups_of(("young", "old"), old),
    }
    inference = infer(errors, attributes, margin=4)
    assert inference.verdicts[AGE_GROUP].kind == DIFFER
    assert inference.verdict.kind == WITHIN
    alone = infer(errors, {AGE_GROUP: attributes[AGE_GROUP]})
    assert alone.verdict.kind == DIFFER
    assert {pair[0] for pair in alone.verdict.groups} == {AGE_GROUP}
    assert inference.average_bias is not None
    assert len(inference.bias) == 2


def test_direction_counts_as_much_as_size(rng: np.random.Generator) -> None:
    absolute = np.abs(rng.normal(0, 2, 800)) + 0.5
    women = np.tile([True, False], 400)
    errors = np.where(women, absolute, -absolute)
    gender = groups_of(("f", "m"), (~women).astype(int))
    inference = infer(errors, {"gender": gender})
    by_measure = {gap.measure: gap for gap in inference.gaps["gender"]}
    assert by_measure[MAE].kind == WITHIN
    assert by_measure[MEAN_ERROR].kind == DIFFER
    assert (by_measure[MEAN_ERROR].first, by_measure[MEAN_ERROR].second) == ("f", "m")
    assert inference.verdict.kind == DIFFER
    assert inference.verdict.differing[0].measure == MEAN_ERROR


def test_persons_of_a_pair_are_counted_once(
    rng: np.random.Generator, people: Callable[..., Units]
) -> None:
    units = people(*[4] * 50)
    codes = np.repeat(np.tile([0, 1], 25), 4)
    codes[[0, 4, 8]] = 1 - codes[[0, 4, 8]]  # one row each of three persons is mislabelled
    groups = groups_of(("f", "m"), codes)
    inference = infer(rng.normal(0, 4, 200), {"x": groups}, units=units, min_rows=20)
    interval = inference.gaps["x"][0].interval
    assert (interval.n, interval.n_persons) == (200, 50)
    assert inference.means.sizes[inference.means.columns("x", MAE)].sum() == 53
    assert inference.behind["x"] == (200, 50)


def test_persons_decide_who_takes_part(
    rng: np.random.Generator, people: Callable[..., Units]
) -> None:
    units = people(*[1] * 60, *[10] * 20)
    groups = groups_of(("f", "m"), np.repeat([0, 1], [60, 200]))
    inference = infer(rng.normal(0, 4, 260), {"x": groups}, units=units)
    assert inference.takes_part["x"].tolist() == [True, False]
    assert inference.verdict.left_out == (("x", "m", 200),)


def test_unequal_weights_must_leave_enough_rows(rng: np.random.Generator) -> None:
    groups = groups_of(("f", "m"), np.repeat([0, 1], 40))
    weights = np.ones(80)
    weights[40] = 60
    inference = infer(rng.normal(0, 4, 80), {"x": groups}, weights=weights)
    assert inference.takes_part["x"].tolist() == [True, False]


def test_a_weight_of_two_is_a_row_twice_for_values(rng: np.random.Generator) -> None:
    errors, weights = rng.normal(0, 4, 200), rng.integers(1, 4, 200)
    groups = groups_of(("f", "m"), rng.integers(0, 2, 200))
    rows = np.repeat(np.arange(200), weights)
    weighted = infer(errors, {"x": groups}, weights=weights.astype(float))
    repeated = infer(errors[rows], {"x": groups_of(groups.names, groups.codes[rows])})
    assert weighted.means.means == pytest.approx(repeated.means.means)
    assert weighted.bias["x"].value == pytest.approx(repeated.bias["x"].value)
    assert weighted.bias["x"].high > repeated.bias["x"].high


def test_the_order_of_rows_and_names_of_groups_do_not_matter(rng: np.random.Generator) -> None:
    n = 700
    errors, codes = rng.normal(0, 4, n), rng.integers(0, 3, n)
    order = rng.permutation(n)
    one = infer(errors, {"x": groups_of(("a", "b", "c"), codes)})
    other = infer(errors[order], {"x": groups_of(("z", "y", "q"), 2 - codes[order])})
    assert one.verdict.kind == other.verdict.kind
    assert one.verdict.at_most == pytest.approx(other.verdict.at_most, rel=0.1)
    assert one.bias["x"].value == pytest.approx(other.bias["x"].value)
    assert one.bias["x"].high == pytest.approx(other.bias["x"].high, rel=0.1)


def test_a_bias_never_exceeds_the_mean_of_the_largest_gaps(
    rng: np.random.Generator,
    groups_sized: Callable[..., Groups],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wide = BiasEstimate(1.0, 0.5, 99.0, 50.0, NoiseFloor(0.1, 0.2))
    monkeypatch.setattr(module, "bias_estimate", lambda *arguments, **options: wide)
    inference = infer(rng.normal(0, 4, 180), {"x": groups_sized(60, 60, 60)})
    gaps = [gap for gap in inference.gaps["x"] if gap.measure == MAE]
    assert not any(gap.differs for gap in gaps)
    own = inference.bias["x"]
    assert own.high == pytest.approx(np.mean([gap.at_most for gap in gaps]))
    assert (own.low, own.corrected) == (0, own.high)


@pytest.mark.parametrize("error", [2.7, 0.0, -0.1])
def test_errors_that_are_all_equal_never_differ(error: float, rng: np.random.Generator) -> None:
    ages = rng.uniform(0, 90, 333)
    errors = (ages + error) - ages  # rounded in every row
    attributes = {
        "x": groups_of(("a", "b", "c"), np.repeat([0, 1, 2], 111)),
        "y": group_rows(rng.choice(["f", "m"], 333)),
    }
    for units in (None, Units(np.repeat(np.arange(111), 3), 111)):
        inference = infer(errors, attributes, units=units, min_rows=30)
        assert inference.verdict.kind == WITHIN
        assert inference.verdict.at_most == pytest.approx(0, abs=1e-9)
        assert not inference.verdict.differing
        assert inference.average_bias is not None
        assert inference.average_bias.high == pytest.approx(0, abs=1e-9)
        check_agreement(inference)


def test_constant_errors_that_are_not_equal_differ_exactly() -> None:
    errors = np.repeat([2.7, 4.2], 40)
    inference = infer(errors, {"x": groups_of(("a", "b"), np.repeat([0, 1], 40))})
    gap = inference.gaps["x"][0]
    assert (gap.first, gap.second) == ("b", "a")
    assert gap.interval.low == gap.interval.value == pytest.approx(1.5)
    assert inference.verdict.kind == DIFFER
    assert inference.bias["x"].low == inference.bias["x"].high == pytest.approx(1.5)


def test_an_attribute_twice_says_what_it_says_once(rng: np.random.Generator) -> None:
    errors = rng.normal(0, 4, 400) * np.repeat([1, 1.5], 200)
    groups = groups_of(("a", "b"), np.repeat([0, 1], 200))
    once = infer(errors, {"x": groups})
    twice = infer(errors, {"x": groups, "y": groups})
    assert once.average_bias is not None
    assert twice.average_bias is not None
    assert twice.family.critical == pytest.approx(once.family.critical, abs=0.1)
    assert twice.average_bias.low == pytest.approx(once.average_bias.low, abs=0.1)
    assert twice.average_bias.high == pytest.approx(once.average_bias.high, abs=0.1)
    assert twice.average_bias.corrected == pytest.approx(once.average_bias.corrected, abs=0.1)
    assert twice.verdicts["x"].kind == twice.verdicts["y"].kind


def test_groups_without_rows_are_listed_and_take_no_part(rng: np.random.Generator) -> None:
    groups = groups_of(("a", "gone", "b"), np.repeat([0, 2], 50))
    inference = infer(rng.normal(0, 4, 100), {"x": groups})
    assert inference.verdict.left_out == (("x", "gone", 0),)
    assert inference.means.limits(inference.means.columns("x", MAE)[1]) is None


def test_two_hundred_groups_are_judged_at_once(
    rng: np.random.Generator, groups_sized: Callable[..., Groups]
) -> None:
    inference = infer(rng.normal(0, 4, 6000), {"x": groups_sized(*[30] * 200)})
    assert len(inference.gaps["x"]) == 2 * 19_900
    assert inference.verdict.kind == TELL
    check_agreement(inference)
