"""The commands that use a model, on stand-ins: what they print, write, resume and refuse."""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest
from tests.prediction.graph_bundles import write_graph_bundle
from tests.prediction.stand_ins import BrightNetwork, model, picture

from fairage.cli.app import main
from fairage.prediction import Model, load
from fairage.prediction import predictions_file as file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    for number in range(12):
        faces = [(10, 10), (60, 20)][: number % 3]
        pixels = picture(*faces, red=20 * number)
        (tmp_path / "in" / f"{number:02d}.png").write_bytes(
            cv2.imencode(".png", pixels[..., ::-1])[1].tobytes()
        )
    return tmp_path


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> BrightNetwork:
    network = BrightNetwork()

    def load(source: str | None = None, **_: object) -> Model:
        assert source in (None, "bundle")
        return model(network, calibrated=True)

    monkeypatch.setattr("fairage.prediction.load", load)
    return network


def fairage(*words: object, monkeypatch: pytest.MonkeyPatch) -> int | str | None:
    monkeypatch.setattr(sys, "argv", ["fairage", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


def test_a_folder_is_shown_as_a_table(
    folder: Path,
    network: BrightNetwork,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert not fairage("predict", folder / "in", "--p-over", 18, monkeypatch=monkeypatch)
    text = capsys.readouterr().out
    assert "18 or older" in text
    assert "no face was found" in text
    assert "true age of 90\u202f% of faces" in text
    assert "how old people look" in text
    assert text.count(".png") == 4 + 4 + 8


@pytest.mark.parametrize("suffix", ["parquet", "csv", "tsv", "json"])
def test_the_name_chooses_the_format(
    suffix: str,
    folder: Path,
    network: BrightNetwork,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = folder / f"ages.{suffix}"
    assert not fairage("predict", folder / "in", "--out", out, monkeypatch=monkeypatch)
    said = capsys.readouterr().out
    assert "12 faces in 12 pictures have an age" in said
    assert "4 pictures without one:\n  4: no face was found" in said
    readers = {"parquet": pl.read_parquet, "csv": pl.read_csv, "json": pl.read_json}
    frame = (
        pl.read_csv(out, separator="\t") if suffix == "tsv" else readers[suffix](out)  # type: ignore[operator]  # functions of one kind
    )
    assert frame.height == 16
    assert frame["prediction"].null_count() == 4
    assert {"image", "face", "lower", "upper", "level", "left", "reason"} <= set(frame.columns)
    assert sorted(path.name for path in folder.iterdir()) == [f"ages.{suffix}", "in"]


def test_pictures_are_drawn_and_json_is_printed(
    folder: Path,
    network: BrightNetwork,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ("predict", folder / "in", "--show", folder / "drawn", "--json")
    assert not fairage(*words, monkeypatch=monkeypatch)
    assert len(json.loads(capsys.readouterr().out)) == 16
    drawn = sorted(path.name for path in (folder / "drawn").iterdir())
    assert drawn[:2] == ["00001-00.jpg", "00002-01.jpg"]
    assert len(drawn) == 12


def test_a_command_given_again_goes_on_with_the_part_that_is_missing(
    folder: Path, network: BrightNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file, "PART", 4)
    whole, out = folder / "whole.parquet", folder / "ages.parquet"
    assert not fairage("predict", folder / "in", "--out", whole, monkeypatch=monkeypatch)
    written = file.write_table
    parts: list[Path] = []

    def stop_at_the_third(frame: pl.DataFrame, path: Path) -> None:
        if len(parts) == 2:
            raise KeyboardInterrupt
        parts.append(path)
        written(frame, path)

    monkeypatch.setattr(file, "write_table", stop_at_the_third)
    assert fairage("predict", folder / "in", "--out", out, monkeypatch=monkeypatch) == 130
    assert not out.exists()
    monkeypatch.setattr(file, "write_table", written)
    network.batches.clear()
    assert not fairage("predict", folder / "in", "--out", out, monkeypatch=monkeypatch)
    assert sum(network.batches) == 5
    assert pl.read_parquet(out).equals(pl.read_parquet(whole))
    assert sorted(path.name for path in folder.iterdir()) == ["ages.parquet", "in", "whole.parquet"]


def test_a_table_that_was_corrected_is_read_again(
    folder: Path, network: BrightNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file.shutil, "rmtree", lambda _: None)  # the parts stay
    table, out = folder / "faces.csv", folder / "ages.parquet"
    for age in (20.0, 30.0):
        pl.DataFrame({"image": ["in/01.png"], "age": [age]}).write_csv(table)
        assert not fairage("predict", table, "--out", out, monkeypatch=monkeypatch)
        assert set(pl.read_parquet(out)["age"]) == {age}
    seen = len(network.batches)
    assert not fairage("predict", table, "--out", out, monkeypatch=monkeypatch)
    assert len(network.batches) == seen
    drawn = folder / "drawn"
    assert not fairage("predict", table, "--out", out, "--show", drawn, monkeypatch=monkeypatch)
    assert [path.name for path in drawn.iterdir()] == ["00001-01.jpg"]


def test_an_end_that_nothing_bounds_is_null_in_json(
    folder: Path,
    network: BrightNetwork,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ("predict", folder / "in" / "01.png", "--level", 0.99999, "--json")
    assert not fairage(*words, monkeypatch=monkeypatch)
    text = capsys.readouterr().out
    assert "Infinity" not in text
    first = json.loads(text)[0]
    assert (first["lower"], first["upper"]) == (0, None)  # nobody is younger than 0
    assert first["prediction"] > 0


def test_calibrating_says_what_it_rests_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = write_graph_bundle(tmp_path / "red")
    reds = np.linspace(20, 240, 60).round()
    for row, red in enumerate(reds):
        cv2.imwrite(str(tmp_path / f"{row}.png"), np.full((16, 16, 3), (0, 0, red)))
    splits = ["valid", "test"] * 30
    columns = {"image": [f"{row}.png" for row in range(60)], "real_age": 0.4 * reds + 5}
    frame = pl.DataFrame({**columns, "age": 0.4 * reds, "split": splits})
    frame.write_csv(tmp_path / "faces.csv")
    words = ["calibrate", bundle, tmp_path / "faces.csv", "--crops", "--map", "--json"]
    words += ["--age", "real_age", "--split", "valid", "--out", tmp_path / "mine"]
    assert not fairage(*words, monkeypatch=monkeypatch)
    assert json.loads(capsys.readouterr().out)["faces"] == 30
    mine = load(tmp_path / "mine")
    assert (mine.target, load(bundle).target) == ("real", "apparent")
    (face,) = mine.predict(tmp_path / "30.png", crops=True)
    assert face.age == pytest.approx(0.4 * reds[30] + 5, abs=0.1)


def test_a_picture_that_changed_is_seen_again(
    folder: Path, network: BrightNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file, "PART", 4)
    monkeypatch.setattr(file.shutil, "rmtree", lambda _: None)  # the parts stay
    out = folder / "ages.parquet"
    assert not fairage("predict", folder / "in", "--out", out, monkeypatch=monkeypatch)
    before = pl.read_parquet(out)
    changed = folder / "in" / "01.png"
    changed.write_bytes(cv2.imencode(".png", picture((10, 10), red=250)[..., ::-1])[1].tobytes())
    network.batches.clear()
    assert not fairage("predict", folder / "in", "--out", out, monkeypatch=monkeypatch)
    assert sum(network.batches) == 3
    after = pl.read_parquet(out)
    assert after["prediction"][1] > before["prediction"][1] + 50


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("predict", "no/such.jpg", "--out", "ages.txt"), "ending in .parquet, .csv, .tsv, .json"),
        (("predict", "empty"), "expected at least one picture"),
        (("predict", "in", "--level", "90"), "expected a level between 0 and 1"),
        (("predict", "in", "--least-score", "7"), "less than or equal to 1"),
        (("calibrate", "bundle", "faces.csv", "--out", "mine", "--age", "real_age"), "'real_age'"),
        (("calibrate", "bundle", "faces.csv", "--out", "mine"), "at least 20 faces"),
    ],
)
def test_mistakes_are_one_line(
    words: tuple[str, ...],
    message: str,
    folder: Path,
    network: BrightNetwork,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folder)
    (folder / "empty").mkdir()
    pl.DataFrame({"image": ["in/01.png"], "age": [3.0]}).write_csv(folder / "faces.csv")
    assert fairage(*words, monkeypatch=monkeypatch) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert message in error


def test_a_missing_picture_is_a_row(
    folder: Path, network: BrightNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = folder / "ages.csv"
    assert not fairage("predict", "no/such.jpg", "--out", out, monkeypatch=monkeypatch)
    frame = pl.read_csv(out)
    assert frame["image"].to_list() == ["no/such.jpg"]
    assert "got none at" in frame["reason"][0]
