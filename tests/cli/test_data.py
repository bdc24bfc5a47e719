"""`fairage data ...` as a person and as a script use it."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fairage.datasets.appa_real.npy_kit import encode_png
from fairage.faces_file import read_faces

N = 24
LABELS = "file,years,sex,who\n" + "".join(
    f"{n}.png,{20 + n},{'FM'[n % 2]},p{n // 2}\n" for n in range(N)
)


def fairage(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fairage", "data", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, cwd=cwd
    )


def ok(*arguments: object) -> str:
    done = fairage(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """Pictures 0 and 1 are the same; the table has other names than ours."""
    folder = tmp_path / "mine"
    folder.mkdir()
    for number in range(N):
        pixels = np.random.default_rng(max(1, number)).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        (folder / f"{number}.png").write_bytes(encode_png(pixels))
    (folder / "labels.csv").write_text(LABELS)
    return folder


@pytest.fixture
def utkface(tmp_path: Path, mine: Path) -> Path:
    folder = tmp_path / "utkface"
    folder.mkdir()
    for number in range(N):
        name = f"{20 + number}_{number % 2}_{number % 5}_{number}.jpg.chip.jpg"
        (folder / name).write_bytes((mine / f"{number}.png").read_bytes())
    (folder / "61_1_2017.jpg.chip.jpg").write_bytes(b"x")
    return folder


@pytest.fixture
def table(mine: Path) -> Path:
    """The two same pictures in two splits with different ages."""
    frame = pl.DataFrame(
        {
            "image": [f"{n}.png" for n in range(N)],
            "age": [20.0 + n for n in range(N)],
            "split": ["train", "test"] * (N // 2),
            "gender": ["female", "male"] * (N // 2),
        }
    )
    frame.write_csv(mine / "faces.csv")
    return mine / "faces.csv"


MAPPED = ["--map", "image=file", "--map", "age=years", "--map", "gender=sex"]


def test_list_tells_terms_and_addresses() -> None:
    text = ok("list")
    for words in ("appa-real", "utkface", "fairface", "folder", "research only", "CC BY 4.0"):
        assert words in text
    told = json.loads(ok("list", "--json"))
    assert [each["name"] for each in told] == ["appa-real", "utkface", "fairface", "folder"]
    assert any("appa-real-release.zip" in url for url in told[0]["download"])


def test_prepare_tells_counts_and_what_was_left_out(utkface: Path, tmp_path: Path) -> None:
    out = tmp_path / "faces.parquet"
    text = ok("prepare", "utkface", utkface, "--out", out, "--shares", "0.5,0.25,0.25")
    assert "24 faces: train " in text
    assert "61_1_2017.jpg.chip.jpg: the name has 3 fields" in text
    assert "identical images stay together (repeats: 1)" in text
    assert len(read_faces(out)) == N


def test_prepare_a_folder_with_a_map(mine: Path, tmp_path: Path) -> None:
    out = tmp_path / "out" / "faces.csv"
    values = ["--value", "gender.F=female", "--value", "gender.M=male"]
    told = json.loads(
        ok(
            *("prepare", "folder", mine, "--out", out, *MAPPED, *values),
            *("--identity-column", "who", "--seed", 3, "--json"),
        )
    )
    assert told["rows"] == N
    assert sum(told["splits"].values()) == N
    assert told["columns"] == ["image", "age", "split", "identity", "gender"]
    faces = read_faces(out)
    assert set(faces.frame["gender"]) == {"female", "male"}
    assert faces.frame.group_by("identity").agg(pl.col("split").n_unique())["split"].max() == 1


def test_prepare_takes_table_images_and_no_split(mine: Path, tmp_path: Path) -> None:
    (mine / "labels.csv").rename(tmp_path / "elsewhere.csv")
    empty = tmp_path / "empty"
    empty.mkdir()
    ok(
        *("prepare", "folder", empty, "--table", tmp_path / "elsewhere.csv", "--images", mine),
        *("--out", mine / "f.csv", *MAPPED, "--no-split"),
    )
    frame = read_faces(mine / "f.csv").frame
    assert frame.columns == ["image", "age", "gender", "age_group"]
    assert frame["image"][0] == "0.png"


def test_describe_shows_supports(table: Path) -> None:
    text = ok("describe", table)
    for words in ("Ages in", "female", "age_group", "adult", "50.0%"):
        assert words in text
    told = json.loads(ok("describe", table, "--json"))
    assert told["groups"][0] == {
        "attribute": "gender",
        "group": "female",
        "rows": {"train": 12, "test": 0, "all": 12},
        "mean_age": 31.0,
    }


def test_check_finds_writes_and_fails_on_demand(table: Path, tmp_path: Path) -> None:
    (table.parent / "5.png").write_bytes(b"")
    text = ok("check", table, "--out", tmp_path / "found.csv")
    for words in (
        "24 faces checked",
        "1 image cannot be read",
        "1 group of identical images (2 rows)",
        "train 0.png (row 1, age 20) = test 1.png (row 2, age 21): different splits, ages, gender",
    ):
        assert words in text
    assert pl.read_csv(tmp_path / "found.csv").height == 3
    done = fairage("check", table, "--fail", "--json")
    assert done.returncode == 1
    assert done.stderr == ""
    assert json.loads(done.stdout)["age_conflicts"] == 1


def test_check_of_a_sound_table_does_not_fail(table: Path) -> None:
    rows = pl.read_csv(table)[2:]
    rows.write_csv(table.with_name("sound.csv"))
    assert "no broken image" in ok("check", table.with_name("sound.csv"), "--fail")


def test_synthesize_draws_and_describes_its_bias(tmp_path: Path) -> None:
    text = ok(
        *("synthesize", "--out", tmp_path / "drawn", "--n", 30, "--balanced", "--workers", 1),
        *("--bias", "ethnicity=asian:noise=3", "--share", "gender=female:0.9"),
    )
    assert "30 drawn faces" in text
    assert "3 years" in text
    frame = read_faces(tmp_path / "drawn" / "faces.parquet").frame
    assert (frame["gender"] == "female").sum() == 27


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["prepare", "utk-face", "{mine}", "--out", "o.csv"], "Did you mean 'utkface'"),
        (["prepare", "utkface", "nowhere", "--out", "o.csv"], "no folder 'nowhere'"),
        (["prepare", "utkface", "{mine}", "--out", "o.csv"], "AGE_GENDER_RACE_TIME"),
        (["prepare", "utkface", "{utk}", "--out", "o.txt"], "ending in .parquet, .csv, .tsv"),
        (["prepare", "utkface", "{utk}", "--out", "o.csv", "--age", "apparent"], "['real']"),
        (["prepare", "appa-real", "{utk}", "--out", "o.csv", "--age", "rael"], "'real'?"),
        (["prepare", "appa-real", "{utk}", "--out", "o.csv"], "gt_avg_train.csv"),
        (["prepare", "utkface", "{utk}", "--out", "o.csv", "--shares", "0.5,0.6,1"], "sum to 1"),
        (["prepare", "utkface", "{utk}", "--out", "o.csv", "--shares", "half"], "three shares"),
        (
            ["prepare", "utkface", "{utk}", "--out", "o.csv", "--shares", "1,0,0", "--no-split"],
            "got both",
        ),
        (["prepare", "folder", "{mine}", "--out", "o.csv"], "--map image=COLUMN"),
        (["prepare", "folder", "{mine}", "--out", "o.csv", "--map", "age"], "OURS=THEIRS"),
        (
            ["prepare", "folder", "{mine}", "--out", "o.csv", "--map", "age=year"],
            "Did you mean 'years'",
        ),
        (["prepare", "folder", "{mine}", "--out", "o.csv", "--value", "x"], "COLUMN.THEIRS=OURS"),
        (["prepare", "utkface", "{utk}", "--out", "o.csv", "--identity-column", "w"], "no --map"),
        (["prepare", "utkface", "{utk}"], "--out"),
        (["describe", "none.csv"], "no file 'none.csv'"),
        (["describe", "{mine}/labels.csv"], "expected the columns ['image', 'age']"),
        (["check", "{table}", "--out", "found.txt"], "ending in .parquet, .csv, .tsv"),
        (["download", "utkface", "out"], "Aligned&Cropped"),
        (["download", "apa-real", "out"], "Did you mean 'appa-real'"),
        (["synthesize", "--out", "drawn", "--bias", "ethnicity=asian:que=1"], "Did you mean 'cue'"),
        (["synthesize", "--out", "drawn", "--share", "gender=female"], "expected a share"),
        (["lst"], "No such command 'lst'"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    arguments: list[str], words: str, mine: Path, utkface: Path, table: Path
) -> None:
    if "folder" in arguments or "labels" in arguments[-1]:
        table.unlink()
    names = {"mine": mine, "utk": utkface, "table": table}
    folder = mine.parent / "nothing-is-written-here"
    folder.mkdir()
    done = fairage(*(part.format(**names) for part in arguments), cwd=folder)
    assert list(folder.iterdir()) == []
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: ")


@pytest.mark.parametrize(
    "command", ["list", "download", "prepare", "describe", "check", "synthesize"]
)
def test_help_shows_an_example(command: str) -> None:
    text = ok(command, "--help")
    assert f"fairage data {command}" in " ".join(text.split("Example")[1].split())


def test_no_command_shows_the_commands() -> None:
    assert "synthesize" in ok()


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_says_in_one_line_how_to_go_on(workers: int, tmp_path: Path) -> None:
    out = tmp_path / "many faces"
    told = ["data", "synthesize", "--n", "20000", "--workers", str(workers), "--out", str(out)]
    command = [sys.executable, "-m", "fairage", *told]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        deadline = time.monotonic() + 60
        while not list(out.glob("images/*.jpg")) and time.monotonic() < deadline:
            time.sleep(0.02)
        running.send_signal(signal.SIGINT)
        sent = time.monotonic()
        _, said = running.communicate(timeout=60)
    assert time.monotonic() - sent < 3
    assert running.returncode == 130
    command_again = f"fairage data synthesize --n 20000 --workers {workers} --out '{out}'"
    assert said == f"error: stopped; to go on, run: {command_again}\n"
