"""Each sentence of the headline: where it must be said, and the nearest case where it must not."""

from dataclasses import replace

import pytest
from tests.reports.factories import Group, adjusted_gap, age_check, failures, model, ranges
from tests.reports.held_back import held_back

from fairage._text import MINUS
from fairage.auditing.audit_settings import AuditSettings
from fairage.auditing.result_parts import Claim, Interval, NoiseFloor
from fairage.reports.audit_text import findings, headline
from fairage.reports.pair_text import age_part_sentence, worst_group, worst_sentence
from fairage.tables import AGE_GROUP

MANY = 9000
ALIKE = {"female": Group(MANY, 3.5), "male": Group(MANY, 3.5)}
APART = {"female": Group(MANY, 3.5), "male": Group(MANY, 5.5)}
SMALL_GAP = {"female": Group(MANY, 3.5), "male": Group(MANY, 3.8)}
FEW = {"female": Group(60, 3.5), "male": Group(60, 3.5)}
OLDER = {"female": Group(MANY, 3.9, 1.85), "male": Group(MANY, 3.9, -1.68)}


def text(gender: dict[str, Group], **changes: object) -> str:
    return headline(model({"gender": gender}, **changes))  # type: ignore[arg-type]  # options by name


def test_within_the_margin_the_largest_possible_gap_is_named() -> None:
    words = text(ALIKE)
    assert words.startswith(
        "No gap in MAE or mean error between the groups of gender is larger than 0.1"
    )
    assert "(95\u202f% confidence, all gaps at once)" in words
    assert "apart" not in words
    assert "No gap" not in text(APART)
    assert "No gap" not in text(FEW)


def test_a_certain_gap_within_the_margin_is_named_too() -> None:
    words = text(SMALL_GAP)
    assert words.startswith("No gap in MAE or mean error between the groups of gender is larger")
    assert "The MAE of male faces is 3.80 years, that of female faces 3.50 years, at least" in words
    assert "The MAE of" not in text(ALIKE)


def test_groups_that_differ_are_named_with_the_smallest_possible_gap() -> None:
    words = text(APART)
    assert words.startswith(
        "The MAE of male faces is 5.50 years, that of female faces 3.50 years, at least 1.8 years "
        "apart (95\u202f% confidence"
    )
    assert "apart" not in text(FEW)


def test_direction_counts_as_much_as_size() -> None:
    words = text(OLDER)
    assert words.startswith(
        f"Female faces are estimated too old, male faces too young: mean errors +1.85 and "
        f"{MINUS}1.68 years, at least 3.3 years apart"
    )
    assert "their MAE, 3.90 and 3.90 years, are at most 0.11 years apart" in words
    assert "too old" not in text(ALIKE)


def test_both_measures_of_one_pair_are_said_once() -> None:
    both = {"female": Group(MANY, 3.0, 1.0), "male": Group(MANY, 5.0, -0.5)}
    words = text(both)
    assert words.count("years apart") == 2
    assert "their mean errors" in words


def test_the_other_measures_largest_gap_is_named_where_it_is_between_others() -> None:
    three = {
        "asian": Group(MANY, 3.0, 0.0),
        "black": Group(MANY, 6.0, 0.0),
        "white": Group(MANY, 3.0, -2.5),
    }
    words = headline(model({"race": three}))
    assert "The MAE of black faces is 6.00 years" in words
    assert "older than white faces" in words or "too young" in words


def test_rows_that_cannot_tell_say_what_is_possible_and_how_many_would_do() -> None:
    words = text(FEW)
    assert words.startswith("These rows cannot tell whether the groups of gender differ: gaps up")
    assert "are possible (95\u202f% confidence, all gaps at once); about " in words
    assert "rows in all would be enough, all groups growing alike." in words
    assert "cannot tell" not in text(ALIKE)


def test_attributes_are_said_apart_where_their_verdicts_are() -> None:
    attributes = {
        "gender": APART,
        "skin_tone": {"dark": Group(MANY, 3.5), "light": Group(MANY, 4.0, 0.7)},
        "race": FEW,
        "glasses": ALIKE,
    }
    words = headline(model(attributes))
    assert "Groups also differ by" not in words, "skin tone lies within the margin"
    assert "between the groups of skin tone and glasses is larger than" in words
    assert "cannot tell whether the groups of race differ" in words
    wider = attributes | {"skin_tone": {"dark": Group(MANY, 3.5), "light": Group(MANY, 4.9)}}
    assert "Groups also differ by skin tone (by at least 1.2 years)." in headline(model(wider))


def test_age_groups_are_named_apart_and_never_as_the_verdict() -> None:
    ages = {"young": Group(MANY, 2.0, 1.5), "old": Group(MANY, 6.0, -4.0)}
    words = headline(model({"gender": ALIKE, AGE_GROUP: ages}))
    assert words.startswith("No gap in MAE or mean error between the groups of gender")
    assert "Young faces are estimated too old, old faces too young" in words
    assert "who is older" not in words, "that is what an age group is"
    alike = {"young": Group(MANY, 3.5), "old": Group(MANY, 3.5)}
    assert "between age groups is larger than" in headline(
        model({"gender": ALIKE, "age_group": alike})
    )


def test_age_groups_alone_are_said_once() -> None:
    ages = {"young": Group(MANY, 2.0), "old": Group(MANY, 6.0)}
    words = headline(model({AGE_GROUP: ages}))
    assert words.count("The MAE of old faces") == 1
    assert "confidence" in words


def test_groups_left_out_are_named_in_the_same_line() -> None:
    some = {**ALIKE, "other": Group(12, 9.0), "unknown": Group(40, 9.0)}
    words = text(some)
    assert (
        "Not judged, being too small or unknown: gender other (12 faces) and gender unknown"
        in words
    )
    assert "Not judged" not in text(ALIKE)


def test_an_attribute_of_one_group_has_nothing_to_compare() -> None:
    words = headline(model({"gender": ALIKE, "race": {"black": Group(50, 3.0), "x": Group(9, 3)}}))
    assert "Race has fewer than two groups with enough faces: there is nothing to compare." in words
    assert "nothing to compare" not in text(ALIKE)
    assert "confidence" in words


def test_failures_that_differ_come_first_and_forbid_an_acquittal() -> None:
    withheld = {"dark": Group(1270, 3.5, failed=870), "light": Group(2000, 3.5, failed=60)}
    words = headline(held_back(model({"skin": withheld})))
    assert words.startswith(
        "There is no estimate for 41\u202f% of dark faces and 2.9\u202f% of light faces, at least "
    )
    assert "points apart. These rows cannot tell whether the groups of skin differ: among" in words
    assert "No gap" not in words
    alike = {"dark": Group(1270, 3.5, failed=60), "light": Group(2000, 3.5, failed=95)}
    words = headline(held_back(model({"skin": alike})))
    assert "There is no estimate" not in words
    assert words.startswith("No gap")


def test_an_acquittal_is_of_faces_with_an_estimate_where_failures_differ_elsewhere() -> None:
    ages = {"young": Group(2000, 3.5), "old": Group(2000, 3.5, failed=900)}
    words = headline(held_back(model({"gender": ALIKE, AGE_GROUP: ages})))
    assert words.startswith("There is no estimate for 31\u202f% of old faces")
    assert "of gender is larger than 0.1" in words
    assert "all gaps at once) among faces with an estimate." in words
    assert "among faces" not in text(ALIKE)


def test_failures_are_the_reason_where_they_leave_a_group_too_small() -> None:
    withheld = {"dark": Group(20, 3.5, failed=80), "light": Group(2000, 3.5, failed=60)}
    made = held_back(model({"skin": withheld}, failures=failures({"skin": withheld}, min_rows=1)))
    words = headline(made)
    assert (
        "These rows cannot tell whether the groups of skin differ: estimates are missing more often"
    ) in words
    assert "skin dark (20 faces)" in words


def test_a_gap_of_failures_within_the_margin_stays_out_of_the_headline() -> None:
    groups = {"dark": Group(90_000, 3.5, failed=2700), "light": Group(90_000, 3.5, failed=900)}
    made = model({"skin": groups}, failures=failures({"skin": groups}, margin=0.05))
    assert made.failures.verdicts["skin"].differing
    assert "There is no estimate" not in headline(made)
    assert any(line.startswith("No gap in the rate of") for line in findings(made, AuditSettings()))


def test_a_confounded_gap_is_said_to_be_one() -> None:
    part = model({"gender": APART}, adjusted={"gender": [adjusted_gap(2.0, 1.1)]})
    assert (
        "Part of the gap in MAE (at least 0.70 years) comes from who is older. Between people of "
        "the same age it is at least 0.50 years."
    ) in headline(part)
    most = model({"gender": APART}, adjusted={"gender": [adjusted_gap(2.0, 1.9)]})
    assert (
        "comes from who is older. These rows cannot tell whether it is there between people of the "
        "same age."
    ) in headline(most)


def test_a_gap_is_between_people_of_the_same_age_only_where_its_interval_says_so() -> None:
    same = model({"gender": APART}, adjusted={"gender": [adjusted_gap(2.0, 0.1)]})
    assert "Between people of the same age the gap in MAE is at least 1.5 years." in headline(same)
    assert "Part of" not in headline(same)
    wide = model({"gender": APART}, adjusted={"gender": [adjusted_gap(2.0, 0.1, reach=2.5)]})
    assert (
        "These rows cannot tell whether the gap in MAE is there between people of the same age."
    ) in headline(wide)


def test_groups_of_other_ages_are_not_compared_at_the_same_age() -> None:
    made = model({"gender": APART}, adjusted={"gender": [adjusted_gap(2.0, 1.1, usable=False)]})
    assert "The ages of the two groups hardly overlap" in headline(made)
    assert "Between people" not in headline(made)
    assert "is not known" in headline(model({"gender": APART}))


def test_who_is_older_may_hide_a_gap_or_turn_it_round() -> None:
    hides = model({"gender": APART}, adjusted={"gender": [adjusted_gap(2.0, -1.0)]})
    assert "Who is older hides part of the gap in MAE (at least 0.60 years)." in headline(hides)
    turns = model({"gender": APART}, adjusted={"gender": [adjusted_gap(2.0, 3.5)]})
    assert "it is the other way round, by at least 1.1 years." in headline(turns)
    assert "Part of the gap in MAE (at least 2.0 years)" in headline(turns), "never more than all"


def test_a_gap_given_the_other_way_round_is_turned() -> None:
    turned = adjusted_gap(-2.0, -1.1, names=("female", "male"))
    made = model({"gender": APART}, adjusted={"gender": [turned]})
    gap = made.verdict.differing[0]
    straight = model({"gender": APART}, adjusted={"gender": [adjusted_gap(2.0, 1.1)]})
    assert age_part_sentence(made, gap) == age_part_sentence(straight, gap)


def test_no_part_is_said_of_a_gap_that_the_shared_ages_do_not_show() -> None:
    made = model({"gender": APART}, adjusted={"gender": [adjusted_gap(-0.5, 1.0)]})
    assert "Part of" not in headline(made)


def test_true_ranges_bound_the_mae() -> None:
    words = text(ALIKE, ranges=ranges(true_ranges=2 * MANY))
    assert words.endswith("True ages are ranges: the MAE lies between 2.10 and 6.00 years.")
    words = text(ALIKE, ranges=ranges(true_ranges=7, mae_most=None))
    assert "7 true ages are ranges, some without an end: the MAE is at least 2.10 years." in words
    assert "ranges" not in text(ALIKE)
    assert "ranges" not in text(ALIKE, ranges=ranges(true_ranges=0, inside=None))


def test_predicted_ranges_are_never_a_plain_mae() -> None:
    wide = ranges(true_ranges=0, predicted_ranges=900, width=Interval(100.0, 100.0, 100.0, 900))
    words = text(ALIKE, ranges=wide)
    assert (
        "Estimates are ranges, 100.0 years wide on average: 62.0\u202f% of the true ages" in words
    )
    assert "True ages are ranges" not in words


def test_one_of_several_models_is_named() -> None:
    assert headline(model({"gender": ALIKE}, name="vendor\x1b"), named=True).startswith(
        "vendor\\x1b: No"
    )


def test_a_tiny_gap_is_never_at_least_0() -> None:
    narrow = {"female": Group(4_000_000, 3.5), "male": Group(4_000_000, 3.506)}
    words = text(narrow)
    assert "at least 0.00 " not in words
    assert "at least 0.0" in words


def test_worst_is_said_only_of_a_group_that_differs_from_all_others() -> None:
    clear = {"a": Group(MANY, 6.0), "b": Group(MANY, 3.0), "c": Group(MANY, 3.1)}
    made = model({"race": clear})
    assert worst_group(made, "race") == ("a", True)
    assert "have the worst MAE, 6.00" in worst_sentence(made, "race")
    close = clear | {"b": Group(60, 5.9)}
    made = model({"race": close})
    assert worst_group(made, "race") == ("a", False)
    assert "worst MAE" not in worst_sentence(made, "race")
    assert worst_sentence(made, "race").startswith("The largest measured MAE is that of faces")
    one = model({"race": {"a": Group(MANY, 6.0), "b": Group(5, 9.0)}})
    assert worst_sentence(one, "race") == ""


def test_a_group_that_takes_no_part_is_never_the_worst() -> None:
    made = model({"race": {**ALIKE, "tiny": Group(5, 30.0), "unknown": Group(500, 40.0)}})
    worst = worst_group(made, "race")
    assert worst is not None
    assert worst[0] in ALIKE


def test_findings_hold_bias_average_and_who_is_judged() -> None:
    made = model({"gender": APART, "race": ALIKE})
    lines = findings(made, AuditSettings())
    assert lines[0].startswith("The bias by gender is 2.00 (")
    assert any(line.startswith("The average bias over attributes is") for line in lines)
    assert lines[-1] == (
        "Groups with fewer than 30 faces are listed and not judged; gaps of less than 1 year count "
        "as none in practice."
    )
    persons = findings(model({"gender": APART}, persons=True), AuditSettings(min_rows=50))
    assert "50 persons" in persons[-1]


def test_one_attribute_has_no_average() -> None:
    lines = findings(model({"gender": APART}), AuditSettings())
    assert not any("average bias" in line for line in lines)


def test_findings_do_not_repeat_the_headline() -> None:
    made = model({"gender": APART})
    first = headline(made).split(",")[0]
    assert not any(first in line for line in findings(made, AuditSettings()))
    two = model({"gender": APART, "skin": {"dark": Group(MANY, 4.9), "light": Group(MANY, 3.5)}})
    assert any("The MAE of dark faces" in line for line in findings(two, AuditSettings()))


def test_the_claim_and_the_check_are_findings() -> None:
    claim = Claim(3.0, Interval(3.4), "not reproduced", "The claim is not reproduced.")
    lines = findings(model(claim=claim, age_check=age_check()), AuditSettings())
    assert claim.text in lines
    assert any(line.startswith("As a check for 18") for line in lines)
    assert not any("check for" in line for line in findings(model(), AuditSettings()))


@pytest.mark.parametrize("value", [0.5, 0.2])
def test_together_unequal_is_said_only_above_the_floor_without_a_pair(value: float) -> None:
    made = model({"race": FEW})
    bias = {"race": Interval(value, 0.0, 0.9, 120)}
    made = replace(made, bias=bias, floors={"race": NoiseFloor(0.2, 0.4)})
    words = " ".join(findings(made, AuditSettings()))
    assert ("no single pair can be distinguished" in words) == (value > 0.4)
    pair = replace(model({"race": APART}), floors={"race": NoiseFloor(0.2, 0.4)})
    assert "no single pair" not in " ".join(findings(pair, AuditSettings()))


def test_many_attributes_do_not_make_many_lines() -> None:
    made = model({f"attribute{i}": ALIKE for i in range(40)})
    assert len(headline(made)) < 400
    assert len(findings(made, AuditSettings())) < 15
