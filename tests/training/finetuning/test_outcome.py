"""What is left behind: a backbone that embeds by itself, a bundle that needs nothing else."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from safetensors.torch import load_file

from fairage.embeddings import BackboneSpec, Embeddings, EmbedOptions, embed
from fairage.exceptions import DataError
from fairage.models import Bundle, load_bundle, save_bundle
from fairage.tables import AGE, IMAGE, Faces
from fairage.training.data import ImageRows
from fairage.training.finetuning import FineTuned, add_to_bundle
from fairage.training.training_settings import FineTuneSettings

FAST = FineTuneSettings(epochs=2, batch_size=8, learning_rate=1e-3)
NAMES = ["convnext", "mobilenet", "resnet", "vit", "vit-bare"]
Job = Callable[..., FineTuned]


def embedded(folder: Path, rows: ImageRows, store: Path, *, flip: bool = True) -> Embeddings:
    frame = pl.DataFrame({IMAGE: list(rows.images), AGE: rows.targets.ages.tolist()})
    spec = BackboneSpec(str(folder), flip=flip)
    return embed(
        Faces(frame), EmbedOptions(backbones=[spec], store=store, device="cpu", precision="fp32")
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_saved_backbone_embeds_as_validation_saw_it(
    name: str, job: Job, picture_rows: Callable[[int, int], ImageRows], tmp_path: Path
) -> None:
    tuned = job(name)
    valid = picture_rows(12, 2)
    values = embedded(tuned.backbone_folder, valid, tmp_path / "store").values
    errors = (tuned.head.ages(torch.from_numpy(values)) - valid.targets.ages).abs()
    best = tuned.history.epochs[tuned.history.best]
    assert float(errors.mean()) == pytest.approx(best.valid_mae, rel=1e-4)
    names = {path.name for path in tuned.backbone_folder.iterdir()}
    assert names == {"config.json", "model.safetensors", "preprocessor_config.json"}
    assert not (tmp_path / "run" / "checkpoint").exists()


def test_training_the_head_leaves_the_backbone_as_it_was(
    job: Job, backbone_folder: Callable[[str], Path]
) -> None:
    tuned = job(settings=FAST.changed(train="head"))
    before = load_file(backbone_folder("resnet") / "model.safetensors")
    after = load_file(tuned.backbone_folder / "model.safetensors")
    assert all(torch.equal(before[name], after[name]) for name in before)
    last = job(folder="last", settings=FAST.changed(train="last:1"))
    moved = load_file(last.backbone_folder / "model.safetensors")
    changed = {name for name in before if not torch.equal(before[name], moved[name])}
    assert changed
    assert all("stages.1.layers.1" in name and "running" not in name for name in changed)


def test_a_bundle_with_its_backbone_is_all_that_is_needed(
    job: Job, picture_rows: Callable[[int, int], ImageRows], tmp_path: Path
) -> None:
    tuned = job()
    options = {"hidden": [16], "dropout": 0.1}
    bundle = Bundle(tuned.head, "label-distribution", options, (tuned.description,), {})
    save_bundle(bundle, tmp_path / "bundle")
    add_to_bundle(tuned, tmp_path / "bundle")
    moved = (tmp_path / "bundle").rename(tmp_path / "moved")
    loaded = load_bundle(moved)
    (told,) = loaded.backbones
    again = embedded(moved / told["folder"], picture_rows(12, 2), tmp_path / "store")
    ages = loaded.ages(again.values, again.backbones)
    best = tuned.history.epochs[tuned.history.best]
    found = np.abs(ages - picture_rows(12, 2).targets.ages.numpy()).mean()
    assert found == pytest.approx(best.valid_mae, rel=1e-4)
    assert json.loads(json.dumps(told)) == told
    (moved / told["folder"] / "preprocessor_config.json").write_text("{}")
    with pytest.raises(DataError, match=r"other \['backbone/preprocessor_config\.json'\]"):
        load_bundle(moved)


@pytest.mark.parametrize(
    "name", ["finetuned.json", "head.safetensors", "backbone/model.safetensors"]
)
@pytest.mark.parametrize("damaged", [b"", b"{}", None])
def test_a_damaged_finished_one_is_done_again(
    name: str, damaged: bytes | None, job: Job, tmp_path: Path
) -> None:
    tuned = job()
    (path,) = tmp_path.rglob(name)
    data = path.read_bytes()
    if damaged is None:  # another digit, or another bit of the last weight
        damaged = data.replace(b"0.", b"1.", 1) if name.endswith("json") else data[:-1] + b"\0"
    path.write_bytes(damaged)
    again = job()
    assert again.history == tuned.history
    assert path.read_bytes() == data


def test_a_finished_one_is_not_done_again(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    tuned = job()
    monkeypatch.setattr("fairage.training.finetuning._Job", None)
    again = job()
    weights = zip(tuned.head.state_dict().values(), again.head.state_dict().values(), strict=True)
    assert all(torch.equal(one, other) for one, other in weights)
    assert again.history == tuned.history
    assert again.description == tuned.description
