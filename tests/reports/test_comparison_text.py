"""Every sentence of a comparison: the case in which it must be said, and the nearest without it."""

import re

import numpy as np
import pytest
from tests.reports.comparisons import Model, compared

from fairage.auditing.audit_settings import AuditSettings
from fairage.auditing.bias_change import level_errors
from fairage.auditing.comparison_result import ComparisonResult
from fairage.reports.comparison_details import levelling_sentence
from fairage.reports.comparison_text import comparison_lines, findings, headline

EQUAL = Model({"f": 4.0, "m": 4.0})
UNEVEN = Model({"f": 4.0, "m": 8.0})
NARROW = AuditSettings(margin=0.2)


def words(result: ComparisonResult) -> str:
    return " ".join(comparison_lines(result)).replace("\u202f", " ")


def first(result: ComparisonResult) -> str:
    return headline(result).replace("\u202f", " ")


# All faces together.


def test_the_more_accurate_one_is_named_with_the_least_it_is_better() -> None:
    result = compared(UNEVEN, Model({"f": 4.0, "m": 4.0}))
    text = first(result)
    assert text.startswith("two is more accurate than one: over all faces its MAE is at least 1.")
    assert "(one 6.0" in text
    change = result.overall["mae"]
    least, most = re.search(r"MAE is at least ([\d.]+) and at most ([\d.]+) years", text).groups()  # type: ignore[union-attr]  # it matches
    assert float(least) <= -change.high < float(least) + 0.1  # type: ignore[operator]  # both ends are there
    assert float(most) - 0.1 < -change.low <= float(most)  # type: ignore[operator]  # both ends are there


def test_a_worse_second_model_makes_the_first_the_more_accurate_one() -> None:
    assert first(compared(EQUAL, UNEVEN)).startswith("one is more accurate than two: over all")


def test_neither_is_more_accurate_where_the_interval_holds_0() -> None:
    rough = Model({"f": 4.0, "m": 4.0}, spread=6.0)
    result = compared(rough, rough, n=120, shared=0.2)
    assert result.overall["mae"].low < 0 < result.overall["mae"].high  # type: ignore[operator]  # both ends are there
    text = first(result)
    assert "more accurate than" not in text
    assert "These 120 images cannot tell whether one or two is more accurate: over all" in text
    needed = result.verdicts["overall"].rows_needed
    assert needed is not None
    assert f"about {needed:,} images in all would be enough" in text


def test_within_the_margin_the_largest_difference_is_named() -> None:
    result = compared(EQUAL, EQUAL)
    bound = result.verdicts["overall"].at_most
    text = first(result)
    assert "Over all faces the MAE of one and of two are at most 0." in text
    assert "within the margin of 1 year" in text
    assert bound is not None
    assert bound < 1
    narrow = first(compared(EQUAL, Model({"f": 4.3, "m": 4.3}), settings=NARROW))
    assert narrow.startswith("one is more accurate than two")
    assert "within the margin" not in narrow.split(".)")[0].split("95 % confidence)")[1][:30]


def test_a_sure_change_within_the_margin_is_both() -> None:
    text = first(compared(EQUAL, Model({"f": 3.5, "m": 3.5})))
    assert text.startswith("two is more accurate than one")
    assert "(95 % confidence), within the margin of 1 year." in text


def test_no_difference_is_never_said_unqualified() -> None:
    for result in (compared(EQUAL, EQUAL), compared(EQUAL, UNEVEN)):
        text = words(result).lower()
        for claim in ("no difference", "no change here", "equally accurate", "equally fair"):
            assert claim not in text


def test_identical_estimates_are_called_so() -> None:
    text = words(compared(EQUAL, EQUAL, shared=1.0))
    assert "one and two give the same estimates for all 400 images: they are identical" in text
    assert "bias" not in text
    almost = compared(EQUAL, Model({"f": 4.0, "m": 4.0001}), shared=1.0)
    assert "identical" not in words(almost)


def test_too_few_images_are_said_to_be_too_few() -> None:
    assert "29 images are too few to say which of one and two" in first(
        compared(UNEVEN, EQUAL, n=29)
    )
    assert "too few to say" not in first(compared(UNEVEN, EQUAL, n=30))


def test_the_direction_in_which_estimates_move_is_in_the_headline() -> None:
    moved = first(compared(EQUAL, Model(EQUAL.off, shift=1.0)))
    assert (
        "two estimates faces at least 0.9" in moved or "two estimates faces at least 1.0" in moved
    )
    assert "years older than one: mean errors one" in moved
    still = first(compared(EQUAL, EQUAL))
    assert "older than one" not in still
    assert "younger than one" not in still


def test_where_the_mean_error_may_move_far_that_cannot_be_told() -> None:
    rough = Model({"f": 9.0, "m": 9.0}, spread=0.5)
    signs = Model({"f": -9.0, "m": 9.0}, spread=0.5)  # as far off, each woman the other way
    text = first(compared(rough, signs, n=100))
    assert "Whether the mean error changes cannot be told: it may go from one to two by" in text
    assert "cannot be told: it may go" not in first(compared(rough, rough, n=100))


# Groups.


def test_groups_with_sure_changes_are_named() -> None:
    result = compared(UNEVEN, Model({"f": 6.0, "m": 4.0}))
    text = first(result)
    assert "The errors of two are smaller than those of one for faces whose gender is m" in text
    assert "The errors of two are larger than those of one for faces whose gender is f" in text
    assert text.count("all groups at once") >= 2


def test_groups_without_sure_changes_are_not() -> None:
    text = words(compared(EQUAL, EQUAL))
    assert "are smaller than those" not in text
    assert "are larger than those" not in text


def test_where_no_group_changes_the_largest_possible_change_is_named() -> None:
    text = first(compared(EQUAL, EQUAL))
    assert re.search(
        r"No MAE or mean error of a group of gender and age group changes by more than 0\.\d+ "
        r"years \(95 % confidence, all groups at once\): within the margin of 1 year\.",
        text,
    )
    rough = compared(Model(EQUAL.off, spread=6.0), Model(EQUAL.off, spread=6.0), n=120, shared=0.1)
    unsure = first(rough)
    assert "These images cannot tell for which groups of gender and age group errors" in unsure
    assert "images in all, all groups growing alike, would be enough" in unsure
    assert "within the margin" not in unsure


def test_the_other_groups_are_bounded_where_one_changes() -> None:
    sure = compared(UNEVEN, EQUAL)
    assert any(line.startswith("No other MAE or mean error of a group") for line in findings(sure))
    assert not any(line.startswith("No other") for line in findings(compared(EQUAL, EQUAL)))


def test_attributes_that_stay_open_are_named_beside_those_that_do_not() -> None:
    rough = Model({"f": 8.0, "m": 8.0, "x": 8.0}, spread=4.0)
    result = compared(rough, Model({"f": 3.0, "m": 8.0, "x": 8.0}, spread=4.0), shared=0.1, n=120)
    assert result.verdicts["gender"].kind == "better"
    open_ones = [line for line in findings(result) if "cannot tell for which groups" in line]
    assert bool(open_ones) == (result.verdicts["age_group"].kind == "cannot tell")
    assert not any("of gender errors change" in line for line in open_ones)


def test_groups_that_are_estimated_older_or_younger_are_named() -> None:
    text = first(compared(EQUAL, Model(EQUAL.off, shift={"f": 1.5, "m": -1.5})))
    assert re.search(
        r"Compared with one, two estimates faces whose gender is f at least 1\.\d years older and "
        r"faces whose gender is m at least 1\.\d years younger",
        text,
    )
    assert "Compared with one" not in first(compared(EQUAL, EQUAL))


def test_small_groups_are_named_as_not_judged() -> None:
    models = [Model({"f": 4.0, "m": off, "x": off}) for off in (8.0, 4.0)]
    text = first(compared(*models, sizes=(0.6, 0.35, 0.05)))
    assert "Not judged, being too small or unknown: gender x (20 faces)." in text
    assert "gender is x" not in text
    assert "Not judged" not in first(compared(*models, sizes=(0.6, 0.3, 0.1)))


# Biases.


def test_who_serves_groups_more_equally_is_named() -> None:
    text = first(compared(UNEVEN, EQUAL))
    assert "two serves groups more equally than one: its average bias is at least 3." in text
    turned = first(compared(EQUAL, UNEVEN))
    assert "one serves groups more equally than two: its average bias is at least 3." in turned


def test_biases_that_may_be_equal_are_bounded() -> None:
    text = first(compared(UNEVEN, UNEVEN))
    assert "serves groups more equally than" not in text
    assert "The average bias of one and of two are at most 0." in text
    rough = Model({"f": 4.0, "m": 4.0}, spread=6.0)
    unsure = first(compared(rough, rough, n=120, shared=0.1))
    assert "cannot tell whether one or two serves groups more equally" in unsure


def test_a_bias_that_falls_for_sure_is_said_to_fall() -> None:
    text = words(compared(UNEVEN, EQUAL))
    assert "The bias by gender falls by at least 3." in text
    assert "The bias by gender rises by at least 3." in words(compared(EQUAL, UNEVEN))


def test_a_change_that_may_be_chance_is_said_to_be() -> None:
    rough = Model({"f": 4.0, "m": 6.0}, spread=5.0)
    result = compared(rough, rough, n=200, shared=0.3)
    text = words(result)
    assert result.bias["gender"].low < 0 < result.bias["gender"].high  # type: ignore[operator]  # both ends are there
    assert re.search(r"the measured bias by gender (fell|rose) by", text, re.IGNORECASE)
    assert "which may be chance: its change lies within" in text
    assert "The bias by gender falls" not in text
    assert "as measured" in text.lower()
    assert "It is levelling" not in text


def test_fell_by_nothing_is_never_said() -> None:
    result = compared(UNEVEN, Model({"f": 4.001, "m": 8.0}), shared=1.0)
    assert "The measured bias by gender is the same" in words(result)
    assert "0.00 years" not in words(result)


# Levelling.


def levelled(a: list[float], b: list[float], *, sure: bool = True) -> str:
    moved = level_errors(
        "age_group",
        ["old", "young", "adult"][: len(a)],
        np.array(a),
        np.array(b),
        beyond_chance=sure,
    )
    return levelling_sentence(moved).replace("\u202f", " ")


UP, DOWN = "It is levelling up: as measured, ", "It is levelling down: as measured, "


@pytest.mark.parametrize(
    ("a", "b", "text"),
    [
        ([6, 4], [5, 4], f"{UP}the error fell for old faces by 1.00 years."),
        ([6, 4], [6, 5], f"{DOWN}the error rose for young faces by 1.00 years."),
        ([6, 4], [7, 4], "As measured, the error rose for old faces by 1.00 years."),
        ([6, 4], [6, 4], ""),
        ([6, 4], [6.004, 4], ""),
        (
            [9, 4, 6],
            [5, 4, 7],
            f"{UP}the error fell for old faces by 4.00 years; it rose for adult faces by 1.00 "
            "years.",
        ),
        (
            [6, 4],
            [8, 6],
            "As measured, the error rose for old faces by 2.00 years and young faces by 2.00 "
            "years.",
        ),
        (
            [6, 4],
            [5.5, 4.5],
            "As measured, 50 % of the fall is levelling up (the error fell for old faces by 0.50 "
            "years) and 50 % levelling down (it rose for young faces by 0.50 years).",
        ),
    ],
)
def test_levelling_names_everybody_with_the_years(
    a: list[float], b: list[float], text: str
) -> None:
    assert levelled(a, b) == text


def test_levelling_is_only_as_sure_as_the_interval() -> None:
    assert levelled([6, 4], [5, 4]).startswith("It is levelling up")
    assert levelled([6, 4], [5, 4], sure=False).startswith("If it is no chance, it is levelling up")
    assert levelled([6, 4], [5.5, 4.5], sure=False).startswith("If it is no chance, as measured")


# Faces without an estimate.


def test_who_leaves_out_faces_is_never_called_better() -> None:
    hider = Model({"f": 4.0, "m": 4.0}, missing={"m": 0.4})
    result = compared(UNEVEN, hider)
    text = first(result)
    assert text.startswith("two leaves out more faces than one: ")
    assert "of faces whose gender is m (at least" in text
    assert "so nothing here can show that it is better than one." in text
    assert "two is more accurate" not in text
    assert "two serves groups more equally" not in text
    assert "these images cannot tell which is more accurate" in text
    assert "these images cannot tell which serves groups more equally" in text
    assert "That does not speak for two" in words(result)
    assert "the MAE would be" in words(result)


def test_a_few_missing_estimates_change_nothing() -> None:
    text = words(compared(UNEVEN, Model({"f": 4.0, "m": 4.0}, missing=0.01)))
    assert text.startswith("two is more accurate than one")
    assert "leaves out" not in text
    assert "neither fails more often beyond chance, and by at most" in text
    assert "What stands there instead: two: missing" in text


def test_without_missing_estimates_nothing_is_said_of_them() -> None:
    text = words(compared(UNEVEN, EQUAL))
    assert "no estimate" not in text
    assert "P90" not in text


def test_equal_models_that_leave_out_faces_are_not_called_equal() -> None:
    text = first(compared(EQUAL, Model(EQUAL.off, missing={"m": 0.4})))
    assert "but faces that one of them leaves out may hide more" in text
    assert "within the margin" not in text


def test_who_is_better_though_the_other_leaves_out_faces_is_named() -> None:
    text = first(compared(Model(UNEVEN.off, missing={"m": 0.4}), EQUAL))
    assert text.startswith("one leaves out more faces than two")
    assert "two is more accurate than one: among faces that both estimate, over all faces" in text


def test_faces_left_out_unevenly_are_named_where_nobody_fails_more() -> None:
    first_hider = Model(EQUAL.off, missing={"f": 0.3})
    text = first(compared(first_hider, Model(EQUAL.off, missing={"m": 0.3}), n=300))
    assert "one leaves out" in text
    assert "two leaves out" in text


# Everything at once.


def test_persons_are_counted_where_known() -> None:
    text = words(compared(UNEVEN, EQUAL))
    assert "The numbers rest on 400 images that both estimate." in text
    assert "Groups with fewer than 30 images are listed and not judged" in text


def test_models_that_look_the_same_are_a_and_b() -> None:
    assert first(compared(UNEVEN, EQUAL, names=("one", "one"))).startswith("B is more accurate")


@pytest.mark.parametrize("seed", range(25))
def test_no_sentence_says_more_than_the_numbers(seed: int) -> None:
    """Random models: claims of the first line agree with limits, verdicts and failures."""
    rng = np.random.default_rng(seed)
    models = [
        Model(
            {"f": rng.uniform(2, 6), "m": rng.uniform(2, 6), "x": rng.uniform(2, 6)},
            shift=rng.choice([0.0, 1.0]),
            missing={"m": rng.choice([0.0, 0.0, 0.3])},
            spread=rng.choice([0.5, 4.0]),
        )
        for _ in range(2)
    ]
    result = compared(*models, n=int(rng.choice([60, 200, 600])), seed=seed, sizes=(0.5, 0.4, 0.1))
    text = words(result)
    overall, mae = result.verdicts["overall"], result.overall["mae"]
    assert ("two is more accurate than" in text) == (
        mae.high < 0 and "b" not in result.failures.failing
    )  # type: ignore[operator]  # both ends are there
    assert ("one is more accurate than" in text) == (
        mae.low > 0 and "a" not in result.failures.failing
    )  # type: ignore[operator]  # both ends are there
    if overall.kind == "cannot tell":
        assert "cannot" in text or "may hide more" in text
    improved = [
        c.group for v in result.verdicts.values() for c in v.improved if v.attribute != "overall"
    ]
    assert ("errors of two are smaller" in text) == bool(improved)
    for broken in ("nan", "None", "0.00 years (95", "by 0.00 years", "inf ", "  ", ".."):
        assert broken not in text
