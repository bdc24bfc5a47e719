"""`fairage tune` and `fairage backbones` as a user runs them, killed halfway too."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest

from fairage._tables_io import write_table
from fairage.cli.app import main
from fairage.tables import AGE, IMAGE, SPLIT

COMMAND = [sys.executable, "-m", "fairage"]
N = 150
FILES = ("trials.csv", "front.csv", "chosen.yaml", "accurate.yaml", "tuning.html")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures that are the brighter the older their person is; a recipe and a space."""
    folder = tmp_path_factory.mktemp("tune")
    rng = np.random.default_rng(0)
    ages = rng.uniform(5, 80, N).round(1)
    names = [f"{number:03d}.png" for number in range(N)]
    for name, age in zip(names, ages, strict=True):
        picture = np.clip(rng.normal(2.5 * age, 20, (64, 64, 3)), 0, 255).astype(np.uint8)
        assert cv2.imwrite(str(folder / name), picture)
    frame = pl.DataFrame(
        {
            IMAGE: names,
            AGE: ages,
            SPLIT: rng.choice(["train", "valid", "test"], N, p=[0.5, 0.3, 0.2]),
            "gender": rng.choice(["female", "male"], N),
        }
    )
    write_table(frame, folder / "faces.parquet")
    write_table(frame.filter(pl.col(AGE) < 50), folder / "young.parquet")
    write_table(frame.filter(pl.col(SPLIT) != "valid"), folder / "no-valid.parquet")
    (folder / "quick.yaml").write_text(
        "experiment: mine\nversion: quick\nhead: {name: regression, hidden: [8]}\n"
        "training: {epochs: 4, learning_rate: 1e-2}\n",
        encoding="utf-8",
    )
    (folder / "more.yaml").write_text(
        (folder / "quick.yaml").read_text(encoding="utf-8").replace("quick", "more")
        + "augmentation: {name: kit, copies: {name: groups, times: 1}}\n"
        "stages: [{name: elsewhere, data: utk, training: {epochs: 1}}, {name: here}]\n",
        encoding="utf-8",
    )
    (folder / "space.yaml").write_text(
        "weighting: {choices: [none, 1b]}\n"
        "training.learning_rate: {low: 1e-3, high: 3e-2, log: true}\n",
        encoding="utf-8",
    )
    return folder


def environment(folder: Path) -> dict[str, str]:
    cache = {"FAIRAGE_CACHE": str(folder / "cache"), "COLUMNS": "200", "OMP_NUM_THREADS": "1"}
    return {**os.environ, **cache}


def run(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=environment(folder),
    )


@pytest.fixture
def mistake(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Runs a command in this process, holds that it ends as a mistake must, returns its line."""
    monkeypatch.setenv("FAIRAGE_CACHE", str(folder / "cache"))

    def run(*arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", ["fairage", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        line = capsys.readouterr().err
        assert ended.value.code == 2, line
        assert line.startswith("error: ")
        assert line.count("\n") == 1
        return line

    return run


def tune(folder: Path, out: Path, **changes: object) -> list[object]:
    options: dict[str, object] = {
        "--faces": folder / "faces.parquet",
        "--backbone": "embedded",
        "--space": folder / "space.yaml",
        "--out": out,
        "--trials": 8,
        "--workers": 1,
    }
    recipe = changes.pop("recipe", folder / "quick.yaml")
    options |= {f"--{name.replace('_', '-')}": value for name, value in changes.items()}
    return ["tune", recipe, *(word for pair in options.items() for word in pair)]


@pytest.fixture(scope="module")
def undisturbed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("undisturbed")
    done = run(*tune(folder, out), folder=folder)
    assert done.returncode == 0, done.stderr
    assert "Chosen: trial" in done.stdout
    assert all(line.startswith("note: ") for line in done.stderr.splitlines())
    return out


def test_a_search_writes_what_the_guide_says(undisturbed: Path) -> None:
    assert {*FILES, "tuning.db"} <= {path.name for path in undisturbed.iterdir()}
    trials = pl.read_csv(undisturbed / "trials.csv")
    assert trials["trial"].to_list() == list(range(8))
    assert trials.columns[:6] == [
        *("trial", "state", "mae", "gender_bias", "age_bias", "average_bias"),
    ]


def test_a_search_killed_with_kill_9_ends_as_an_undisturbed_one(
    folder: Path, undisturbed: Path, tmp_path: Path
) -> None:
    for finished in (2, 5):
        process = subprocess.Popen(
            [*COMMAND, *map(str, tune(folder, tmp_path))],
            env=environment(folder),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for_trials(tmp_path / "tuning.db", finished, process)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not (tmp_path / "trials.csv").exists(), "the search ended before it was killed"
    done = run(*tune(folder, tmp_path), "--json", folder=folder)
    assert done.returncode == 0, done.stderr
    assert sum(json.loads(done.stdout)["trials"].values()) == 8
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (undisturbed / name).read_bytes(), name


def wait_for_trials(database: Path, wanted: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(6000):
        assert process.poll() is None, "the search ended before it was killed"
        if ended(database) >= wanted:
            return
        time.sleep(0.01)
    pytest.fail("the trials did not come within a minute")


def ended(database: Path) -> int:
    if not database.exists():
        return 0
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        try:
            query = "select count(*) from trials where state not in ('RUNNING', 'FAIL')"
            return int(connection.execute(query).fetchone()[0])
        except sqlite3.OperationalError:
            return 0


def test_several_workers_find_as_many_trials(folder: Path, tmp_path: Path) -> None:
    done = run(*tune(folder, tmp_path, workers=2, trials=4), "--json", folder=folder)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert sum(told["trials"].values()) == 4
    assert told["front"][0]["trial"] == told["accurate"]
    chosen = tmp_path / "chosen.yaml"
    common = ("--faces", folder / "faces.parquet", "--backbone", "embedded", "--seeds", 1)
    done = run("run", chosen, *common, "--out", tmp_path / "runs", folder=folder)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"recipe": "published/0-baselin"}, "published/0-baseline"),
        ({"recipe": "nowhere.yaml"}, "got no file 'nowhere.yaml'"),
        ({"faces": "nowhere.parquet"}, "got no file 'nowhere.parquet'"),
        ({"faces": "no-valid.parquet"}, "'valid'"),
        ({"space": "nowhere.yaml"}, "got none 'nowhere.yaml'"),
        ({"backbone": "./nowhere"}, "nowhere"),
        ({"recipe": "more.yaml"}, "give --extra-faces utk=TABLE"),
        ({"extra_faces": "utk"}, "--extra-faces as NAME=TABLE"),
        ({"trials": 0}, "--trials"),
        ({"delta": 2}, "--delta"),
        ({"timeout": 0}, "--timeout"),
        ({"on_error": "ignore"}, "is not one of 'fail', 'skip'"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    change: dict[str, object], message: str, folder: Path, tmp_path: Path, mistake
) -> None:
    ours = ("no-valid.parquet", "more.yaml")
    change = {name: folder / value if value in ours else value for name, value in change.items()}
    out = tmp_path / "out"
    assert message in mistake(*tune(folder, out, **change))
    assert not out.exists()


def test_a_folder_of_another_search_is_refused_and_kept(
    folder: Path, undisturbed: Path, mistake
) -> None:
    before = (undisturbed / "trials.csv").read_bytes()
    assert "give another --out" in mistake(*tune(folder, undisturbed, seeds=2))
    assert (undisturbed / "trials.csv").read_bytes() == before


def backbones(folder: Path, out: Path, *more: object) -> list[object]:
    common = ["backbones", "--faces", folder / "faces.parquet", "--out", out]
    views = ["--backbone", "embedded", "--backbone", "embedded@crop:0.7"]
    return [*common, *views, "--recipe", folder / "quick.yaml", "--seeds", 1, *more]


def test_backbones_are_compared_on_several_tables(folder: Path, tmp_path: Path) -> None:
    more = ("--faces", folder / "young.parquet", "--concatenated", "--workers", 2, "--json")
    done = run(*backbones(folder, tmp_path, *more), folder=folder)
    assert done.returncode == 0, done.stderr
    told = [(row["experiment"], row["version"]) for row in json.loads(done.stdout)["summary"]]
    names = ("embedded", "embedded crop 0.7", "all together")
    assert told == [(table, name) for table in ("faces", "young") for name in names]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("backbone",), "No such command 'backbone'"),
        (("suite", "published", "--recipe", "x.yaml"), "No such option: --recipe"),
        (("backbones", "--recipe", "x.yaml"), "got no file 'x.yaml'"),
        (("backbones", "--concatenated"), "two backbones or more"),
        (("backbones", "--backbone", "embedded"), "different backbones"),
    ],
)
def test_a_mistake_about_backbones_is_one_line(
    arguments: tuple[str, ...], message: str, folder: Path, tmp_path: Path, mistake
) -> None:
    common = ("--faces", folder / "faces.parquet", "--backbone", "embedded")
    assert message in mistake(*arguments, *common, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_help_shows_an_example(folder: Path) -> None:
    done = run("tune", "--help", folder=folder)
    assert done.returncode == 0
    assert "Example" in done.stdout


def test_a_recipe_of_copies_and_extra_faces_is_tuned(folder: Path, tmp_path: Path) -> None:
    """With two workers, whose faces come from disk."""
    extra = f"utk={folder / 'young.parquet'}"
    more = {"recipe": folder / "more.yaml", "extra_faces": extra, "trials": 3, "workers": 2}
    done = run(*tune(folder, tmp_path, **more), "--json", folder=folder)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["trials"] == {"complete": 3, "pruned": 0, "failed": 0}
    assert told["copies"] == told["new_copies"] > 0
    done = run(*tune(folder, tmp_path, **more), folder=folder)
    assert done.returncode == 0, done.stderr
    assert f"{told['copies']} augmented copies have an embedding: 0 new" in done.stdout


def test_backbones_are_compared_with_copies_and_extra_faces(folder: Path, tmp_path: Path) -> None:
    extra = ("--extra-faces", f"utk={folder / 'young.parquet'}", "--json")
    arguments = backbones(folder, tmp_path, *extra)
    arguments[arguments.index(folder / "quick.yaml")] = folder / "more.yaml"
    done = run(*arguments, folder=folder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["copies"] > 0
