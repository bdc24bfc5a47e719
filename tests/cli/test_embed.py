"""The command `fairage embed` as a user runs it, killed and side by side with itself too."""

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

from fairage._tables_io import write_table
from fairage.embeddings import BackboneSpec, Embeddings, EmbedOptions
from fairage.embeddings import embed as embed_faces
from fairage.faces_file import read_faces
from fairage.tables import AGE, IMAGE

COMMAND = [sys.executable, "-m", "fairage", "embed"]
# Stores every batch at once, so that a short run can be killed between two shards.
EAGER = (
    "import fairage.embeddings.batcher as lane, fairage.cli.app as app\n"
    "lane.FLUSH_SECONDS = 0.0\n"
    "app.main()"
)
N = 240


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A faces table of 240 pictures, two of which are broken."""
    folder = tmp_path_factory.mktemp("faces")
    for number in range(N):
        rng = np.random.default_rng(number)
        small = rng.integers(0, 256, (5, 5, 3), dtype=np.uint8)
        assert cv2.imwrite(str(folder / f"{number:03d}.png"), cv2.resize(small, (40, 40)))
    (folder / "007.png").write_bytes(b"broken")
    (folder / "100.png").unlink()
    names = [f"{number:03d}.png" for number in range(N)]
    write_table(pl.DataFrame({IMAGE: names, AGE: [30.0] * N}), folder / "faces.parquet")
    return folder / "faces.parquet"


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("resnet")
    config = ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1])
    with torch.random.fork_rng():
        torch.manual_seed(0)
        ResNetModel(config).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps({"size": 64}))
    return folder


def run(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, *map(str, arguments)]
    env = environment() | variables
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env)


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "FAIRAGE_DETECTOR"}
    return {**kept, "OMP_NUM_THREADS": "1"}


def start(table: Path, backbone: Path, store: Path) -> subprocess.Popen[bytes]:
    options = ["embed", table, "--backbone", backbone, "--store", store, "--on-error", "skip"]
    command = [sys.executable, "-c", EAGER, *map(str, options), "--batch-size", "4"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment())


def shards(store: Path) -> int:
    return len([path for path in store.glob("*/*.safetensors") if path.name[0] != "."])


def embedded(table: Path, backbone: Path, store: Path) -> Embeddings:
    specs = [BackboneSpec(str(backbone))]
    return embed_faces(
        read_faces(table),
        EmbedOptions(backbones=specs, store=store, batch_size=4, on_error="skip"),
    )


@pytest.fixture(scope="module")
def undisturbed(
    table: Path, backbone: Path, tmp_path_factory: pytest.TempPathFactory
) -> Embeddings:
    return embedded(table, backbone, tmp_path_factory.mktemp("undisturbed"))


@pytest.mark.slow
def test_killed_at_any_moment_it_goes_on_to_the_same_values(
    table: Path, backbone: Path, undisturbed: Embeddings, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    for stop_at in (3, 17):
        process = start(table, backbone, store)
        deadline = time.monotonic() + 120
        while shards(store) < stop_at and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "it was over before it could be killed"
    rest = embedded(table, backbone, store)
    assert 0 < rest.new < N - 3 * 4
    np.testing.assert_array_equal(rest.rows, undisturbed.rows)
    np.testing.assert_array_equal(rest.values, undisturbed.values)


@pytest.mark.slow
def test_two_processes_at_once_share_a_store(
    table: Path, backbone: Path, undisturbed: Embeddings, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    both = [start(table, backbone, store) for _ in range(2)]
    assert [process.wait(timeout=180) for process in both] == [0, 0]
    after = embedded(table, backbone, store)
    assert after.new == 0
    np.testing.assert_array_equal(after.values, undisturbed.values)


def test_summary_as_json(table: Path, backbone: Path, tmp_path: Path) -> None:
    options = ["--backbone", f"{backbone}@crop:0.5", "--store", tmp_path, "--on-error", "skip"]
    done = run(table, *options, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["faces"], told["embedded"], told["new"], told["cached"]) == (240, 238, 238, 0)
    assert [(each["row"], Path(each["image"]).name) for each in told["failed"]] == [
        (8, "007.png"),
        (101, "100.png"),
    ]
    assert told["dim"] == 16
    assert told["backbones"][0]["view"] == "crop:0.5"


def test_faces_not_found_are_counted(table: Path, backbone: Path, tmp_path: Path) -> None:
    options = ["--backbone", f"{backbone}@aligned", "--on-error", "skip"]
    done = run(table, *options, "--store", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "No face found in 238: aligned views show the middle" in done.stdout
    again = run(table, *options, "--store", tmp_path, "--json")
    told = json.loads(again.stdout)
    assert (told["new"], told["no_face"], told["backbones"][0]["view"]) == (0, 238, "aligned")


def test_summary_for_people_lists_what_failed(table: Path, backbone: Path, tmp_path: Path) -> None:
    done = run(table, "--backbone", backbone, "--store", tmp_path, "--on-error", "skip")
    assert done.returncode == 0, done.stderr
    assert "238 new, 0 cached" in done.stdout
    assert "Failed: row 8 " in done.stdout
    assert "16 numbers a face" in done.stdout


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ([], "row 8"),
        (["--view", "middle"], "expected a view"),
        (["--view", "aligned", "--detector", "none.onnx"], "got no file"),
        (["--engine", "ray"], "No such option: --engine"),
        (["--on-error", "stop"], "is not one of 'fail', 'skip'"),
        (["--device", "abacus"], "expected a device"),
        (["--backbone", "no/such/folder"], "expected a backbone"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(
    table: Path, backbone: Path, tmp_path: Path, options: list[str], reason: str
) -> None:
    done = run(table, "--backbone", backbone, "--store", tmp_path, *options)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert reason in done.stderr


def test_a_variable_names_the_detector(table: Path, backbone: Path, tmp_path: Path) -> None:
    options = ["--backbone", f"{backbone}@aligned", "--store", tmp_path]
    done = run(table, *options, FAIRAGE_DETECTOR="none.onnx")
    assert done.returncode == 2
    assert "got no file 'none.onnx'" in done.stderr
    assert "FAIRAGE_DETECTOR" in run("--help").stdout


def test_help_shows_an_example() -> None:
    assert "fairage embed faces.parquet" in run("--help").stdout
