"""FairFace: ages as ranges."""

from pathlib import Path

import pytest

from fairage.datasets import Shares, SplitOptions, prepare_faces
from fairage.exceptions import DataError
from fairage.faces_file import read_faces


def test_ranges_become_their_middle_and_stay_beside_it(fairface: Path, tmp_path: Path) -> None:
    outcome = prepare_faces("fairface", fairface, tmp_path / "out.parquet")
    assert outcome.counts == {"train": 3, "test": 3}
    assert outcome.faces["age"].to_list() == [1.5, 25.0, 75.0, 6.5, 15.0, 65.0]
    assert outcome.faces["age_low"].to_list() == [0, 20, 70, 3, 10, 60]
    assert outcome.faces["age_high"].to_list() == [3, 30, None, 10, 20, 70]
    assert read_faces(tmp_path / "out.parquet").attributes == ["gender", "ethnicity"]
    assert set(outcome.faces["ethnicity"]) == {"east asian"}


def test_a_tenth_of_the_training_faces_validates(fairface: Path, tmp_path: Path) -> None:
    path = fairface / "fairface_label_train.csv"
    head, first = path.read_text().splitlines()[:2]
    path.write_text("\n".join([head, *[first] * 30]))
    outcome = prepare_faces("fairface", fairface, tmp_path / "out.csv")
    assert outcome.counts == {"train": 27, "valid": 3, "test": 3}


def test_shares_replace_its_two_splits(fairface: Path, tmp_path: Path) -> None:
    split = SplitOptions(Shares(0.5, 0, 0.5))
    outcome = prepare_faces("fairface", fairface, tmp_path / "out.csv", split=split)
    assert set(outcome.counts) == {"train", "test"}
    assert any("replaced" in note for note in outcome.notes)


def test_one_label_file_is_enough_and_none_is_an_error(fairface: Path, tmp_path: Path) -> None:
    (fairface / "fairface_label_train.csv").unlink()
    assert prepare_faces("fairface", fairface, tmp_path / "out.csv").counts == {"test": 3}
    (fairface / "fairface_label_val.csv").unlink()
    with pytest.raises(DataError, match=r"fairface_label_train\.csv"):
        prepare_faces("fairface", fairface, tmp_path / "out.csv")


def test_an_unknown_range_is_an_error(fairface: Path, tmp_path: Path) -> None:
    path = fairface / "fairface_label_val.csv"
    path.write_text(path.read_text().replace("3-9", "3-10"))
    with pytest.raises(DataError, match=r"'3-10' for 'val/1\.jpg'"):
        prepare_faces("fairface", fairface, tmp_path / "out.csv")
