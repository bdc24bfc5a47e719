"""Backbones compared: a version each, on one faces table or several, in one set of results."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fairage.datasets.oversampling import CopiedRows
from fairage.embeddings import BackboneSpec, Embeddings, EmbedOptions
from fairage.exceptions import ConfigError, DataError
from fairage.experiments import embedded_faces
from fairage.experiments.backbone_comparison import (
    compare_backbones,
    version_names,
)
from fairage.experiments.inputs import EmbeddedFaces
from fairage.experiments.plan import RunOptions
from fairage.experiments.recipe_files import recipe_from
from fairage.tables import Faces

TOLD = {
    "experiment": "0",
    "version": "quick",
    "head": {"name": "regression", "hidden": [8]},
    "training": {"epochs": 2, "learning_rate": 1e-2},
    "published": {"mae": 4.0, "average_bias": 0.5},
}
SPECS = (BackboneSpec("models/good"), BackboneSpec("models/poor", "crop:0.7"))


@pytest.fixture
def compare(embedded: EmbeddedFaces, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Compares two backbones of which the second one tells nothing of the age."""
    place = {image: row for row, image in enumerate(embedded.frame["image"])}

    def embed(faces: Faces, options: EmbedOptions, **_: object) -> Embeddings:
        specs = options.backbones
        rows = [place[image] for image in faces.frame["image"]]
        columns = {"models/good": [0, 1], "models/poor": [2, 3, 4]}
        values = [embedded.embeddings[rows][:, columns[spec.name]] for spec in specs]
        told = tuple({"name": s.name, "view": s.view, "flip": s.flip} for s in specs)
        return Embeddings(np.concatenate(values, axis=1), np.arange(len(rows)), (), told, 0)

    def embed_copies(train: Faces, copied: CopiedRows, _, options, **__: object) -> Embeddings:
        found = embed(train, options)
        return Embeddings(found.values[copied.rows], copied.rows, (), (), len(copied.rows))

    monkeypatch.setattr(embedded_faces, "embed", embed)
    monkeypatch.setattr(embedded_faces, "embed_copies", embed_copies)

    def run(
        tables: dict[str, Faces],
        told: dict[str, object] = TOLD,
        *,
        concatenated: bool = False,
        **changes: object,
    ) -> tuple[pl.DataFrame, str]:
        embedding = EmbedOptions(backbones=SPECS, store=tmp_path / "store")
        options, out = RunOptions(embedding, seeds=2, min_rows=5, **changes), tmp_path / "out"
        recipe = recipe_from(told, "test")
        compare_backbones(recipe, tables, options, out, concatenated=concatenated)
        results = pl.read_csv(tmp_path / "out" / "results.csv")
        return results, (tmp_path / "out" / "report.html").read_text(encoding="utf-8")

    return run


def test_each_backbone_is_a_version_and_all_together_one_more(compare, embedded) -> None:
    results, page = compare({"faces": Faces(embedded.frame)}, concatenated=True)
    assert results["version"].unique(maintain_order=True).to_list() == [
        "good",
        "poor crop 0.7",
        "all together",
    ]
    assert results.group_by("version").len()["len"].to_list() == [2, 2, 2]
    assert "2 numbers a face" in page
    assert "5 numbers a face" in page
    assert "published" not in page.split("<main>")[1]


def test_several_tables_share_one_table_of_results(compare, embedded) -> None:
    frame = embedded.frame
    other = frame.filter(pl.col("age") < 60).drop("expression")
    results, page = compare({"whole": Faces(frame), "young": Faces(other)})
    assert results["experiment"].unique(maintain_order=True).to_list() == ["whole", "young"]
    young = results.filter(pl.col("experiment") == "young")
    assert young["expression_bias"].null_count() == young.height
    assert "measured on different faces" in page
    assert "Whole: The measured average bias of good (whole) is" in page
    assert "Young: The measured average bias of good (young) is" in page


def test_copies_and_extra_faces_are_trained_on_with_every_backbone(compare, embedded, tmp_path):
    told = {
        **TOLD,
        "augmentation": {"name": "kit", "copies": {"name": "groups"}},
        "stages": [{"name": "elsewhere", "data": "utk"}, {"name": "here"}],
    }
    utk = Faces(embedded.frame.filter(pl.col("split") == "test").drop("split"))
    faces = {"faces": Faces(embedded.frame)}
    _, page = compare(faces, told, extra_faces={"utk": utk}, concatenated=True)
    assert "trained on as well by good, poor crop 0.7, all together." in page
    assert "all together was trained on the extra faces utk as well." in page
    assert "Extra faces utk" in page
    run = (tmp_path / "out" / "backbones-good" / "seed-0" / "run.json").read_text()
    assert json.loads(run)["copies"]["number"] > 0


def test_missing_extra_faces_are_told_before_anything_is_embedded(compare, embedded) -> None:
    told = {**TOLD, "stages": [{"name": "elsewhere", "data": "utk"}]}
    with pytest.raises(DataError, match="give --extra-faces utk=TABLE"):
        compare({"faces": Faces(embedded.frame)}, told)
    with pytest.raises(ConfigError, match="as well, correct the name or leave it out"):
        compare({"faces": Faces(embedded.frame)}, extra_faces={"utk": Faces(embedded.frame)})


def test_a_backbone_that_was_trained_is_told(tiny_resnet, bright_faces, tmp_path: Path) -> None:
    told = {**TOLD, "stages": [{"name": "deep", "train": "last:1", "training": {"epochs": 1}}]}
    embedding = EmbedOptions(backbones=str(tiny_resnet), store=tmp_path / "store")
    options = RunOptions(embedding, seeds=1)
    faces = {"faces": bright_faces}
    compare_backbones(recipe_from(told, "test"), faces, options, tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "tiny-resnet trained the first backbone as well: last:1 in deep." in page


def test_an_attribute_with_one_group_is_told(compare, embedded) -> None:
    frame = embedded.frame.with_columns(pl.lit("female").alias("gender"))
    results, page = compare({"faces": Faces(frame)})
    assert "No bias of gender: fewer than two groups have 5 faces." in page
    assert results["gender_bias"].is_null().all()
    mean = results.select(pl.mean_horizontal("ethnicity_bias", "expression_bias", "age_bias"))
    assert results["average_bias"].to_list() == pytest.approx(mean.to_series().to_list())


def test_given_again_nothing_is_trained_anew(compare, embedded, tmp_path: Path) -> None:
    compare({"faces": Faces(embedded.frame)})
    before = (tmp_path / "out" / "backbones-good" / "seed-0" / "run.json").stat().st_mtime_ns
    compare({"faces": Faces(embedded.frame)})
    after = (tmp_path / "out" / "backbones-good" / "seed-0" / "run.json").stat().st_mtime_ns
    assert before == after


def test_names_that_are_alike_are_told_apart_by_their_folder() -> None:
    specs = [BackboneSpec("a/net"), BackboneSpec("b/net"), BackboneSpec("b/net", "aligned")]
    assert version_names(specs) == ["a net", "b net", "net aligned"]


def test_a_backbone_given_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match="different backbones"):
        version_names([BackboneSpec("net"), BackboneSpec("net")])


def test_one_backbone_cannot_be_concatenated(embedded, tmp_path: Path) -> None:
    options = RunOptions(EmbedOptions(backbones=SPECS[:1], store=tmp_path))
    tables = {"a": Faces(embedded.frame)}
    recipe = recipe_from(TOLD, "t")
    with pytest.raises(ConfigError, match="two backbones or more"):
        compare_backbones(recipe, tables, options, tmp_path, concatenated=True)
