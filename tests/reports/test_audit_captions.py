"""Each caption: where it must be said, and the nearest case where it must not."""

from dataclasses import replace

from tests.reports.factories import Group, adjusted_gap, model

from fairage._text import MINUS
from fairage.auditing.result_parts import AgeBand, ByAge, Intersection, Interval, NoiseFloor
from fairage.reports.audit_captions import (
    age_sentence,
    group_age_sentence,
    group_sentence,
    intersection_sentence,
)
from fairage.reports.verdict_text import bias_sentence

MANY = 9000
ALIKE = {"female": Group(MANY, 3.5), "male": Group(MANY, 3.5)}
APART = {"female": Group(MANY, 3.5), "male": Group(MANY, 5.5)}
FEW = {"female": Group(60, 3.5), "male": Group(60, 3.5)}
THREE = {"black": Group(MANY, 5.5), "white": Group(MANY, 3.5), "asian": Group(31, 4.5)}


def band(low: float, mae: float, mean_error: float, n: int = 50) -> AgeBand:
    around = Interval(mae, mae - 0.5, mae + 0.5, n)
    mean = Interval(mean_error, mean_error - 0.5, mean_error + 0.5, n)
    return AgeBand("all", low, low + 5, n, around, mean)


def crossed(n: int, **mae: float) -> Intersection:
    groups = {name: Group(n, value) for name, value in mae.items()}
    return model({"gender": groups, "age_group": {"old": Group(1000, 4.0)}}).intersections[0]


def test_a_group_figure_says_who_differs_and_by_how_much() -> None:
    words = group_sentence(model({"gender": APART}), "gender")
    assert words.startswith("The MAE of male faces is 5.50 years, that of female faces 3.50 years")
    assert "Male faces have the worst MAE" in words
    assert "cannot tell" not in words
    assert "No gap" not in words


def test_a_group_figure_says_what_is_possible() -> None:
    assert group_sentence(model({"gender": FEW}), "gender").startswith(
        "These rows cannot tell whether the groups of gender differ: gaps up to"
    )
    assert group_sentence(model({"gender": ALIKE}), "gender").startswith("No gap in MAE or mean")
    ages = {"young": Group(60, 3.0), "old": Group(60, 3.0)}
    words = group_sentence(model({"age_group": ages}), "age_group")
    assert words.startswith("These rows cannot tell whether age groups differ")


def test_pairs_are_counted_only_where_their_own_limits_leave_0_out() -> None:
    words = group_sentence(model({"race": THREE}), "race")
    assert "1 of 3 pairs of groups differs: black and white." in words
    clear = {**THREE, "asian": Group(MANY, 4.5)}
    assert "3 of 3 pairs of groups differ: black and white; " in group_sentence(
        model({"race": clear}), "race"
    )
    few = {name: Group(60, 3.5) for name in "abc"}
    assert "None of 3 pairs of groups can be said to differ." in group_sentence(
        model({"race": few}), "race"
    )
    assert "pairs" not in group_sentence(model({"gender": APART}), "gender")


def test_a_group_figure_names_the_groups_left_out() -> None:
    words = group_sentence(model({"gender": {**APART, "x": Group(4, 9.0)}}), "gender")
    assert words.endswith("Not judged, being too small or unknown: gender x (4 faces).")
    one = group_sentence(model({"gender": {"male": Group(50, 3.0), "x": Group(4, 9.0)}}), "gender")
    assert one.startswith("Gender has fewer than two groups with enough faces")
    assert "worst" not in one
    assert "largest measured" not in one


def test_the_bias_figure_tells_three_cases_apart() -> None:
    made = model({"gender": APART, "race": FEW, "skin": FEW})
    floors = {
        "gender": NoiseFloor(0.1, 0.2),
        "race": NoiseFloor(0.1, 0.2),
        "skin": NoiseFloor(1, 2),
    }
    bias = {**made.bias, "race": Interval(0.5, 0.0, 0.9), "skin": Interval(0.5, 0.0, 0.9)}
    words = bias_sentence(replace(made, floors=floors, bias=bias))
    assert words == (
        "Groups of gender differ in MAE, so this bias is above 0. Together the groups of race look "
        "unequal, but no single pair can be distinguished. By skin the bias is such as equal "
        "groups may show: it may be 0."
    )


def test_a_gap_of_mean_errors_alone_puts_no_bias_above_0() -> None:
    off = {"female": Group(MANY, 3.5, 2.0), "male": Group(MANY, 3.5, -2.0)}
    words = bias_sentence(model({"gender": off}))
    assert "above 0" not in words


def test_without_two_groups_there_is_no_bias() -> None:
    assert bias_sentence(model({"gender": {"male": Group(90, 3.0)}})) == (
        "Fewer than two groups have enough faces for a bias."
    )


def test_ages_are_measured_with_intervals_and_small_bands_left_aside() -> None:
    bands = (band(0, 2.0, 1.5), band(50, 4.0, 0.0), band(80, 9.0, -9.0), band(95, 30.0, 0.0, n=9))
    words = age_sentence(model(by_age=ByAge({"all": bands}, {})))
    assert words == (
        "In bands of five years with ten faces or more, the measured MAE runs from 2.0 (1.5 to "
        "2.5) years at ages 0 to 5 to 9.0 (8.5 to 9.5) years at ages 80 to 85, the mean error from "
        f"{MINUS}9.0 ({MINUS}9.5 to {MINUS}8.5) years at ages 80 to 85 to +1.5 (+1.0 to +2.0) "
        "years at ages 0 to 5."
    )
    assert age_sentence(model(by_age=ByAge({"all": bands[:1]}, {}))).startswith("Too few ages")
    assert age_sentence(model(by_age=ByAge({}, {}))).startswith("Too few ages")


def test_what_of_a_gap_comes_from_age_names_both_groups() -> None:
    made = model({"gender": APART}, adjusted={"gender": [adjusted_gap(2.0, 1.1)]})
    assert group_age_sentence(made, "gender") == (
        "Part of the gap in MAE between male faces and female faces (at least 0.70 years) comes "
        "from who is older. Between people of the same age it is at least 0.50 years."
    )


def test_gaps_that_only_people_of_the_same_age_show_are_named() -> None:
    hidden = adjusted_gap(0.1, -1.5)
    made = model({"gender": ALIKE}, adjusted={"gender": [hidden]})
    assert group_age_sentence(made, "gender") == (
        "Between people of the same age the MAE of male faces is larger than that of female faces "
        "by at least 1.2 years."
    )
    turned = model({"gender": ALIKE}, adjusted={"gender": [adjusted_gap(0.1, 1.5)]})
    assert "MAE of female faces is larger than that of male faces by at least 1.0" in (
        group_age_sentence(turned, "gender").replace("0.99", "1.0")
    )
    equal = model({"gender": ALIKE}, adjusted={"gender": [adjusted_gap(0.1, 0.1)]})
    assert group_age_sentence(equal, "gender").startswith("These rows cannot tell whether these")


def test_groups_that_share_no_ages_are_not_compared_at_the_same_age() -> None:
    gap = adjusted_gap(0.1, -1.5, usable=False)
    made = model({"gender": ALIKE}, adjusted={"gender": [gap]})
    assert group_age_sentence(made, "gender").startswith("The ages of these groups hardly overlap")
    one = model({"gender": {"male": Group(90, 3.0)}}, adjusted={"gender": []})
    assert group_age_sentence(one, "gender").startswith("Fewer than two groups")


def test_cells_that_differ_are_named() -> None:
    words = intersection_sentence(crossed(4000, male=9.0, female=3.0))
    assert words.startswith(
        "The MAE of gender male and age group old is 6.50 years, that of gender"
    )
    assert "at least 2.9 years apart" in words or "at least 2.8 years apart" in words
    assert "cannot tell" not in words


def test_cells_that_may_be_equal_say_what_is_possible() -> None:
    few = intersection_sentence(crossed(40, male=4.0, female=4.0))
    assert few.startswith("These rows cannot tell whether these cells differ: gaps up to")
    assert "The largest measured MAE is that of" in few
    many = intersection_sentence(crossed(9000, male=4.0, female=4.0))
    assert many.startswith("No gap between these cells is larger than")


def test_cells_with_too_few_faces_are_counted_not_ranked() -> None:
    words = intersection_sentence(crossed(12, male=9.0, female=3.0))
    assert words.startswith("Fewer than two cells have enough faces")
    assert words.endswith("Hatched: 2 cells with too few faces or unknown.")
    assert "Hatched" not in intersection_sentence(crossed(4000, male=9.0, female=3.0))
