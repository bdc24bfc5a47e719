"""`fairage weights`, as a person and as a script use it."""

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest


def fairage(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fairage", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def faces(faces_frame: pl.DataFrame, tmp_path: Path) -> Path:
    faces_frame.write_csv(tmp_path / "faces.csv")
    return tmp_path / "faces.csv"


def test_the_table_names_groups_and_the_effective_sample_size(faces: Path) -> None:
    done = fairage("weights", faces, "--weighting", "1b")
    assert done.returncode == 0, done.stderr
    for word in ("afroamerican", "age_group", "senior", "Effective sample size"):
        assert word in done.stdout


def test_shares_told_as_json_add_up(faces: Path) -> None:
    done = fairage("weights", faces, "--weighting", "2b", "--json")
    told = json.loads(done.stdout)
    gender = [g["share_of_weight"] for g in told["groups"] if g["attribute"] == "gender"]
    assert sum(gender) == pytest.approx(1)
    assert 1 <= told["effective_sample_size"] <= told["rows"]


def test_out_holds_a_weight_for_each_training_row(faces: Path, faces_frame: pl.DataFrame) -> None:
    out = faces.parent / "weights.parquet"
    assert fairage("weights", faces, "--weighting", "kit", "--out", out).returncode == 0
    rows = pl.read_parquet(out)
    train = faces_frame.filter(pl.col("split") == "train")
    assert rows["image"].to_list() == train["image"].to_list()
    assert rows["weight"].mean() == pytest.approx(1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["weights", "FACES", "--weighting", "1bb"], "Did you mean '1b'?"),
        (["weights", "nowhere.csv", "--weighting", "1b"], "got no file 'nowhere.csv'"),
        (["weights", "FACES", "--weighting", "1b", "--out", "w.xlsx"], "expected a file name"),
        (["weights", "FACES"], "--weighting"),
        (["wieghts", "FACES"], "Did you mean 'weights'?"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    faces: Path, arguments: list[str], message: str
) -> None:
    done = fairage(*[str(faces) if word == "FACES" else word for word in arguments])
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert message in done.stderr


def test_foreign_groups_are_named_by_the_weights_set_by_hand(tmp_path: Path) -> None:
    rows = {"image": ["a"], "age": [3.0], "split": ["train"], "gender": ["boy"]}
    frame = pl.DataFrame(rows).with_columns(expression=pl.lit("happy"), ethnicity=pl.lit("asian"))
    frame.write_csv(tmp_path / "faces.csv")
    done = fairage("weights", tmp_path / "faces.csv", "--weighting", "3")
    assert done.returncode == 2
    assert "'boy'" in done.stderr


def test_age_groups_are_listed_as_they_rise(faces: Path) -> None:
    edges = ["--age-edges", "0,5,18,65", "--json"]
    told = json.loads(fairage("weights", faces, "--weighting", "1b", *edges).stdout)
    names = [row["group"] for row in told["groups"] if row["attribute"] == "age_group"]
    assert names == sorted(names, key=["0-5", "5-18", "18-65", "65+"].index)
    assert len(names) > 2


def test_the_weights_set_by_hand_are_for_the_studys_age_groups(faces: Path) -> None:
    done = fairage("weights", faces, "--weighting", "3", "--age-edges", "0,18,65")
    assert done.returncode == 2
    assert "for which the study set its weights, got ['0-18', '18-65', '65+']" in done.stderr
