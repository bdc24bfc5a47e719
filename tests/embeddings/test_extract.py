"""Embedding a faces table: values, order, failures, what is computed again and what is not."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from fairage.embeddings import BackboneSpec, EmbedOptions, batcher, embed
from fairage.embeddings.backbones import transformers
from fairage.embeddings.backbones.registry import find_backbone
from fairage.embeddings.runtime import Runtime
from fairage.exceptions import ConfigError, DataError
from fairage.faces import decode_image
from fairage.tables import IMAGE, Faces

SavePicture = Callable[..., None]
FacesOf = Callable[[Path, list[str]], Faces]


def by_hand(faces: Faces, name: Path, share: float | None = None) -> np.ndarray:
    """Embed one image at a time, averaged with its mirror image."""
    backbone = find_backbone(str(name))
    network = backbone.load(Runtime("cpu", "fp32", 1, 1))
    rows = []
    for image in faces.images:
        pixels = decode_image(Path(image).read_bytes())
        if share is not None:
            side = round(len(pixels) * share)
            start = (len(pixels) - side) // 2
            pixels = pixels[start : start + side, start : start + side]
        small = backbone.preprocessing.resized(pixels)
        both = np.stack([small, small[:, ::-1]])
        rows.append(np.concatenate([network(both[:1]), network(both[1:])]).mean(axis=0))
    return np.stack(rows)


def test_values_are_those_of_one_image_at_a_time(
    pictures: Faces, resnet: Path, onnx_folder: Path, tmp_path: Path
) -> None:
    specs = [BackboneSpec(str(resnet)), BackboneSpec(str(onnx_folder), "crop:0.7")]
    found = embed(
        pictures,
        EmbedOptions(backbones=specs, store=tmp_path / "store", batch_size=5, precision="fp32"),
    )
    assert found.values.dtype == np.float32
    wanted = np.hstack([by_hand(pictures, resnet), by_hand(pictures, onnx_folder, 0.7)])
    np.testing.assert_allclose(found.values, wanted, rtol=1e-4, atol=1e-5)
    assert found.rows.tolist() == list(range(12))
    assert [(b["kind"], b["dim"], b["view"]) for b in found.backbones] == [
        ("transformers", 16, "whole"),
        ("onnx", 5, "crop:0.7"),
    ]


def test_a_second_call_computes_nothing_and_gives_the_same(
    pictures: Faces, resnet: Path, tmp_path: Path
) -> None:
    spec = [BackboneSpec(str(resnet))]
    first = embed(pictures, EmbedOptions(backbones=spec, store=tmp_path / "store"))
    again = embed(pictures, EmbedOptions(backbones=spec, store=tmp_path / "store"))
    assert (first.new, again.new) == (12, 0)
    np.testing.assert_array_equal(first.values, again.values)


def test_only_new_images_are_embedded(pictures: Faces, resnet: Path, tmp_path: Path) -> None:
    spec = [BackboneSpec(str(resnet))]
    embed(pictures.rows(np.arange(7)), EmbedOptions(backbones=spec, store=tmp_path / "store"))
    assert embed(pictures, EmbedOptions(backbones=spec, store=tmp_path / "store")).new == 5


def test_the_same_image_under_another_name_is_not_embedded_again(
    pictures: Faces, resnet: Path, tmp_path: Path, faces_of: FacesOf
) -> None:
    copy = pictures.root / "copy.png"
    copy.write_bytes((pictures.root / "03.png").read_bytes())
    both = faces_of(pictures.root, ["03.png", "copy.png", "04.png"])
    found = embed(
        both, EmbedOptions(backbones=[BackboneSpec(str(resnet))], store=tmp_path / "store")
    )
    assert found.new == 2
    np.testing.assert_array_equal(found.values[0], found.values[1])


def test_a_changed_image_is_embedded_again(
    pictures: Faces, resnet: Path, tmp_path: Path, save_picture: SavePicture
) -> None:
    spec = [BackboneSpec(str(resnet))]
    first = embed(pictures, EmbedOptions(backbones=spec, store=tmp_path / "store"))
    save_picture(pictures.root / "03.png", 99)
    again = embed(pictures, EmbedOptions(backbones=spec, store=tmp_path / "store"))
    assert again.new == 1
    changed = (first.values != again.values).any(axis=1)
    assert np.flatnonzero(changed).tolist() == [3]


def test_flip_averaging_makes_mirror_images_equal(
    resnet: Path, tmp_path: Path, save_picture: SavePicture, faces_of: FacesOf
) -> None:
    save_picture(tmp_path / "a.png", 1, side=32)
    cv2.imwrite(str(tmp_path / "b.png"), cv2.imread(str(tmp_path / "a.png"))[:, ::-1])
    faces = faces_of(tmp_path, ["a.png", "b.png"])
    averaged = embed(
        faces, EmbedOptions(backbones=[BackboneSpec(str(resnet))], store=tmp_path / "s")
    ).values
    single = embed(
        faces, EmbedOptions(backbones=[BackboneSpec(str(resnet), flip=False)], store=tmp_path / "s")
    ).values
    np.testing.assert_allclose(averaged[0], averaged[1], atol=1e-6)
    assert np.abs(single[0] - single[1]).max() > 1e-3
    np.testing.assert_allclose(single.mean(axis=0), averaged[0], atol=1e-5)


@pytest.fixture
def broken(pictures: Faces) -> Faces:
    """Rows 2 and 5 cannot be read."""
    (pictures.root / "02.png").write_bytes((pictures.root / "02.png").read_bytes()[:-30])
    (pictures.root / "05.png").unlink()
    return pictures


def test_unreadable_images_are_listed_and_left_out(
    broken: Faces, resnet: Path, tmp_path: Path
) -> None:
    spec = [BackboneSpec(str(resnet))]
    found = embed(
        broken,
        EmbedOptions(backbones=spec, store=tmp_path / "s", on_error="skip", precision="fp32"),
    )
    assert [failure.row for failure in found.failures] == [2, 5]
    assert "cut short" in found.failures[0].reason
    assert found.failures[1].image.endswith("05.png")
    assert found.rows.tolist() == [0, 1, 3, 4, *range(6, 12)]
    good = broken.rows(found.rows)
    np.testing.assert_allclose(found.values, by_hand(good, resnet), rtol=1e-4, atol=1e-5)


def test_an_unreadable_image_ends_the_run_but_keeps_what_was_done(
    broken: Faces, resnet: Path, tmp_path: Path
) -> None:
    spec = [BackboneSpec(str(resnet))]
    with pytest.raises(DataError, match=r"row 3 .*02\.png.*--on-error skip"):
        embed(broken, EmbedOptions(backbones=spec, store=tmp_path / "s", batch_size=2))
    assert (
        embed(
            broken,
            EmbedOptions(backbones=spec, store=tmp_path / "s", batch_size=2, on_error="skip"),
        ).new
        == 8
    )


def test_a_table_without_a_readable_image_is_an_error(
    resnet: Path, tmp_path: Path, faces_of: FacesOf
) -> None:
    faces = faces_of(tmp_path, ["none.png"])
    with pytest.raises(DataError, match="at least one image"):
        embed(
            faces,
            EmbedOptions(
                backbones=[BackboneSpec(str(resnet))], store=tmp_path / "s", on_error="skip"
            ),
        )


@pytest.fixture
def overflowing(pictures: Faces, resnet: Path, monkeypatch: pytest.MonkeyPatch) -> Faces:
    """Pictures of which rows 3 and 7, and row 8, a copy of 7, get numbers that are not finite."""
    (pictures.root / "08.png").write_bytes((pictures.root / "07.png").read_bytes())
    preprocessing = find_backbone(str(resnet)).preprocessing
    wrong = [
        preprocessing.resized(decode_image((pictures.root / name).read_bytes()))
        for name in ("03.png", "07.png")
    ]
    run = transformers.TorchNetwork.__call__

    def failing(self: transformers.TorchNetwork, pixels: np.ndarray) -> np.ndarray:
        values = run(self, pixels)
        for row, image in enumerate(pixels):
            for number, each in zip((np.nan, np.inf), wrong, strict=True):
                if np.array_equal(image, each):
                    values[row, 2] = number
        return values

    monkeypatch.setattr(transformers.TorchNetwork, "__call__", failing)
    return pictures


def options_of(resnet: Path, store: Path, **more: object) -> EmbedOptions:
    return EmbedOptions(backbones=[BackboneSpec(str(resnet))], store=store, **more)


def test_images_whose_embedding_is_not_finite_are_left_out_and_never_stored(
    overflowing: Faces, resnet: Path, tmp_path: Path
) -> None:
    options = options_of(resnet, tmp_path / "s", on_error="skip", batch_size=4, precision="fp32")
    found = embed(overflowing, options)
    assert [failure.row for failure in found.failures] == [3, 7, 8]
    assert "NaN or infinite" in found.failures[0].reason
    assert found.failures[0].image.endswith("03.png")
    assert found.rows.tolist() == [0, 1, 2, 4, 5, 6, 9, 10, 11]
    assert (found.new, np.isfinite(found.values).all()) == (9, True)
    good = overflowing.rows(found.rows)
    np.testing.assert_allclose(found.values, by_hand(good, resnet), rtol=1e-4, atol=1e-5)
    again = embed(overflowing, options)
    assert (again.new, again.failures) == (0, found.failures)


@pytest.mark.parametrize("batch_size", [4, 16])
def test_an_embedding_that_is_not_finite_ends_the_run_and_names_its_images(
    overflowing: Faces, resnet: Path, tmp_path: Path, batch_size: int
) -> None:
    options = options_of(resnet, tmp_path / "s", batch_size=batch_size, precision="fp32")
    with pytest.raises(DataError, match=r"row 4 .*03\.png.*NaN or infinite.*--on-error skip"):
        embed(overflowing, options)


def test_a_table_of_which_no_embedding_is_finite_is_an_error(
    overflowing: Faces, resnet: Path, tmp_path: Path
) -> None:
    options = options_of(resnet, tmp_path / "s", on_error="skip", precision="fp32")
    with pytest.raises(DataError, match=r"at least one image.*NaN or infinite"):
        embed(overflowing.rows(np.array([3, 7])), options)


def test_an_interrupted_run_ends_with_the_same_bits(
    pictures: Faces, resnet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = [BackboneSpec(str(resnet))]
    whole = embed(pictures, EmbedOptions(backbones=spec, store=tmp_path / "whole", batch_size=5))
    run = batcher.BackboneBatcher._run_batch
    batches: list[int] = []

    def interrupted(self: batcher.BackboneBatcher) -> None:
        batches.append(1)
        if len(batches) == 2:
            raise KeyboardInterrupt
        run(self)

    monkeypatch.setattr(batcher.BackboneBatcher, "_run_batch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        embed(pictures, EmbedOptions(backbones=spec, store=tmp_path / "cut", batch_size=5))
    rest = embed(pictures, EmbedOptions(backbones=spec, store=tmp_path / "cut", batch_size=5))
    assert rest.new == 7
    np.testing.assert_array_equal(whole.values, rest.values)


def test_a_damaged_shard_is_embedded_again(pictures: Faces, resnet: Path, tmp_path: Path) -> None:
    spec = [BackboneSpec(str(resnet))]
    first = embed(pictures, EmbedOptions(backbones=spec, store=tmp_path / "s"))
    (shard,) = (tmp_path / "s").glob("*/*.safetensors")
    shard.write_bytes(shard.read_bytes()[:-100])
    with pytest.warns(UserWarning, match="set aside"):
        again = embed(pictures, EmbedOptions(backbones=spec, store=tmp_path / "s"))
    assert again.new == 12
    np.testing.assert_array_equal(first.values, again.values)


def test_two_views_share_one_network(
    pictures: Faces, resnet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    load, loaded = transformers.load_pooled, []
    monkeypatch.setattr(
        transformers, "load_pooled", lambda path: (loaded.append(path), load(path))[1]
    )
    specs = [BackboneSpec(str(resnet)), BackboneSpec(str(resnet), "crop:0.7")]
    embed(pictures, EmbedOptions(backbones=specs, store=tmp_path / "s", precision="fp32"))
    assert len(loaded) == 1


def test_settings_that_make_no_sense_are_refused(
    pictures: Faces, resnet: Path, tmp_path: Path
) -> None:
    spec = BackboneSpec(str(resnet))
    with pytest.raises(ConfigError, match="on_error"):
        embed(pictures, EmbedOptions(backbones=[spec], store=tmp_path, on_error="ignore"))
    with pytest.raises(ConfigError, match="different backbones"):
        embed(pictures, EmbedOptions(backbones=[spec, spec], store=tmp_path))
    with pytest.raises(ConfigError, match="one or more"):
        embed(pictures, EmbedOptions(backbones=[], store=tmp_path))


@pytest.mark.real_data
@pytest.mark.parametrize(("precision", "agreement"), [("fp32", 0.99999), ("auto", 0.999)])
def test_both_published_models_embed_real_faces(
    real_data: Path, tmp_path: Path, faces_of: FacesOf, precision: str, agreement: float
) -> None:
    folder = real_data / "data" / "appa-real" / "train_data"
    names = sorted(path.name for path in folder.glob("*.jpg"))[:48]
    faces = faces_of(folder, names)
    specs = [
        BackboneSpec(str(real_data / "models" / "mobilenet-v1-vggface2")),
        BackboneSpec(str(real_data / "models" / "mobilefacenet"), "crop:0.7"),
    ]
    found = embed(
        faces, EmbedOptions(backbones=specs, store=tmp_path / "store", precision=precision)
    )
    assert [each["dim"] for each in found.backbones] == [1024, 1664]
    assert found.values.shape == (48, 2688)
    assert np.isfinite(found.values).all()
    assert faces.frame[IMAGE].len() == found.new
    part = faces.rows(np.arange(12))
    for spec, columns in zip(specs, (slice(0, 1024), slice(1024, None)), strict=True):
        share = 0.7 if spec.view != "whole" else None
        wanted = by_hand(part, Path(spec.name), share)
        got = found.values[:12, columns]
        lengths = np.linalg.norm(got, axis=1) * np.linalg.norm(wanted, axis=1)
        assert ((got * wanted).sum(axis=1) / lengths).min() > agreement
