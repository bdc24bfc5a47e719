"""Results as plain values and as tables."""

import json
import math
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import numpy as np
import polars as pl
import pytest

from fairage.auditing.audit_settings import AuditSettings
from fairage.auditing.auditor import audit
from fairage.auditing.measures import MEASURES
from fairage.auditing.result import FRAME_PARTS, SCHEMA_VERSION, AuditResult, ModelAudit, plain
from fairage.auditing.result_parts import GroupAudit, Interval
from fairage.exceptions import ConfigError


@pytest.fixture
def full(predictions: pl.DataFrame) -> AuditResult:
    """An audit with every part: failures, persons, weights, ranges, an age check and a claim."""
    rng, n = np.random.default_rng(1), predictions.height
    ages = predictions["age"].round(0).cast(pl.Int64).cast(pl.String).to_list()
    ages[:40] = ["20-29"] * 40
    estimates: list[Any] = predictions["prediction"].cast(pl.String).to_list()
    estimates[100:130] = ["no face"] * 30
    estimates[200:240] = ["30-39"] * 40
    frame = predictions.with_columns(
        age=pl.Series(ages),
        prediction=pl.Series(estimates),
        other=predictions["prediction"],
        identity=pl.Series(rng.integers(0, 150, n)),
        w=pl.Series(rng.uniform(0.5, 2, n)),
        prediction_lower=predictions["prediction"] - 10,
        prediction_upper=predictions["prediction"] + 10,
        other_lower=predictions["prediction"] - 5,
        other_upper=predictions["prediction"] + 5,
    )
    settings = AuditSettings(min_rows=10, legal_age=18, challenge=25, claimed_mae="3.40")
    return audit(frame, prediction=["prediction", "other"], weight="w", settings=settings)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}")
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item, f"{path}[]")
    else:
        yield path, value


def test_every_value_is_plain_json(full: AuditResult) -> None:
    values = full.to_dict()
    text = json.dumps(values, allow_nan=False)
    assert json.loads(text) == values
    for path, value in leaves(values):
        assert value is None or type(value) in (str, int, float, bool), path


def test_the_keys_are_the_fields_of_the_result(full: AuditResult) -> None:
    values = full.to_dict()
    assert values["schema_version"] == SCHEMA_VERSION
    assert set(values["models"]) == {"prediction", "other"}
    model = values["models"]["prediction"]
    assert set(model) == {field.name for field in fields(ModelAudit)}
    assert all(model[name] is not None for name in model)
    group = model["groups"]["gender"]["male"]
    assert set(group) == {
        *("n", "n_persons", "mean_age", "takes_part", "reason"),
        *(key for key in MEASURES if key != "epsilon"),
    }
    assert set(group["mae"]) == {"value", "low", "high", "n", "n_persons"}
    assert model["verdict"]["kind"] == full.models["prediction"].verdict.kind
    assert values["settings"]["claimed_mae"] == "3.40"


def test_what_is_no_number_becomes_none() -> None:
    assert plain(Interval(math.nan, math.inf, None, 3)) == {
        "value": None,
        "low": None,
        "high": None,
        "n": 3,
        "n_persons": None,
    }
    assert plain({1: (np.float64(2.5), np.int64(3), np.bool_(True))}) == {"1": [2.5, 3, True]}
    assert plain(np.float64("nan")) is None


def test_a_group_is_its_facts_and_its_measures() -> None:
    group = GroupAudit("f", 3, None, 30.0, True, "", {"mae": Interval(2.0)})
    assert list(plain(group)) == ["n", "n_persons", "mean_age", "takes_part", "reason", "mae"]
    assert group["mae"].value == 2.0
    assert list(group) == ["mae"]
    assert len(group) == 1


@pytest.mark.parametrize("part", list(FRAME_PARTS))
def test_every_part_is_a_table_of_both_models(part: str, full: AuditResult) -> None:
    frame = full.to_frame(part)
    assert set(frame["model"]) == {"prediction", "other"}
    assert frame.columns == ["model", *list(FRAME_PARTS[part][0])[1:]]
    for column in ("value", "low", "high"):
        assert frame.schema[column] == pl.Float64
    assert frame["n"].null_count() == 0
    assert frame["n_persons"].dtype == pl.Int64


def test_tables_hold_the_numbers_of_the_result(full: AuditResult) -> None:
    model = full.models["other"]
    measures = full.to_frame().filter(pl.col("model") == "other")
    row = measures.filter(attribute="gender", group="male", measure="mae").row(0, named=True)
    own = model.groups["gender"]["male"]["mae"]
    assert (row["value"], row["low"], row["high"], row["n"]) == (
        own.value,
        own.low,
        own.high,
        own.n,
    )
    assert row["takes_part"]
    assert measures.filter(attribute="all", measure="mae")["value"].item() == (
        model.overall["mae"].value
    )
    gaps = full.to_frame("gaps").filter(model="other", attribute="ethnicity")
    assert gaps.height == len(model.gaps["ethnicity"])
    assert gaps["kind"].to_list() == [gap.kind for gap in model.gaps["ethnicity"]]
    cells = full.to_frame("cells").filter(model="other")
    assert cells.height == 2 * sum(len(own.cells) for own in model.intersections)
    ages = full.to_frame("age").filter(model="other", attribute="gender")
    assert ages.height == 2 * len(model.by_age.bands["gender"])


def test_the_table_of_biases_has_every_bias(full: AuditResult) -> None:
    model = full.models["other"]
    frame = full.to_frame("biases").filter(model="other")
    assert model.average_bias is not None
    assert model.average_mean_error_bias is not None
    for attribute, measure, expected in (
        ("gender", "bias", model.bias["gender"]),
        ("gender", "mean_error_bias", model.mean_error_bias["gender"]),
        ("gender", "gap", model.spread["gender"]["gap"]),
        ("gender", "ratio", model.spread["gender"]["ratio"]),
        ("gender", "gini", model.spread["gender"]["gini"]),
        ("all", "bias", model.average_bias),
        ("all", "mean_error_bias", model.average_mean_error_bias),
    ):
        row = frame.filter(attribute=attribute, measure=measure).row(0, named=True)
        assert (row["value"], row["low"], row["high"]) == (
            expected.value,
            expected.low,
            expected.high,
        )
    row = frame.filter(attribute="gender", measure="bias").row(0, named=True)
    assert row["corrected"] == model.corrected_bias["gender"]
    assert (row["floor"], row["floor_p975"]) == (
        model.floors["gender"].mean,
        model.floors["gender"].p975,
    )


def test_the_table_of_failures_has_the_rates(full: AuditResult) -> None:
    frame = full.to_frame("failures").filter(model="prediction")
    assert frame.filter(attribute="all")["value"].item() == pytest.approx(30 / 400, rel=0.5)
    own = full.models["prediction"].failures["gender"]["male"]
    assert frame.filter(attribute="gender", group="male")["value"].item() == own.value


def test_an_unknown_part_is_an_error(full: AuditResult) -> None:
    with pytest.raises(ConfigError, match="part"):
        full.to_frame("measure")


def test_parts_without_rows_are_empty_tables_with_their_columns() -> None:
    result = audit({"age": [30.0], "prediction": [31.0]})
    for part in ("gaps", "biases", "cells"):
        frame = result.to_frame(part)
        assert frame.height == 0
        assert frame.schema["value"] == pl.Float64
    json.dumps(result.to_dict(), allow_nan=False)
