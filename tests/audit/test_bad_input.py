"""What people get wrong: each is one line of error or a warning with a name."""

import numpy as np
import polars as pl
import pytest

from fairage.audit.auditing import audit
from fairage.audit.settings import AuditSettings
from fairage.exceptions import ConfigError, DataError


def names(frame, settings: AuditSettings, **options: object) -> set[str]:
    return {warning.name for warning in audit(frame, settings=settings, **options).warnings}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"age": pl.lit("thirty")}, "row 1, column 'age': expected a number or an age bin"),
        ({"prediction": pl.lit("?!")}, "row 1, column 'prediction'"),
        ({"age": pl.lit(None, dtype=pl.Float64)}, "'age': expected years, got no number"),
        ({"prediction": pl.lit(float("nan"))}, "'prediction': expected years, got no number"),
        ({"age": pl.col("age") * 12}, "they look like months"),
        ({"age": pl.col("age") - 50}, "expected years in 0..120, got -"),
        ({"age": pl.lit([1.0, 2.0])}, "expected numbers or age bins"),
        ({"gender": pl.lit([1, 2])}, "expected groups, got nested values"),
    ],
)
def test_errors_name_the_column(changes, words, predictions_frame, quick) -> None:
    with pytest.raises(DataError, match=words) as caught:
        audit(predictions_frame.with_columns(**changes), settings=quick, attributes=["gender"])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        ({"prediction": pl.lit(30.0)}, "constant_predictions"),
        ({"prediction": (pl.col("age") > 30).cast(pl.Int64)}, "binary_predictions"),
        ({"prediction": pl.col("age")}, "predictions_equal_truth"),
        ({"prediction": pl.col("prediction") * 12}, "predictions_in_months"),
        ({"prediction": pl.col("age") / 100}, "predictions_in_shares"),
        ({"prediction": pl.col("age") - 40}, "out_of_range_predictions"),
        ({"image": pl.lit("same.jpg")}, "duplicate_images"),
        ({"gender": pl.lit("female")}, "one_group"),
        (
            {"gender": pl.when(pl.col("age") > 50).then(None).otherwise("gender")},
            "unknown_values",
        ),
        (
            {"prediction": pl.when(pl.col("age") > 79).then(None).otherwise("prediction")},
            "missing_predictions",
        ),
        ({"age": pl.when(pl.col("age") > 79).then(None).otherwise("age")}, "missing_ages"),
        ({"age": (pl.col("age") // 15 * 15).cast(pl.Int64).cast(pl.String) + "+"}, "bins_across"),
    ],
)
def test_warnings_have_a_name(changes, warning, predictions_frame, quick) -> None:
    found = names(predictions_frame.with_columns(**changes), quick, attributes=["gender"])
    assert any(name.startswith(warning) for name in found), found


def test_a_good_table_has_no_warning_but_of_its_size(predictions_frame, quick) -> None:
    assert names(predictions_frame, quick) <= {"unresolved_gaps", "small_groups"}


def test_ten_thousand_groups_are_left_out_with_a_warning(quick: AuditSettings) -> None:
    n = 20_000
    table = {
        "age": np.tile([20.0, 40.0], n // 2),
        "prediction": np.tile([22.0, 41.0, 39.0, 20.0], n // 4),
        "city": np.arange(n) % 10_000,
    }
    found = audit(table, attributes=["city"], settings=quick)
    assert [attribute.name for attribute in found.models[0].attributes] == ["age_group"]
    assert found.rows.left_out == {"city": 10_000}
    assert "too_many_groups" in {warning.name for warning in found.warnings}


def test_two_hundred_groups_are_audited(quick: AuditSettings) -> None:
    n = 4000
    table = {
        "age": np.tile([20.0, 40.0], n // 2),
        "prediction": np.tile([22.0, 41.0, 39.0, 20.0], n // 4),
        "city": np.arange(n) % 200,
    }
    found = audit(table, attributes=["city"], settings=quick).models[0].attribute("city")
    assert len(found.groups) == 200
    assert (found.pairs, found.along_age) == ((), ())


def test_one_row_is_audited(quick: AuditSettings) -> None:
    found = audit({"age": [30.0], "prediction": [33.0], "sex": ["f"]}, settings=quick)
    assert found.models[0].errors.mae.value == 3
    assert found.models[0].errors.mae.low is None


@pytest.mark.parametrize(
    "options",
    [
        {"permutations": 1},
        {"min_rows": 0},
        {"legal_age": -1},
        {"challenge": 25},
        {"legal_age": 18, "wanted_rate": 2},
        {"claimed_mae": -3},
    ],
)
def test_impossible_settings_are_an_error(options: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="expected"):
        AuditSettings(**options)
