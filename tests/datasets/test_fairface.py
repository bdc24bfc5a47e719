"""FairFace: ages as ranges."""

from pathlib import Path

import pytest

from fairage.datasets import Shares, SplitOptions, prepare_faces
from fairage.exceptions import DataError
from fairage.tables import read_faces


def test_ranges_become_their_middle_and_stay_beside_it(fairface: Path, tmp_path: Path) -> None:
    outcome = prepare_faces("fairface", fairface, tmp_path / "out.parquet")
    assert outcome.counts == {"train": 3, "valid": 3}
    assert outcome.faces["age"].to_list() == [1.0, 24.5, 75.0, 6.0, 14.5, 64.5]
    assert outcome.faces["age_low"].to_list() == [0, 20, 70, 3, 10, 60]
    assert outcome.faces["age_high"].to_list() == [2, 29, None, 9, 19, 69]
    assert read_faces(tmp_path / "out.parquet").attributes == ["gender", "ethnicity"]
    assert set(outcome.faces["ethnicity"]) == {"east asian"}


def test_shares_replace_its_two_splits(fairface: Path, tmp_path: Path) -> None:
    split = SplitOptions(Shares(0.5, 0, 0.5))
    outcome = prepare_faces("fairface", fairface, tmp_path / "out.csv", split=split)
    assert set(outcome.counts) == {"train", "test"}
    assert any("replaced" in note for note in outcome.notes)


def test_one_label_file_is_enough_and_none_is_an_error(fairface: Path, tmp_path: Path) -> None:
    (fairface / "fairface_label_train.csv").unlink()
    assert prepare_faces("fairface", fairface, tmp_path / "out.csv").counts == {"valid": 3}
    (fairface / "fairface_label_val.csv").unlink()
    with pytest.raises(DataError, match=r"fairface_label_train\.csv"):
        prepare_faces("fairface", fairface, tmp_path / "out.csv")


def test_an_unknown_range_is_an_error(fairface: Path, tmp_path: Path) -> None:
    path = fairface / "fairface_label_val.csv"
    path.write_text(path.read_text().replace("3-9", "3-10"))
    with pytest.raises(DataError, match=r"'3-10' for 'val/1\.jpg'"):
        prepare_faces("fairface", fairface, tmp_path / "out.csv")
