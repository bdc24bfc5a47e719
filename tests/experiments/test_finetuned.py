"""Stages that train the backbone: what they train, what follows them, what a run leaves."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from safetensors.torch import load_file

from fairage.embeddings import BackboneSpec, Embeddings, EmbedOptions, embed, embed_copies
from fairage.exceptions import ConfigError, DataError
from fairage.experiments import fitting
from fairage.experiments.embedded_faces import embed_inputs
from fairage.experiments.fitting import Fitted, check_fit, fit
from fairage.experiments.inputs import EmbeddedFaces, load_embedded_faces
from fairage.experiments.plan import RunOptions
from fairage.experiments.recipe import Recipe
from fairage.experiments.recipe_files import read_recipe, recipe_from
from fairage.experiments.runner import BUNDLE, PREDICTIONS, RUN, run_version
from fairage.experiments.suite import run_suite
from fairage.experiments.tuning.trials import Task, run_task
from fairage.models import load_bundle
from fairage.tables import Faces

TOLD = {
    "experiment": "4",
    "version": "deep",
    "head": {"name": "regression", "hidden": [8], "dropout": 0.0},
    "training": {"epochs": 2, "learning_rate": 3e-3, "batch_size": 8},
}
HEAD, DEEP, LAST = (
    {"name": "head"},
    {"name": "deep", "train": "all"},
    {"name": "last", "weighting": "1b"},
)
STILL = {"training": {"epochs": 1, "learning_rate": 1e-12}}
OLD = {"name": "kit", "copies": {"name": "groups", "times": 2}}

Embedded = Callable[..., EmbeddedFaces]


def recipe(*stages: dict[str, Any], **more: Any) -> Recipe:
    return recipe_from({**TOLD, "stages": stages, **more}, "test")


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def seen(tiny_resnet: Path, bright_faces: Faces, tmp_path: Path) -> Embedded:
    """Embeds the faces with the tiny ResNet first, for these recipes."""

    def data(*recipes: Recipe, more: tuple[str, ...] = (), **extra: Faces) -> EmbeddedFaces:
        specs = tuple(map(BackboneSpec, (str(tiny_resnet), *more)))
        options = EmbedOptions(backbones=specs, store=tmp_path / "store")
        return embed_inputs(recipes, bright_faces, options, extra).data

    return data


@pytest.fixture
def trained(seen: Embedded, tmp_path: Path) -> Callable[..., Fitted]:
    """Fits a model of these stages."""

    def run(*stages: dict[str, Any], **more: Any) -> Fitted:
        told = recipe(*stages, **more)
        return fit(told, seen(told), seed=0, scratch=tmp_path / "scratch")

    return run


def embedded_again(folder: Path, faces: Faces, store: Path) -> Embeddings:
    return embed(
        faces, EmbedOptions(backbones=[BackboneSpec(str(folder))], store=store, precision="fp32")
    )


def ages(fitted: Fitted) -> torch.Tensor:
    return fitted.head.ages(torch.from_numpy(fitted.data.embeddings))


@pytest.fixture
def run_folder(seen: Embedded, tmp_path: Path) -> Path:
    """A run of three stages, as in the study's experiment 4."""
    told = recipe(HEAD, DEEP, {**LAST, "train": "last:1"})
    run_version(told, seen(told), seed=0, folder=tmp_path / "deep" / "seed-0")
    return tmp_path / "deep" / "seed-0"


def test_a_run_leaves_a_bundle_that_predicts_what_it_wrote_with_a_backbone_of_its_own(
    run_folder: Path, bright_faces: Faces, tiny_resnet: Path, tmp_path: Path
) -> None:
    moved = (run_folder / BUNDLE).rename(tmp_path / "moved")
    bundle = load_bundle(moved)
    (told,) = bundle.backbones
    assert "fine-tuned: in the folder `backbone`" in (moved / "README.md").read_text()
    assert (told["name"], told["folder"], told["kind"]) == (
        str(tiny_resnet),
        "backbone",
        "transformers",
    )
    again = embedded_again(moved / "backbone", bright_faces.split("test"), tmp_path / "anew")
    written = pl.read_parquet(run_folder / PREDICTIONS)["prediction"]
    np.testing.assert_allclose(bundle.ages(again.values, again.backbones), written, rtol=1e-5)
    before = embedded_again(tiny_resnet, bright_faces.split("test"), tmp_path / "anew")
    with pytest.raises(DataError, match="has weights with the fingerprint"):
        bundle.ages(before.values, before.backbones)


def test_a_run_tells_of_its_stages_and_leaves_nothing_beside_its_folder(run_folder: Path) -> None:
    trainings = json.loads((run_folder / RUN).read_text())["trainings"]
    assert [(t["name"], t["rows"], t["epochs"]) for t in trainings] == [
        (name, 32, 2) for name in ("head", "deep", "last")
    ]
    assert trainings[0]["largest_weight"] == 1 < trainings[2]["largest_weight"]
    log = pl.read_csv(run_folder / "log.csv")
    assert log["training"].to_list() == ["head"] * 2 + ["deep"] * 2 + ["last"] * 2
    assert [path.name for path in run_folder.parent.iterdir()] == ["seed-0"]


def test_scores_are_of_the_tuned_backbone(trained: Callable[..., Fitted]) -> None:
    found = trained(HEAD, DEEP)
    valid = found.data.split("valid")
    judged = found.head.ages(torch.from_numpy(valid.embeddings)).numpy()
    errors = np.abs(judged - valid.frame["age"].to_numpy())
    history = found.trainings[-1].history
    assert float(errors.mean()) == pytest.approx(history.epochs[history.best].valid_mae, rel=1e-4)


def test_the_head_goes_on_with_embeddings_of_the_tuned_backbone(
    trained, seen, bright_faces, tmp_path: Path
) -> None:
    found = trained(HEAD, DEEP, {"name": "after", "training": {"epochs": 3}})
    values = embedded_again(found.tuned.backbone_folder, bright_faces, tmp_path / "anew").values
    np.testing.assert_allclose(found.data.embeddings, values, atol=1e-6)
    assert np.abs(values - seen().embeddings).max() > 1e-3
    still = trained(HEAD, DEEP, {"name": "after", **STILL})
    torch.testing.assert_close(ages(still), ages(trained(HEAD, DEEP)), rtol=1e-4, atol=1e-4)


def test_a_second_stage_of_the_backbone_starts_from_what_the_first_left(trained) -> None:
    one = trained(HEAD, DEEP)
    two = trained(HEAD, DEEP, {"name": "still", "train": "all", **STILL})
    assert two.tuned.backbone_folder.parent.name == "stage-3"
    torch.testing.assert_close(ages(two), ages(one), rtol=1e-4, atol=1e-4)
    assert two.data.backbones[0]["name"] == one.data.backbones[0]["name"]


def test_only_the_last_blocks_move(trained, tiny_resnet: Path) -> None:
    found = trained({**DEEP, "train": "last:1"})
    before = load_file(tiny_resnet / "model.safetensors")
    after = load_file(found.tuned.backbone_folder / "model.safetensors")
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved
    assert all("stages.1.layers.1" in name for name in moved)


def test_other_backbones_stand_beside(seen: Embedded, bright_faces: Faces, tmp_path: Path) -> None:
    told = recipe(HEAD, DEEP, LAST)
    data = seen(told, more=("embedded",))
    run_version(told, data, seed=0, folder=tmp_path / "seed-0")
    bundle = load_bundle(tmp_path / "seed-0" / BUNDLE)
    assert [told["dim"] for told in bundle.backbones] == [16, 192]
    test = bright_faces.split("test")
    first = embedded_again(tmp_path / "seed-0" / BUNDLE / "backbone", test, tmp_path / "anew")
    beside = data.split("test").embeddings[:, 16:]
    written = pl.read_parquet(tmp_path / "seed-0" / PREDICTIONS)["prediction"]
    values = np.hstack([first.values, beside])
    backbones = (*first.backbones, data.backbones[1])
    np.testing.assert_allclose(bundle.ages(values, backbones), written, rtol=1e-5)


def test_stages_may_train_the_backbone_on_extra_faces(
    seen: Embedded, bright_faces: Faces, tmp_path: Path
) -> None:
    stages = [{**DEEP, "data": "utk"}, {"name": "again", "data": "utk"}, LAST]
    told = recipe(*stages)
    elsewhere = Faces(bright_faces.frame.drop("split")[:20], bright_faces.root)
    found = fit(told, seen(told, utk=elsewhere), seed=0, scratch=tmp_path / "scratch")
    assert [one.rows for one in found.trainings] == [20, 20, 32]
    assert torch.isfinite(ages(found)).all()


def test_copies_are_changed_anew_in_every_epoch_and_embedded_again_afterwards(
    seen: Embedded, bright_faces: Faces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = recipe(DEEP, {**DEEP, "name": "plain", "augmented": False}, LAST, augmentation=OLD)
    data, given = seen(told), []
    real = fitting.finetune

    def noted(head, spec, train, valid, *, augmentation, **more):
        given.append((len(train), augmentation))
        return real(head, spec, train, valid, augmentation=augmentation, **more)

    monkeypatch.setattr(fitting, "finetune", noted)
    choice = told.augmentation
    copies = len(data.augmented(choice))
    found = fit(told, data, seed=0, scratch=tmp_path / "scratch")
    assert copies > 0
    assert given == [(32 + copies, choice.augmentation()), (32, None)]
    assert [one.rows for one in found.trainings] == [32 + copies, 32, 32 + copies]


def test_copies_after_a_tuning_are_those_of_before(
    seen: Embedded, bright_faces: Faces, trained, tmp_path: Path
) -> None:
    after = [{"name": "recalibrate", "weighting": "none"}]
    found = trained(DEEP, augmentation=OLD, after=after)
    choice = recipe(augmentation=OLD).augmentation
    train = bright_faces.split("train")
    copied = choice.chosen_copies().choose(train.frame, seed=0)
    spec = BackboneSpec(str(found.tuned.backbone_folder))
    again = embed_copies(
        train,
        copied,
        choice.augmentation(),
        EmbedOptions(backbones=[spec], store=tmp_path / "anew", precision="fp32"),
    )
    copies = found.data.augmented(choice)
    np.testing.assert_allclose(copies.embeddings, again.values, atol=1e-6)
    own = np.flatnonzero(bright_faces.frame["split"].to_numpy() == "train")
    np.testing.assert_array_equal(copies.rows, own[again.rows])


def test_experts_share_the_tuned_backbone(
    seen: Embedded, bright_faces: Faces, tmp_path: Path
) -> None:
    told = recipe(HEAD, DEEP, experts={"attributes": ["gender"]}, after=["recalibrate"])
    run_version(told, seen(told), seed=0, folder=tmp_path / "seed-0")
    bundle = tmp_path / "seed-0" / BUNDLE
    again = embedded_again(bundle / "backbone", bright_faces.split("test"), tmp_path / "anew")
    written = pl.read_parquet(tmp_path / "seed-0" / PREDICTIONS)["prediction"]
    found = load_bundle(bundle).ages(again.values, again.backbones)
    np.testing.assert_allclose(found, written, rtol=1e-5)


def test_test_faces_change_nothing_in_the_model(
    seen: Embedded, bright_faces: Faces, tmp_path: Path
) -> None:
    told = recipe(HEAD, DEEP, LAST)
    data = seen(told)
    ages_of_test = pl.when(pl.col("split") == "test").then(50.0).otherwise(pl.col("age"))
    other = replace(data, frame=data.frame.with_columns(age=ages_of_test))
    one, two = (
        fit(told, each, seed=0, scratch=tmp_path / str(number)).head.state_dict()
        for number, each in enumerate((data, other))
    )
    assert all(torch.equal(one[key], two[key]) for key in one)


def test_worker_processes_and_this_one_give_the_same_predictions(
    tiny_resnet: Path, bright_faces: Faces, tmp_path: Path
) -> None:
    found = []
    for workers in (1, 2):
        embedding = EmbedOptions(backbones=str(tiny_resnet), store=tmp_path / f"store-{workers}")
        options = RunOptions(embedding, seeds=2, workers=workers)
        out = tmp_path / f"out-{workers}"
        run_suite([recipe(HEAD, DEEP, LAST)], bright_faces, options, out)
        told = "deep trained the first backbone as well: all in deep."
        assert told in (out / "report.html").read_text()
        found.append([path.read_bytes() for path in sorted(out.glob("*/*/predictions.parquet"))])
    assert len(found[0]) == 2
    assert found[0] == found[1]


def test_where_images_are_survives_saving(seen: Embedded, tmp_path: Path) -> None:
    data = seen()
    data.save(tmp_path / "saved")
    again = load_embedded_faces(tmp_path / "saved")
    assert again.provenance == data.provenance is not None
    assert again.images == data.images
    assert Path(again.images[0]).is_file()


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"stages": [DEEP], "members": 2}, "got parts 1 and members 2"),
        ({"stages": [DEEP], "parts": 3}, "got parts 3 and members 1"),
        ({"stages": [{**HEAD, "finetuning": {}}]}, "which trains the head, leave it out"),
        ({"stages": [{**DEEP, "finetuning": {"layer_deca": 1}}]}, "Did you mean 'layer_decay'"),
        ({"stages": [{**DEEP, "finetuning": {"accumulate": 99}}]}, "got accumulate 99"),
        ({"stages": [{**DEEP, "training": {"weight_decay": 0.1}}]}, "write optimizer: adamw"),
        ({"stages": [{**DEEP, "training": {"mixup": 1.0}}]}, "write mixup: 0"),
        ({"stages": [{**DEEP, "training": {"learning_rate": 2}}]}, "got learning_rate 2"),
        (
            {"training": {"warmup": 5}, "stages": [{**DEEP, "training": {"epochs": 3}}]},
            "^test: stage 'deep': ",
        ),
        ({"stages": [{**DEEP, "objective": "dldl"}]}, "^test: stage 'deep': expected a head"),
    ],
)
def test_a_wrong_stage_of_the_backbone_is_refused_when_it_is_read(told, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        recipe_from({**TOLD, **told}, "test")


def test_what_only_a_backbone_has_reaches_its_training() -> None:
    told = {**DEEP, "training": {"optimizer": "adamw", "weight_decay": 0.1, "epochs": 7}}
    (stage,) = recipe({**told, "finetuning": {"layer_decay": 0.5, "batch_norm": "adapt"}}).stages
    found = stage.finetune_settings(recipe().training)
    assert (found.train, found.epochs, found.batch_size, found.weight_decay) == ("all", 7, 8, 0.1)
    assert (found.layer_decay, found.batch_norm, found.backbone_rate) == (0.5, "adapt", None)


def test_more_blocks_than_there_are_are_refused_before_training(seen: Embedded) -> None:
    told = recipe(HEAD, {**DEEP, "train": "last:99"})
    with pytest.raises(ConfigError, match=r"^stage 'deep': .*K up to 3"):
        check_fit(told, seen(told))


def test_parts_of_batches_that_say_nothing_to_the_objective_are_refused_before_training(
    seen: Embedded,
) -> None:
    told = recipe(HEAD, {**DEEP, "objective": "balanced-mse", "finetuning": {"accumulate": 8}})
    with pytest.raises(ConfigError, match=r"^stage 'deep': .*raise batch_size"):
        check_fit(told, seen(told))


def test_a_first_backbone_of_another_kind_is_refused_and_a_suite_leaves_the_recipe_out(
    tiny_resnet: Path, bright_faces: Faces, tmp_path: Path
) -> None:
    specs = BackboneSpec("embedded"), BackboneSpec(str(tiny_resnet))
    options = RunOptions(EmbedOptions(backbones=specs, store=tmp_path / "store"), seeds=1)
    deep, plain = recipe(DEEP), recipe(HEAD, version="plain")
    with pytest.raises(ConfigError, match="'embedded' of kind 'embedded', name such a one first"):
        run_suite([deep, plain], bright_faces, options, tmp_path / "out")
    out = tmp_path / "out"
    found = run_suite([deep, plain], bright_faces, options, out, leave_out=True)
    assert list(found.left_out) == ["4-deep"]
    assert "trained the first backbone" not in (tmp_path / "out" / "report.html").read_text()
    assert found.summary["version"].to_list() == ["plain"]


def test_an_onnx_file_is_refused(seen: Embedded) -> None:
    data = seen()
    told = ({**data.backbones[0], "name": "net.onnx", "kind": "onnx"},)
    with pytest.raises(ConfigError, match=r"'net.onnx' of kind 'onnx'"):
        check_fit(recipe(DEEP), replace(data, backbones=told))


def test_a_folder_without_weights_is_refused(tiny_resnet: Path, seen: Embedded, tmp_path) -> None:
    (tmp_path / "config.json").write_text((tiny_resnet / "config.json").read_text())
    (tmp_path / "preprocessor_config.json").write_text("{}")
    data = seen()
    options = data.provenance.options.changed(backbones=str(tmp_path))
    provenance = replace(data.provenance, options=options)
    with pytest.raises(DataError, match=r"expected config.json and model.safetensors"):
        check_fit(recipe(DEEP), replace(data, provenance=provenance))


def test_a_search_refuses_to_train_the_backbone(seen: Embedded) -> None:
    told = recipe(HEAD, DEEP)
    assert "train the backbone with: fairage run" in run_task(Task(told, 1), seen(told)).reason


def test_a_loss_that_is_no_number_leaves_no_run_and_the_next_try_is_whole(
    seen: Embedded, tmp_path: Path
) -> None:
    folder = tmp_path / "deep" / "seed-0"
    told = recipe(DEEP, head={"name": "regression", "output": "linear", "hidden": [8]})
    data = seen(told)
    far_off = replace(data, frame=data.frame.with_columns(age=pl.lit(1e25)))  # its square is inf
    with pytest.raises(ConfigError, match="expected a finite loss"):
        run_version(told, far_off, seed=0, folder=folder)
    assert not folder.exists()
    run_version(told, data, seed=0, folder=folder)
    assert [path.name for path in folder.parent.iterdir()] == ["seed-0"]


def test_the_shipped_recipe_is_the_kits_second_stage_and_the_studys_experiment_4() -> None:
    told = read_recipe("finetuned/4-three-stages")
    assert told.published == read_recipe("published/4-three-stages").published
    assert [stage.train for stage in told.stages] == ["head", "all", "all"]
    settings = [stage.finetune_settings(told.training) for stage in told.stages[1:]]
    assert [(s.epochs, s.batch_size, s.learning_rate) for s in settings] == [
        (30, 16, 1e-5),
        (10, 16, 1e-5),
    ]
