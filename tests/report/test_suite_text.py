from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from fairage.audit.groups import GroupMeans
from fairage.report import SuiteRuns, VersionRuns
from fairage.report.figures import OURS, STUDY, Point, Scatter
from fairage.report.suite_captions import (
    panel_sentence,
    scatter_sentence,
    table_sentence,
    truth_findings,
)
from fairage.report.suite_numbers import Number, VersionNumbers, front_of
from fairage.report.suite_text import conclusion

STUDY_ROW = {"mae": 4.5, "average_bias": 0.6}


def version(
    name: str,
    *,
    mae: float = 4.0,
    average: float = 1.0,
    sd: float | None = 0.01,
    errors: tuple[float, float] = (3.0, 5.0),
    published: dict[str, float] | None = None,
) -> VersionNumbers:
    run = VersionRuns("0" if name == "baseline" else "1", name, name, "", published, ())
    metrics = {
        "mae": Number(mae, sd, None, None),
        "gender_bias": Number(abs(errors[0] - errors[1]), sd, 0.1, 0.3),
        "average_bias": Number(average, sd, 0.2, 0.4),
    }
    groups = {"gender": GroupMeans(("female", "male"), np.array([60, 40]), np.array(errors))}
    return VersionNumbers(run, metrics, groups)


def told(*versions: VersionNumbers, comparable: bool = True) -> str:
    runs = SuiteRuns("t", tuple(v.run for v in versions), {}, comparable=comparable)
    return " ".join(conclusion(runs, list(versions)))


def test_a_fairer_version_is_named_with_its_price() -> None:
    text = told(version("baseline"), version("loss 2b", mae=4.3, average=0.5))
    assert "Of 2 versions, loss 2b treats the groups most evenly" in text
    assert "by 0.50 years on average (average bias), for the baseline by 1.00." in text
    assert "That costs 0.30 years of accuracy: MAE 4.30 against 4.00." in text


def test_a_version_that_is_better_on_both_counts_is_said_to_be() -> None:
    text = told(version("baseline"), version("loss 2b", mae=3.9, average=0.5))
    assert "It is more accurate too: MAE 3.90 against 4.00." in text


def test_accuracies_that_print_alike_are_the_same() -> None:
    text = told(version("baseline"), version("loss 2b", mae=4.001, average=0.5))
    assert "Its accuracy is the same: MAE 4.00." in text


def test_a_baseline_that_is_fairest_is_said_to_be() -> None:
    text = told(version("baseline", average=0.5), version("loss 1a"))
    assert "No other version treats the groups more evenly than the baseline" in text
    assert "accuracy" not in text


def test_one_version_alone_is_compared_with_nothing() -> None:
    assert told(version("loss 2b")).startswith("Loss 2b: the errors of two groups differ by 1.00")


@pytest.mark.parametrize(
    ("sd", "sentence"),
    [
        (0.01, "more than twice what runs with different seeds differ by"),
        (0.5, "it may be luck"),
        (None, "comes from one seed: how much of it is the luck of training is not known"),
    ],
)
def test_the_spread_over_seeds_decides_whether_it_may_be_luck(
    sd: float | None, sentence: str
) -> None:
    assert sentence in told(version("baseline", sd=sd), version("b", average=0.5, sd=sd))


def test_the_interval_of_the_difference_is_told() -> None:
    def changed(low: float, high: float) -> str:
        fairer = version("b", average=0.5)
        metrics = fairer.metrics | {
            "average_bias": replace(
                fairer.average_bias, change=-0.5, change_low=low, change_high=high
            )
        }
        return told(version("baseline"), replace(fairer, metrics=metrics))

    assert "0.50 in average bias (95 % interval 0.30 to 0.70 over test faces) is" in changed(
        -0.7, -0.3
    )
    assert (
        "(95 % interval \N{MINUS SIGN}0.10 to 0.70), which may be the luck of the test"
        in changed(-0.7, 0.1)
    )


def test_a_group_that_a_version_lacks_is_not_held_against_it() -> None:
    alone = version("b", average=0.5)
    alone = replace(
        alone, groups={"gender": GroupMeans(("female",), np.array([60]), np.array([3.0]))}
    )
    assert "hardest group" not in told(version("baseline"), alone)
    assert truth_findings([version("baseline"), alone])[0].endswith("No version lowers it.")


def test_a_hardest_group_that_gains_is_told_from_levelling_down() -> None:
    up = told(version("baseline"), version("b", average=0.5, errors=(3.0, 4.0)))
    assert "The hardest group, male (40 faces), gains: its error falls from 5.00 to 4.00" in up
    down = told(version("baseline"), version("b", average=0.5, errors=(5.0, 5.2)))
    assert "does not gain: its error goes from 5.00 to 5.20 years" in down


def test_bias_within_chance_is_said_to_be() -> None:
    assert "cannot be told from chance" in told(version("baseline", average=0.3))
    assert "Chance alone would give an average bias of 0.20; 0.80 of the 1.00 is more" in told(
        version("baseline")
    )


def test_attributes_are_sorted_into_beyond_chance_and_not() -> None:
    assert "gaps between groups of gender (2.00) are beyond chance." in told(version("baseline"))
    alike = version("baseline", errors=(3.0, 3.1))
    assert "For the baseline no gap between groups is beyond chance." in told(alike)


def test_the_study_is_a_peer_only_on_the_same_faces() -> None:
    ours = version("baseline", published=STUDY_ROW)
    assert "No version beats the study's fairest row here (baseline: MAE 4.50" in told(ours)
    assert "the study's" not in told(ours, comparable=False)


def test_versions_that_beat_the_study_are_named() -> None:
    good = version("baseline", average=0.5, published=STUDY_ROW)
    assert "The baseline beats the study's" in told(good)
    assert "All 2 versions beat the study's" in told(good, version("b", average=0.4))
    assert "The baseline and b beat the study's" in told(
        good, version("b", average=0.4), version("c", mae=5.0)
    )


def test_the_front_holds_what_nothing_beats() -> None:
    best, fair, bad = version("best", mae=3.0), version("fair", average=0.5), version("bad", mae=5)
    assert [v.name for v in front_of([bad, fair, best])] == ["best", "fair"]


def test_the_scatter_names_the_front_and_the_points_it_leaves_out() -> None:
    versions = [version("a", mae=3.0), version("b", average=0.5)]
    points = [Point(v.name, v.mae.mean, v.average_bias.mean, OURS) for v in versions]
    scatter = Scatter([*points, Point("loss 3", 8.0, 0.9, STUDY)], points, 0.2, 0.4)
    text = scatter_sentence(scatter, versions)
    assert "No version beats a or b on both counts." in text
    assert "off the figure (MAE / average bias): loss 3 (8.00 / 0.90)." in text
    one = scatter_sentence(Scatter(points, points, 0.2, 0.4), [versions[0], version("c", mae=3.5)])
    assert one.startswith("A is both the most accurate and the fairest version.")


@pytest.mark.parametrize(
    ("versions", "sentence"),
    [
        (["3 5", "3 4"], "Male is the hardest group for every version; v1 has the least bias"),
        (["3 5", "4 3", "3 5"], "Male is the hardest group for 2 of 3 versions"),
        (["3 5"], "Male is the hardest group; the bias is 2.00 years, beyond chance."),
        (["3 3.1", "3 3.2"], "No version has more bias than chance alone may give."),
        (["3 3.1"], "There is not more bias than chance alone may give."),
        (["3 5", "3 3.1"], "v1 has the least bias, 0.10 years, no more than chance may give."),
    ],
)
def test_a_panel_says_who_is_hardest(versions: list[str], sentence: str) -> None:
    made = []
    for i, text in enumerate(versions):
        first, second = map(float, text.split())
        made.append(version(f"v{i}", errors=(first, second)))
    assert sentence in panel_sentence(made, "gender")


def test_a_panel_of_one_group_compares_nothing() -> None:
    lone = replace(
        version("a"), groups={"gender": GroupMeans(("f",), np.array([9]), np.array([3.0]))}
    )
    assert "nothing to compare" in panel_sentence([lone], "gender")


def test_findings_beside_the_truth() -> None:
    baseline = version("baseline")
    better = version("loss 2b", errors=(3.0, 4.0))
    (text,) = truth_findings([baseline, better])
    assert "Gender: the baseline errs most on male, by 5.00 years (n = 40), against 3.00" in text
    assert text.endswith("Loss 2b brings it down to 4.00.")
    assert truth_findings([baseline, version("b", errors=(3, 6))])[0].endswith(
        "No version lowers it."
    )
    (alike,) = truth_findings([version("baseline", errors=(3.0, 3.1))])
    assert "is no more than chance may give (up to 0.30)" in alike


def test_the_table_says_whether_the_study_is_comparable(
    suite: Callable[..., SuiteRuns], published_suite: SuiteRuns
) -> None:
    assert "on the same test faces" in table_sentence(published_suite)
    assert "cannot be held against each other" in table_sentence(
        replace(published_suite, comparable=False)
    )
    plain = suite({"baseline": {"f": 1.0, "m": 2.0}}, seeds=1)
    assert table_sentence(plain) == (
        "Each version was trained with 1 seed and measured on 200 test faces."
    )
