"""Each sentence of a suite, in the case where it must be said and the nearest where it must not."""

import math
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import polars as pl
import pytest
from tests.auditing.suite_factory import make_suite

from fairage.auditing.scoring import AVERAGE_BIAS, MAE
from fairage.auditing.suite_runs import Reference, SuiteRuns
from fairage.auditing.suite_statistics import suite_statistics
from fairage.reports.figures import OURS, STUDY, Point, Scatter
from fairage.reports.suite_captions import (
    changes_sentence,
    panel_sentence,
    scatter_sentence,
    table_sentence,
    truth_findings,
)
from fairage.reports.suite_numbers import SuiteNumbers, front_of
from fairage.reports.suite_text import conclusion

UNFAIR = {"female": 3.0, "male": 5.0}
FAIR = {"female": 3.95, "male": 4.05}
PUBLISHED = {"mae": 4.5, "average_bias": 0.9}


def numbers(runs: SuiteRuns) -> SuiteNumbers:
    return SuiteNumbers.of(suite_statistics(runs))


def text(runs: SuiteRuns) -> str:
    return " ".join(conclusion(numbers(runs)))


@cache
def told(*gaps: float, seeds: int = 5, mae: tuple[float, ...] = ()) -> str:
    """The sentences on versions whose groups are so many years apart; the first is the baseline."""
    middles = mae or (4.0,) * len(gaps)
    names = ["baseline", "b", "c", "d", "e"]
    errors = {
        name: {"female": middle - gap / 2, "male": middle + gap / 2}
        for name, gap, middle in zip(names, gaps, middles, strict=False)
    }
    return text(make_suite(errors, seeds=seeds))


def test_the_fairest_is_named_where_it_is_below_every_other() -> None:
    assert "B is the fairest of 3 versions: its average bias is below that of every" in told(
        2.0, 0.1, 1.8
    )
    assert "is the fairest" not in told(2.0, 0.1, 0.11)


def test_two_that_are_fairer_alike_are_both_named_and_neither_is_the_fairest() -> None:
    both = told(2.0, 0.1, 0.11)
    assert re.search(
        r"Fairer than the baseline, all versions looked at together: (b and c|c and b)\.", both
    )
    assert "Fairer than the baseline" not in told(2.0, 1.99, 1.98)


def test_none_is_fairer_and_the_baseline_is_not_counted_among_the_others() -> None:
    assert "None of 2 other versions can be said to be fairer than the baseline." in told(
        2.0, 1.99, 1.98
    )
    assert "B cannot be said to be fairer than the baseline." in told(2.0, 1.99)
    assert "can be said to be fairer" not in told(2.0, 0.1, 0.11)


def test_a_baseline_that_is_fairest_is_said_to_be_and_costs_nothing() -> None:
    best = told(0.1, 2.0, 1.9)
    assert "The baseline is the fairest of 3 versions" in best
    assert "Less fair than the baseline: b and c." in best
    assert "The MAE of the baseline is" in best
    assert "differs from that of" not in best
    assert "Less fair" not in told(2.0, 1.99, 1.98)


def test_the_lowest_measured_is_not_called_the_fairest() -> None:
    sentence = "not enough to call it the fairest"
    assert sentence in told(2.0, 1.9, 1.99)
    assert sentence not in told(2.0, 0.1, 1.9)
    assert sentence not in told(2.0, 2.0), "they are measured alike"


def test_one_version_alone_is_compared_with_nothing() -> None:
    alone = told(2.0)
    assert alone.startswith("The measured average bias of the baseline is")
    assert "fair" not in alone
    assert "accurate" not in alone


@pytest.mark.parametrize("seeds", [1, 3])
def test_one_seed_says_these_weights_only_and_holds_none_better(seeds: int) -> None:
    page = told(6.0, 0.1, seeds=seeds)
    single = seeds == 1
    assert ("the intervals hold for these weights only" in page) == single
    assert ("no version is held better" in page) == single
    assert ("With one seed nothing can be said of which of 2 versions is fairer." in page) == single
    assert ("is the fairest" in page) == (not single)
    assert ("For the baseline with these weights the bias" in page) == single


def test_one_seed_of_one_version_says_these_weights_only() -> None:
    assert "One seed: the intervals hold for these weights only; another" in told(2.0, seeds=1)
    assert "weights" not in told(2.0, seeds=2)


def test_versions_with_one_seed_among_others_are_named() -> None:
    errors = {"baseline": UNFAIR, "b": FAIR, "c": FAIR}
    page = text(make_suite(errors, seeds={"baseline": 4, "b": 1, "c": 4}))
    assert "B has one seed: the intervals hold for these weights only" in page
    assert "Fairer than the baseline, all versions looked at together: c." in page


def test_accuracy_is_said_where_the_difference_is_resolved() -> None:
    better = told(1.0, 1.0, 1.0, mae=(4.0, 3.0, 3.9))
    assert "B is the most accurate of 3 versions: its MAE is below that of every" in better
    worse = told(1.0, 1.0, 1.0, mae=(4.0, 5.0, 4.0))
    assert "Less accurate than the baseline: b." in worse
    assert "most accurate" not in worse
    more = told(1.0, 1.0, 1.0, mae=(4.0, 3.0, 3.0))
    assert re.search(r"More accurate than the baseline: (b and c|c and b)\.", more)
    same = told(2.0, 1.99, 1.98)
    assert "None of 2 other versions can be said to be more or less accurate" in same


def test_a_fairer_version_is_told_with_its_price() -> None:
    page = told(2.0, 0.1, mae=(4.0, 4.5))
    match = re.search(r"The MAE of b differs from that of the baseline by \+(0\.\d\d) \(", page)
    assert match is not None
    assert float(match[1]) == pytest.approx(0.5, abs=0.05)
    assert "differs from that of the baseline" not in told(2.0, 1.99, mae=(4.0, 4.5))


def test_whether_the_group_that_is_served_worst_gains_is_as_strong_as_its_interval() -> None:
    gains = told(2.0, 0.1)
    assert "Male faces (n = 200), on which the baseline errs most, gain: their error is" in gains
    loses = told(2.0, 0.1, mae=(4.0, 6.0))
    assert "on which the baseline errs most, lose: their error is" in loses
    assert "The bias is lower because others lose more." in loses
    unclear = told(2.0, 0.1, mae=(4.0, 4.95))
    assert (
        "Whether male faces (n = 200), on which the baseline errs most, gain cannot be" in unclear
    )
    for page in (loses, unclear):
        assert "errs most, gain:" not in page


def test_changes_of_groups_add_up_with_the_errors_beside_them() -> None:
    page = told(2.0, 0.1)
    match = re.search(
        r"their error is ([\d.]+) instead of ([\d.]+) years, \N{MINUS SIGN}([\d.]+)", page
    )
    assert match is not None
    after, before, change = map(float, match.groups())
    assert before - after == pytest.approx(change, abs=0.011)


def test_a_bias_is_above_0_only_where_its_interval_leaves_0_out() -> None:
    clear = told(2.0, 1.99)
    assert re.search(r"For the baseline the bias of gender \(at least 1\.[5-9]\) is above 0", clear)
    assert "that of age group may be 0." in clear
    alike = told(0.01, 0.02)
    assert "For the baseline the bias of gender and age group may be 0." in alike
    assert "above 0" not in alike


def test_the_numbers_of_the_baseline_are_those_of_its_statistics() -> None:
    runs = make_suite({"baseline": UNFAIR, "b": FAIR})
    estimate = numbers(runs).versions[0].average_bias
    assert estimate is not None
    assert (
        f"The measured average bias of the baseline is {estimate.mean:.2f} years. Without what "
        f"noise adds it is {estimate.value:.2f} years (95 % interval {estimate.low:.2f} to "
        f"{estimate.high:.2f})."
    ) in text(runs)


def with_groups(change: Callable[[pl.DataFrame], pl.DataFrame], **options: int) -> str:
    runs = make_suite({"baseline": UNFAIR, "b": FAIR})
    versions = tuple(
        replace(v, predictions=tuple(map(change, v.predictions))) for v in runs.versions
    )
    return text(replace(runs, versions=versions, **options))


def test_groups_that_take_no_part_are_named() -> None:
    def few(n: int, name: str) -> str:
        def change(frame: pl.DataFrame) -> pl.DataFrame:
            labels = [name if i < n else label for i, label in enumerate(frame["gender"])]
            return frame.with_columns(pl.Series("gender", labels))

        return with_groups(change)

    assert "Too small to take part (fewer than 30 faces): gender other (29 faces)." in few(
        29, "other"
    )
    assert "Too small" not in few(30, "other")
    assert "In no comparison of groups: 80 faces of unknown gender." in few(80, "unknown")
    assert "unknown" not in few(80, "other")


def test_an_attribute_without_two_groups_has_no_bias() -> None:
    one = with_groups(lambda frame: frame.with_columns(pl.lit("f").alias("gender")))
    assert "No bias of gender: fewer than two groups have 30 faces." in one
    assert "No bias" not in with_groups(lambda frame: frame)


def test_without_any_bias_nothing_is_said_of_fairness() -> None:
    page = with_groups(lambda frame: frame, min_rows=300)
    assert page.startswith("No attribute has two groups of 300 faces or more: nothing can be said")
    assert "fairer" not in page
    assert "The MAE of the baseline is" in page


def test_persons_are_named_as_what_counts_where_they_are_known() -> None:
    page = with_groups(
        lambda frame: frame.with_columns(
            pl.Series("identity", [f"p{i // 20}" for i in range(frame.height)])
        )
    )
    assert "No attribute has two groups of 30 persons or more" in page


def test_versions_on_different_faces_are_not_held_against_each_other() -> None:
    runs = make_suite({"baseline": UNFAIR, "b": FAIR})
    shorter = replace(
        runs.versions[1],
        experiment="other table",
        predictions=tuple(f.head(300) for f in runs.versions[1].predictions),
    )
    page = text(replace(runs, versions=(runs.versions[0], shorter)))
    assert page.startswith("The versions were measured on different faces")
    assert "Other table: The measured average bias of b is" in page
    assert "fairest" not in page
    assert "fairer" not in page
    assert "different faces" not in text(runs)


def study(row: dict[str, float], **options: bool) -> str:
    runs = make_suite({"baseline": UNFAIR, "b": FAIR}, published={"b": row})
    return text(replace(runs, **options))


def test_the_studys_row_stands_for_reference_and_is_never_beaten() -> None:
    low, high = study(PUBLISHED | {"mae": 3.0}), study(PUBLISHED)
    assert "no version has both measured numbers lower" in low
    assert "both measured numbers are lower for b" in high
    for page in (low, high):
        assert "for reference: the study gives no intervals" in page
        assert "beat" not in page
    assert "study" not in study(PUBLISHED, comparable=False)
    assert "study" not in text(make_suite({"baseline": UNFAIR, "b": FAIR}))


def test_no_change_is_said_to_be_of_nothing() -> None:
    for page in (told(2.0, 2.0), told(2.0, 0.1), told(0.1, 0.1, 0.1)):
        assert "by 0.00" not in page
        assert "nan" not in page
        assert "None" not in page.replace("None of", "")


def caption(runs: SuiteRuns, attribute: str = "gender") -> str:
    return panel_sentence(numbers(runs), attribute)


def test_the_panel_names_a_lower_bias_only_where_it_is_resolved() -> None:
    three = {"baseline": UNFAIR, "b": FAIR, "c": {"female": 3.1, "male": 4.9}}
    best = caption(make_suite(three, seeds=5))
    assert "The bias of b is below that of every other version, all versions looked at" in best
    assert "Male has the largest measured error in" in best
    two = caption(make_suite({**three, "c": FAIR}, seeds=5))
    assert re.search(r"A bias below that of the baseline, all .*: (b and c|c and b)\.", two)
    none = caption(make_suite({"baseline": UNFAIR, "b": UNFAIR}))
    assert "No other version can be said to have a lower bias than the baseline." in none
    single = caption(make_suite(three, seeds=1))
    assert "With one seed no version is held better than another." in single


def test_the_panel_of_one_version_gives_its_bias() -> None:
    alone = caption(make_suite({"baseline": UNFAIR}))
    assert re.search(r"The measured bias is [12]\.\d\d years; without what noise adds it", alone)
    assert "95 % interval" in alone
    assert "weights" not in alone
    assert "with these weights" in caption(make_suite({"baseline": UNFAIR}, seeds=1))


def test_the_group_with_the_largest_error_may_differ_by_version() -> None:
    turned = {"baseline": UNFAIR, "b": UNFAIR, "c": {"female": 5.0, "male": 3.0}}
    assert "Male has the largest measured error in 2 of 3 versions." in caption(make_suite(turned))


def test_a_panel_without_two_groups_says_so() -> None:
    runs = replace(make_suite({"baseline": UNFAIR}), min_rows=250)
    assert caption(runs) == (
        "Fewer than two groups have 250 faces, so there is nothing to compare."
    )


def scatter(runs: SuiteRuns) -> str:
    whole = numbers(runs)
    points = [
        Point(v.name, v.mae.mean, v.average_bias.mean, OURS)
        for v in whole.versions
        if v.average_bias is not None
    ]
    return scatter_sentence(Scatter(points, [], 0.2, 0.4), whole)


def test_the_scatter_names_its_front_as_measured() -> None:
    both = make_suite({"baseline": UNFAIR, "b": {"female": 4.0, "male": 5.0}})
    assert "As measured, no version is lower on both counts than baseline" not in scatter(both)
    assert "no version is lower on both counts than the baseline or b" in scatter(both)
    one = make_suite({"baseline": UNFAIR, "b": {"female": 2.9, "male": 3.0}})
    assert "B has both the lowest measured MAE and the lowest measured average" in scatter(one)
    assert "The baseline beside what noise alone gives." in scatter(
        make_suite({"baseline": UNFAIR})
    )


def test_the_front_holds_whom_none_undercuts() -> None:
    errors = {
        "baseline": {"female": 3.0, "male": 4.0},
        "slow": {"female": 4.0, "male": 4.4},
        "poor": {"female": 3.9, "male": 4.9},
    }
    front = front_of(numbers(make_suite(errors)).versions)
    assert [version.name for version in front] == ["baseline", "slow"]


def test_published_points_that_are_off_the_figure_are_named() -> None:
    runs = replace(
        make_suite({"baseline": UNFAIR, "b": FAIR}), study=(Reference("loss 9", 30.0, 0.5),)
    )
    whole = numbers(runs)
    points = [Point("b", 4.0, 0.5, OURS), Point("loss 9", 30.0, 0.5, STUDY)]
    sentence = scatter_sentence(Scatter(points, []), whole)
    assert "off the figure (MAE / average bias): loss 9 (30.00 / 0.50)." in sentence
    assert "off the figure" not in scatter_sentence(Scatter(points[:1], []), whole)


def changes(runs: SuiteRuns) -> str:
    return changes_sentence(numbers(runs).sets[0])


def test_what_bold_means_depends_on_the_seeds() -> None:
    errors = {"baseline": UNFAIR, "b": FAIR}
    assert "With 3 seeds only large changes can be told" in changes(make_suite(errors, seeds=3))
    assert "only large" not in changes(make_suite(errors, seeds=6))
    single = changes(make_suite(errors, seeds=1))
    assert "for these weights only" in single
    assert "none is bold" in single


def test_the_truth_is_held_beside_what_was_found() -> None:
    clear, _ = truth_findings(numbers(make_suite({"baseline": UNFAIR, "b": FAIR}, seeds=5)))
    assert clear.startswith("Gender: the bias of the baseline, without what noise adds, is ")
    assert "of male (200 faces), against " in clear
    assert "The bias of b is below that of every other version" in clear
    alike, _ = truth_findings(
        numbers(make_suite({"baseline": {"female": 4.0, "male": 4.05}, "b": FAIR}))
    )
    assert alike.endswith("so it may be 0.")


def test_the_table_says_what_was_run_and_whether_the_study_is_comparable() -> None:
    runs = make_suite({"baseline": UNFAIR, "b": FAIR}, published={"b": PUBLISHED})
    assert "on the same test faces" in table_sentence(numbers(runs))
    other = table_sentence(numbers(replace(runs, comparable=False)))
    assert "cannot be held against each other" in other
    plain = make_suite({"baseline": UNFAIR}, seeds=1)
    assert table_sentence(numbers(plain)) == (
        "Each version was trained with 1 seed and measured on 400 test faces."
    )


def test_every_claim_of_the_page_is_one_of_the_comparison() -> None:
    """Read the sentences back: who is fairer, less fair, more or less accurate."""
    for seed in range(6):
        gaps = [(seed * 7 + k * 3) % 10 / 5 for k in range(4)]
        maes = [4.0 + (seed * 3 + k * 5) % 7 / 10 for k in range(4)]
        names = ["baseline", "b", "c", "d"]
        errors = {
            name: {"female": mae - gap / 2, "male": mae + gap / 2}
            for name, gap, mae in zip(names, gaps, maes, strict=True)
        }
        whole = numbers(make_suite(errors, seeds=4))
        (own,) = whole.sets
        page = " ".join(conclusion(whole))
        for words, metric, sign in (
            ("Fairer than the baseline", AVERAGE_BIAS, -1),
            ("Less fair than the baseline", AVERAGE_BIAS, 1),
            ("More accurate than the baseline", MAE, -1),
            ("Less accurate than the baseline", MAE, 1),
        ):
            best = own.lowest(metric)
            for match in re.finditer(rf"{words}[^:.]*: ([^.]+)\.", page):
                for name in re.split(r", | and ", match[1]):
                    version = next(v for v in own.versions if v.called == name)
                    change = own.change(metric, version)
                    assert change is not None
                    assert change.resolved
                    assert math.copysign(1, change.value) == sign
                    assert sign * (change.low if sign > 0 else change.high) > 0
            if best is not None:
                assert f"{best.called[:1].upper()}{best.called[1:]} is the " in page
