"""Aligned views: detected once, fallen back to the crop and counted, never mixed up."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fairage.embeddings import BackboneSpec, EmbedOptions, embed
from fairage.exceptions import ConfigError
from fairage.faces import FaceDetector, decode_image
from fairage.faces.views import TEMPLATE
from fairage.faces.yunet import SHIPPED
from fairage.tables import Faces

FAR = 60.0
FacesOf = Callable[[Path, list[str]], Faces]


class FakeYuNet:
    """Stands in for the network: finds the template's landmarks, but none in dark pictures."""

    def __init__(self, darkest: float) -> None:
        self.darkest = darkest
        self.calls = 0

    def __call__(self, _: FaceDetector, image: np.ndarray) -> np.ndarray | None:
        if image.shape == (64, 64, 3) and not image.any():
            return None  # the trial that the file holds a detector
        self.calls += 1
        if image.mean() < self.darkest:
            return None
        return (TEMPLATE * (image.shape[0] / 112)).astype(np.float32)


@pytest.fixture
def detector(tmp_path: Path) -> Path:
    path = tmp_path / "detector.onnx"
    path.write_bytes(b"a detector")
    return path


@pytest.fixture
def yunet(pictures: Faces, monkeypatch: pytest.MonkeyPatch) -> FakeYuNet:
    """Finds no face in rows 3 and 8, which become the darkest pictures."""
    means = [decode_image(Path(image).read_bytes()).mean() for image in pictures.images]
    fake = FakeYuNet(float(np.sort(means)[2]))
    monkeypatch.setattr(FaceDetector, "landmarks", lambda self, image: fake(self, image))
    return fake


def test_faces_not_found_fall_back_to_the_crop_and_are_listed(
    pictures: Faces, resnet: Path, detector: Path, yunet: FakeYuNet, tmp_path: Path
) -> None:
    specs = [BackboneSpec(str(resnet), view) for view in ("aligned", "crop:0.7")]
    found = embed(pictures, EmbedOptions(backbones=specs, store=tmp_path / "s", detector=detector))
    assert len(found.no_face) == 2
    aligned, cropped = np.hsplit(found.values, 2)
    same = [row for row in range(12) if np.array_equal(aligned[row], cropped[row])]
    assert same == list(found.no_face)
    again = embed(pictures, EmbedOptions(backbones=specs, store=tmp_path / "s", detector=detector))
    assert (again.new, again.no_face) == (0, found.no_face)


def test_several_backbones_and_runs_detect_once(
    pictures: Faces,
    resnet: Path,
    onnx_folder: Path,
    detector: Path,
    yunet: FakeYuNet,
    tmp_path: Path,
) -> None:
    first = [BackboneSpec(str(resnet), "aligned"), BackboneSpec(str(resnet), "aligned:1.5")]
    embed(pictures, EmbedOptions(backbones=first, store=tmp_path / "s", detector=detector))
    assert yunet.calls == 12
    second = [BackboneSpec(str(onnx_folder), "aligned")]
    found = embed(pictures, EmbedOptions(backbones=second, store=tmp_path / "s", detector=detector))
    assert yunet.calls == 12
    assert found.new == 12
    assert len(found.no_face) == 2


def test_values_are_those_of_the_aligned_picture(
    pictures: Faces, resnet: Path, detector: Path, yunet: FakeYuNet, tmp_path: Path
) -> None:
    """The fake landmarks are the template's own, so aligning is scaling to the network's size."""
    yunet.darkest = 0.0
    specs = [BackboneSpec(str(resnet), view) for view in ("aligned", "whole")]
    found = embed(
        pictures,
        EmbedOptions(backbones=specs, store=tmp_path / "s", detector=detector, precision="fp32"),
    )
    aligned, whole = np.hsplit(found.values, 2)
    assert found.no_face == ()
    lengths = np.linalg.norm(aligned, axis=1) * np.linalg.norm(whole, axis=1)
    assert ((aligned * whole).sum(axis=1) / lengths).min() > 0.98


def test_another_detector_is_another_embedding_and_only_of_aligned_views(
    pictures: Faces, resnet: Path, detector: Path, yunet: FakeYuNet, tmp_path: Path
) -> None:
    other = tmp_path / "other.onnx"
    other.write_bytes(b"another detector")
    aligned, whole = BackboneSpec(str(resnet), "aligned"), BackboneSpec(str(resnet))
    one = embed(
        pictures, EmbedOptions(backbones=[aligned, whole], store=tmp_path / "s", detector=detector)
    )
    assert embed(pictures, EmbedOptions(backbones=[whole], store=tmp_path / "s")).new == 0
    two = embed(pictures, EmbedOptions(backbones=[aligned], store=tmp_path / "s", detector=other))
    assert two.new == 12
    assert one.backbones[0]["detector"] != two.backbones[0]["detector"]
    assert "detector" not in one.backbones[1]


def test_lost_detections_are_made_again_without_embedding_again(
    pictures: Faces, resnet: Path, detector: Path, yunet: FakeYuNet, tmp_path: Path
) -> None:
    spec = [BackboneSpec(str(resnet), "aligned")]
    first = embed(pictures, EmbedOptions(backbones=spec, store=tmp_path / "s", detector=detector))
    for about in (tmp_path / "s").glob("*/about.json"):
        if "weights" not in about.read_text():
            for shard in about.parent.glob("*.safetensors"):
                shard.unlink()
    again = embed(pictures, EmbedOptions(backbones=spec, store=tmp_path / "s", detector=detector))
    assert yunet.calls == 24
    assert (again.new, again.no_face) == (0, first.no_face)


def test_rows_of_faces_not_found_are_rows_of_the_table(
    pictures: Faces, resnet: Path, detector: Path, yunet: FakeYuNet, tmp_path: Path
) -> None:
    spec = [BackboneSpec(str(resnet), "aligned")]
    whole = embed(pictures, EmbedOptions(backbones=spec, store=tmp_path / "s", detector=detector))
    broken = next(row for row in range(12) if row not in whole.no_face)
    Path(pictures.images[broken]).write_bytes(b"broken")
    found = embed(
        pictures,
        EmbedOptions(backbones=spec, store=tmp_path / "s", detector=detector, on_error="skip"),
    )
    assert found.no_face == whole.no_face
    assert broken not in found.rows


def test_an_aligned_view_needs_no_file_from_the_user(
    pictures: Faces, resnet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FAIRAGE_DETECTOR", raising=False)
    spec = [BackboneSpec(str(resnet), "aligned")]
    found = embed(pictures, EmbedOptions(backbones=spec, store=tmp_path / "s"))
    assert found.no_face == tuple(range(12))
    assert found.backbones[0]["detector"] == FaceDetector(SHIPPED).fingerprint()


def test_a_detector_that_is_not_there_is_refused_before_any_work(
    pictures: Faces, resnet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAIRAGE_DETECTOR", str(tmp_path / "none.onnx"))
    with pytest.raises(ConfigError, match="expected the file of a face detector"):
        embed(
            pictures,
            EmbedOptions(backbones=[BackboneSpec(str(resnet), "aligned")], store=tmp_path / "s"),
        )
    assert not (tmp_path / "s").exists()


@pytest.mark.real_data
def test_alignment_helps_on_real_faces(real_data: Path, tmp_path: Path, faces_of: FacesOf) -> None:
    """Two photographs of a face under another angle come nearer to each other."""
    import cv2

    folder = real_data / "data" / "appa-real" / "valid_data"
    names = sorted(path.name for path in folder.glob("*.jpg"))[:24]
    for name in names:
        photo = cv2.imread(str(folder / name))
        turn = cv2.getRotationMatrix2D((112, 112), 20, 0.85)
        turned = cv2.warpAffine(photo, turn, (224, 224), borderMode=cv2.BORDER_REPLICATE)
        cv2.imwrite(str(tmp_path / f"{name}.png"), turned)
        cv2.imwrite(str(tmp_path / f"{name}.as-it-is.png"), photo)
    faces = faces_of(tmp_path, [f"{n}{e}" for n in names for e in (".as-it-is.png", ".png")])
    model = str(real_data / "models" / "mobilefacenet")
    specs = [BackboneSpec(model, view, flip=False) for view in ("crop:0.7", "aligned")]
    found = embed(faces, EmbedOptions(backbones=specs, store=tmp_path / "s"))
    assert len(found.no_face) <= 1
    unit = found.values.reshape(48, 2, -1)
    unit = unit / np.linalg.norm(unit, axis=2, keepdims=True)
    likeness = (unit[::2] * unit[1::2]).sum(axis=2).mean(axis=0)
    assert likeness[1] > 0.8
    assert likeness[1] > likeness[0] + 0.1
