"""The commands `fairage run` and `fairage suite` as a user runs them, killed halfway too."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest
import torch
from transformers import ResNetConfig, ResNetModel

import fairage
from fairage._locks import LOCK, locked_folder
from fairage._tables_io import write_table
from fairage.faces_file import read_faces
from fairage.tables import AGE, IMAGE, SPLIT

COMMAND = [sys.executable, "-m", "fairage"]
N = 360
TABLES = ("results.csv", "summary.csv")


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures that are the brighter the older their person is, with two attributes."""
    folder = tmp_path_factory.mktemp("faces")
    rng = np.random.default_rng(0)
    ages = rng.uniform(5, 80, N).round(1)
    names = [f"{number:03d}.png" for number in range(N)]
    for name, age in zip(names, ages, strict=True):
        picture = np.clip(rng.normal(2.5 * age, 20, (40, 40, 3)), 0, 255).astype(np.uint8)
        assert cv2.imwrite(str(folder / name), picture)
    frame = pl.DataFrame(
        {
            IMAGE: names,
            AGE: ages,
            SPLIT: rng.choice(["train", "valid", "test"], N, p=[0.5, 0.25, 0.25]),
            "gender": rng.choice(["female", "male"], N),
            "expression": rng.choice(["happy", "neutral"], N),
        }
    )
    write_table(frame, folder / "faces.parquet")
    return folder / "faces.parquet"


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("resnet")
    config = ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1])
    with torch.random.fork_rng():
        torch.manual_seed(0)
        ResNetModel(config).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps({"size": 32}))
    return folder


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "quick.yaml"
    path.write_text(
        "experiment: mine\nversion: quick\nweighting: 1b\n"
        "training: {epochs: 3, learning_rate: 1e-2}\n",
        encoding="utf-8",
    )
    return path


def environment(store: Path) -> dict[str, str]:
    return {**os.environ, "FAIRAGE_CACHE": str(store), "COLUMNS": "200"}


def run(*arguments: object, store: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=environment(store),
    )


def suite(faces: Path, backbone: Path, out: Path) -> list[object]:
    common = ["--faces", faces, "--backbone", backbone, "--seeds", 2, "--workers", 2]
    return ["suite", "published", *common, "--out", out]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def undisturbed(
    faces: Path, backbone: Path, store: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A suite that nobody disturbed; recipes that do not fit these faces are left out."""
    out = tmp_path_factory.mktemp("suite")
    done = run(*suite(faces, backbone, out), store=store)
    assert done.returncode == 0, done.stderr
    assert "loss 3 was left out: " in done.stdout
    return out


def test_a_suite_writes_what_the_contract_says(undisturbed: Path) -> None:
    results = pl.read_csv(undisturbed / "results.csv", schema_overrides={"experiment": pl.String})
    assert results.columns == [
        *("experiment", "version", "seed", "mae"),
        *("gender_bias", "expression_bias", "age_bias", "average_bias"),
    ]
    versions = results["version"].unique(maintain_order=True).to_list()
    assert versions[:2] == ["baseline", "loss 1a"]
    assert results.group_by("version").len()["len"].to_list() == [2] * len(versions)
    assert (undisturbed / "0-baseline" / "seed-1" / "bundle" / "README.md").is_file()
    assert "<html" in (undisturbed / "report.html").read_text(encoding="utf-8")


def test_a_killed_suite_ends_with_the_tables_of_an_undisturbed_one(
    faces: Path, backbone: Path, store: Path, undisturbed: Path, tmp_path: Path
) -> None:
    arguments = suite(faces, backbone, tmp_path)
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        env=environment(store),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for_a_run(tmp_path, process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "results.csv").exists(), "the suite ended before it was killed"
    before = finished(tmp_path)
    done = run(*arguments, "--json", store=store)
    assert done.returncode == 0, done.stderr
    assert before <= finished(tmp_path)
    for name in TABLES:
        assert (tmp_path / name).read_bytes() == (undisturbed / name).read_bytes()


def wait_for_a_run(out: Path, process: subprocess.Popen[bytes]) -> None:
    for _ in range(6000):
        assert process.poll() is None, "the suite ended before its first run was seen"
        if finished(out):
            return
        time.sleep(0.02)
    pytest.fail("no run was finished within two minutes")


def finished(out: Path) -> set[Path]:
    return {path.relative_to(out) for path in out.glob("*/seed-*/run.json")}


def test_given_again_nothing_is_trained_anew(
    faces: Path, backbone: Path, store: Path, undisturbed: Path
) -> None:
    done = run(*suite(faces, backbone, undisturbed), store=store)
    assert done.returncode == 0, done.stderr
    assert "0 runs trained" in done.stdout
    assert "augmented copies have an embedding: 0 new" in done.stdout


def test_run_takes_recipe_files_and_shipped_names(
    faces: Path, backbone: Path, store: Path, recipe: Path, tmp_path: Path
) -> None:
    common = ("--faces", faces, "--backbone", backbone, "--out", tmp_path, "--seeds", 1)
    done = run("run", recipe, "published/0-baseline", *common, "--json", store=store)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [row["version"] for row in told["summary"]] == ["quick", "baseline"]
    assert all(0 < row["mae_mean"] < 60 for row in told["summary"])


def test_min_rows_settle_who_takes_part_and_nothing_is_trained_anew(
    faces: Path, backbone: Path, store: Path, recipe: Path, tmp_path: Path
) -> None:
    common = ("--faces", faces, "--backbone", backbone, "--out", tmp_path, "--seeds", 1, "--json")
    for min_rows, there in ((5, True), (80, False)):
        done = run("run", recipe, *common, "--min-rows", min_rows, store=store)
        assert done.returncode == 0, done.stderr
        (row,) = json.loads(done.stdout)["summary"]
        assert (row["gender_bias_mean"] is not None) == there
        assert (row["average_bias_mean"] is not None) == there
        page = (tmp_path / "report.html").read_text(encoding="utf-8")
        assert ("No attribute has two groups of 80 faces or more" in page) != there
    (written,) = tmp_path.rglob("run.json")
    assert json.loads(written.read_text(encoding="utf-8"))["min_rows"] == 5
    done = run("run", recipe, *common, "--min-rows", 1, store=store)
    assert done.returncode == 2
    assert "--min-rows" in done.stderr


def test_a_folder_of_other_runs_is_refused_and_kept(
    faces: Path, backbone: Path, store: Path, undisturbed: Path
) -> None:
    before = (undisturbed / "results.csv").read_bytes()
    arguments = [str(a) for a in suite(faces, backbone, undisturbed)] + ["--no-flip"]
    done = run(*arguments, store=store)
    assert done.returncode == 2
    assert "give another --out" in done.stderr
    assert (undisturbed / "results.csv").read_bytes() == before


STAGED = """\
experiment: mine
version: staged
training: {epochs: 2, learning_rate: 1e-2}
stages: [{name: elsewhere, data: other}, {name: here}]
"""


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("staged") / "staged.yaml"
    path.write_text(STAGED, encoding="utf-8")
    return path


def test_a_stage_trains_on_faces_that_are_handed_over(
    faces: Path, backbone: Path, store: Path, staged: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    common = ("--faces", faces, "--backbone", backbone, "--out", out, "--seeds", 1)
    done = run("run", staged, *common, "--extra-faces", f"other={faces}", store=store)
    assert done.returncode == 0, done.stderr
    told = json.loads((out / "mine-staged" / "seed-0" / "run.json").read_text())
    rows = read_faces(faces).frame[SPLIT].value_counts()
    n_train = rows.filter(pl.col(SPLIT) == "train")["count"][0]
    n_valid = rows.filter(pl.col(SPLIT) == "valid")["count"][0]
    assert [training["rows"] for training in told["trainings"]] == [N - n_valid, n_train]
    report = (out / "report.html").read_text()
    assert "staged was trained on the extra faces other as well." in report


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ([], "give --extra-faces other=TABLE"),
        (["other"], "expected --extra-faces as NAME=TABLE, got 'other'"),
        (["=x.parquet"], "expected --extra-faces as NAME=TABLE"),
        (["main=FACES"], "other than 'main'"),
        (["other=FACES", "other=FACES"], "a name of its own"),
        (["other=FACES", "more=FACES"], "got ['more'] as well"),
        (["other=nowhere.parquet"], "got no file 'nowhere.parquet'"),
    ],
)
def test_a_mistake_in_extra_faces_is_one_line_and_exit_code_2(
    told: list[str],
    message: str,
    faces: Path,
    backbone: Path,
    store: Path,
    staged: Path,
    tmp_path: Path,
) -> None:
    extra = [x for text in told for x in ("--extra-faces", text.replace("FACES", str(faces)))]
    out = tmp_path / "out"
    common = ("--faces", faces, "--backbone", backbone, "--out", out, "--seeds", 1)
    done = run("run", staged, *common, *extra, store=store)
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert message in done.stderr
    assert not out.exists()


def only_train(faces: Path, folder: Path) -> Path:
    frame = read_faces(faces).frame.with_columns(pl.lit("train").alias(SPLIT))
    write_table(frame.with_columns(str(faces.parent) + "/" + pl.col(IMAGE)), folder / "t.parquet")
    return folder / "t.parquet"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"recipe": "published/1-loss-2bb"}, "published/1-loss-2b"),
        ({"recipe": "nowhere.yaml"}, "got no file 'nowhere.yaml'"),
        ({"recipe": "published/1-loss-3"}, "weights set by hand"),
        ({"--faces": "nowhere.parquet"}, "got no file 'nowhere.parquet'"),
        ({"--backbone": "./nowhere"}, "nowhere"),
        ({"--backbone": "embedded@aligned", "--detector": "nowhere.onnx"}, "nowhere.onnx"),
        ({"--seeds": 0}, "--seeds"),
        ({"--on-error": "ignore"}, "is not one of 'fail', 'skip'"),
        ({"--faces": only_train}, "expected rows with split 'valid', got only ['train']"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    change: dict[str, object],
    message: str,
    faces: Path,
    backbone: Path,
    store: Path,
    tmp_path: Path,
) -> None:
    change = {key: v(faces, tmp_path) if callable(v) else v for key, v in change.items()}
    recipe = change.pop("recipe", "published/0-baseline")
    out = tmp_path / "out"
    options = {"--faces": faces, "--backbone": backbone, "--out": out, "--seeds": 1} | change
    done = run("run", recipe, *(x for pair in options.items() for x in pair), store=store)
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert message in done.stderr
    assert not out.exists()


def test_a_version_that_breaks_is_named_and_the_others_are_told(
    recipe: Path, faces: Path, backbone: Path, store: Path, tmp_path: Path
) -> None:
    wild = tmp_path / "wild.yaml"
    wild.write_text("experiment: mine\nversion: wild\ntraining: {learning_rate: 1e12}\n")
    out = tmp_path / "out"
    common = ["--faces", faces, "--backbone", backbone, "--seeds", 1, "--out", out]
    for workers in (1, 2):
        done = run("run", recipe, wild, *common, "--workers", workers, store=store)
        assert done.returncode == 2, done.stderr
        *notes, error = done.stderr.splitlines()
        assert all(line.startswith("note: ") for line in notes)
        assert error.startswith("error: wild, seed 0: expected a finite loss, got")
        assert error.endswith(f"report is '{out}/report.html'")
        assert finished(out) == {Path("mine-quick", "seed-0", "run.json")}
        assert pl.read_csv(out / "summary.csv")["version"].to_list() == ["quick"]
        assert "wild, seed 0: expected a finite loss" in (out / "report.html").read_text()
    done = run("run", recipe, *common, "--json", store=store)
    assert done.returncode == 0, done.stderr
    assert "wild" not in (out / "report.html").read_text()
    assert finished(out) == {Path("mine-quick", "seed-0", "run.json")}


@pytest.mark.parametrize("words", [["run", "RECIPE"], ["backbones"]])
def test_a_folder_in_which_another_command_is_at_work_is_left_alone(
    words: list[str], recipe: Path, faces: Path, backbone: Path, store: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = [str(recipe) if word == "RECIPE" else word for word in words]
    options = ["--faces", faces, "--backbone", backbone, "--seeds", 1, "--out", out]
    with locked_folder(out):
        half = out / "mine-quick" / ".seed-0.partial" / "half"
        half.parent.mkdir(parents=True)
        half.write_text("half")
        done = run(*words, *options, store=store)
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.startswith("error: expected no other command at work in")
    assert done.stderr.count("\n") == 1
    assert half.read_text() == "half"
    assert {path.name for path in out.iterdir()} == {LOCK, "mine-quick"}


@pytest.mark.parametrize("command", ["run", "suite"])
def test_help_shows_an_example(command: str, store: Path) -> None:
    done = run(command, "--help", store=store)
    assert done.returncode == 0
    assert "Example" in done.stdout


REGROUPED = """
experiment: mine
version: staged
weighting: kit
training: {epochs: 2, learning_rate: 1e-2}
stages: [{name: more, data: more, training: {epochs: 1}}, {name: own}]
"""


def test_age_edges_reach_weights_results_predictions_and_audits(
    faces: Path, backbone: Path, store: Path, tmp_path: Path
) -> None:
    (tmp_path / "staged.yaml").write_text(REGROUPED, encoding="utf-8")
    out = tmp_path / "out"
    done = run(
        *("run", tmp_path / "staged.yaml", "--faces", faces, "--extra-faces", f"more={faces}"),
        *("--backbone", backbone, "--seeds", 1, "--out", out, "--age-edges", "0,30,60"),
        *("--min-rows", 5, "--json"),
        store=store,
    )
    assert done.returncode == 0, done.stderr
    folder = out / "mine-staged" / "seed-0"
    written = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    card = json.loads((folder / "bundle" / "config.json").read_text(encoding="utf-8"))
    assert list(card["training"]["groups"]["age_group"]) == ["0-30", "30-60", "60+"]
    settings = fairage.AuditSettings(min_rows=5)
    result = fairage.audit(folder / "predictions.parquet", settings=settings)
    assert list(result.groups["age_group"]) == ["0-30", "30-60", "60+"]
    expected = written["scores"]["test"]["age_bias"]
    assert result.bias["age_group"].value == pytest.approx(expected, abs=1e-4)
    assert json.loads(done.stdout)["summary"][0]["age_bias_mean"] == pytest.approx(expected)
    assert "30-60" in (out / "report.html").read_text(encoding="utf-8")
