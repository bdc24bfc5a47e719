"""Killed at any moment and called again, a fine-tuning ends as an undisturbed one does."""

import runpy
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from fairage.embeddings import BackboneSpec, EmbedOptions
from fairage.models import AgeHead
from fairage.objectives import OBJECTIVES
from fairage.objectives.fairness import FAIRNESS
from fairage.training import Selection, finetuning
from fairage.training import checkpoint as checkpoint_module
from fairage.training.data import ImageRows
from fairage.training.finetuning import FineTuned, finetune
from fairage.training.optimizer import NetworkStepper
from fairage.training.training_settings import FineTuneSettings

SETTINGS = FineTuneSettings(
    epochs=3, batch_size=8, learning_rate=3e-3, ema=0.9, schedule="cosine", batch_norm="adapt"
)
"""Three steps an epoch on 24 rows."""


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it."""


@pytest.fixture
def job(
    backbone_folder: Callable[[str], Path],
    picture_rows: Callable[[int, int], ImageRows],
    head_of: Callable[..., AgeHead],
    tmp_path: Path,
) -> Callable[..., FineTuned]:
    def run(folder: str, settings: FineTuneSettings = SETTINGS, **changes: Any) -> FineTuned:
        arguments: dict[str, Any] = {
            "fairness": FAIRNESS["gap"](min_rows=2),
            "selection": Selection(rule="fair", delta=0.5),
            **changes,
        }
        return finetune(
            arguments.pop("head", None) or head_of(16),
            BackboneSpec(str(backbone_folder("resnet"))),
            picture_rows(24, 1),
            picture_rows(12, 2),
            objective=OBJECTIVES["dldl"](),
            settings=settings,
            seed=3,
            folder=tmp_path / folder,
            options=EmbedOptions(backbones="unused", device="cpu", progress=False),
            **arguments,
        )

    return run


def result(folder: Path) -> dict[str, torch.Tensor]:
    files = folder / "backbone" / "model.safetensors", folder / "head.safetensors"
    return {f"{path.stem}/{k}": v for path in files for k, v in load_file(path).items()}


def assert_same(one: Path, other: Path) -> None:
    left, right = result(one), result(other)
    assert [name for name in left if not torch.equal(left[name], right[name])] == []


def dies(owner: object, name: str, call: int, work: Callable[[], object]) -> None:
    """Work, and end in the n-th call of a function."""
    original, calls = getattr(owner, name), []

    def wrapped(*arguments: Any, **options: Any) -> Any:
        calls.append(name)
        if len(calls) == call:
            raise Killed
        return original(*arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, wrapped)
        with pytest.raises(Killed):
            work()


MOMENTS = [
    (NetworkStepper, "step", 2),
    (NetworkStepper, "step", 5),
    (NetworkStepper, "step", 9),
    (checkpoint_module, "save_file", 1),
    (checkpoint_module, "save_file", 2),
    (checkpoint_module.shutil, "rmtree", 4),
    (finetuning, "save_backbone", 1),
    (finetuning, "write_outcome", 1),
    (checkpoint_module.Checkpoints, "remove", 1),
]


def test_whenever_it_stops_it_goes_on_to_the_same_end(
    job: Callable[..., FineTuned], tmp_path: Path
) -> None:
    undisturbed = job("undisturbed")
    for number, (owner, name, call) in enumerate(MOMENTS):
        folder = f"killed-{number}"
        dies(owner, name, call, partial(job, folder))
        resumed = job(folder)
        assert resumed.history == undisturbed.history, name
        assert not (tmp_path / folder / "checkpoint").exists()
        assert_same(tmp_path / "undisturbed", tmp_path / folder)


def test_gradients_that_an_earlier_training_left_in_the_head_count_for_nothing(
    job: Callable[..., FineTuned], tmp_path: Path, head_of: Callable[..., AgeHead]
) -> None:
    job("clean")
    head = head_of(16)
    for parameter in head.parameters():
        parameter.grad = torch.ones_like(parameter)
    job("stale", head=head)
    assert_same(tmp_path / "clean", tmp_path / "stale")


@pytest.mark.parametrize("fairness", ["adaptive", "group-dro", "bounded-group-loss"])
def test_what_a_fairness_term_remembers_survives(
    fairness: str, job: Callable[..., FineTuned], tmp_path: Path
) -> None:
    term = FAIRNESS[fairness](min_rows=2)
    undisturbed = job("undisturbed", fairness=term)
    dies(NetworkStepper, "step", 8, lambda: job("killed", fairness=term))
    assert job("killed", fairness=term).history == undisturbed.history
    assert_same(tmp_path / "undisturbed", tmp_path / "killed")


def test_only_the_epochs_that_are_left_are_trained(
    job: Callable[..., FineTuned], monkeypatch: pytest.MonkeyPatch
) -> None:
    dies(NetworkStepper, "step", 8, lambda: job("killed"))
    steps = []
    original = NetworkStepper.step
    monkeypatch.setattr(NetworkStepper, "step", lambda self: (steps.append(1), original(self))[1])
    job("killed")
    assert len(steps) == 3


def test_a_checkpoint_of_another_training_is_not_gone_on_with(
    job: Callable[..., FineTuned], tmp_path: Path
) -> None:
    dies(NetworkStepper, "step", 8, lambda: job("killed"))
    other = SETTINGS.changed(learning_rate=1e-3)
    job("fresh", other)
    job("killed", other)
    assert_same(tmp_path / "fresh", tmp_path / "killed")
    job("killed")
    job("first")
    assert_same(tmp_path / "first", tmp_path / "killed")


@pytest.mark.parametrize("name", ["state.safetensors", "state.json"])
@pytest.mark.parametrize("damage", ["cut", "changed", "empty"])
def test_a_damaged_checkpoint_is_passed_over(
    name: str, damage: str, job: Callable[..., FineTuned], tmp_path: Path
) -> None:
    undisturbed = job("undisturbed")
    dies(NetworkStepper, "step", 8, lambda: job("killed"))
    (found,) = (tmp_path / "killed" / "checkpoint").iterdir()
    whole = (found / name).read_bytes()
    damaged = {"cut": whole[: len(whole) // 2], "changed": flipped(whole), "empty": b"{}"}
    (found / name).write_bytes(damaged[damage])
    assert job("killed").history == undisturbed.history


def flipped(data: bytes) -> bytes:
    """Change the last digit of a text, or a bit of the last number."""
    at = max((i for i, byte in enumerate(data) if chr(byte).isdigit()), default=len(data) - 3)
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


SCRIPT = """
import sys
from pathlib import Path
import numpy as np, torch
from fairage.embeddings import EmbedOptions
from fairage.training import finetuning
from fairage.embeddings import BackboneSpec
from fairage.models import make_head
from fairage.objectives import OBJECTIVES, Targets
from fairage._random import torch_seed
from fairage.training import FineTuneSettings, ImageRows, finetune
torch.set_num_threads(1)
backbone, folder, *images = sys.argv[1:]
with torch_seed(0, "head"):
    head = make_head("label-distribution", 16, {"hidden": [16], "dropout": 0.1})
ages = torch.linspace(10, 80, len(images))
rows = ImageRows(tuple(images), Targets(ages), torch.ones(len(images)))
finetune(head, BackboneSpec(backbone), rows, rows, seed=0, folder=folder,
    objective=OBJECTIVES["dldl"](), options=EmbedOptions(backbones=backbone, device="cpu"),
    settings=FineTuneSettings(epochs=15, batch_size=4, learning_rate=1e-3, ema=0.9, patience=15))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_kill_minus_nine_and_again_ends_with_the_same_weights(
    backbone_folder: Callable[[str], Path],
    picture_rows: Callable[[int, int], ImageRows],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    images = picture_rows(24, 1).images
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    told = [str(script), str(backbone_folder("resnet"))]
    killed = tmp_path / "killed"
    process = subprocess.Popen([sys.executable, *told, str(killed), *images])
    while process.poll() is None and not list(killed.glob("checkpoint/epoch-*[0-9]")):
        time.sleep(0.01)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert not (killed / "finetuned.json").exists()
    for folder in (killed, tmp_path / "undisturbed"):
        monkeypatch.setattr(sys, "argv", [*told, str(folder), *images])
        runpy.run_path(str(script))
    assert_same(tmp_path / "undisturbed", killed)
