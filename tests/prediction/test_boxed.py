"""The model in the box, on photographs that scikit-image and scikit-learn bring along."""

import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest
from skimage import data
from sklearn.datasets import load_sample_image

import fairage
from fairage._bundle_files import BOXED, read_bundle_config
from fairage.faces.yunet import SHIPPED
from fairage.prediction import Model

ROOT = Path(__file__).parents[2]
MEGABYTES = 6.0


@pytest.fixture(scope="module")
def model() -> Model:
    return fairage.load()


def test_two_lines_of_the_readme_run_as_they_stand(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n([^`]*fairage\.load\(\)[^`]*)```", readme)
    cv2.imwrite(str(tmp_path / "party.jpg"), np.asarray(data.astronaut())[..., ::-1])
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    age, low, high = map(float, done.stdout.split(" (")[0].split())
    assert 15 < low < age < high < 70
    assert 20 < age < 50


def test_a_face_is_found_where_it_is(model: Model) -> None:
    (face,) = model.predict(np.asarray(data.astronaut()))
    assert face.box is not None
    assert np.allclose(face.box, (178, 66, 92, 109), atol=6)
    assert face.level == 0.9
    chances = [face.p_over(age) for age in (5, 18, 30, 60)]
    assert chances == sorted(chances, reverse=True)
    assert chances[0] > 0.9


@pytest.mark.parametrize("name", ["coffee", "rocket", "chelsea"])
def test_what_shows_no_face_has_no_age(name: str, model: Model) -> None:
    (estimate,) = model.predict(np.asarray(getattr(data, name)()))
    assert estimate.age is None
    assert estimate.reason


@pytest.mark.parametrize("name", ["china.jpg", "flower.jpg"])
def test_landscapes_have_no_age(name: str, model: Model) -> None:
    (estimate,) = model.predict(np.asarray(load_sample_image(name)))
    assert estimate.age is None


def test_noise_has_no_age(model: Model) -> None:
    rng = np.random.default_rng(0)
    for side in (64, 300, 700):
        for smooth in (1, 9, 33):
            noise = rng.integers(0, 256, (side, side, 3), dtype=np.uint8)
            shown = cv2.normalize(cv2.blur(noise, (smooth, smooth)), None, 0, 255, cv2.NORM_MINMAX)
            assert model.predict(np.asarray(shown, dtype=np.uint8))[0].age is None


def test_a_mirrored_face_is_as_old(model: Model) -> None:
    crop = np.asarray(data.astronaut())[40:200, 140:300]
    one, other = (model.predict(each, crops=True)[0].age for each in (crop, crop[:, ::-1].copy()))
    assert one == pytest.approx(other, abs=1e-3)


def test_the_box_is_small_and_says_what_it_is(model: Model) -> None:
    files = [path for path in BOXED.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= MEGABYTES * 1e6
    config = read_bundle_config(BOXED)
    assert config["target"] == model.target == "apparent"
    card = (BOXED / "README.md").read_text(encoding="utf-8")
    for word in ("cc-by-4.0", "FairFace", "apparent age", "calibrated on 4,000 faces"):
        assert word in card
    assert SHIPPED.stat().st_size < 400_000


def test_gender_and_race_are_no_outputs(model: Model) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(BOXED / "model.onnx"))
    outputs = {each.name: each.shape for each in session.get_outputs()}
    assert set(outputs) == {"age", "low", "high", "spread", "embedding", "network_age"}


def test_it_is_a_backbone_too(tmp_path: Path) -> None:
    from fairage.embeddings import EmbedOptions, embed

    image = tmp_path / "a.png"
    cv2.imwrite(str(image), np.asarray(data.astronaut())[40:200, 140:300, ::-1])
    faces = fairage.Faces(pl.DataFrame({"image": ["a.png"], "age": [41.0]}), tmp_path)
    options = EmbedOptions(backbones=["boxed"], store=tmp_path / "store", progress=False)
    values = embed(faces, options).values
    own = fairage.load().embed(image, crops=True)
    np.testing.assert_allclose(values, own, atol=1e-4)
