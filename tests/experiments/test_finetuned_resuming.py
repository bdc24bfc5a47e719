"""A suite that is killed while a stage trains the backbone goes on with the epoch it was at."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fairage.embeddings import EmbedOptions
from fairage.experiments.plan import RunOptions
from fairage.experiments.recipe_files import recipe_from
from fairage.experiments.suite import run_suite
from fairage.tables import Faces
from fairage.training.optimizer import NetworkStepper

pytestmark = pytest.mark.usefixtures("one_thread")

EPOCHS, STEPS = 20, 4
TOLD = {
    "experiment": "4",
    "version": "deep",
    "head": {"name": "regression", "hidden": [8]},
    "training": {"epochs": EPOCHS, "learning_rate": 1e-3, "batch_size": 8, "patience": EPOCHS},
    "stages": [
        {"name": "head", "training": {"epochs": 2}},
        {"name": "deep", "train": "last:2"},
        {"name": "last", "weighting": "1b", "training": {"epochs": 2}},
    ],
}
SCRIPT = """
import json, sys
from pathlib import Path
from fairage.embeddings import EmbedOptions
from fairage.experiments.recipe_files import recipe_from
from fairage.experiments.plan import RunOptions
from fairage.experiments.suite import run_suite
from fairage.faces_file import read_faces
told, faces, backbone, store, out = sys.argv[1:]
options = RunOptions(EmbedOptions(backbones=backbone, store=store), seeds=1)
run_suite([recipe_from(json.loads(told), "test")], read_faces(faces), options, Path(out))
"""


@pytest.fixture
def run(tiny_resnet: Path, bright_faces: Faces, tmp_path: Path):
    def run(out: str) -> Path:
        store = tmp_path / f"store of {out}"
        options = RunOptions(EmbedOptions(backbones=str(tiny_resnet), store=store), seeds=1)
        run_suite([recipe_from(TOLD, "test")], bright_faces, options, tmp_path / out)
        return tmp_path / out

    return run


def tables(out: Path) -> list[bytes]:
    names = ("results.csv", "summary.csv", "4-deep/seed-0/predictions.parquet")
    return [(out / name).read_bytes() for name in names]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_kill_minus_nine_and_again_ends_with_the_tables_of_an_undisturbed_suite(
    run, tiny_resnet: Path, bright_faces: Faces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, out = tmp_path / "faces.parquet", tmp_path / "killed"
    frame = bright_faces.frame
    frame.with_columns(image=str(bright_faces.root) + "/" + frame["image"]).write_parquet(table)
    told = [json.dumps(TOLD), str(table), str(tiny_resnet), str(tmp_path / "store of killed")]
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, *told, str(out)])
    scratch = out / "4-deep" / ".seed-0.finetuning"
    while process.poll() is None and not list(scratch.glob("stage-2/checkpoint/epoch-*[0-9]")):
        time.sleep(0.01)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert not (out / "4-deep" / "seed-0").exists()
    steps: list[int] = []
    original = NetworkStepper.step
    monkeypatch.setattr(NetworkStepper, "step", lambda self: (steps.append(1), original(self))[1])
    run("killed")
    assert len(steps) < EPOCHS * STEPS
    assert not scratch.exists()
    assert tables(out) == tables(run("undisturbed"))


def test_what_a_run_killed_at_its_very_end_left_beside_it_is_removed(run, tmp_path: Path) -> None:
    out = run("whole")
    left = out / "4-deep" / ".seed-0.finetuning" / "stage-2"
    left.mkdir(parents=True)
    before = tables(out)
    run("whole")
    assert not left.parent.exists()
    assert tables(out) == before
