"""A table of one's own."""

import sys
from pathlib import Path

import polars as pl
import pytest

from fairage.auditing.coding import code_column
from fairage.datasets import Options, Outcome, SplitOptions, prepare_faces
from fairage.datasets.folder import parse_columns, parse_values
from fairage.exceptions import ConfigError, DataError, FairageError
from fairage.faces_file import check_faces, read_faces
from fairage.tables import UNKNOWN, group_labels

COLUMNS = {"image": "file", "age": "AgeInYears", "gender": "sex", "identity": "person"}


def prepare(mine: Path, **options: object) -> Outcome:
    chosen = {"images": mine / "pictures", "columns": COLUMNS, **options}
    return prepare_faces("folder", mine, mine.parent / "out.parquet", Options(**chosen))  # type: ignore[arg-type]  # options by name


def test_columns_are_mapped_and_the_rest_is_told(mine: Path) -> None:
    outcome = prepare(mine)
    assert outcome.faces.columns == ["image", "age", "split", "identity", "gender"]
    assert outcome.faces["gender"].to_list()[5:] == ["M", UNKNOWN, "M"]
    assert [(each.name, each.reason) for each in outcome.skipped] == [
        ("row 9", "no image or no age"),
        ("9.png", "labelled, but there is no such image file"),
    ]
    assert outcome.notes[0].startswith("Columns left out: camera;")
    assert all(Path(image).is_file() for image in read_faces(mine.parent / "out.parquet").images)


def test_no_person_is_in_two_splits(mine: Path) -> None:
    frame = prepare(mine).faces
    assert frame.group_by("identity").agg(pl.col("split").n_unique())["split"].max() == 1


def test_no_library_for_pictures_is_needed(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("cv2", "PIL"):
        monkeypatch.setitem(sys.modules, name, None)
    assert prepare(mine).faces.height == 8


def test_values_are_mapped(mine: Path) -> None:
    frame = prepare(mine, values={"gender": {"F": "female", "M": "male"}}).faces
    assert set(frame["gender"]) == {"female", "male", UNKNOWN}


def test_own_splits_can_be_renamed(mine: Path) -> None:
    table = pl.read_csv(mine / "labels.csv").with_columns(pl.lit("val").alias("part"))
    table.write_csv(mine / "labels.csv")
    columns = {**COLUMNS, "split": "part"}
    outcome = prepare(mine, columns=columns, values={"split": {"val": "valid"}})
    assert outcome.counts == {"valid": 8}
    with pytest.raises(DataError, match="column 'split': expected one of"):
        prepare(mine, columns=columns)


def test_urls_are_kept(tmp_path: Path) -> None:
    pl.DataFrame({"image": ["https://a/1.jpg", "https://a/2.jpg"], "age": [3, 4]}).write_parquet(
        tmp_path / "faces.parquet"
    )
    outcome = prepare_faces("folder", tmp_path, tmp_path / "out.csv")
    assert outcome.faces["image"].to_list() == ["https://a/1.jpg", "https://a/2.jpg"]


@pytest.mark.parametrize(("name", "columns"), [("votes", {}), ("guesses", {"votes": "guesses"})])
def test_votes_are_kept_under_their_own_name_and_mapped(
    tmp_path: Path, name: str, columns: dict[str, str]
) -> None:
    counts = [[0] * 20 + [3] + [0] * 80, [0] * 30 + [1, 2] + [0] * 69]
    images = [f"https://a/{number}.jpg" for number in range(2)]
    pl.DataFrame({"image": images, "age": [20.0, 31.0], name: counts}).write_parquet(
        tmp_path / "faces.parquet"
    )
    outcome = prepare_faces(
        "folder", tmp_path, tmp_path / "out.parquet", Options(columns=columns), SplitOptions()
    )
    assert not any("left out" in note for note in outcome.notes)
    assert read_faces(tmp_path / "out.parquet").frame["votes"].to_list() == counts


def test_a_number_may_be_an_attribute(mine: Path) -> None:
    outcome = prepare(mine, columns={**COLUMNS, "group": "person"})
    assert "group" in read_faces(mine.parent / "out.parquet").attributes
    assert outcome.faces["group"][0] == "1"


def test_a_table_without_splits_may_stay_so(mine: Path) -> None:
    outcome = prepare_faces(
        "folder",
        mine,
        mine.parent / "out.csv",
        Options(images=mine / "pictures", columns=COLUMNS),
        SplitOptions(skip=True),
    )
    assert "split" not in outcome.faces.columns
    assert outcome.counts == {}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"columns": {**COLUMNS, "age": "AgeInYear"}}, "Did you mean 'AgeInYears'"),
        ({"columns": {"image": "file"}}, "--map age=COLUMN"),
        ({"columns": {}}, "--map image=COLUMN --map age=COLUMN"),
        ({"values": {"sex": {"F": "f"}}}, "column in --value"),
        ({"values": {"gender": {"W": "f"}}}, "value of 'gender' in --value"),
        ({"table": Path("none.csv")}, "got no file"),
        ({"images": Path("nowhere")}, "got no folder 'nowhere'"),
        ({"columns": {**COLUMNS, "age": "camera"}}, "column 'age': expected a number, got"),
        ({"images": None}, "10 were left out"),
    ],
)
def test_mistakes_say_what_to_do(mine: Path, options: dict[str, object], words: str) -> None:
    with pytest.raises(FairageError, match=words):
        prepare(mine, **options)


def test_a_folder_without_a_table_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--table FILE"):
        prepare_faces("folder", tmp_path, tmp_path / "out.csv")


@pytest.mark.parametrize("text", ["age", "=x", "age=", ""])
def test_maps_that_are_none(text: str) -> None:
    with pytest.raises(ConfigError, match="OURS=THEIRS"):
        parse_columns([text])


def test_maps_that_clash() -> None:
    with pytest.raises(ConfigError, match="got two"):
        parse_columns(["age=a", "age=b"])
    with pytest.raises(ConfigError, match="derived from the age"):
        parse_columns(["age_group=bin"])


@pytest.mark.parametrize("text", ["gender", "gender=female", "gender.F", "gender.F=", ".F=f"])
def test_values_that_are_none(text: str) -> None:
    with pytest.raises(ConfigError, match=r"COLUMN\.THEIRS=OURS"):
        parse_values([text])


GROUPS = [
    ["Male", " Male ", "male", "m", "n/a", "NA", "none", "-", "?", "", "null", "Unknown", None],
    ["unspecified", "dark", "DARK", "dark ", "not specified"],
    ["0", " 1", "1.0", "-1", "NA"],
    ["-1", "1", "nan"],
    [0, 1, -1, None],
    [1.0, 0.0, float("nan"), -1.0],
    [True, False, None],
]


@pytest.mark.parametrize("values", GROUPS)
@pytest.mark.parametrize("column", ["gender", "glasses"])
def test_a_column_has_the_groups_that_an_audit_sees_in_it(
    tmp_path: Path, column: str, values: list[object]
) -> None:
    images = [f"https://a/{n}.jpg" for n in range(len(values))]
    frame = pl.DataFrame({"image": images, "age": [30.0] * len(values), column: values})
    frame.write_parquet(tmp_path / "faces.parquet")
    coded = code_column(frame[column], column)
    audited = [coded.names[code] for code in coded.codes]
    options = Options(columns={column: column})
    prepared = prepare_faces("folder", tmp_path, tmp_path / "out.parquet", options).faces
    for table in (prepared, check_faces(frame)):
        assert group_labels(table, column).tolist() == audited


def test_a_value_that_looks_missing_is_a_group_where_it_is_named(mine: Path) -> None:
    table = pl.read_csv(mine / "labels.csv").with_columns(
        pl.Series("help", ["none", "some", "?"] + ["some"] * 7), pl.Series("state", [-1, 0] * 5)
    )
    table.write_csv(mine / "labels.csv")
    columns = {**COLUMNS, "disability": "help", "race": "state"}
    values = {"disability": {"none": "no disability"}, "race": {"-1": "other"}}
    frame = prepare(mine, columns=columns, values=values).faces
    assert frame["disability"].to_list()[:3] == ["no disability", "some", UNKNOWN]
    assert frame["race"].to_list()[:2] == ["other", "0"]


def test_numbers_that_are_no_groups_are_an_error(mine: Path) -> None:
    table = pl.read_csv(mine / "labels.csv").with_columns(
        pl.Series("ita", [0.5 + n for n in range(10)])
    )
    table.write_csv(mine / "labels.csv")
    with pytest.raises(DataError, match=r"'skin': expected groups, got 10 different numbers"):
        prepare(mine, columns={**COLUMNS, "skin": "ita"})


def test_every_column_left_out_and_every_missing_value_is_told(mine: Path) -> None:
    table = pl.read_csv(mine / "labels.csv").with_columns(
        pl.Series("ita", [0.5 + n for n in range(10)]), pl.Series("person", ["-"] * 2 + ["a"] * 8)
    )
    table.write_csv(mine / "labels.csv")
    notes = prepare(mine).notes
    assert notes[0].startswith("Columns left out: camera, ita;")
    assert notes[-1] == "Without a value (unknown): gender 1 row, identity 2 rows."


def test_an_identity_of_very_many_rows_is_told(mine: Path) -> None:
    rows = [(f"https://a/{n}.jpg", 30.0, "0" if n < 30 else f"{n}") for n in range(100)]
    pl.DataFrame(rows, schema=["file", "AgeInYears", "person"], orient="row").write_csv(
        mine / "labels.csv"
    )
    columns = {name: COLUMNS[name] for name in ("image", "age", "identity")}
    assert prepare(mine, columns=columns).notes[-1].startswith("The identity '0' has 30 of 100")
