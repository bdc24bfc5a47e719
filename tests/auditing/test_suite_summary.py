"""The two tables of a suite, and what its intervals promise."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from tests.auditing.suite_factory import make_suite

from fairage.auditing.auditor import audit
from fairage.auditing.distributions import student_quantile
from fairage.auditing.scoring import AVERAGE_BIAS, MAE
from fairage.auditing.suite_estimates import mean_estimate, satterthwaite
from fairage.auditing.suite_runs import SuiteRuns, VersionRuns, persons_of, score_predictions
from fairage.auditing.suite_statistics import results_frame, suite_statistics, summary_frame
from fairage.exceptions import DataError

TWO = {"baseline": {"female": 3.0, "male": 5.0}, "b": {"female": 4.0, "male": 4.1}}


def changed(runs: SuiteRuns, change: Callable[[pl.DataFrame], pl.DataFrame]) -> SuiteRuns:
    """Return the suite with every predictions table changed."""
    versions = tuple(
        replace(version, predictions=tuple(map(change, version.predictions)))
        for version in runs.versions
    )
    return replace(runs, versions=versions)


def test_results_have_a_row_a_version_and_seed() -> None:
    frame = results_frame(make_suite(TWO, seeds=2, noise=0, own=0, luck=0))
    assert frame.columns == [
        "experiment", "version", "seed", "mae", "gender_bias", "age_bias", "average_bias"
    ]  # fmt: skip
    assert frame["version"].to_list() == ["baseline", "baseline", "b", "b"]
    assert frame["seed"].to_list() == [0, 1, 0, 1]
    assert frame["mae"].to_list() == pytest.approx([4.0, 4.0, 4.05, 4.05])
    assert frame["gender_bias"].to_list() == pytest.approx([2.0, 2.0, 0.1, 0.1])
    mean = (frame["gender_bias"] + frame["age_bias"]) / 2
    assert frame["average_bias"].to_list() == pytest.approx(mean.to_list())


def test_results_are_the_scores_of_the_predictions() -> None:
    runs = make_suite(TWO)
    frame = results_frame(runs)
    for version in runs.versions:
        scores = [score_predictions(table) for table in version.predictions]
        own = frame.filter(version=version.version)
        assert own["average_bias"].to_list() == pytest.approx([s.average_bias for s in scores])


def test_a_bias_that_a_version_lacks_is_null_and_its_average_is_not_compared() -> None:
    runs = make_suite(TWO)
    bare = replace(
        runs.versions[1], predictions=tuple(f.drop("gender") for f in runs.versions[1].predictions)
    )
    runs = replace(runs, versions=(runs.versions[0], bare))
    assert results_frame(runs)["gender_bias"].is_null().to_list() == [False] * 3 + [True] * 3
    summary = summary_frame(runs)
    for name in ("mean", "low", "floor", "corrected", "change"):
        assert summary[f"gender_bias_{name}"][1] is None
    assert summary["average_bias_mean"][1] == pytest.approx(summary["age_bias_mean"][1])
    assert summary["average_bias_change"][1] is None, "means of other attributes"
    assert summary["age_bias_change"][1] is not None
    assert summary["mae_change"][1] is not None


def test_small_groups_take_no_part_and_no_attribute_gives_null() -> None:
    runs = make_suite(TWO, n=100)
    table = results_frame(replace(runs, min_rows=60))
    assert table["gender_bias"].is_null().all()
    assert table["average_bias"].is_null().all()
    summary = summary_frame(replace(runs, min_rows=60))
    assert summary["average_bias_mean"].is_null().all()
    assert summary["mae_low"].is_not_null().all()
    assert not summary_frame(runs)["gender_bias_mean"].is_null().any()


def test_every_column_is_there_for_each_metric() -> None:
    summary = summary_frame(make_suite(TWO))
    ends = ["mean", "sd", "low", "high"]
    changes = ["change", "change_low", "change_high", "change_resolved"]
    for metric in ("gender_bias", "age_bias", "average_bias"):
        floors = ["corrected", "floor", "floor_p975"]
        wanted = [f"{metric}_{name}" for name in (*ends, *floors, *changes)]
        assert [name for name in summary.columns if name.startswith(metric)] == wanted
    own = [name for name in summary.columns if name.startswith("mae")]
    assert own == [f"mae_{name}" for name in (*ends, *changes)]
    assert summary.schema["gender_bias_change_resolved"] == pl.Boolean


def test_mean_and_sd_are_over_seeds_and_the_floor_is_of_equal_groups() -> None:
    runs = make_suite({"baseline": {"female": 3.0, "male": 5.0}}, luck=0.3)
    results, summary = results_frame(runs), summary_frame(runs)
    assert summary["seeds"].item() == 3
    assert summary["mae_mean"].item() == pytest.approx(results["mae"].mean())
    assert summary["mae_sd"].item() == pytest.approx(np.std(results["mae"].to_numpy(), ddof=1))
    error = math.sqrt(2 / 200) * 1.02  # of the difference between two groups of 200 faces
    assert summary["gender_bias_floor"].item() == pytest.approx(error * 0.8, rel=0.1)
    assert summary["gender_bias_floor_p975"].item() == pytest.approx(error * 2.24, rel=0.1)


def test_one_seed_has_no_sd_and_the_interval_of_the_audit() -> None:
    runs = make_suite({"baseline": {"female": 3.0, "male": 3.6}}, seeds=1)
    summary = summary_frame(runs)
    assert summary["mae_sd"].item() is None
    model = audit(runs.versions[0].predictions[0]).model
    for column, interval in (
        ("mae", model.overall["mae"]),
        ("gender_bias", model.bias["gender"]),
        ("age_bias", model.bias["age_group"]),
    ):
        for end in ("low", "high"):
            assert summary[f"{column}_{end}"].item() == pytest.approx(
                getattr(interval, end), abs=0.03
            ), column


def test_a_bias_is_above_0_only_where_the_audit_finds_a_pair_that_differs() -> None:
    def low(gap: float) -> float:
        runs = make_suite({"baseline": {"female": 3.0, "male": 3.0 + gap}}, seeds=1)
        differs = audit(runs.versions[0].predictions[0]).model.verdicts["gender"].differing
        value = summary_frame(runs)["gender_bias_low"].item()
        assert bool(differs) == (value > 0)
        return value

    assert low(0.2) == 0
    assert low(0.6) > 0.1


def test_the_luck_of_training_is_in_the_interval() -> None:
    lucky, steady = (
        summary_frame(make_suite({"baseline": {"f": 3.0, "m": 5.0}}, luck=luck)).row(0, named=True)
        for luck in (0.5, 0.0)
    )
    assert lucky["mae_high"] - lucky["mae_low"] > 3 * (steady["mae_high"] - steady["mae_low"])
    error = math.hypot(1 / math.sqrt(400), lucky["mae_sd"] / math.sqrt(3))
    assert (lucky["mae_high"] - lucky["mae_low"]) / 2 > 2 * error


def test_the_reach_of_a_mean_is_students_with_satterthwaites_degrees() -> None:
    values, face = [4.0, 4.3, 3.9], 0.1
    estimate = mean_estimate(values, (np.mean(values) - 1.96 * face, 9.0), 400)
    luck = np.var(values, ddof=1) / 3
    degrees = satterthwaite([(luck, 2.0), (face**2, 399.0)])
    expected = student_quantile(0.975, degrees) * math.sqrt(luck + face**2)
    assert estimate.value - estimate.low == pytest.approx(expected, rel=1e-4)


def test_the_interval_of_a_bias_joins_its_seeds() -> None:
    statistics = suite_statistics(make_suite(TWO, luck=0.2, own=1.0))
    for estimate in (v.metrics["gender_bias"] for v in statistics.versions):
        assert estimate.seeds.sd is not None
        luck = student_quantile(0.975, 2) * estimate.seeds.sd / math.sqrt(3)
        low = max(estimate.value - math.hypot(estimate.below, luck), 0)
        assert estimate.low == pytest.approx(low)
        assert estimate.high == pytest.approx(estimate.value + math.hypot(estimate.above, luck))


def test_changes_are_paired_so_that_what_faces_do_to_both_cancels() -> None:
    errors = {"baseline": {"f": 6.0, "m": 8.0}, "b": {"f": 5.5, "m": 7.5}}
    summary = summary_frame(make_suite(errors, noise=2.0, own=0, luck=0))
    change = summary.row(1, named=True)
    assert summary["mae_change"][0] is None
    assert change["mae_change"] == pytest.approx(-0.5)
    assert change["mae_change_low"] == pytest.approx(-0.5)
    assert change["mae_change_high"] == pytest.approx(-0.5)
    assert change["mae_change_resolved"] is True
    assert change["mae_high"] - change["mae_low"] > 0.3
    assert change["gender_bias_change"] == pytest.approx(0, abs=1e-9)
    assert change["gender_bias_change_resolved"] is False


def test_identical_versions_are_not_resolved() -> None:
    summary = summary_frame(make_suite({"baseline": TWO["b"], "b": TWO["b"]}, own=0, luck=0))
    row = summary.row(1, named=True)
    assert (row["mae_change"], row["mae_change_low"], row["mae_change_high"]) == (0, 0, 0)
    assert row["mae_change_resolved"] is False


def test_a_large_change_is_resolved_and_a_small_one_is_not() -> None:
    def row(gap: float) -> dict[str, object]:
        errors = {"baseline": {"f": 3.0, "m": 5.0}, "b": {"f": 4 - gap / 2, "m": 4 + gap / 2}}
        return summary_frame(make_suite(errors, seeds=5)).row(1, named=True)

    large, small = row(0.2), row(1.99)
    assert large["gender_bias_change_resolved"] is True
    assert large["gender_bias_change_high"] < 0
    assert small["gender_bias_change_resolved"] is False


def test_with_one_seed_nothing_is_resolved() -> None:
    errors = {"baseline": {"f": 3.0, "m": 9.0}, "b": {"f": 5.0, "m": 5.1}}
    row = summary_frame(make_suite(errors, seeds=1)).row(1, named=True)
    assert row["average_bias_change_high"] < 0
    assert row["average_bias_change_resolved"] is False
    mixed = make_suite(errors, seeds={"baseline": 4, "b": 1})
    assert summary_frame(mixed)["average_bias_change_resolved"].to_list() == [None, False]


def test_persons_widen_the_interval_where_identities_are_known() -> None:
    def width(persons: int | None) -> float:
        def change(frame: pl.DataFrame) -> pl.DataFrame:
            if persons is None:
                return frame
            names = [f"p{i // (400 // persons)}" for i in range(400)]
            # all faces of a person share their error
            off = pl.Series([3.0 + (i // (400 // persons)) % 7 for i in range(400)])
            return frame.with_columns(
                pl.Series("identity", names), (pl.col("age") + off).alias("prediction")
            )

        row = summary_frame(changed(make_suite({"baseline": TWO["b"]}), change)).row(0, named=True)
        return row["mae_high"] - row["mae_low"]

    def as_rows(frame: pl.DataFrame) -> pl.DataFrame:
        off = pl.Series([3.0 + (i // 10) % 7 for i in range(400)])
        return frame.with_columns((pl.col("age") + off).alias("prediction"))

    rows = summary_frame(changed(make_suite({"baseline": TWO["b"]}), as_rows)).row(0, named=True)
    assert width(40) > 2.5 * (rows["mae_high"] - rows["mae_low"])


def test_a_row_without_identity_is_a_person_of_its_own() -> None:
    units = persons_of(pl.DataFrame({"identity": ["a", None, "a", "N/A", ""]}))
    assert units is not None
    assert units.count == 4
    assert units.codes[0] == units.codes[2]
    assert persons_of(pl.DataFrame({"image": ["a"]})) is None
    assert (
        persons_of(pl.DataFrame({"identity": [None, None]}, schema={"identity": pl.String})) is None
    )


def test_versions_on_different_faces_keep_intervals_and_have_no_change() -> None:
    runs = make_suite({**TWO, "c": TWO["b"]})
    other = replace(
        runs.versions[1], predictions=tuple(f.head(300) for f in runs.versions[1].predictions)
    )
    runs = replace(runs, versions=(runs.versions[0], other, runs.versions[2]))
    assert runs.face_sets == [[0, 2], [1]]
    summary = summary_frame(runs)
    assert summary["mae_low"].is_not_null().all()
    assert summary["mae_change"].is_null().to_list() == [True, True, False]


def test_each_set_of_faces_has_a_baseline_of_its_own() -> None:
    runs = make_suite(TWO)
    shorter = tuple(
        VersionRuns(
            "table", f"{v.version} again", v.title, "", None,
            tuple(f.head(300) for f in v.predictions),
        )
        for v in runs.versions
    )  # fmt: skip
    summary = summary_frame(replace(runs, versions=(*runs.versions, *shorter)))
    assert summary["mae_change"].is_null().to_list() == [True, False, True, False]


def test_seeds_on_different_faces_are_an_error() -> None:
    runs = make_suite(TWO)
    first = runs.versions[0]
    broken = replace(first, predictions=(first.predictions[0], first.predictions[1].head(10)))
    with pytest.raises(DataError, match="expected the same faces for every seed"):
        summary_frame(replace(runs, versions=(broken,)))


def test_a_suite_without_runs_is_an_error() -> None:
    with pytest.raises(DataError, match="run the suite first"):
        suite_statistics(SuiteRuns("t", (), {}))


def test_seeds_are_numbered_where_the_table_does_not_name_them() -> None:
    runs = changed(make_suite({"baseline": TWO["b"]}, seeds=2), lambda frame: frame.drop("seed"))
    assert results_frame(runs)["seed"].to_list() == [0, 1]


def test_the_order_of_versions_does_not_change_their_numbers() -> None:
    runs = make_suite({**TWO, "c": {"female": 3.5, "male": 4.0}})
    turned = replace(runs, versions=runs.versions[::-1])
    one = summary_frame(runs).sort("version")
    other = summary_frame(turned).sort("version")
    for column in ("mae_low", "average_bias_corrected", "average_bias_high"):
        assert one[column].to_list() == pytest.approx(other[column].to_list(), abs=1e-9)


def test_a_test_set_of_one_face_has_no_interval() -> None:
    runs = changed(make_suite({"baseline": TWO["b"]}, seeds=2), lambda frame: frame.head(1))
    row = summary_frame(runs).row(0, named=True)
    assert row["mae_mean"] > 0
    assert row["mae_low"] is None
    assert row[f"{AVERAGE_BIAS}_mean"] is None


def test_only_the_winner_that_is_below_every_other_is_the_lowest() -> None:
    errors = {
        "baseline": {"f": 3.0, "m": 5.0},
        "b": {"f": 3.2, "m": 4.8},
        "c": {"f": 3.95, "m": 4.05},
    }
    statistics = suite_statistics(make_suite(errors, seeds=5))
    comparison = statistics.face_sets[0].comparison
    assert comparison.lowest(AVERAGE_BIAS, [0, 1, 2]) == 2
    assert comparison.lowest(MAE, [0, 1, 2]) is None
    assert comparison.lowest(AVERAGE_BIAS, [2]) is None
    twin = {**errors, "d": {"f": 3.95, "m": 4.06}}
    comparison = suite_statistics(make_suite(twin, seeds=5)).face_sets[0].comparison
    assert comparison.lowest(AVERAGE_BIAS, [0, 1, 2, 3]) is None
    assert comparison.is_lower(AVERAGE_BIAS, 2, 0)
