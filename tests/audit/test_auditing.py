"""The audit as a whole: what goes in, what comes out."""

import builtins
import json
from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from fairage.age_groups import AgeGroups
from fairage.audit import audit, score
from fairage.audit.auditing import AuditSettings
from fairage.audit.result import AuditResult


def numbers(result: AuditResult) -> dict[str, float]:
    frame = result.to_frame()
    key = pl.concat_str("attribute", "group", "measure", separator="/")
    return dict(frame.select(key.alias("key"), "value").iter_rows())


def test_biases_equal_the_metric(predictions_frame: pl.DataFrame, quick: AuditSettings) -> None:
    found = audit(predictions_frame, settings=quick).models[0]
    ages = predictions_frame["age"].to_numpy()
    labels = {name: predictions_frame[name].to_numpy() for name in ("gender", "place")}
    labels["age_group"] = AgeGroups().assign(ages)
    expected = score(ages, predictions_frame["prediction"].to_numpy(), labels)
    assert found.errors.mae.value == pytest.approx(expected.mae)
    assert found.average_bias.bias.value == pytest.approx(expected.average_bias)
    for name, value in expected.biases.items():
        assert found.attribute(name).bias.value == pytest.approx(value)
        assert found.attribute(name).floor.bias == pytest.approx(value)


def test_frames_arrays_and_files_give_the_same(
    predictions_frame: pl.DataFrame, quick: AuditSettings, tmp_path: Path
) -> None:
    expected = numbers(audit(predictions_frame, settings=quick))
    columns = predictions_frame.to_dict(as_series=False)
    arrays = {name: np.array(values) for name, values in columns.items()}
    predictions_frame.write_parquet(tmp_path / "p.parquet")
    predictions_frame.write_csv(tmp_path / "p.csv")
    for table in (
        arrays,
        pd.DataFrame(columns),
        pd.DataFrame(columns).astype({"gender": "category", "place": object}),
        tmp_path / "p.parquet",
        str(tmp_path / "p.csv"),
    ):
        assert numbers(audit(table, settings=quick)) == pytest.approx(expected, nan_ok=True)


def test_pandas_is_read_without_pyarrow(
    predictions_frame: pl.DataFrame, quick: AuditSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = pd.DataFrame(predictions_frame.to_dict(as_series=False))
    frame.loc[3, "gender"] = None
    original = builtins.__import__

    def refuse(name: str, *rest: object) -> object:
        if name.partition(".")[0] == "pyarrow":
            raise ImportError(name)
        return original(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    found = audit(frame, settings=quick)
    assert found.rows.unknown == {"gender": 1}


def test_the_same_seed_gives_the_same_numbers(predictions_frame, quick) -> None:
    one, two = (audit(predictions_frame, settings=quick) for _ in range(2))
    assert one == two
    other = audit(predictions_frame, settings=AuditSettings(replicates=100, seed=1))
    assert other.models[0].errors.mae.low != one.models[0].errors.mae.low


def test_the_order_of_rows_changes_no_number_but_by_chance(predictions_frame, quick) -> None:
    one = audit(predictions_frame, settings=quick).models[0]
    other = audit(predictions_frame[::-1], settings=quick).models[0]
    assert one.average_bias.bias.value == pytest.approx(other.average_bias.bias.value)
    assert one.average_bias.floor.mean == pytest.approx(other.average_bias.floor.mean, rel=0.2)


def test_json_holds_every_number_and_no_nan(predictions_frame, tmp_path) -> None:
    settings = AuditSettings(replicates=50, permutations=50, legal_age=18, claimed_mae=3)
    result = audit(predictions_frame, settings=settings)
    told = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert told["schema_version"] == "2.0"
    assert set(told["models"][0]) == {
        "name", "errors", "average_bias", "attributes", "along_age", "intersections", "policy",
        "claim",
    }  # fmt: skip
    mae = told["models"][0]["errors"]["mae"]
    assert mae["n"] == 200
    assert mae["low"] < mae["value"] < mae["high"]


def test_every_number_of_the_frame_has_its_rows(predictions_frame, quick) -> None:
    frame = audit(predictions_frame, settings=quick).to_frame()
    assert frame["n"].min() >= 1
    assert {"mae", "bias", "gini", "standardised_bias"} <= set(frame["measure"])
    with_interval = frame.filter(pl.col("measure") == "mae").drop_nulls("low")
    assert (with_interval["low"] <= with_interval["value"]).all()
    assert (with_interval["value"] <= with_interval["high"]).all()


def test_results_are_frozen_and_shown_in_notebooks(predictions_frame, quick) -> None:
    result = audit(predictions_frame.rename({"gender": "<b>"}), settings=quick)
    with pytest.raises(FrozenInstanceError):
        result.name = "x"  # type: ignore[misc]  # frozen on purpose
    assert "bias of &lt;b&gt;" in result._repr_html_()


def test_several_models_stand_side_by_side_on_common_rows(predictions_frame, quick) -> None:
    frame = predictions_frame.rename({"prediction": "pred_a"}).with_columns(
        pl.when(pl.col("age") > 70).then(None).otherwise("age").alias("pred_b")
    )
    result = audit(frame, settings=quick)
    assert [model.name for model in result.models] == ["pred_a", "pred_b"]
    left = frame.filter(pl.col("age") <= 70).height
    assert {model.errors.n for model in result.models} == {left, result.n}
    assert result.rows.without_prediction == {"pred_a": 0, "pred_b": frame.height - left}


def test_age_bins_as_truth_and_as_prediction(quick: AuditSettings) -> None:
    table = {
        "age": ["20-29", "more than 70", "3-9", "20-29"],
        "pred": ["30-39", "60-69", "3-9", "10-19"],
        "race": ["a", "b", "a", "b"],
    }
    found = audit(table, settings=quick)
    assert found.rows.age_bins
    assert found.rows.prediction_bins
    assert found.models[0].errors.mae.value == 0  # neighbouring bins touch
    points = audit({**table, "pred": [33.5, 65.0, 12.0, 18.0]}, settings=quick).models[0]
    assert points.errors.mae.value == pytest.approx((3.5 + 5 + 2 + 2) / 4)
    assert points.errors.signed.value == pytest.approx((3.5 - 5 + 2 - 2) / 4)
    groups = [group.name for group in points.attribute("age_group").groups]
    assert groups == ["young", "adult", "old"]


def test_own_age_edges_make_the_groups(predictions_frame) -> None:
    settings = AuditSettings(50, 50, age_groups=AgeGroups.from_edges([0, 18, 65]))
    groups = audit(predictions_frame, settings=settings).models[0].attribute("age_group").groups
    assert [group.name for group in groups] == ["0-18", "18-65", "65+"]


def test_a_real_gap_is_beyond_chance_and_resolved(predictions_frame) -> None:
    found = audit(predictions_frame, settings=AuditSettings(300, 300)).models[0]
    gender = found.attribute("gender")
    assert gender.beyond_chance
    assert (gender.worst, gender.best) == ("male", "female")
    assert gender.pairs[0].resolved
    assert not found.attribute("place").beyond_chance


@pytest.mark.real_data
def test_farl_has_the_numbers_that_its_predictions_give(real_data: Path) -> None:
    path = real_data / "data" / "predictions" / "appa_real_test_farl.csv"
    result = audit(
        path,
        age="apparent_age_avg",
        prediction="pred_apparent_farl_exp008",
        settings=AuditSettings(replicates=200, claimed_mae=3.26),
    )
    model = result.models[0]
    assert result.rows.without_prediction == {model.name: 1}
    assert model.errors.mae.value == pytest.approx(3.4325, abs=1e-4)
    biases = {a.name: a.bias.value for a in model.attributes}
    expected = {"gender": 0.079, "expression": 0.276, "ethnicity": 0.306, "age_group": 2.390}
    assert biases == pytest.approx(expected, abs=6e-4)
    assert model.average_bias.bias.value == pytest.approx(0.763, abs=6e-4)
    assert model.average_bias.floor.mean == pytest.approx(0.228, abs=0.01)
    assert [a.name for a in model.attributes if a.beyond_chance] == ["age_group"]
    assert model.claim is not None
    assert model.claim.verdict == "not reproduced"
