"""From a folder to a table on disk: options, splits, paths, and nothing half-written."""

from pathlib import Path

import polars as pl
import pytest

from fairage.age_groups import AgeGroups
from fairage.datasets import Options, Shares, SplitOptions, prepare_faces
from fairage.exceptions import ConfigError, DataError
from fairage.faces_file import read_faces


def test_shares_replace_the_splits_of_a_data_set(bundle: Path, tmp_path: Path) -> None:
    split = SplitOptions(Shares(1, 0, 0))
    outcome = prepare_faces("appa-real", bundle, tmp_path / "out.csv", split=split)
    assert outcome.counts == {"train": 9}
    assert outcome.notes[0] == "The data set's own splits were replaced."
    assert outcome.faces.columns[:3] == ["image", "age", "split"]


def test_the_seed_decides_the_split(utkface: Path, tmp_path: Path) -> None:
    def splits(seed: int) -> list[str]:
        options = SplitOptions(Shares(0.5, 0.25, 0.25), seed)
        frame = prepare_faces("utkface", utkface, tmp_path / "out.csv", split=options).faces
        return frame["split"].to_list()

    assert splits(0) == splits(0)
    assert len({tuple(splits(seed)) for seed in range(4)}) > 1


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".tsv"])
def test_the_written_table_is_the_one_told(utkface: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / "sub" / f"faces{suffix}"
    outcome = prepare_faces("utkface", utkface, out)
    assert read_faces(out).frame.drop("age_group").equals(outcome.faces)
    assert [path.name for path in out.parent.iterdir()] == [out.name]


def test_a_data_set_that_was_moved_keeps_its_split(utkface: Path, tmp_path: Path) -> None:
    before = prepare_faces("utkface", utkface, tmp_path / "a.csv").faces["split"]
    moved = utkface.rename(tmp_path / "elsewhere")
    assert prepare_faces("utkface", moved, tmp_path / "b.csv").faces["split"].equals(before)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("utkface", Options(age="apparent"), r"--age of utkface must be one of \['real'\]"),
        ("utkface", Options(columns={"a": "b"}), "no --map for 'utkface'"),
        ("appa-real", Options(age="apparent-age"), "Did you mean 'apparent'"),
        ("appa-real", Options(table=Path("a.csv")), "no --table for 'appa-real'"),
        ("fairface", Options(age="real"), "no --age for 'fairface'"),
        ("utk", Options(), "Did you mean 'utkface'"),
    ],
)
def test_options_that_a_data_set_cannot_use(
    name: str, options: Options, words: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=words):
        prepare_faces(name, tmp_path, tmp_path / "out.csv", options)


def test_a_missing_folder_and_an_odd_suffix(utkface: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="got no folder"):
        prepare_faces("utkface", tmp_path / "none", tmp_path / "out.csv")
    with pytest.raises(DataError, match="file name ending"):
        prepare_faces("utkface", utkface, tmp_path / "out.xlsx")


def test_a_failure_leaves_the_old_table(utkface: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    prepare_faces("utkface", utkface, out)
    before = out.read_bytes()
    for path in utkface.glob("*.jpg"):
        path.unlink()
    with pytest.raises(DataError):
        prepare_faces("utkface", utkface, out)
    assert out.read_bytes() == before


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_age_groups_are_written_where_the_file_can_say_them(
    utkface: Path, tmp_path: Path, suffix: str
) -> None:
    out, edges = tmp_path / f"faces{suffix}", AgeGroups.from_edges([0, 18, 65])
    outcome = prepare_faces("utkface", utkface, out, age_groups=edges)
    in_parquet = suffix == ".parquet"
    assert read_faces(out).age_groups == (edges if in_parquet else AgeGroups())
    assert ("The age groups were left out: only Parquet can say them." in outcome.notes) == (
        not in_parquet
    )


def test_splits_are_balanced_by_the_age_groups_that_are_given(tmp_path: Path) -> None:
    ages = [15.0] * 40 + [19.0] * 40
    names = [f"{number}.png" for number in range(80)]
    for name in names:
        (tmp_path / name).write_bytes(name.encode())
    pl.DataFrame({"image": names, "age": ages}).write_csv(tmp_path / "faces.csv")
    out, shares = tmp_path / "out.parquet", SplitOptions(Shares(0.5, 0.25, 0.25))
    edges = AgeGroups.from_edges([0, 18])
    prepare_faces("folder", tmp_path, out, split=shares, age_groups=edges)
    train = read_faces(out).split("train").frame
    assert train["age_group"].value_counts().sort("age_group").rows() == [("0-18", 20), ("18+", 20)]
    again = tmp_path / "again.parquet"
    table = Options(table=out)
    prepare_faces("folder", tmp_path, again, table)
    assert read_faces(again).age_groups == edges
