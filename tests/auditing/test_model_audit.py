"""The audit of one model: its parts hang together."""

import json

import numpy as np
import polars as pl
import pytest

from fairage.age_groups import AgeGroups
from fairage.auditing.audit_settings import AuditSettings
from fairage.auditing.auditor import audit
from fairage.auditing.result import AuditResult, ModelAudit
from fairage.auditing.result_parts import ALL, DIFFER, MAE, TELL, WITHIN, Interval
from fairage.auditing.scoring import score
from fairage.exceptions import DataError
from fairage.tables import AGE_GROUP, UNKNOWN


def withheld(rng: np.random.Generator, missing: int) -> AuditResult:
    """Two groups of one error; of the first, this many of 214 faces have no estimate."""
    n = 3000
    ages, women = rng.uniform(20, 60, n), np.arange(n) < 214
    estimates = ages + rng.normal(0, 1.5, n)
    estimates[:missing] = np.nan
    gender = np.where(women, "female", "male")
    return audit(ages, estimates, {"gender": gender, "place": rng.choice(["a", "b"], n)})


def test_values_are_those_of_the_one_scoring_function(predictions: pl.DataFrame) -> None:
    result = audit(predictions)
    expected = score(
        predictions["age"],
        predictions["prediction"],
        {
            "gender": predictions["gender"],
            "ethnicity": predictions["ethnicity"],
            AGE_GROUP: AgeGroups().assign(predictions["age"]),
        },
    )
    assert result.overall[MAE].value == pytest.approx(expected.mae)
    assert result.average_bias.value == pytest.approx(expected.average_bias)
    for name, value in expected.biases.items():
        assert result.bias[name].value == pytest.approx(value), name


def test_groups_know_who_they_are(predictions: pl.DataFrame) -> None:
    groups = audit(
        predictions.with_columns(
            gender=pl.when(pl.int_range(pl.len()) < 50).then(None).otherwise(pl.col("gender"))
        )
    ).groups
    assert {name: own.reason for name, own in groups["gender"].items()} == {
        "female": "",
        "male": "",
        UNKNOWN: "unknown",
    }
    assert groups["ethnicity"]["c"].reason == "too small"
    assert not groups["ethnicity"]["c"].takes_part
    own = predictions.filter(ethnicity="b")
    assert groups["ethnicity"]["b"].n == own.height
    assert groups["ethnicity"]["b"].mean_age == pytest.approx(own["age"].mean())
    assert groups["ethnicity"]["b"].n_persons is None


def test_rows_of_small_groups_still_count_elsewhere(predictions: pl.DataFrame) -> None:
    result = audit(predictions)
    assert result.overall[MAE].n == 400
    assert sum(own.n for own in result.groups["ethnicity"].values()) == 400
    assert sum(own.n for own in result.groups["gender"].values()) == 400
    assert result.verdict.left_out[0][:2] == ("ethnicity", "c")
    assert result.bias["ethnicity"].n == 400 - result.groups["ethnicity"]["c"].n


def test_one_models_gaps_do_not_shrink_anothers_rows(predictions: pl.DataFrame) -> None:
    estimates = predictions["prediction"].to_list()
    frame = predictions.with_columns(other=pl.Series([None, *estimates[1:]]))
    models = audit(frame, prediction=["prediction", "other"]).models
    assert models["prediction"].overall[MAE].n == 400
    assert models["other"].overall[MAE].n == 399
    assert models["other"].failures.overall.value == pytest.approx(1 / 400)
    assert models["other"].failures.reasons == {"missing": 1}


def test_even_estimates_of_equal_groups_lie_within_the_margin(rng: np.random.Generator) -> None:
    result = withheld(rng, 0)
    assert result.verdicts["gender"].kind == WITHIN
    assert result.verdict.kind == WITHIN
    assert result.failures.mae_if_withheld == {}


def test_who_withholds_87_of_214_hard_faces_is_never_within_the_margin(
    rng: np.random.Generator,
) -> None:
    result = withheld(rng, 87)
    assert result.failures.verdicts["gender"].kind == DIFFER
    for verdict in (result.verdicts["gender"], result.verdict):
        assert (verdict.kind, verdict.reason) == (TELL, "failures differ")
        assert verdict.rows_needed is None
    assert result.verdicts["place"].kind == WITHIN
    mae, instead = result.overall[MAE].value, result.failures.mae_if_withheld["gender"]
    p90 = result.groups["gender"]["female"]["p90"].value
    assert instead == pytest.approx((mae * 2913 + 87 * p90) / 3000)
    assert instead > mae


def test_who_withholds_almost_a_whole_group_is_never_within_the_margin(
    rng: np.random.Generator,
) -> None:
    result = withheld(rng, 200)  # 14 faces are left: too few to be compared
    assert result.groups["gender"]["female"].reason == "too small"
    assert result.verdicts["place"].kind == WITHIN
    assert (result.verdict.kind, result.verdict.reason) == (TELL, "failures differ")
    assert result.verdict.at_most is None  # of 200 faces nothing is known
    assert ("gender", "female", 14) in result.verdict.left_out


def test_persons_widen_every_interval(predictions: pl.DataFrame) -> None:
    people = pl.Series([f"person {i}" for i in range(400)])
    frame = pl.concat([predictions.with_columns(identity=people)] * 4)
    alone = audit(frame, identity="").model
    known = audit(frame, identity="identity").model
    assert (alone.n_persons, known.n_persons) == (None, 400)

    def width(own: Interval) -> float:
        assert own.low is not None
        assert own.high is not None
        return own.high - own.low

    for measure in ("mae", "mean_error", "rmse", "median", "p90", "within_5"):
        one, other = alone.overall[measure], known.overall[measure]
        assert one.value == pytest.approx(other.value)
        assert width(other) > 1.6 * width(one), measure
        assert (other.n, other.n_persons) == (1600, 400)
    assert width(known.gaps["gender"][0].interval) > 1.6 * width(alone.gaps["gender"][0].interval)
    assert known.bias["gender"].n_persons == 400
    assert known.spread["gender"]["gap"].n_persons == 400
    assert known.spread["gender"]["gap"].n == 1600
    assert known.average_bias is not None
    assert known.average_bias.n_persons == 400


def test_the_overall_figure_is_not_stratified(rng: np.random.Generator) -> None:
    ages = rng.uniform(5, 90, 120)
    estimates = ages + rng.normal(0, 1 + ages / 10)
    errors = np.abs(estimates.clip(0, 120) - ages)
    own = audit(ages, estimates.clip(0, 120)).overall[MAE]
    reach = 1.96 * errors.std(ddof=1) / np.sqrt(120)
    assert own.low is not None
    assert own.high is not None
    assert own.high - own.low == pytest.approx(2 * reach, rel=0.15)


def test_age_groups_of_ones_own_edges(predictions: pl.DataFrame) -> None:
    groups = AgeGroups.from_edges([0, 30, 60])
    result = audit(predictions, settings=AuditSettings(age_groups=groups))
    assert set(result.groups[AGE_GROUP]) == {"0-30", "30-60", "60+"}
    young = predictions.filter(pl.col("age") < 30)
    assert result.groups[AGE_GROUP]["0-30"].n == young.height


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_a_handful_of_rows_is_audited(n: int) -> None:
    result = audit(
        {
            "age": [20.0, 30, 40, 50, 60][:n],
            "prediction": [21.0, 33, 38, 50, 66][:n],
            "gender": ["f", "m", "f", "m", "x"][:n],
        },
        settings=AuditSettings(legal_age=18, min_rows=2, claimed_mae=3.0),
    )
    assert result.overall[MAE].n == n
    assert (result.overall[MAE].low is None) == (n == 1)
    json.dumps(result.to_dict(), allow_nan=False)


def test_an_mae_is_never_below_zero_and_a_mean_error_may_be() -> None:
    result = audit({"age": [20.0, 30.0], "prediction": [20.0, 40.0], "gender": ["f", "f"]})
    for own in (result.overall, result.groups["gender"]["f"]):
        assert own["mae"].low == 0
        assert own["mean_error"].low is not None
        assert own["mean_error"].low < -50
        assert own["mean_error"].high == pytest.approx(own["mae"].high)


def test_two_persons_are_audited_and_not_compared() -> None:
    table = {"age": [20.0, 30.0], "prediction": [21.0, 33.0], "identity": ["a", None]}
    result = audit(table)
    assert result.overall[MAE].low is not None
    assert result.verdict.kind == TELL


def test_rows_without_any_error_are_refused() -> None:
    table = {"age": ["30"] * 20 + ["70+"] * 20, "prediction": [None] * 20 + [60.0] * 20}
    with pytest.raises(DataError, match="expected a row that has an estimate and a true age"):
        audit(table)


def test_open_ranges_are_in_no_mean_and_in_the_failures() -> None:
    table = {
        "age": ["30"] * 40 + ["70+"] * 40,
        "prediction": [31.0] * 40 + [60.0] * 30 + [None] * 10,
        "gender": ["f", "m"] * 40,
    }
    result = audit(table)
    assert result.overall[MAE].n == 40
    assert result.failures.overall.value == pytest.approx(10 / 80)
    assert result.groups[AGE_GROUP].keys() == {"adult"}
    closed = audit(table, settings=AuditSettings(oldest=90))
    assert closed.overall[MAE].n == 70


def parts(model: ModelAudit) -> dict[str, object]:
    return {name: getattr(model, name) for name in ("overall", "bias", "verdicts", "gaps")}


def test_the_same_table_gives_the_same_numbers(predictions: pl.DataFrame) -> None:
    one, other = audit(predictions).model, audit(predictions).model
    assert parts(one) == parts(other)
    moved = audit(predictions, settings=AuditSettings(seed=1)).model
    assert moved.overall[MAE].value == one.overall[MAE].value
    assert moved.gaps != one.gaps


def test_curves_and_bands_have_everybody(predictions: pl.DataFrame) -> None:
    result = audit(predictions, settings=AuditSettings(legal_age=18))
    assert sum(band.n for band in result.by_age.bands[ALL]) == 400
    assert set(result.age_check.curves) == {ALL, "gender", "ethnicity"}
    assert result.age_check.minors + result.age_check.adults == 400
