"""What was audited and how, as the page and the terminal say it."""

import pytest
from tests.reports.factories import GENDER, Group, model, ranges, rate

from fairage.auditing.audit_settings import AuditSettings
from fairage.auditing.columns import Columns
from fairage.auditing.result import AuditResult, ModelAudit
from fairage.auditing.result_parts import Interval
from fairage.auditing.rows import RowReport
from fairage.reports.audit_text import (
    audit_facts,
    range_headline,
    range_sentences,
    rows_sentence,
    tiles,
)

FAILING = {"male": Group(500, 3.0, failed=20), "female": Group(500, 3.0)}


def report(rows: int, without_age: int = 0, persons: int | None = None) -> RowReport:
    return RowReport(
        rows=rows,
        used=rows - without_age,
        without_age=without_age,
        reasons_age={},
        unknown={},
        duplicate_images=0,
        decimal_commas=False,
        spellings={},
        persons=persons,
    )


def result(
    *models: ModelAudit,
    rows: RowReport | None = None,
    columns: Columns | None = None,
    **options: object,
) -> AuditResult:
    return AuditResult(
        name="vendor.csv",
        columns=columns or Columns("age", ("pred",), ("gender",)),
        settings=AuditSettings(**options),  # type: ignore[arg-type]  # fields by name
        rows=rows or report(1000),
        notes=(),
        models={made.name: made for made in models or (model({"gender": GENDER}),)},
    )


def test_rows_that_all_count_are_said_in_one_number() -> None:
    assert rows_sentence(result()) == "All 1,000 rows have a true age and an estimate."
    persons = rows_sentence(result(rows=report(1000, persons=80)))
    assert persons == "All 1,000 rows of 80 persons have a true age and an estimate."


def test_rows_left_out_are_counted() -> None:
    words = rows_sentence(result(model({"gender": FAILING}), rows=report(1032, 12)))
    assert words == (
        "1,020 rows have a true age, 12 rows without one are left out and 20 rows have no estimate."
    )
    assert rows_sentence(result(rows=report(1001, 1))) == (
        "1,000 rows have a true age and 1 row without one is left out."
    )


def test_missing_estimates_are_counted_by_model() -> None:
    models = model({"gender": GENDER}, name="a"), model({"gender": FAILING}, name="b")
    assert rows_sentence(result(*models)) == (
        "1,000 rows have a true age and estimates are missing in 20 of b."
    )


def test_facts_tell_how_to_repeat_the_audit() -> None:
    facts = dict(audit_facts(result(min_rows=50, margin=0.5, seed=3)))
    assert facts["Table"] == "vendor.csv, 1,000 rows"
    assert facts["Groups are judged from"].startswith("50 rows")
    assert facts["Margin"] == "0.5 years, 5 points for rates"
    assert facts["Age groups"] == "young from 0, adult from 20, senior from 40 and old from 60"
    assert facts["Persons"] == "not known: each row counts as one"
    assert facts["Seed"] == "3"
    assert "Guessed" not in facts
    assert "Survey weights" not in facts
    assert "Also missing" not in facts


def test_facts_name_what_was_chosen() -> None:
    columns = Columns(
        "low",
        ("pred",),
        ("gender",),
        age_high="high",
        identity="who",
        weight="w",
        guessed=("prediction",),
    )
    options = {"missing": ("0", "ERR\x1b"), "range_end": "open", "oldest": 90.0}
    facts = dict(audit_facts(result(columns=columns, **options)))
    assert facts["True age"] == "low to high"
    assert facts["Persons"] == "who"
    assert facts["Survey weights"] == "w; strata and replicate weights are not supported"
    assert facts["Guessed"] == "Columns guessed: prediction 'pred'."
    assert facts["Also missing"] == "'0' and 'ERR\\x1b'"
    assert facts["Ranges"] == "do not count their last year"
    assert facts["Ranges without an end"] == "closed at 90"


def test_tiles_are_mae_bias_verdict_and_largest_group() -> None:
    shown = {tile.name: tile for tile in tiles(model({"gender": GENDER}))}
    assert shown["MAE"].value == "3.82 years"
    assert shown["Groups"].value == "differ by at least 1.0 years"
    assert shown["Largest measured group MAE"].note == "gender male, 480 faces"
    none = {tile.name for tile in tiles(model({"gender": {"male": Group(50, 3.0)}}))}
    assert none == {"MAE", "Groups"}


def with_ranges(**changes: object) -> ModelAudit:
    return model({"gender": GENDER}, ranges=ranges(**changes))


def test_ranges_of_true_ages_bound_the_mae() -> None:
    lines = range_sentences(with_ranges())
    assert lines[0].startswith("The true age is a range in 1,000 rows; errors and verdicts take")
    assert "With the nearest age of each range the MAE is 2.10 (" in lines[0]
    assert ", with the farthest 6.00 (" in lines[0]
    assert "nothing bounds it above" in range_sentences(with_ranges(mae_most=None))[0]
    assert lines[1].endswith("of the estimates lie inside the range of the true age.")
    assert range_sentences(model({"gender": GENDER})) == []


def test_predicted_ranges_have_share_width_and_distance() -> None:
    made = with_ranges(
        true_ranges=0,
        mae_least=None,
        predicted_ranges=800,
        inside=rate(600, 800),
        width=Interval(8.1, 8.0, 8.2, 800),
        outside=Interval(1.2, 1.0, 1.4, 800),
    )
    words = " ".join(range_sentences(made))
    assert "The estimate is a range in 800 rows; errors take its middle. 75.0\u202f%" in words
    assert "the ranges are 8.10 (8.00 to 8.20) years wide on average" in words
    assert "the true age is 1.20 (1.00 to 1.40) years outside on average" in words
    assert range_headline(made) == (
        "Estimates are ranges, 8.1 years wide on average: 75.0\u202f% of the true ages lie inside."
    )


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("open_ranges", "Ranges without an end have no middle and are in no mean: 1 row."),
        ("across_age_groups", "Ranges in two age groups count where the middle is: 1 row."),
        ("across_legal_age", "Ranges on both sides of the legal age: 1 row."),
    ],
)
def test_ranges_that_leave_something_open_are_counted(field: str, words: str) -> None:
    none = {"open_ranges": 0, "across_age_groups": 0, "across_legal_age": 0}
    assert words in " ".join(range_sentences(with_ranges(**none | {field: 1})))
    assert len(range_sentences(with_ranges(**none))) == 2
