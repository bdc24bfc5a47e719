"""How much code a reader meets: functions that an audit enters, calls down to a training."""

import sys
from pathlib import Path
from types import FrameType

import numpy as np
import polars as pl
import pytest

import fairage
from fairage.experiments import fitting
from fairage.experiments.embedded_faces import EmbeddedInputs
from fairage.experiments.inputs import EmbeddedFaces
from fairage.experiments.recipe_files import recipe_from
from fairage.tables import Faces
from fairage.training import train_head

SOURCE = str(Path(fairage.__file__).parent)
MOST_FUNCTIONS, MOST_CALLS = 250, 8


def test_a_small_audit_enters_few_functions() -> None:
    rng = np.random.default_rng(0)
    table = {
        "image": [f"{i}.jpg" for i in range(60)],
        "age": rng.uniform(5, 70, 60).round(1).tolist(),
        "prediction": rng.uniform(5, 70, 60).round(1).tolist(),
        "gender": ["f", "m"] * 30,
    }
    fairage.audit(table)  # imports what it needs
    entered = set()

    def profile(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(SOURCE) and "<" not in code.co_name:
            entered.add((code.co_filename, code.co_qualname))

    sys.setprofile(profile)
    try:
        fairage.audit(table)
    finally:
        sys.setprofile(None)
    assert 100 < len(entered) <= MOST_FUNCTIONS


def test_few_calls_lead_from_a_suite_to_the_training(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "image": [f"{i}.png" for i in range(240)],
            "age": rng.uniform(5, 80, 240),
            "gender": ["f", "m"] * 120,
            "split": ["train", "valid", "test"] * 80,
        }
    )
    embeddings = rng.normal(size=(240, 4)).astype(np.float32)
    backbone = {"name": "fake", "view": "whole", "flip": True, "kind": "onnx", "dim": 4}
    data = EmbeddedFaces(frame, embeddings, (backbone,))
    recipe = recipe_from({"experiment": "x", "version": "y", "training": {"epochs": 1}}, "test")
    inputs = EmbeddedInputs(data, [recipe])
    monkeypatch.setattr("fairage.experiments.suite.embed_inputs", lambda *_, **__: inputs)
    depths = []

    def counted(*arguments: object, **options: object) -> object:
        frame, depth = sys._getframe(1), 0
        while frame is not None:
            depth += "/experiments/" in frame.f_code.co_filename.replace("\\", "/") and (
                frame.f_code.co_filename.startswith(SOURCE)
            )
            frame = frame.f_back
        depths.append(depth)
        return train_head(*arguments, **options)

    monkeypatch.setattr(fitting, "train_head", counted)
    options = fairage.RunOptions(fairage.EmbedOptions(backbones="embedded"), seeds=1)
    fairage.run_suite([recipe], Faces(frame), options, tmp_path)
    assert depths
    assert max(depths) <= MOST_CALLS
