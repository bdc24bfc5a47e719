"""Error measures of every group, against numpy's and fairlearn's."""

import numpy as np
import polars as pl
import pytest
from fairlearn.metrics import MetricFrame
from sklearn.metrics import mean_absolute_error, median_absolute_error, root_mean_squared_error

from fairage.audit.auditing import audit
from fairage.audit.settings import AuditSettings


@pytest.mark.parametrize("rows", [60, 4000])
def test_group_measures_equal_fairlearns(
    rows: int, rng: np.random.Generator, quick: AuditSettings
) -> None:
    ages = rng.uniform(5, 80, rows)
    estimates = ages + rng.normal(0, 5, rows)
    gender = rng.choice(["female", "male", "other"], rows)
    table = {"age": ages, "prediction": estimates, "gender": gender}
    found = audit(table, settings=quick).models[0].attribute("gender")
    metrics = {
        "mae": mean_absolute_error,
        "rmse": root_mean_squared_error,
        "median": median_absolute_error,
    }
    expected = MetricFrame(
        metrics=metrics, y_true=ages, y_pred=estimates, sensitive_features=gender
    ).by_group
    for group in found.groups:
        for measure in metrics:
            value = getattr(group.errors, measure).value
            assert value == pytest.approx(expected.loc[group.name, measure])


def test_measures_equal_numpys(predictions_frame: pl.DataFrame, quick: AuditSettings) -> None:
    stds = np.linspace(1, 6, predictions_frame.height)
    frame = predictions_frame.with_columns(pl.Series("age_std", stds))
    found = audit(frame, settings=quick).models[0]
    signed = (frame["prediction"] - frame["age"]).to_numpy()
    errors = np.abs(signed)
    assert found.errors.signed.value == pytest.approx(signed.mean())
    assert found.errors.p90.value == pytest.approx(np.quantile(errors, 0.9))
    assert found.errors.within[5].value == pytest.approx(np.mean(errors <= 5))
    expected = np.mean(1 - np.exp(-(errors**2) / (2 * stds**2)))
    assert found.errors.epsilon is not None
    assert found.errors.epsilon.value == pytest.approx(expected)
    male = (frame["gender"] == "male").to_numpy()
    group = found.attribute("gender").group("male")
    assert group.errors.epsilon is not None
    assert group.errors.n == male.sum()
    assert group.mean_age == pytest.approx(frame["age"].to_numpy()[male].mean())


def test_repeated_people_widen_every_interval(
    predictions_frame: pl.DataFrame, quick: AuditSettings
) -> None:
    people = [f"person {i}" for i in range(predictions_frame.height)]
    frame = pl.concat([predictions_frame.with_columns(pl.Series("identity", people))] * 4)
    alone = audit(frame.drop("identity"), settings=quick).models[0]
    known = audit(frame, settings=quick).models[0]

    def width(estimate) -> float:
        return estimate.high - estimate.low

    for measure in ("mae", "rmse", "signed", "median", "p90"):
        one, other = getattr(alone.errors, measure), getattr(known.errors, measure)
        assert one.value == pytest.approx(other.value)
        assert width(other) > 1.4 * width(one), measure
    assert width(known.errors.within[5]) > 1.7 * width(alone.errors.within[5])
    assert known.attribute("gender").group("male").units < 200


def test_rows_without_a_raters_std_are_left_out_of_epsilon_alone(quick: AuditSettings) -> None:
    table = {
        "age": [20.0, 30.0, 40.0, 50.0],
        "prediction": [21.0, 33.0, 41.0, 50.0],
        "age_std": [2.0, float("nan"), 2.0, 0.0],
        "sex": ["f", "m", "f", "m"],
    }
    found = audit(table, settings=quick).models[0]
    assert found.errors.n == 4
    assert found.errors.epsilon is not None
    assert found.errors.epsilon.n == 2
    assert found.attribute("sex").group("m").errors.epsilon is None
