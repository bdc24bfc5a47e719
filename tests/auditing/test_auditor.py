"""The audit of a table from Python: files, frames and arrays."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from fairage.auditing.audit_settings import AuditSettings
from fairage.auditing.auditor import audit, column_request, one_table
from fairage.auditing.result import AuditResult
from fairage.exceptions import ConfigError, DataError, FairageError


def names(result: AuditResult) -> list[str]:
    return list(result.groups)


def test_a_frame_a_file_and_a_mapping_give_one_result(
    predictions: pl.DataFrame, tmp_path: Path
) -> None:
    predictions.write_csv(tmp_path / "vendor.csv")
    predictions.write_parquet(tmp_path / "vendor.parquet")
    results = [
        audit(predictions),
        audit(predictions.to_pandas()),
        audit(predictions.to_arrow()),
        audit(predictions.to_dict(as_series=False)),
        audit(tmp_path / "vendor.csv"),
        audit(str(tmp_path / "vendor.parquet")),
    ]
    for result in results[1:]:
        assert result.overall == results[0].overall
        assert result.gaps == results[0].gaps
        assert result.verdict == results[0].verdict


def test_arrays_are_audited_as_scikit_learn_has_them(predictions: pl.DataFrame) -> None:
    table = audit(predictions, attributes=["gender", "ethnicity"])
    groups = {name: predictions[name].to_numpy() for name in ("gender", "ethnicity")}
    ages, estimates = predictions["age"].to_numpy(), predictions["prediction"].to_numpy()
    for own in (
        groups,
        pd.DataFrame(groups),
        pl.DataFrame(groups),
        {name: list(values) for name, values in groups.items()},
    ):
        result = audit(ages, estimates, own)
        assert result.overall == table.overall
        assert result.gaps == table.gaps
    assert names(audit(ages, estimates)) == ["age_group"]


@pytest.mark.parametrize("name", ["skin", "model", "identity", "weight", "image", "score", "id"])
def test_a_given_group_is_used_whatever_its_name(name: str, predictions: pl.DataFrame) -> None:
    ages, estimates = predictions["age"], predictions["prediction"]
    result = audit(ages, estimates, {name: predictions["gender"]})
    assert names(result) == [name, "age_group"]
    assert result.bias[name].value > 1
    assert list(result.models) == ["prediction"]
    assert result.n_persons is None


def test_one_array_of_groups_has_its_own_name_or_none(predictions: pl.DataFrame) -> None:
    ages, estimates = predictions["age"].to_numpy(), predictions["prediction"].to_numpy()
    gender = predictions["gender"]
    assert names(audit(ages, estimates, gender.to_numpy())) == ["group", "age_group"]
    assert names(audit(ages, estimates, gender.to_list())) == ["group", "age_group"]
    assert names(audit(ages, estimates, gender)) == ["gender", "age_group"]
    assert names(audit(ages, estimates, gender.to_pandas())) == ["gender", "age_group"]


def test_more_groups_than_are_ever_guessed_are_used(predictions: pl.DataFrame) -> None:
    groups = {f"x{i}": predictions["gender"] for i in range(9)}
    assert len(names(audit(predictions["age"], predictions["prediction"], groups))) == 10


def test_arrays_can_bring_persons_and_weights(predictions: pl.DataFrame) -> None:
    rng = np.random.default_rng(2)
    groups = {
        "gender": predictions["gender"].to_list(),
        "who": rng.integers(0, 100, 400),
        "w": rng.uniform(0.5, 2, 400),
    }
    result = audit(
        predictions["age"], predictions["prediction"], groups, identity="who", weight="w"
    )
    assert names(result) == ["gender", "age_group"]
    assert result.n_persons == len(set(groups["who"].tolist()))


def test_attributes_may_be_one_name(predictions: pl.DataFrame) -> None:
    assert names(audit(predictions, attributes="gender")) == ["gender", "age_group"]
    assert names(audit(predictions, attributes=[])) == ["age_group"]


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([20.0, 30.0], None, ["f", "m"]), {}, "expected y_pred beside groups"),
        (("vendor.csv", [20.0, 30.0]), {}, "expected true ages beside y_pred, got str"),
        (({"age": [20.0]}, [20.0]), {}, "expected true ages beside y_pred, got dict"),
        (([20.0, 30.0], [20.0, 30.0], {"age": ["f", "m"]}), {}, "other names for attributes"),
        (([20.0, 30.0], [20.0, 30.0], {"prediction": [1, 2]}), {}, "other names for attributes"),
        (([20.0, 30.0], [20.0, 30.0], [["f", "m"], ["a", "b"]]), {}, "the shape (2, 2)"),
        (([20.0, 30.0], [20.0, 30.0], ["f"]), {}, "expected"),
        (([20.0, 30.0], [20.0]), {}, "expected"),
        (({"age": [20.0], "prediction": [20.0]},), {"on": "image"}, "expected a table to join on"),
        (({"age": [20.0], "prediction": [20.0]},), {"attributes": "gendr"}, "gendr"),
        (({"age": [20.0], "prediction": [20.0]},), {"identity": "who"}, "who"),
        (({"age": [20.0], "prediction": [None]},), {}, "expected"),
        (({"prediction": [20.0]},), {}, "expected"),
        (("no-such-file.csv",), {}, "no-such-file.csv"),
    ],
)
def test_every_mistake_is_one_clear_error(
    arguments: tuple[Any, ...], options: dict[str, Any], message: str
) -> None:
    with pytest.raises((FairageError, OSError)) as caught:
        audit(*arguments, **options)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 400


def test_attributes_are_joined_from_a_second_table(predictions: pl.DataFrame) -> None:
    people = predictions.select("image", "gender").sample(fraction=1, shuffle=True, seed=1)
    result = audit(predictions.drop("gender", "ethnicity"), join=people, on="image")
    expected = audit(predictions, attributes="gender")
    assert names(result) == ["gender", "age_group"]
    assert result.bias["gender"].value == pytest.approx(expected.bias["gender"].value)


def test_several_models_are_audited_side_by_side(predictions: pl.DataFrame) -> None:
    frame = predictions.with_columns(better=pl.col("age") + 1)
    result = audit(frame, prediction=["prediction", "better"])
    assert list(result.models) == ["prediction", "better"]
    assert result.models["better"].overall["mae"].value == pytest.approx(1)
    with pytest.raises(ConfigError, match=r"expected one model, got .* result\.models\[NAME\]"):
        result.overall  # noqa: B018  # the access is what fails
    with pytest.raises(AttributeError):
        result.nothing  # noqa: B018  # that it raises


def test_a_long_table_is_audited_by_model(predictions: pl.DataFrame) -> None:
    better = predictions.with_columns(prediction=pl.col("age") + 1)
    frame = pl.concat(
        [predictions.with_columns(model=pl.lit("a")), better.with_columns(model=pl.lit("b"))]
    )
    result = audit(frame)
    assert set(result.models) == {"a", "b"}
    assert result.models["b"].overall["mae"].n == 400
    assert result.models["a"].overall == audit(predictions).overall


def test_named_columns_are_taken_as_they_are_named(predictions: pl.DataFrame) -> None:
    frame = predictions.rename({"age": "jahre", "prediction": "schätzung", "gender": "g"})
    result = audit(frame, age="jahre", prediction="schätzung", attributes="g")
    assert result.overall == audit(predictions).overall
    assert names(result) == ["g", "age_group"]


def test_a_request_holds_what_was_named() -> None:
    request = column_request(
        age="a", prediction="p", attributes="g", identity=None, labels={"g": {"0": "f"}}
    )
    assert request.predictions == ("p",)
    assert request.attributes == ("g",)
    assert column_request(prediction=["p", ("l", "h")]).predictions == ("p", ("l", "h"))
    assert column_request().attributes is None


def test_one_table_joins_only_where_there_are_two(predictions: pl.DataFrame) -> None:
    assert one_table(predictions, None, None).rows == 400
    with pytest.raises(DataError, match="give join too"):
        one_table(predictions, None, "image")


def test_the_repr_is_short_and_says_what_matters(predictions: pl.DataFrame) -> None:
    text = repr(audit(predictions))
    assert "400 rows" in text
    assert "differ" in text
    assert len(text) < 200


def test_no_warning_is_raised_on_an_odd_table() -> None:
    table = {
        "age": [30.0, 31.0, 5.0, None, 80.0] * 12,
        "prediction": [31.0, None, -1.0, 20.0, 200.0] * 12,
        "gender": ["f", "m", None, "nan", ""] * 12,
        "identity": [1, 1, 2, 3, None] * 12,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = audit(table, settings=AuditSettings(legal_age=18, min_rows=5))
    assert result.failures.overall.value == pytest.approx(36 / 48)
