"""The real data sets: published counts, the known duplicates, the names that miss a field."""

from pathlib import Path

import polars as pl
import pytest

from fairage.datasets import (
    Options,
    Outcome,
    Shares,
    SplitOptions,
    check_images,
    describe_faces,
    prepare_faces,
)
from fairage.faces_file import read_faces

pytestmark = pytest.mark.real_data

TRAIN = {
    "gender": {"male": 2068, "female": 1997},
    "ethnicity": {"caucasian": 3522, "asian": 424, "afroamerican": 119},
    "expression": {"neutral": 1404, "slightlyhappy": 1784, "happy": 712, "other": 165},
    "age_group": {"young": 796, "adult": 2389, "senior": 732, "old": 148},
}


@pytest.fixture(scope="module")
def appa(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, Path]:
    out = tmp_path_factory.mktemp("appa") / "faces.parquet"
    return prepare_faces("appa-real", real_data / "data" / "appa-real", out), out


@pytest.fixture(scope="module")
def utk(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, Path]:
    out = tmp_path_factory.mktemp("utk") / "faces.parquet"
    return prepare_faces("utkface", real_data / "data" / "utkface", out), out


def test_appa_real_has_the_published_counts(appa: tuple[Outcome, Path]) -> None:
    outcome, out = appa
    assert outcome.counts == {"train": 4065, "valid": 1482, "test": 1978}
    assert outcome.skipped == ()
    assert outcome.notes == ()
    found: dict[str, dict[str, int]] = {}
    for group in describe_faces(read_faces(out)).groups:
        found.setdefault(group.attribute, {})[group.group] = group.rows["train"]
    assert found == TRAIN


def test_appa_real_has_both_ages_and_the_ratings(
    appa: tuple[Outcome, Path], real_data: Path, tmp_path: Path
) -> None:
    frame = appa[0].faces
    assert frame["age"].equals(frame["apparent_age"], check_names=False)
    assert frame.select("real_age", "age_std", "n_ratings").null_count().row(0) == (0, 0, 0)
    assert 33 < frame["n_ratings"].mean() < 36
    folder = real_data / "data" / "appa-real"
    real = prepare_faces("appa-real", folder, tmp_path / "real.csv", Options(age="real")).faces
    assert real["age"].equals(frame["real_age"], check_names=False)
    assert 3 < (real["age"] - frame["age"]).abs().mean() < 6


def test_one_image_of_appa_real_is_in_train_and_in_test(appa: tuple[Outcome, Path]) -> None:
    found = check_images(read_faces(appa[1]))
    assert not found.unreadable
    assert [[Path(image).name for image in group.images] for group in found.same] == [
        ["001583.jpg", "000385.jpg"]
    ]
    assert found.leaks[0].splits == ("train", "test")


def test_utkface_leaves_out_the_three_names_that_miss_a_field(utk: tuple[Outcome, Path]) -> None:
    outcome = utk[0]
    assert outcome.faces.height == 23_705
    assert len(outcome.skipped) == 3
    assert all("3 fields" in each.reason for each in outcome.skipped)
    assert (outcome.faces["age"].min(), outcome.faces["age"].max()) == (1, 116)


def test_utkface_has_375_groups_of_identical_images_and_205_age_conflicts(
    utk: tuple[Outcome, Path],
) -> None:
    found = check_images(read_faces(utk[1]))
    assert not found.unreadable
    assert len(found.same) == 375
    assert len(found.age_conflicts) == 205
    assert found.leaks == ()


def test_utkface_is_split_by_the_shares_in_every_group(utk: tuple[Outcome, Path]) -> None:
    frame = utk[0].faces
    for attribute in ("gender", "ethnicity"):
        counts = frame.group_by(attribute, "split").len()
        shares = counts.with_columns(pl.col("len") / pl.col("len").sum().over(attribute))
        for row in shares.iter_rows(named=True):
            wanted = 0.7 if row["split"] == "train" else 0.15
            assert row["len"] == pytest.approx(wanted, abs=0.005)


def test_a_fresh_split_of_appa_real_mends_its_leak(real_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "faces.parquet"
    split = SplitOptions(Shares(0.6, 0.2, 0.2), seed=1)
    prepare_faces("appa-real", real_data / "data" / "appa-real", out, split=split)
    assert check_images(read_faces(out)).leaks == ()
