"""Extending fairage as CONTRIBUTING says: one of each, and everything takes it."""

import inspect
import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import polars as pl
import pytest
import torch
from torch import Tensor, nn
from typer.testing import CliRunner

import fairage
from fairage.auditing import MEASURES, Measure
from fairage.cli import train
from fairage.cli.app import app
from fairage.datasets import DATASETS, DataSet, Prepared
from fairage.models import HEADS
from fairage.models.heads import DenseHead, dense
from fairage.objectives import OBJECTIVES, Targets, weighted_mean
from fairage.objectives.fairness import FAIRNESS
from fairage.objectives.fairness.terms import Gap
from fairage.weighting import WEIGHTINGS, Weights
from fairage.weighting.weights import weights_from_raw

CONTRIBUTING = Path(__file__).parents[1] / "CONTRIBUTING.md"


@dataclass(frozen=True)
class Older:
    """Weights that grow with age."""

    slope: float = 1.0

    def weigh(self, faces: pl.DataFrame) -> Weights:
        return weights_from_raw(1 + self.slope * faces["age"].to_numpy())


@dataclass(frozen=True)
class Quartic:
    """The fourth power of the error in hundreds of years."""

    fits: ClassVar = "number"
    unit: ClassVar[float] = 100.0

    def __call__(
        self, outputs: Tensor, targets: Targets, weights: Tensor, total: float | None = None
    ) -> Tensor:
        return weighted_mean((outputs.squeeze(-1) - targets.ages / 100) ** 4, weights, total)


@dataclass(frozen=True)
class Doubled(DenseHead):
    """A head that puts out half of the age."""

    gives: ClassVar = "number"

    def last(self, width: int) -> list[nn.Module]:
        return [dense(width, 1)]

    def decode(self, outputs: Tensor) -> Tensor:
        return outputs.squeeze(-1) * 200


@dataclass(frozen=True)
class Wide(Gap):
    """A gap term under another name."""

    strength: float = 0.1


def run(*words: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "image": [f"{i}.png" for i in range(80)],
            "age": rng.uniform(5, 80, 80),
            "gender": ["f", "m"] * 40,
        }
    )
    frame.write_csv(tmp_path / "faces.csv")
    return tmp_path / "faces.csv"


def fitted(**parts: object) -> fairage.FairAgeRegressor:
    rng = np.random.default_rng(0)
    embeddings, groups = rng.normal(size=(120, 4)), {"gender": ["f", "m"] * 60}
    ages = 40 + 10 * embeddings[:, 0]
    model = fairage.FairAgeRegressor(epochs=2, learning_rate=1e-2, random_state=0, **parts)
    return model.fit(embeddings, ages, groups=groups)


def recipe(path: Path, text: str) -> fairage.Recipe:
    path.write_text(f"experiment: x\nversion: y\n{text}\n", encoding="utf-8")
    return fairage.read_recipe(path)


def test_a_weighting(monkeypatch: pytest.MonkeyPatch, faces: Path, tmp_path: Path) -> None:
    monkeypatch.setitem(WEIGHTINGS, "older", Older)
    assert fairage.make_weighting("older", slope=2.0) == Older(2.0)
    assert recipe(tmp_path / "r.yaml", "weighting: {name: older, slope: 2}").weighting.name
    assert fitted(weighting="older").n_iter_ == 2
    assert "80" in run("weights", faces, "--weighting", "older", "--out", tmp_path / "w.csv")
    written = pl.read_csv(tmp_path / "w.csv")["weight"].to_numpy()
    raw = 1 + pl.read_csv(faces)["age"].to_numpy()
    np.testing.assert_allclose(written, raw / raw.mean(), rtol=1e-6)


def test_an_objective(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(OBJECTIVES, "quartic", Quartic)
    assert fairage.make_objective("quartic") == Quartic()
    assert recipe(tmp_path / "r.yaml", "objective: quartic").objective.name == "quartic"
    assert fitted(objective="quartic").n_iter_ == 2
    with pytest.raises(fairage.ConfigError, match="expected a head for the objective Quartic"):
        recipe(tmp_path / "r.yaml", "head: coral\nobjective: quartic")


def test_a_head(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(HEADS, "doubled", Doubled)
    head = fairage.make_head("doubled", 4, {"hidden": [8]})
    assert head.ages(torch.zeros(3, 4)).shape == (3,)
    assert recipe(tmp_path / "r.yaml", "head: {name: doubled, hidden: [8]}").head.name
    assert fitted(head="doubled").n_iter_ == 2


def test_a_fairness_term(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(FAIRNESS, "wide", Wide)
    assert fairage.make_fairness("wide").strength == 0.1
    assert recipe(tmp_path / "r.yaml", "fairness: {name: wide, attributes: [gender]}").fairness
    assert fitted(fairness={"name": "wide", "attributes": ["gender"]}).n_iter_ == 2


def test_a_data_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, faces: Path) -> None:
    frame = pl.read_csv(faces)
    mine = DataSet(
        name="mine",
        title="Drawn for a test",
        faces=80,
        prepare=lambda folder, options: Prepared(frame, ()),
        ages=("real",),
        attributes=("gender",),
        uses=frozenset(),
        terms="anything",
        source="nowhere",
        obtain="make it",
    )
    monkeypatch.setitem(DATASETS, "mine", mine)
    assert "Drawn for a test" in run("data", "list", "--json")
    run("data", "prepare", "mine", tmp_path, "--out", tmp_path / "mine.parquet")
    assert fairage.read_faces(tmp_path / "mine.parquet").attributes == ["gender"]


def test_a_measure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    third = Measure(
        "third_largest",
        "Third largest error",
        "years",
        2,
        "lower",
        "the third largest absolute error",
        lambda group: float(group.ordered[-3]),
        lambda group: (None, None),
    )
    monkeypatch.setitem(MEASURES, "third_largest", third)
    table = {"age": [30.0] * 80, "prediction": list(range(80)), "gender": ["f", "m"] * 40}
    result = fairage.audit(table)
    assert result.overall["third_largest"].value == 47.0
    assert result.groups["gender"]["f"]["third_largest"].value == 44.0
    assert "third_largest" in result.to_dict()["models"]["prediction"]["overall"]
    assert "Third largest error" in result.save(tmp_path / "a.html").read_text(encoding="utf-8")
    written = json.loads(result.save(tmp_path / "a.json").read_text(encoding="utf-8"))
    assert written["models"]["prediction"]["overall"]["third_largest"]["value"] == 47.0


@pytest.mark.parametrize("command", [train.run, train.suite, train.backbones, train.tune])
def test_an_option_of_all_commands_that_train(command) -> None:
    from fairage.cli.options import run_options

    shared = set(inspect.signature(run_options).parameters)
    assert shared <= set(inspect.signature(command).parameters)
    assert "options" not in inspect.signature(command).parameters


def test_the_files_that_contributing_names_are_there() -> None:
    text = CONTRIBUTING.read_text(encoding="utf-8")
    section = text[text.index("## How to add") : text.index("## What a change needs")]
    source = CONTRIBUTING.parent / "src" / "fairage"
    named = {word for word in section.split("`") if word.endswith(".py") and "/" in word}
    assert len(named) >= 8
    for name in named:
        assert (source / name).exists() or (CONTRIBUTING.parent / name).exists(), name
