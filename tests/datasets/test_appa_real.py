"""APPA-REAL in its three layouts."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest

from fairage._votes import votes_array
from fairage.datasets import Options, prepare_faces
from fairage.datasets.dataset import TRAIN_COUNTS
from fairage.exceptions import ConfigError, DataError
from fairage.faces_file import read_faces
from fairage.tables import UNKNOWN

SPLITS = ["train", "valid", "test"]


def rows(folder: Path, out: Path, **options: object) -> pl.DataFrame:
    return prepare_faces("appa-real", folder, out, Options(**options)).faces  # type: ignore[arg-type]  # options by name


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_the_bundle_joins_labels_and_official_ratings(bundle: Path, tmp_path: Path) -> None:
    frame = rows(bundle, tmp_path / "out" / "faces.parquet")
    assert frame["split"].to_list() == [split for split in SPLITS for _ in range(3)]
    first = frame.row(0, named=True)
    assert first == {
        "image": str(bundle / "train_data" / "000001.jpg"),
        "age": 30.5,
        "split": "train",
        "real_age": 32.0,
        "apparent_age": 30.5,
        "age_std": 4.25,
        "n_ratings": 38.0,
        "gender": "male",
        "ethnicity": "asian",
        "expression": "happy",
    }


def test_real_ages_become_the_target(bundle: Path, tmp_path: Path) -> None:
    frame = rows(bundle, tmp_path / "faces.parquet", age="real")
    assert frame["age"].to_list()[:3] == [32.0, 42.0, 52.0]
    assert frame["apparent_age"].to_list()[:3] == [30.5, 40.5, 50.5]


def test_images_below_the_table_have_relative_paths(bundle: Path) -> None:
    frame = rows(bundle, bundle / "faces.csv")
    assert frame["image"][0] == "train_data/000001.jpg"
    assert all(Path(image).is_file() for image in read_faces(bundle / "faces.csv").images)


def test_without_the_join_only_apparent_ages_are_known(bundle: Path, tmp_path: Path) -> None:
    (bundle / "appa_real_merged.csv").unlink()
    outcome = prepare_faces("appa-real", bundle, tmp_path / "faces.csv")
    assert "real_age" not in outcome.faces.columns
    assert "real ages" in outcome.notes[0]
    with pytest.raises(DataError, match=r"expected 'appa_real_merged.csv' for real ages"):
        rows(bundle, tmp_path / "faces.csv", age="real")


@pytest.mark.parametrize("name", ["appa_real_merged.csv", "gt_avg_valid.csv"])
def test_files_that_disagree_on_an_apparent_age_are_an_error(
    bundle: Path, tmp_path: Path, name: str
) -> None:
    replace(bundle / name, "40.5", "40.75")
    with pytest.raises(DataError, match="the same apparent age"):
        rows(bundle, tmp_path / "faces.csv")


def test_a_labelled_image_that_is_missing_is_skipped_and_told(bundle: Path, tmp_path: Path) -> None:
    (bundle / "valid_data" / "000002.jpg").unlink()
    outcome = prepare_faces("appa-real", bundle, tmp_path / "faces.csv")
    assert outcome.counts == {"train": 3, "valid": 2, "test": 3}
    assert [each.name for each in outcome.skipped] == ["000002.jpg"]


def test_missing_column_and_missing_split_are_named(bundle: Path, tmp_path: Path) -> None:
    replace(bundle / "labels_metadata_test.csv", "emotion", "mood")
    with pytest.raises(DataError, match="expected the columns"):
        rows(bundle, tmp_path / "faces.csv")
    (bundle / "labels_metadata_test.csv").unlink()
    with pytest.raises(DataError, match=r"labels_metadata_test\.csv"):
        rows(bundle, tmp_path / "faces.csv")


def test_the_release_without_categories_has_no_attributes(release: Path, tmp_path: Path) -> None:
    outcome = prepare_faces("appa-real", release.parent, tmp_path / "faces.parquet")
    assert outcome.counts == {"train": 3, "valid": 3, "test": 3}
    assert read_faces(tmp_path / "faces.parquet").attributes == []
    assert outcome.faces["image"][0].endswith("train/000000.jpg_face.jpg")
    assert "no attributes" in outcome.notes[0]


@pytest.mark.usefixtures("categories")
def test_the_release_with_categories(release: Path, tmp_path: Path) -> None:
    frame = rows(release, tmp_path / "faces.parquet", age="real")
    assert frame["age"].unique().to_list() == [33.0]
    assert frame["gender"].to_list() == ["male", "female", UNKNOWN] * 3
    assert frame["ethnicity"].to_list() == ["caucasian", "asian", UNKNOWN] * 3
    assert frame["expression"].to_list() == ["happy", "neutral", UNKNOWN] * 3


def test_the_kit_is_unpacked_without_loss(kit: Path, tmp_path: Path) -> None:
    out = tmp_path / "out" / "faces.parquet"
    frame = rows(kit, out)
    assert frame["age"].to_list() == [20.5, 30.0, 41.0, 65.0] * 3
    assert frame["gender"].to_list() == ["male", "female"] * 6
    assert frame["expression"].to_list() == ["happy", "neutral"] * 6
    assert frame["image"][0] == "faces-images/train/000001.png"
    expected = np.load(kit / "data_valid.npy")[2]
    written = cv2.imread(read_faces(out).images[6], cv2.IMREAD_COLOR_RGB)
    np.testing.assert_array_equal(written, expected)


def test_an_interrupted_unpacking_goes_on(kit: Path, tmp_path: Path) -> None:
    out = tmp_path / "faces.parquet"
    first = rows(kit, out)
    folder = tmp_path / "faces-images" / "train"
    kept, lost = folder / "000001.png", folder / "000003.png"
    before, content = kept.stat().st_mtime_ns, lost.read_bytes()
    lost.unlink()
    assert rows(kit, out).equals(first)
    assert kept.stat().st_mtime_ns == before
    assert lost.read_bytes() == content


def test_images_of_another_kit_are_not_kept(kit: Path, tmp_path: Path) -> None:
    out = tmp_path / "faces.parquet"
    rows(kit, out)
    pixels = np.load(kit / "data_train.npy")
    np.save(kit / "data_train.npy", 255 - pixels)
    rows(kit, out)
    written = cv2.imread(read_faces(out).images[0], cv2.IMREAD_COLOR_RGB)
    np.testing.assert_array_equal(written, 255 - pixels[0])


def test_words_in_another_order_are_recognised(kit: Path, tmp_path: Path) -> None:
    for split in SPLITS:
        path = kit / f"meta_data_{split}.npy"
        np.save(path, np.load(path)[:, [2, 0, 1]])
    assert rows(kit, tmp_path / "faces.csv")["ethnicity"].to_list()[:2] == ["asian", "caucasian"]


def test_numbers_need_meanings(kit: Path, tmp_path: Path) -> None:
    codes = np.array([[1.0, 2.0, 1.0], [2.0, 1.0, 3.0]] * 2)
    for split in SPLITS:
        np.save(kit / f"meta_data_{split}.npy", codes)
    with pytest.raises(DataError, match=r"--value gender\.1=GROUP"):
        rows(kit, tmp_path / "faces.csv")
    values = {
        "gender": {"1": "female", "2": "male"},
        "ethnicity": {"1": "asian", "2": "caucasian"},
        "expression": {"1": "happy", "3": "other"},
    }
    frame = rows(kit, tmp_path / "faces.csv", values=values)
    assert frame.row(1, named=True)["gender"] == "male"
    assert frame["expression"].to_list()[:2] == ["happy", "other"]


def test_a_missing_value_of_the_kit_is_unknown(kit: Path, tmp_path: Path) -> None:
    meta = np.load(kit / "meta_data_train.npy")
    meta[0] = ["", "nan", "None"]
    np.save(kit / "meta_data_train.npy", meta)
    frame = rows(kit, tmp_path / "faces.csv")
    assert frame.select("gender", "ethnicity", "expression").row(0) == (UNKNOWN,) * 3
    assert frame["gender"][1] == "female"


def test_numbers_that_occur_as_often_as_published_are_understood(tmp_path: Path) -> None:
    folder, n = tmp_path / "kit", sum(TRAIN_COUNTS["gender"].values())
    folder.mkdir()
    columns = [
        np.repeat(np.arange(len(counts)), list(counts.values())) for counts in TRAIN_COUNTS.values()
    ]
    meta = np.stack(columns, axis=1)
    for split in SPLITS:
        size = n if split == "train" else 2
        np.save(folder / f"data_{split}.npy", np.zeros((size, 1, 1, 3), np.uint8))
        np.save(folder / f"labels_{split}.npy", np.full(size, 30.0))
        np.save(folder / f"meta_data_{split}.npy", meta[:size])
    frame = rows(folder, tmp_path / "faces.parquet").filter(pl.col("split") == "train")
    for attribute, counts in TRAIN_COUNTS.items():
        assert dict(frame[attribute].value_counts().iter_rows()) == counts


@pytest.mark.parametrize(
    ("name", "array", "words"),
    [
        ("data_valid.npy", np.zeros((4, 8, 8), np.uint8), "uint8 images"),
        ("data_valid.npy", np.zeros((4, 8, 8, 3), np.float32), "uint8 images"),
        ("labels_test.npy", np.array([30.0]), "as many rows"),
        ("meta_data_train.npy", np.array(["male"] * 4), "rows and columns"),
        ("meta_data_train.npy", np.array([["male"], ["female"]] * 2), "1 of them"),
        ("meta_data_test.npy", np.array([["dog", "asian", "happy"]] * 4), "'dog'"),
        ("meta_data_train.npy", np.array([[{}, 1, 2]] * 4), "without Python objects"),
        ("labels_train.npy", np.array([-3.0, 20, 30, 40]), "years in 0..120"),
    ],
)
def test_arrays_that_are_not_the_kits_are_refused(
    kit: Path, tmp_path: Path, name: str, array: np.ndarray, words: str
) -> None:
    np.save(kit / name, array, allow_pickle=True)
    with pytest.raises(DataError, match=words):
        rows(kit, tmp_path / "faces.csv")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"(4, 3)", b"(4, 3 "),
        (b"(4, 3)", b"(4, '')"),
        (b"(4, 3)", b"(1e9, )"),
        (b"<U9", b"<m8"),
        (b"<U9", b"|S9"),
        (b"m\0\0\0a\0\0\0l\0", b"m\0\0\xffa\0\0\0l\0"),
        (b"\x93NUMPY", b"PK\x03\x04xx"),
    ],
)
def test_a_file_of_the_kit_with_other_bytes_is_one_line_of_error(
    old: bytes, new: bytes, kit: Path, tmp_path: Path
) -> None:
    path = kit / "meta_data_test.npy"
    meta = np.array([["male", "asian", "happy"], ["female", "caucasian", "neutral"]] * 2)
    np.save(path, meta.astype("<U9"))
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, 1))
    with pytest.raises(DataError, match=r"meta_data_test\.npy"):
        rows(kit, tmp_path / "faces.csv")


def test_other_splits_of_the_kit_have_the_columns_of_the_first(kit: Path, tmp_path: Path) -> None:
    np.save(kit / "meta_data_valid.npy", np.array([["male"]] * 4))
    with pytest.raises(DataError, match=r"expected 3 columns in meta_data_valid\.npy"):
        rows(kit, tmp_path / "faces.csv")


def test_a_damaged_note_on_the_source_has_the_images_written_again(
    kit: Path, tmp_path: Path
) -> None:
    expected = rows(kit, tmp_path / "faces.csv")
    (tmp_path / "faces-images" / "train" / ".source").write_bytes(b"\xff\xfe")
    assert rows(kit, tmp_path / "faces.csv").equals(expected)


def test_a_row_of_the_release_without_a_file_name_is_skipped(release: Path, tmp_path: Path) -> None:
    path = release / "gt_avg_train.csv"
    path.write_text(path.read_text() + ",38,30.25,4.0,33\n")
    assert len(rows(release, tmp_path / "faces.csv")) == 9


def test_a_file_of_the_kit_that_is_missing_or_cut_is_named(kit: Path, tmp_path: Path) -> None:
    path = kit / "data_test.npy"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DataError, match="plain numpy array"):
        rows(kit, tmp_path / "faces.csv")
    (kit / "meta_data_test.npy").unlink()
    with pytest.raises(DataError, match=r"meta_data_test\.npy"):
        rows(kit, tmp_path / "faces.csv")


def test_the_kit_has_no_real_ages(kit: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="apparent ones only"):
        rows(kit, tmp_path / "faces.csv", age="real")


def test_values_are_for_the_kit_only(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\.npy kit only"):
        rows(bundle, tmp_path / "faces.csv", values={"gender": {"male": "m"}})


def test_a_folder_of_no_layout_tells_all_three(bundle: Path, tmp_path: Path) -> None:
    shutil.rmtree(bundle)
    bundle.mkdir()
    with pytest.raises(DataError, match=r"labels_metadata_train.*data_train.*gt_avg_train"):
        rows(bundle, tmp_path / "faces.csv")


GUESSES = ["file_name", "real_age", "apparent_age", "worker_age", "worker_gender"]


def write_guesses(folder: Path, split: str, name: str) -> None:
    rows = [[name, 30, age, 40, "male"] for age in (30, 31, 31, 140, "x", "")]
    lines = [",".join(map(str, row)) for row in [GUESSES, *rows]]
    (folder / f"gt_{split}.csv").write_text("\n".join(lines), encoding="utf-8")


@pytest.mark.parametrize("layout", ["bundle", "release"])
def test_single_guesses_are_counted(
    layout: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    folder = request.getfixturevalue(layout)
    official = {"bundle": ["000002", "000012", "000022"], "release": ["000000", "000010", "000020"]}
    for split, name in zip(("train", "valid", "test"), official[layout], strict=True):
        write_guesses(folder, split, f"{name}.jpg")
    done = prepare_faces("appa-real", folder, tmp_path / "faces.parquet")
    counts = votes_array(read_faces(tmp_path / "faces.parquet").frame["votes"])
    assert sorted(counts.sum(axis=1).tolist()) == [0] * (len(counts) - 3) + [4] * 3
    voted = counts[counts.sum(axis=1) > 0]
    assert voted[0, [30, 31, 100]].tolist() == [1, 2, 1]
    assert "6 guesses that are no number were ignored." in done.notes
    text = prepare_faces("appa-real", folder, tmp_path / "faces.csv")
    assert "votes" not in read_faces(tmp_path / "faces.csv").frame.columns
    assert "The raters' votes were left out: only Parquet can hold them." in text.notes
