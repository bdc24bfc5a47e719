"""A face network on real faces: a few steps lower the loss, and the bundle embeds by itself."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from fairage._random import torch_seed
from fairage.datasets import prepare_faces
from fairage.embeddings import BackboneSpec, Embeddings, EmbedOptions, embed
from fairage.faces_file import read_faces
from fairage.models import Bundle, load_bundle, make_head, save_bundle
from fairage.objectives import OBJECTIVES, Targets
from fairage.tables import AGE, Faces
from fairage.training.data import ImageRows
from fairage.training.finetuning import add_to_bundle, finetune
from fairage.training.training_settings import FineTuneSettings

OPTIONS = {"hidden": [64], "dropout": 0.0}


def image_rows(faces: Faces) -> ImageRows:
    ages = torch.from_numpy(faces.frame[AGE].to_numpy().astype(np.float32))
    return ImageRows(tuple(faces.images), Targets(ages), torch.ones(len(faces)))


@pytest.mark.real_data
@pytest.mark.slow
def test_a_few_steps_on_faces_lower_the_loss_and_the_bundle_is_whole(
    real_data: Path, tmp_path: Path
) -> None:
    prepare_faces("appa-real", real_data / "data" / "appa-real", tmp_path / "faces.parquet")
    faces = read_faces(tmp_path / "faces.parquet")
    train = faces.split("train").rows(np.arange(64))
    valid = faces.split("valid").rows(np.arange(16))
    source = BackboneSpec(str(real_data / "models" / "mobilenet-v1-vggface2"))
    with torch_seed(0, "head"):
        head = make_head("label-distribution", 1024, OPTIONS)
    tuned = finetune(
        head,
        source,
        image_rows(train),
        image_rows(valid),
        objective=OBJECTIVES["dldl"](),
        settings=FineTuneSettings(train="last:6", epochs=3, batch_size=32, learning_rate=1e-3),
        seed=0,
        folder=tmp_path / "run",
        options=EmbedOptions(backbones="unused", device="cpu", progress=False),
    )
    losses = [epoch.train_loss for epoch in tuned.history.epochs]
    assert losses[-1] < losses[0]
    bundle = Bundle(tuned.head, "label-distribution", OPTIONS, (tuned.description,))
    save_bundle(bundle, tmp_path / "bundle")
    add_to_bundle(tuned, tmp_path / "bundle")
    loaded = load_bundle(tmp_path / "bundle")
    folder = tmp_path / "bundle" / loaded.backbones[0]["folder"]
    before = embedded(source, valid, tmp_path)
    after = embedded(BackboneSpec(str(folder)), valid, tmp_path)
    assert np.abs(after.values - before.values).max() > 0.01
    error = np.abs(loaded.ages(after.values, after.backbones) - valid.ages).mean()
    assert error == pytest.approx(tuned.history.epochs[tuned.history.best].valid_mae, rel=1e-3)
    weights = load_file(folder / "model.safetensors")
    assert {value.dtype for value in weights.values()} <= {torch.float32, torch.int64}


def embedded(spec: BackboneSpec, faces: Faces, folder: Path) -> Embeddings:
    store = folder / "store"
    return embed(faces, EmbedOptions(backbones=[spec], store=store, device="cpu", precision="fp32"))
