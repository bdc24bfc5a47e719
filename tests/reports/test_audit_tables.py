import math
from dataclasses import replace

import pytest
from tests.reports.factories import (
    AGES,
    GENDER,
    SKIN,
    Group,
    adjusted_gap,
    age_check,
    model,
    ranges,
    result,
)

from fairage._text import MINUS, NOTHING
from fairage.auditing.measures import MEASURES
from fairage.auditing.result_parts import (
    DIFFER,
    MAE,
    MEAN_ERROR,
    TELL,
    WITHIN,
    Gap,
    GroupAudit,
    Interval,
)
from fairage.reports.audit_tables import (
    TableRow,
    adjusted_table,
    bias_table,
    error_rows,
    group_table,
    measure_cell,
    measure_title,
    model_table,
    spread_table,
)
from fairage.reports.gap_tables import (
    check_table,
    failure_table,
    failure_verdict_table,
    gap_panels,
    in_need,
    range_rows,
    reason_rows,
    verdict_table,
)
from fairage.tables import AGE_GROUP, UNKNOWN


@pytest.mark.parametrize("key", MEASURES)
def test_every_measure_stands_in_the_tables_in_its_unit(key: str) -> None:
    measure = MEASURES[key]
    text, span = measure_cell(key, Interval(0.5, 0.25, 0.75, 40))
    if measure.unit == "share":
        assert (text, span) == ("50.0\u202f%", "25.0 to 75.0")
    elif measure.better == "zero":
        assert (text, span) == ("+0.50", "+0.25 to +0.75")
    else:
        assert text == f"{0.5:.{measure.digits}f}"
    assert measure_title(key) == measure.title
    made = model({"gender": GENDER})
    overall = replace(made, overall={key: Interval(0.5, 0.25, 0.75, 40)})
    (row,) = error_rows(overall)
    assert (row.name, row.remark) == (measure.title, measure.meaning)
    group = GroupAudit("f", 40, None, 30.0, True, "", {key: Interval(0.5, 0.25, 0.75, 40)})
    table = group_table({"f": group}, ["f"], 60)
    assert measure.title in table.headings
    assert (text, span) in table.rows[0].cells


def test_a_measure_of_one_s_own_has_its_column_too() -> None:
    made = model({"gender": GENDER})
    own = replace(made, overall={**made.overall, "gross_errors": Interval(0.1, 0.0, 0.2, 100)})
    assert error_rows(own)[-1].name == "Gross errors"
    groups = {
        name: replace(group, measures={**group.measures, "gross_errors": Interval(0.5)})
        for name, group in made.groups["gender"].items()
    }
    assert "Gross errors" in group_table(groups, list(groups), 60).headings


def test_a_measure_that_one_group_lacks_is_a_dash_there() -> None:
    groups = dict(model({"gender": GENDER}).groups["gender"])
    female = dict(groups["female"].measures)
    female["epsilon"] = Interval(0.3, 0.2, 0.4, 50)
    groups["female"] = replace(groups["female"], measures=female)
    table = group_table(groups, ["female", "male"], 60)
    column = table.headings.index(MEASURES["epsilon"].title) - 1
    assert [row.cells[column][0] for row in table.rows] == ["0.300", NOTHING]


def test_headings_and_cells_of_every_table_match() -> None:
    made = model(adjusted={"gender": [adjusted_gap(1.5, 0.4)]}, age_check=age_check(), persons=True)
    names = list(made.groups)
    tables = [
        verdict_table(made, names),
        bias_table(made, names),
        spread_table(made, names),
        adjusted_table(made, names, 9),
        model_table(result(made, replace(made, name="b"))),
        failure_table(made, names, 99),
        failure_verdict_table(made, names),
        check_table(age_check(), 99),
        *(group_table(made.groups[name], list(made.groups[name]), 99) for name in names),
    ]
    remarks = [True, False, False, True, True, True, True, True, *(True for _ in names)]
    for table, remark in zip(tables, remarks, strict=True):
        assert table.rows
        for row in table.rows:
            assert len(table.headings) == 1 + len(row.cells) + remark


def test_every_number_of_a_table_is_that_of_the_result() -> None:
    made = model()
    row = next(row for row in bias_table(made, list(made.bias)).rows if row.name == "Gender")
    bias, floor = made.bias["gender"], made.floors["gender"]
    assert row.cells[0] == (f"{bias.value:.2f}", f"{bias.low:.2f} to {bias.high:.2f}")
    assert row.cells[1] == (f"{made.corrected_bias['gender']:.2f}", "")
    assert row.cells[2] == (f"{floor.mean:.2f}", f"up to {floor.p975:.2f}")
    assert bias_table(made, list(made.bias)).rows[-1].name == "Average"


def test_an_attribute_without_a_bias_is_not_in_the_table_of_biases() -> None:
    made = model({"gender": {"female": Group(100, 3.0)}})
    assert not bias_table(made, ["gender"]).rows
    assert not spread_table(made, ["gender"]).rows


def test_attributes_come_in_the_order_of_need_and_age_groups_last() -> None:
    many = 9000
    made = model(
        {
            AGE_GROUP: AGES,
            "alike": {"a": Group(many, 3.0), "b": Group(many, 3.0)},
            "small": {"a": Group(40, 3.0), "b": Group(40, 3.1)},
            "apart": {"a": Group(many, 3.0), "b": Group(many, 6.0)},
            "further": {"a": Group(many, 3.0), "b": Group(many, 9.0)},
            "one": {"a": Group(many, 3.0)},
        }
    )
    assert [made.verdicts[name].kind for name in ("further", "small", "alike")] == [
        DIFFER, TELL, WITHIN,
    ]  # fmt: skip
    order = in_need(made)
    assert order[:3] == ["further", "apart", "small"]
    assert set(order[3:5]) == {"alike", "one"}
    assert order[-1] == AGE_GROUP


def test_pairs_have_their_limits_rounded_outwards() -> None:
    made = model({"gender": GENDER})
    pair = Gap("gender", "male", "female", MAE, Interval(0.5, 0.004, 0.996, 900), DIFFER)
    made = replace(made, gaps={"gender": (pair,)})
    (panel,) = gap_panels(made, ["gender"])
    ((title, (row,)), (_, nothing)) = panel.parts
    assert title == "MAE"
    assert not nothing
    assert row.gap == "+0.50"
    assert row.limits == "0.004 to 1.00"
    assert row.kind == DIFFER
    assert row.words == "At least 0.004 years apart"


def test_each_measure_s_pairs_stand_apart() -> None:
    (panel,) = gap_panels(model({"gender": GENDER}), ["gender"])
    assert [(title, len(rows)) for title, rows in panel.parts] == [("MAE", 1), ("Mean error", 1)]
    assert [rows[0].name for _, rows in panel.parts] == [
        f"male {MINUS} female",
        f"female {MINUS} male",
    ]
    assert {gap.measure for gap in model({"gender": GENDER}).gaps["gender"]} == {MAE, MEAN_ERROR}


def test_very_many_pairs_do_not_drown_a_page() -> None:
    groups = {f"g{i:02}": Group(100, 3.0 + i / 10) for i in range(20)}
    made = model({f"a{i}": groups for i in range(8)})
    panels = gap_panels(made, list(made.groups))
    shown = [sum(len(rows) for _, rows in panel.parts) for panel in panels]
    assert max(shown) <= 60
    assert sum(shown) <= 300
    assert min(shown) >= 2
    for panel, n in zip(panels, shown, strict=True):
        assert n + panel.more == 2 * 190
    first = panels[0].parts[0][1]
    assert float(first[0].gap) == max(float(row.gap) for row in first), "the widest are shown"


def test_the_verdict_table_says_what_is_left_out_and_never_a_smaller_gap_than_possible() -> None:
    made = model({"skin_tone": SKIN, "one": {"a": Group(500, 3.0), UNKNOWN: Group(9, 3.0)}})
    skin, one = verdict_table(made, ["skin_tone", "one"]).rows
    assert skin.cells[0] == ("2", "1 left out")
    most = made.verdicts["skin_tone"].at_most
    assert most is not None
    assert float(skin.cells[2][0]) >= most
    assert one.cells[1:] == [(NOTHING, ""), (NOTHING, "")] or one.cells[2] == (NOTHING, "")
    assert "fewer than two groups" in one.remark


def test_groups_that_take_no_part_are_pale_and_say_why() -> None:
    groups = model({"skin_tone": {**SKIN, "olive": Group(7, 3.0)}}).groups["skin_tone"]
    table = group_table(groups, list(groups), 99)
    told = {row.name: (row.faint, row.remark) for row in table.rows}
    assert told == {
        "dark": (False, ""),
        "light": (False, ""),
        "unknown": (True, "unknown"),
        "olive": (True, "too small"),
    }


def test_persons_have_a_column_where_they_are_known() -> None:
    groups = model({"gender": GENDER}, persons=True).groups["gender"]
    assert "Persons" in group_table(groups, list(groups), 9).headings
    groups = model({"gender": GENDER}).groups["gender"]
    assert "Persons" not in group_table(groups, list(groups), 9).headings


def test_of_very_many_groups_the_first_are_listed_and_the_others_counted() -> None:
    groups = model({"country": {f"c{i}": Group(40, 3.0) for i in range(90)}}).groups["country"]
    table = group_table(groups, list(groups), 60)
    assert (len(table.rows), table.more) == (60, 30)


def test_what_comes_from_age_is_listed_with_the_ages_used() -> None:
    made = model(
        adjusted={
            "gender": [
                adjusted_gap(0.2, 0.4, usable=False),
                adjusted_gap(1.5, 0.4),
                adjusted_gap(-2.0, -0.4, measure="mean_error"),
            ]
        }
    )
    table = adjusted_table(made, ["gender"], 2)
    assert [row.name for row in table.rows] == [
        f"Gender: male {MINUS} female, Mean error",
        f"Gender: male {MINUS} female, MAE",
    ]
    assert table.more == 1
    assert table.rows[1].cells[2] == ("+0.40", "0.00 to +0.80")
    assert table.rows[1].cells[3] == (f"10{NOTHING}60", "85\u202f%")
    last = adjusted_table(made, ["gender"], 9).rows[-1]
    assert last.faint
    assert "cannot tell" in last.remark


def test_failures_are_listed_by_group_with_what_they_may_hide() -> None:
    groups = {"f": Group(500, 3.0, failed=0), "m": Group(500, 3.0, failed=80)}
    made = model({"gender": groups})
    rows = failure_table(made, ["gender"], 99).rows
    assert [row.name for row in rows] == ["All faces", "Gender: f", "Gender: m"]
    assert rows[2].cells[0][0] == "13.8\u202f%"
    assert rows[1].cells[0][1].startswith("0.0 to")
    (verdict,) = failure_verdict_table(made, ["gender"]).rows
    assert verdict.cells[1] == ("4.40", "")
    assert verdict.remark.startswith("differ by at least")
    many = replace(made.failures, reasons={"no face": 3, "ERR": 70})
    assert [row.name for row in reason_rows(many)] == ["ERR", "no face"]


def test_an_age_check_without_anybody_in_a_group_has_dashes_there() -> None:
    check = age_check()
    nobody = replace(
        check.groups["gender"]["male"], false_positive=Interval(math.nan), takes_part=False
    )
    groups = {"gender": {**check.groups["gender"], "male": nobody}}
    rows = check_table(replace(check, groups=groups), 99).rows
    assert rows[0].name == "All faces"
    assert rows[2].name == "Gender: male"
    assert rows[2].cells[0] == (NOTHING, "")
    assert rows[2].remark == "too few"


def test_ranges_name_only_what_there_is() -> None:
    names = [row.name for row in range_rows(ranges())]
    assert "MAE at least" in names
    assert "Width of estimated ranges" not in names
    assert "Estimates that are ranges" not in names
    predicted = ranges(
        true_ranges=0, predicted_ranges=90, mae_least=None, mae_most=None, width=Interval(10.0)
    )
    names = [row.name for row in range_rows(predicted)]
    assert "Width of estimated ranges" in names
    assert "MAE at least" not in names


def test_a_long_name_is_cut_and_kept_whole() -> None:
    row = TableRow.named(5000 * "x", [])
    assert len(row.name) == 80
    assert row.whole == 5000 * "x"
    assert TableRow.named("short", []).whole == ""
