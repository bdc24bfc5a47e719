"""Sentences about failures and age checks, each with its nearest case to the contrary."""

from dataclasses import replace

from tests.reports.factories import Group, age_check, failures, model, rate

from fairage.auditing.result_parts import AgeCheck, CheckRates, Interval
from fairage.reports.audit_rates import (
    age_check_sentences,
    check_group_sentence,
    failure_headline,
    failure_sentences,
    reach_sentence,
)

EVEN = {"dark": Group(2000, 3.5, failed=60), "light": Group(2000, 3.5, failed=60)}
UNEVEN = {"dark": Group(1270, 3.5, failed=870), "light": Group(2000, 3.5, failed=60)}
UNSURE = {"dark": Group(100, 3.5, failed=9), "light": Group(100, 3.5, failed=4)}


def check(**changes: object) -> AgeCheck:
    return replace(age_check(), **changes)  # type: ignore[arg-type]  # fields by name


def nobody() -> CheckRates:
    return CheckRates(rate(0, 0), rate(120, 810), takes_part=False)


def test_failures_are_headlined_only_where_groups_differ() -> None:
    assert failure_headline(failures({"skin": UNEVEN})).startswith("There is no estimate for 41")
    assert failure_headline(failures({"skin": EVEN})) == ""
    assert failure_headline(failures({"skin": UNSURE})) == ""


def test_failures_are_counted_with_their_reasons() -> None:
    lines = failure_sentences(model({"skin": UNEVEN}))
    assert lines[0].startswith("22.1\u202f% of 4,200 faces have no estimate (")
    assert lines[0].endswith(": no face 930.")
    assert failure_sentences(model({"skin": {"dark": Group(90, 3.5)}})) == []


def test_reasons_from_strangers_are_shown_and_cut() -> None:
    made = model({"skin": UNEVEN})
    reasons = {f"r\x1b{i}": 10 + i for i in range(9)}
    made = replace(made, failures=replace(made.failures, reasons=reasons))
    line = failure_sentences(made)[0]
    assert "r\\x1b8 18" in line
    assert line.endswith("others 46.")


def test_each_verdict_on_failures_has_its_sentence() -> None:
    words = {
        name: " ".join(failure_sentences(model({"skin": groups})))
        for name, groups in (("uneven", UNEVEN), ("even", EVEN), ("unsure", UNSURE))
    }
    assert (
        "There is no estimate for 41\u202f% of dark faces and 2.9\u202f% of light"
        in words["uneven"]
    )
    assert "No gap in the rate of missing estimates between the groups of skin" in words["even"]
    assert "cannot tell whether the rate of missing estimates differs" in words["unsure"]
    assert "No gap" not in words["uneven"] + words["unsure"]
    one = {"dark": Group(900, 3.5, failed=9), "light": Group(4, 3.5, failed=1)}
    assert "Fewer than two groups of skin have enough faces to compare the rate of missing" in (
        " ".join(failure_sentences(model({"skin": one})))
    )


def test_withheld_faces_are_counted_with_their_groups_large_errors() -> None:
    made = model({"skin": UNEVEN})
    line = failure_sentences(made)[-1]
    assert line == (
        "If each face without an estimate had the P90 error of its group, the MAE would be 4.40 "
        "years instead of 3.50."
    )
    both = replace(made.failures, mae_if_withheld={"skin": 4.4, "age_group": 4.8})
    line = failure_sentences(replace(made, failures=both))[-1]
    assert "would be 4.40 to 4.80 years, by the attribute taken, instead of 3.50" in line
    none = replace(made.failures, mae_if_withheld={"skin": float("nan")})
    assert "P90" not in " ".join(failure_sentences(replace(made, failures=none)))


def test_a_check_says_who_passes_and_who_does_not() -> None:
    lines = age_check_sentences(model(age_check=check()))
    assert lines[0].startswith(
        "As a check for 18 at a threshold of 25: 6.7\u202f% (3.9 to 11.3) of"
    )
    assert "of 180 faces under 18 pass; 15\u202f%" in lines[0]
    assert lines[1] == "4 ranges of true age lie on both sides of 18 and so in neither rate."
    assert "both sides" not in " ".join(age_check_sentences(model(age_check=check(across=0))))
    assert age_check_sentences(model()) == []


def test_nobody_under_age_has_no_rate() -> None:
    none = check(minors=0, overall=nobody(), reached_at=None, reached_by=None)
    lines = age_check_sentences(model(age_check=none))
    assert (
        "nobody in these rows is under 18, so how many of them would pass is not known" in lines[0]
    )
    assert "\u202f%" not in lines[0].split(";")[0]
    assert "nobody" not in age_check_sentences(model(age_check=check()))[0]
    assert lines[-1].startswith("No threshold can be named")


def test_nobody_of_age_has_no_rate() -> None:
    some = CheckRates(rate(12, 180), rate(0, 0), takes_part=True)
    lines = age_check_sentences(model(age_check=check(adults=0, overall=some)))
    assert lines[0].endswith("; nobody is of 18 or older.")
    assert "Then" not in lines[-1]


def test_persons_are_named_where_they_are_known() -> None:
    rates = CheckRates(
        Interval(0.1, 0.05, 0.2, 90, 30), Interval(0.1, 0.05, 0.2, 90, 30), takes_part=True
    )
    few = check(overall=rates, reached_n=30)
    assert "90 faces of 30 persons under 18 pass" in age_check_sentences(model(age_check=few))[0]
    assert "rests on 30 persons under 18 in that group" in reach_sentence(few)


def test_a_threshold_says_what_it_rests_on() -> None:
    few = reach_sentence(check(reached_n=30, reached_bound=0.1157))
    assert "At most 1\u202f% of those under 18 pass in every group with enough of them" in few
    assert "from a threshold of 31.4 years, which male faces need" in few
    assert (
        "rests on 30 faces under 18 in that group: the rate could still be up to 11.6\u202f%" in few
    )
    many = reach_sentence(check(reached_n=9000, reached_bound=0.0099))
    assert "could still" not in many
    assert "the rate is at most 1.0\u202f% there" in many
    assert "rests" not in reach_sentence(check(reached_n=None))


def test_a_wanted_rate_below_a_percent_is_not_written_as_0() -> None:
    assert "At most 0.01\u202f% of those" in reach_sentence(check(wanted_rate=0.0001))


def test_no_threshold_is_named_where_none_is_reached() -> None:
    words = reach_sentence(check(reached_at=None, reached_by=None))
    assert words.startswith("No threshold can be named at which at most 1\u202f% of those under 18")


def test_an_attribute_of_a_check_is_compared_by_its_verdicts() -> None:
    words = check_group_sentence(check(), "gender")
    assert words.startswith("Under 18, 12\u202f% of male faces and 2.2\u202f% of female faces pass")
    assert "cannot tell whether the share of those of 18 or older who do not pass differs" in words
    assert "rows of 18 or older would be enough" in words
    assert check_group_sentence(check(), "no such attribute") == ""
