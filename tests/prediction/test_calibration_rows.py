"""The faces that calibrate: their table, what is wrong with one, drawn ages, folds."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fairage.exceptions import ConfigError, DataError
from fairage.prediction import CalibrationRows, out_of_fold, person_folds


def ranges() -> CalibrationRows:
    low, high = np.array([10, 30, 70, 25]), np.array([20, 40, np.inf, 25])
    return CalibrationRows(
        np.array([17.5, 33.0, 66.0, 26.0]),
        low,
        high,
        {"gender": np.array(["female", "male", "male", "unknown"])},
        np.array(["ann", "bob", "", "ann"]),
    )


def test_rows_survive_a_file(tmp_path: Path) -> None:
    rows = ranges()
    rows.write(tmp_path / "calibration.parquet")
    back = CalibrationRows.read(tmp_path / "calibration.parquet")
    for name in ("predictions", "low", "high", "identity"):
        assert getattr(back, name).tolist() == getattr(rows, name).tolist()
    assert back.attributes["gender"].tolist() == rows.attributes["gender"].tolist()
    assert [path.name for path in tmp_path.iterdir()] == ["calibration.parquet"]


def test_the_table_holds_no_names_of_images() -> None:
    assert ranges().to_frame().columns == [
        *("prediction", "age_low", "age_high", "identity", "gender")
    ]
    exact = CalibrationRows(np.array([3.0]), np.array([4.0]), np.array([4.0]))
    assert exact.to_frame().columns == ["prediction", "age"]


def test_a_range_without_an_end_has_none_in_the_table() -> None:
    assert ranges().to_frame()["age_high"].to_list() == [20.0, 40.0, None, 25.0]


def test_a_faces_table_with_ranges_and_numbers_is_read() -> None:
    frame = pl.DataFrame(
        {
            "image": ["a.jpg", "b.jpg"],
            "prediction": [14.0, 51.0],
            "age": [15.0, 50.0],
            "age_low": [10.0, None],
            "age_high": [20.0, None],
            "gender": ["male", None],
        }
    )
    rows = CalibrationRows.from_frame(frame)
    assert (rows.low.tolist(), rows.high.tolist()) == ([10.0, 50.0], [20.0, 50.0])
    assert list(rows.attributes) == ["gender"]
    assert rows.attributes["gender"].tolist() == ["male", "unknown"]
    assert CalibrationRows.from_frame(frame, attributes=[]).attributes == {}


def test_numbers_in_text_are_numbers() -> None:
    rows = CalibrationRows.from_frame(pl.DataFrame({"prediction": ["31"], "age": ["30"]}))
    assert rows.predictions.tolist() == [31.0]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"prediction": [], "age": []}, "expected calibration faces, got none"),
        ({"age": [3.0]}, "expected the columns 'prediction' and 'age'"),
        ({"prediction": [3.0]}, "expected the columns 'prediction' and 'age'"),
        ({"prediction": [3.0, None], "age": [3, 4]}, "row 2 .*an estimate in years, got nan"),
        ({"prediction": [np.inf], "age": [3]}, "row 1 .*an estimate in years, got inf"),
        ({"prediction": ["old"], "age": [3]}, "row 1 .*an estimate in years"),
        ({"prediction": [3.0] * 3, "age": [3, -1, None]}, r"row 2 .*0..120, got -1 \(and 1 more"),
        ({"prediction": [3.0], "age": [121]}, "row 1 .*0..120, got 121"),
        ({"prediction": [3.0], "age_low": [30], "age_high": [20]}, "ends after it begins, got 20"),
    ],
)
def test_what_is_wrong_is_said(frame: dict[str, list[object]], message: str) -> None:
    with pytest.raises(DataError, match=message):
        CalibrationRows.from_frame(pl.DataFrame(frame))


def test_a_wrong_file_is_named(tmp_path: Path) -> None:
    pl.DataFrame({"age": [3.0]}).write_parquet(tmp_path / "calibration.parquet")
    with pytest.raises(DataError, match=r"^calibration.parquet: expected the columns"):
        CalibrationRows.read(tmp_path / "calibration.parquet")


@pytest.mark.parametrize("where", ["low", "gender", "identity"])
def test_arrays_have_one_length(where: str) -> None:
    arrays = {"low": np.ones(2), "gender": np.array(["f"] * 2), "identity": np.array(["a"] * 2)}
    arrays[where] = arrays[where][:1]
    with pytest.raises(DataError, match=f"expected one of '{where}' for each of 2"):
        CalibrationRows(
            np.ones(2), arrays["low"], np.ones(2), {"gender": arrays["gender"]}, arrays["identity"]
        )


def test_an_attribute_may_not_be_called_like_another_column() -> None:
    with pytest.raises(DataError, match=r"got \['age'\], which mean something else"):
        CalibrationRows(np.ones(1), np.ones(1), np.ones(1), {"age": np.array(["old"])})


def test_draws_lie_in_their_range_and_are_always_the_same() -> None:
    rows = ranges()
    draws = rows.draws()
    assert draws.shape == (4, 20)
    assert (draws[0] >= 10).all()
    assert (draws[0] < 20).all()
    assert (draws[2] >= 70).all()
    assert (draws[2] < 90).all()
    assert (draws[3] == 25).all()
    assert len(set(draws[0].tolist())) == 20
    assert (draws == ranges().draws()).all()


def test_draws_are_spread_evenly() -> None:
    n = 2000
    rows = CalibrationRows(np.full(n, 30.0), np.full(n, 20.0), np.full(n, 40.0))
    shares = np.histogram(rows.draws(), np.linspace(20, 40, 11))[0] / (20 * n)
    assert shares == pytest.approx(0.1, abs=0.01)


def test_a_range_from_90_on_has_draws_up_to_120() -> None:
    rows = CalibrationRows(np.full(50, 88.0), np.full(50, 95.0), np.full(50, np.inf))
    assert 110 < rows.draws().max() < 120


def test_ages_that_are_numbers_are_drawn_once() -> None:
    rows = CalibrationRows(np.array([3.0]), np.array([4.0]), np.array([4.0]))
    assert rows.draws().tolist() == [[4.0]]


def test_a_row_without_a_person_is_one_of_its_own() -> None:
    zeros = np.zeros(5)
    rows = CalibrationRows(zeros, zeros, zeros, identity=np.array(["", "a", "b", "", "a"]))
    assert rows.units is not None
    assert rows.units.count == 4
    assert len({int(rows.units.codes[row]) for row in (0, 1, 2, 3)}) == 4
    assert rows.units.codes[1] == rows.units.codes[4]


def test_a_part_of_the_rows_keeps_everything() -> None:
    part = ranges().rows(np.array([True, False, True, False]))
    assert part.predictions.tolist() == [17.5, 66.0]
    assert part.attributes["gender"].tolist() == ["female", "male"]
    assert part.identity is not None
    assert part.identity.tolist() == ["ann", ""]


def test_a_person_is_in_one_fold(rng: np.random.Generator) -> None:
    identity = rng.choice([f"p{i}" for i in range(30)] + [""], 200)
    folds = person_folds(200, folds=4, identity=identity)
    assert set(folds.tolist()) == {0, 1, 2, 3}
    for person in set(identity.tolist()) - {""}:
        assert len(set(folds[identity == person].tolist())) == 1
    assert len(set(folds[identity == ""].tolist())) > 1


@pytest.mark.parametrize("folds", [1, 6])
def test_folds_are_no_more_than_faces(folds: int) -> None:
    with pytest.raises(ConfigError, match=f"expected 2 to 5 folds of 5 .*got {folds}"):
        person_folds(5, folds=folds)


def test_no_row_is_estimated_by_a_model_that_saw_it() -> None:
    folds = person_folds(20)

    def fit_predict(train: np.ndarray, rest: np.ndarray) -> np.ndarray:
        assert not set(train.tolist()) & set(rest.tolist())
        assert len(train) + len(rest) == 20
        return rest.astype(float)

    assert out_of_fold(folds, fit_predict).tolist() == list(range(20))


def test_spreads_come_back_and_are_ones_where_the_model_has_none(tmp_path: Path) -> None:
    ages = np.array([20.0, 30.0])
    plain = CalibrationRows(ages, ages, ages)
    assert plain.spreads.tolist() == [1, 1]
    assert "spread" not in plain.to_frame().columns
    rows = CalibrationRows(ages, ages, ages, spreads=np.array([2.0, 4.5]))
    rows.write(tmp_path / "rows.parquet")
    again = CalibrationRows.read(tmp_path / "rows.parquet")
    assert again.spreads.tolist() == [2, 4.5]
    assert again.rows(np.array([1])).spreads.tolist() == [4.5]


@pytest.mark.parametrize("spread", [0.0, -1.0, np.nan, np.inf])
def test_a_spread_is_above_0(spread: float) -> None:
    ages = np.array([20.0, 30.0])
    with pytest.raises(DataError, match=r"row 2 of .*expected a spread above 0 years, got"):
        CalibrationRows(ages, ages, ages, spreads=np.array([2.0, spread]))
