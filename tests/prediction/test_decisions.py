"""Older than a? The rules keep their promises, and say what they rest on and cost."""

import math

import numpy as np
import pytest
from scipy import stats

from fairage.age_groups import AgeGroups
from fairage.exceptions import ConfigError
from fairage.prediction import AgeRule, CalibrationRows, ConformalAges, fit_rule

RARE = 1e-6  # what a simulation may miss by chance


def world(rng: np.random.Generator, n: int) -> CalibrationRows:
    ages = rng.uniform(2, 60, n)
    return CalibrationRows(np.clip(ages + rng.normal(0, 1 + 0.1 * ages), 0, 120), ages, ages)


def rule_of(rows: CalibrationRows, age: float = 18, **promises: float | None) -> AgeRule:
    return fit_rule(rows, ConformalAges.fit(rows), age, **promises)


def upper(hits: float, n: float) -> float:
    return float(stats.beta.ppf(0.95, hits + 1, n - hits))


@pytest.mark.parametrize("promise", [0.01, 0.05, 0.3])
def test_yes_begins_at_the_lowest_estimate_whose_upper_limit_holds(
    rng: np.random.Generator, promise: float
) -> None:
    rows = world(rng, 1500)
    under = rows.predictions[rows.low < 18]
    holding = [
        estimate
        for estimate in rows.predictions
        if upper((under >= estimate).sum(), len(under)) <= promise
    ]
    side = rule_of(rows, wrong_yes=promise).yes
    assert side is not None
    assert side.at == min(holding)
    assert (side.n, side.needed) == (len(under), round(3 / promise))
    assert side.wrong == pytest.approx((under >= side.at).mean())
    assert side.bound == pytest.approx(upper((under >= side.at).sum(), len(under)), rel=1e-6)
    assert side.bound <= promise
    begin = float(side.text.partition("from an estimate of ")[2].partition(" years")[0])
    assert side.at <= begin < side.at + 0.01 + 1e-9


def test_no_ends_at_the_highest_estimate_whose_upper_limit_holds(rng: np.random.Generator) -> None:
    rows = world(rng, 1500)
    over = rows.predictions[rows.low >= 18]
    holding = [
        estimate
        for estimate in rows.predictions
        if upper((over <= estimate).sum(), len(over)) <= 0.02
    ]
    rule = rule_of(rows, wrong_yes=None, wrong_no=0.02)
    assert rule.yes is None
    assert rule.no is not None
    assert rule.no.at == max(holding)
    assert rule.answers([0.0, rule.no.at, rule.no.at + 1e-6, 90.0]).tolist() == [
        *("no", "no", "refer", "refer")
    ]


def test_yes_begins_where_p_over_is_what_it_says(rng: np.random.Generator) -> None:
    rows = world(rng, 1500)
    intervals = ConformalAges.fit(rows)
    side = fit_rule(rows, intervals, 18, wrong_yes=0.05).yes
    assert side is not None
    assert side.at is not None
    assert side.p_over == intervals.p_over([side.at], 18)[0] > 0.5


@pytest.mark.parametrize(("n", "answered"), [(299, False), (300, True)])
def test_it_takes_three_over_the_promise(n: int, answered: bool) -> None:
    ages = np.repeat([10.0, 40.0], [n, 500])
    side = rule_of(CalibrationRows(ages, ages, ages), wrong_yes=0.01).yes
    assert side is not None
    assert (side.at is not None) == answered
    if not answered:
        assert side.text == (
            "Never yes: to promise 1\N{NARROW NO-BREAK SPACE}% takes 300 faces under 18, "
            "the calibration has 299."
        )


def test_with_too_few_faces_every_answer_is_refer() -> None:
    ages = np.repeat([10.0, 40.0], [20, 20])
    rule = rule_of(CalibrationRows(ages, ages, ages), wrong_yes=0.01, wrong_no=0.01)
    assert set(rule.answers(np.linspace(0, 90, 50)).tolist()) == {"refer"}
    assert (rule.under, rule.over) == (20, 20)


def test_a_model_whose_highest_estimates_are_of_the_young_never_says_yes() -> None:
    ages = np.repeat([10.0, 40.0], [400, 400])
    side = rule_of(CalibrationRows(60 - ages, ages, ages), wrong_yes=0.01).yes
    assert side is not None
    assert side.at is None
    assert side.text == "Never yes: faces under 18 have the highest estimates."


def test_what_both_answers_fit_is_referred(rng: np.random.Generator) -> None:
    ages = np.concatenate([rng.uniform(2, 18, 500), rng.uniform(18, 60, 500)])
    rule = rule_of(CalibrationRows(ages, ages, ages), wrong_yes=0.2, wrong_no=0.2)
    assert rule.yes is not None
    assert rule.no is not None
    assert rule.yes.at is not None
    assert rule.no.at is not None
    assert rule.yes.at < 18 < rule.no.at  # each promise alone would allow more
    assert rule.answers([5.0, rule.yes.at, 18.0, rule.no.at, 50.0]).tolist() == [
        *("no", "refer", "refer", "refer", "yes")
    ]


def test_a_face_without_an_estimate_is_referred(rng: np.random.Generator) -> None:
    rule = rule_of(world(rng, 1500), wrong_yes=0.05, wrong_no=0.05)
    assert rule.answers([math.nan]).tolist() == ["refer"]


@pytest.mark.parametrize("promise", [0.0, 1.0, -0.1, math.nan])
def test_a_promise_is_a_share(promise: float) -> None:
    rows = world(np.random.default_rng(0), 50)
    with pytest.raises(ConfigError, match="expected wrong_no as a share between 0 and 1"):
        rule_of(rows, wrong_no=promise)


def test_one_promise_at_least_is_given() -> None:
    with pytest.raises(ConfigError, match="expected wrong_yes or wrong_no, got neither"):
        rule_of(world(np.random.default_rng(0), 50), wrong_yes=None)


def test_an_age_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="expected an age above 0"):
        rule_of(world(np.random.default_rng(0), 50), 180)


def test_many_faces_of_few_persons_are_few() -> None:
    ages = np.repeat([10.0, 40.0], [900, 900])
    persons = np.array([f"p{i // 10}" for i in range(1800)])
    side = rule_of(CalibrationRows(ages, ages, ages, identity=persons), wrong_yes=0.01).yes
    assert side is not None
    assert (side.at, side.n) == (None, pytest.approx(90))
    assert "takes 300 persons under 18, the calibration has 90" in side.text


def test_persons_with_more_faces_than_others_count_as_fewer() -> None:
    persons = np.concatenate([np.zeros(200, int), np.arange(1, 400), np.arange(400, 900)])
    ages = np.repeat([10.0, 40.0], [599, 500])
    rows = CalibrationRows(ages, ages, ages, identity=np.array([f"p{i}" for i in persons]))
    side = rule_of(rows, wrong_yes=0.01).yes
    assert side is not None
    assert (side.at, side.n) == (None, 400)
    assert side.effective == pytest.approx(599**2 / (200**2 + 399))
    assert "has 400, that count as 8, as some have more faces than others." in side.text


def test_faces_of_ranges_count_with_the_part_that_is_under() -> None:
    n = 1000
    rows = CalibrationRows(np.full(n, 15.0), np.full(n, 10.0), np.full(n, 20.0))
    rule = rule_of(rows, wrong_yes=0.01)
    assert rule.under == pytest.approx(0.8 * n, rel=0.02)
    assert rule.under + rule.over == pytest.approx(n)


def exceeding(rates: list[float], promise: float) -> int:
    return int((np.array(rates) > promise).sum())


def most(sets: int) -> float:
    """Return in how many calibration sets a promise for 95 of 100 may be broken."""
    return float(stats.binom.ppf(1 - RARE, sets, 0.05))


@pytest.mark.parametrize(("n", "promise"), [(400, 0.1), (1500, 0.02)])
def test_promises_are_kept_in_95_of_100_calibration_sets(n: int, promise: float) -> None:
    sets, yes, no = 300, [], []
    faces = world(np.random.default_rng(sets), 200_000)
    under, over = faces.predictions[faces.low < 18], faces.predictions[faces.low >= 18]
    intervals = ConformalAges.fit(world(np.random.default_rng(1), 500))
    for seed in range(sets):
        rows = world(np.random.default_rng(seed), n)
        rule = fit_rule(rows, intervals, 18, wrong_yes=promise, wrong_no=promise)
        assert rule.yes is not None
        assert rule.no is not None
        assert rule.yes.at is not None
        assert rule.no.at is not None
        yes.append(float((under >= rule.yes.at).mean()))
        no.append(float((over <= rule.no.at).mean()))
    for rates in (yes, no):
        assert exceeding(rates, promise) <= most(sets)
        assert np.mean(rates) > promise / 5  # and not by never answering


def test_promises_are_kept_where_the_estimate_says_nothing() -> None:
    """No band looks better than it is because its faces happened to be old."""
    sets, promise, rates = 300, 0.08, []
    for seed in range(sets):
        rng = np.random.default_rng(seed)
        ages, places = np.where(rng.random(1200) < 0.2, 10.0, 30.0), rng.permutation(1200) % 12
        rows = CalibrationRows(2.5 + 5.0 * places, ages, ages)
        answers = rule_of(rows, wrong_yes=promise).answers(2.5 + 5.0 * np.arange(12))
        rates.append(float((answers == "yes").mean()))
    assert exceeding(rates, promise) <= most(sets)


def test_promises_are_kept_for_new_persons_where_persons_have_many_faces() -> None:
    """Whether the faces of a person look too old is the person's: 12 or 1 faces of each."""
    sets, promise, rates = 300, 0.1, []
    intervals = ConformalAges.fit(world(np.random.default_rng(1), 500))
    law = stats.norm(12, 5)
    for seed in range(sets):
        rng = np.random.default_rng(seed)
        sizes = rng.choice([1, 12], 150)
        estimates = np.clip(np.repeat(law.rvs(150, random_state=rng), sizes), 0, 120)
        old = rng.uniform(20, 60, 200)
        persons = np.concatenate([np.repeat(np.arange(150), sizes), np.arange(150, 350)])
        ages = np.concatenate([np.full(len(estimates), 15.0), old])
        rows = CalibrationRows(
            np.concatenate([estimates, old]), ages, ages, identity=persons.astype(str)
        )
        side = fit_rule(rows, intervals, 18, wrong_yes=promise).yes
        assert side is not None
        assert side.at is not None
        rates.append(float(law.sf(side.at)))
    assert exceeding(rates, promise) <= most(sets)
    assert np.mean(rates) > promise / 10


def test_costs_are_counts_with_exact_limits(rng: np.random.Generator) -> None:
    rows, new = world(rng, 1500), world(rng, 900)
    gender = np.where(rng.random(900) < 0.5, "f", "m")
    faces = CalibrationRows(new.predictions, new.low, new.high, {"gender": gender})
    rule = rule_of(rows, wrong_yes=0.05, wrong_no=0.05)
    costs = rule.costs(faces, AgeGroups.from_edges([0, 18, 25]))
    answers = rule.answers(faces.predictions)
    under = faces.low < 18
    parts = {
        "referred": ("refer", np.full(900, True)),
        "wrong_yes": ("yes", under),
        "wrong_no": ("no", ~under),
    }
    groups = {
        ("gender", "f"): gender == "f",
        ("gender", "m"): gender == "m",
        ("age_group", "18-25"): (faces.low >= 18) & (faces.low < 25),
    }
    for rate, (answer, inside) in parts.items():
        for key, group in {None: np.full(900, True), **groups}.items():
            rates = costs.overall if key is None else costs.groups[key[0]][key[1]]
            of = inside & group
            if not of.any():
                assert math.isnan(rates[rate].value)
                assert (rates[rate].low, rates[rate].high, rates[rate].n) == (None, None, 0)
                continue
            hits = int((answers[of] == answer).sum())
            expected = stats.binomtest(hits, int(of.sum())).proportion_ci(0.95, method="exact")
            assert (rates[rate].value, rates[rate].n) == (hits / of.sum(), of.sum())
            assert rates[rate].low == pytest.approx(expected.low, rel=1e-6, abs=1e-12)
            assert rates[rate].high == pytest.approx(expected.high, rel=1e-6)


def test_costs_are_a_table_too(rng: np.random.Generator) -> None:
    rows = world(rng, 800)
    costs = rule_of(rows, wrong_yes=0.05).costs(rows)
    frame = costs.to_frame()
    assert frame.columns == [
        *("attribute", "group", "measure", "value", "low", "high", "n", "n_persons")
    ]
    assert frame.height == 3 * (1 + 4)
    assert frame["value"][0] == costs.overall["referred"].value
    old = frame.filter(group="old", measure="wrong_yes")
    assert (old["value"].to_list(), old["n"].to_list()) == ([None], [0])


def test_costs_count_persons_and_parts_of_ranges(rng: np.random.Generator) -> None:
    n = 400
    estimates = rng.uniform(5, 40, n)
    low = np.floor(estimates / 10) * 10
    persons = np.array([f"p{i // 2}" for i in range(n)])
    rows = CalibrationRows(estimates, low, low + 10, identity=persons)
    costs = rule_of(rows, wrong_yes=0.5).costs(rows)
    share = costs.overall["wrong_yes"]
    assert share.n_persons is not None
    assert share.n_persons < share.n == (low < 18).sum()
    assert share.low is not None
    assert share.high is not None
    assert share.low < share.value < share.high
    parts = costs.groups["age_group"]
    assert math.isnan(parts["adult"]["wrong_yes"].value)
    split = (low == 10).sum()  # of these, some draws are under 18 and some are not
    assert 0.9 * split < parts["young"]["wrong_no"].n <= split
