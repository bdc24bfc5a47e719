from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from fairage.audit.auditing import audit
from fairage.audit.intervals import Estimate
from fairage.audit.result import (
    AgePoint,
    AttributeAudit,
    AuditResult,
    Cell,
    Intersection,
    ModelAudit,
    PairGap,
    PolicyAudit,
    PolicyGroup,
    Standardised,
)
from fairage.audit.settings import AuditSettings
from fairage.report.audit_captions import (
    age_sentence,
    bias_sentence,
    group_age_sentence,
    group_sentence,
    intersection_sentence,
    policy_sentence,
    reach_sentence,
)
from fairage.report.audit_facts import audit_facts, rows_sentence
from fairage.report.audit_text import findings, headline, off_side, widest_gap


@pytest.fixture(scope="module")
def result() -> AuditResult:
    """Gender `m` is estimated 8 years too young, `f` 2 too old; `x` has four faces."""
    n = 400
    gender = np.where(np.arange(n) % 2 == 0, "f", "m")
    gender[:4] = "x"
    ages = np.tile([10.0, 30.0, 50.0, 70.0], n // 4)
    ages = np.repeat(ages[: n // 2], 2)
    frame = pl.DataFrame(
        {
            "age": ages,
            "prediction": ages + np.where(gender == "m", -8.0, np.where(gender == "x", 3.0, 2.0)),
            "gender": gender,
        }
    )
    settings = AuditSettings(replicates=50, permutations=200)
    return audit(frame, attributes=["gender"], settings=settings)


@pytest.fixture(scope="module")
def model(result: AuditResult) -> ModelAudit:
    return result.models[0]


@pytest.fixture(scope="module")
def gender(model: ModelAudit) -> AttributeAudit:
    return model.attribute("gender")


def by_luck(attribute: AttributeAudit) -> AttributeAudit:
    floors = replace(attribute.floor, p_value=0.5, holm_p_value=0.9)
    return replace(attribute, floor=floors, signed_floor=floors)


def test_the_headline_names_what_is_beyond_chance(model: ModelAudit) -> None:
    assert headline(model) == (
        "Estimates are off by 4.98 years on average. The gap by gender is beyond chance; by age "
        "group none is. M faces fare worst: off by 8.00 years, as a rule too young."
    )
    assert headline(model, named=True).startswith("Estimates of prediction are off")
    alike = replace(model, attributes=tuple(map(by_luck, model.attributes)))
    assert headline(alike).endswith("No gap between groups is beyond chance.")
    only = replace(model, attributes=(model.attribute("gender"),))
    assert "The gap by gender is beyond chance. M faces fare worst" in headline(only)
    both = replace(model, attributes=(model.attribute("gender"),) * 2)
    assert "The gaps by gender and gender are beyond chance." in headline(both)


def test_a_gap_beyond_chance_names_both_groups_and_the_small_ones(gender: AttributeAudit) -> None:
    told = widest_gap(gender)
    assert told.startswith("M faces are off by 8.00 years (8.00 to 8.00), f faces by 2.00")
    assert "a gap beyond chance." in told
    assert "Too few faces to say anything: x (4 faces)." in told


def unresolved(attribute: AttributeAudit) -> AttributeAudit:
    return replace(attribute, pairs=tuple(replace(p, resolved=False) for p in attribute.pairs))


def test_two_groups_that_cannot_be_told_apart_have_no_gap_beyond_chance(
    model: ModelAudit, gender: AttributeAudit
) -> None:
    told = widest_gap(unresolved(gender))
    assert "f faces by 2.00 (2.00 to 2.00): the bias is beyond chance, but these two" in told
    assert "a gap beyond chance" not in told
    alone = replace(model, attributes=(unresolved(gender),))
    assert headline(alone).endswith(
        "as a rule too young; but they cannot be told apart from f faces, who fare best."
    )


def test_without_pairs_the_groups_own_intervals_decide(gender: AttributeAudit) -> None:
    bare = replace(gender, pairs=())
    assert bare.extremes_resolved
    wide = tuple(
        replace(g, errors=replace(g.errors, mae=replace(g.errors.mae, low=0.0, high=9.0)))
        for g in gender.groups
    )
    assert not replace(bare, groups=wide).extremes_resolved


def test_a_gap_within_chance_may_be_luck(gender: AttributeAudit) -> None:
    assert widest_gap(by_luck(gender)).startswith(
        "No gap by gender beyond chance: the widest, 6.00 years between m and f, may be luck."
    )


def test_the_faces_needed_are_told(gender: AttributeAudit) -> None:
    needy = tuple(replace(group, rows_to_resolve=1234) for group in gender.groups)
    assert "About 1,234 would be needed to find a gap of half a year." in widest_gap(
        replace(gender, groups=needy)
    )


def test_one_group_has_nothing_to_compare(gender: AttributeAudit) -> None:
    assert widest_gap(replace(gender, groups=gender.groups[:1])).endswith("nothing to compare.")


def test_sides_are_told_where_they_differ_beyond_chance(gender: AttributeAudit) -> None:
    assert off_side(gender) == (
        "M faces are estimated 8.0 years too young on average, f faces 2.0 years too old."
    )
    assert off_side(by_luck(gender)) == ""
    assert off_side(replace(gender, groups=gender.groups[:1])) == ""


def test_sides_of_less_than_a_year_are_not_told(gender: AttributeAudit) -> None:
    def nearly(value: float) -> AttributeAudit:
        groups = tuple(
            replace(g, errors=replace(g.errors, signed=Estimate(value * (g.name == "m"), 9)))
            for g in gender.groups
        )
        return replace(gender, groups=groups)

    assert off_side(nearly(0.5)) == ""
    assert off_side(nearly(1.5)).endswith("f faces neither too young nor too old.")


def test_findings_tell_the_average_and_what_the_age_mix_explains(model: ModelAudit) -> None:
    told = " ".join(findings(model))
    assert "is more than chance." in told
    assert "it does not come from who is older." in told
    gender = model.attribute("gender")
    assert isinstance(gender.standardised, Standardised)
    mixed = replace(gender.standardised, bias=Estimate(0.1, 400))
    explained = replace(model, attributes=(replace(gender, standardised=mixed),))
    assert "most of it comes from who is older." in " ".join(findings(explained))
    hidden = replace(model, attributes=(by_luck(gender),))
    assert "the groups' ages may hide a gap." in " ".join(findings(hidden))
    average = replace(model.average_bias, floor=by_luck(gender).floor)
    assert "so it may be luck." in " ".join(findings(replace(model, average_bias=average)))


def test_the_bias_figure_says_what_sticks_out(model: ModelAudit) -> None:
    assert bias_sentence(model).startswith("The bias by gender (")
    alike = replace(model, attributes=tuple(map(by_luck, model.attributes)))
    assert bias_sentence(alike) == "No bias is beyond what chance alone may give."


@pytest.mark.parametrize(
    ("resolved", "end"),
    [
        ((True, True), "All pairs of groups can be told apart."),
        ((True, False), "1 of 2 pairs of groups can be told apart: a and b."),
        ((False, False), "No two groups can be told apart."),
    ],
)
def test_pairs_that_can_be_told_apart_are_named(
    gender: AttributeAudit, resolved: tuple[bool, bool], end: str
) -> None:
    gap = Estimate(1.0, 9)
    pairs = tuple(PairGap("a", "b", gap, resolved=each) for each in resolved)
    assert group_sentence(replace(gender, pairs=pairs)).endswith(end)


def point(group: str, low: float, mae: float, signed: float = 0.0, n: int = 50) -> AgePoint:
    around = Estimate(mae, n, mae - 0.5, mae + 0.5)
    return AgePoint(group, low, low + 5, n, around, Estimate(signed, n))


def test_ages_that_are_hard_are_named() -> None:
    points = [point("all", 0, 2, 1.5), point("all", 50, 4), point("all", 80, 9, -9)]
    told = age_sentence([*points, point("all", 95, 30, n=2)])
    assert told.startswith("The error is smallest between 0 and 5 (2.0 years) and largest between")
    assert "80 and 85 (9.0 years)." in told
    sides = "1.5 years too old (between 0 and 5) and 9.0 years too young (between 80 and 85)."
    assert told.endswith(f"up to {sides}")
    assert "estimated" not in age_sentence([point("all", 0, 2)])
    assert age_sentence([point("all", 0, 2, n=3)]) == "Too few faces of any age."


def test_groups_are_compared_at_the_same_age(gender: AttributeAudit) -> None:
    def told(*points: AgePoint) -> str:
        return group_age_sentence(replace(gender, along_age=points))

    assert told(point("f", 0, 2), point("m", 0, 2.5)) == (
        "At no age are two groups further apart than their intervals allow for."
    )
    assert told(point("f", 0, 2), point("m", 5, 9)).startswith("At no age are there enough faces")
    text = told(point("f", 0, 2), point("m", 0, 9), point("f", 5, 2), point("m", 5, 2))
    assert text.startswith("In 1 of 2 age bands the intervals of two groups do not overlap")
    assert text.endswith("between 0 and 5: m faces are off by 9.0 years, f faces by 2.0.")


def test_the_worst_cell_is_named(model: ModelAudit) -> None:
    small = Cell(("f", "old"), 3, Estimate(20.0, 3), Estimate(0.0, 3), rank=None)
    large = Cell(("m", "old"), 90, Estimate(9.96, 90, 9, 11), Estimate(0.0, 90), rank=1)
    crossed = Intersection(("gender", "age_group"), (large, small))
    assert intersection_sentence(crossed, model) == (
        "The error is largest where gender is m and age group is old: 9.96 years (9.00 to 11.00; "
        "n = 90), 2.0 times that of all faces. Hatched: 1 cell with too few faces to rank."
    )
    none = replace(crossed, cells=(small,))
    assert intersection_sentence(none, model).startswith("No cell has enough faces to be ranked.")


def policy(**changes: object) -> PolicyAudit:
    groups = tuple(
        PolicyGroup("gender", name, Estimate(rate, 60, 0.01, 0.2), Estimate(0.5, 90), ranked=True)
        for name, rate in (("f", 0.02), ("m", 0.1))
    )
    made = PolicyAudit(18, 25, groups, 0.01, 27.3, ("gender", "m"), Estimate(0.6, 90), (), ())
    return replace(made, **changes)  # type: ignore[arg-type]  # options by name


def test_the_policy_says_who_passes_too_easily() -> None:
    told = policy_sentence(policy(), "gender")
    assert told.startswith("Below 18, m faces pass most often (10.0")
    assert "n = 60" in told
    assert "f faces are challenged most often (50.0" in told
    assert policy_sentence(policy(), "skin").startswith("Too few faces below the legal age")


def test_the_policy_says_which_threshold_is_needed() -> None:
    told = reach_sentence(policy())
    assert "For the worst group (m) to pass wrongly in at most 1.0" in told
    assert "the threshold must be 27.3" in told
    assert "For all faces" in reach_sentence(policy(reached_by=("all", "all")))
    assert reach_sentence(policy(reached_at=None)).startswith("No threshold can be named")


def test_rows_that_are_left_out_are_told(result: AuditResult) -> None:
    assert rows_sentence(result) == "All numbers rest on 400 faces."
    rows = replace(result.rows, rows=403, without_age=1, without_prediction={"p": 2})
    assert rows_sentence(replace(result, rows=rows)) == (
        "All numbers rest on 400 faces; 3 rows left out: 1 without a true age and 2 without a "
        "prediction of p."
    )


def test_facts_tell_how_to_repeat_the_audit(result: AuditResult) -> None:
    facts = dict(audit_facts(result))
    assert facts["Intervals"] == "95 %, 50 bootstrap replicates"
    assert facts["Age groups"].startswith("young from 0, adult from 20")
    assert "age 'age'" in facts["Guessed"]
