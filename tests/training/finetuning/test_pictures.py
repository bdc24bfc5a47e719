"""Pictures: the same ones from memory and from disk, and the network's input made of them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fairage.embeddings import BackboneSpec, EmbedOptions
from fairage.exceptions import ConfigError, DataError
from fairage.faces import Preprocessing
from fairage.faces.augmentation import KitAugmentation
from fairage.objectives import Targets
from fairage.training.data import ImageRows
from fairage.training.images import open_pictures, prepared

SMALL = Preprocessing(16, 16, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
CPU = torch.device("cpu")
QUIET = EmbedOptions(backbones="any", progress=False)
MakeRows = Callable[[int, int], ImageRows]


def seen(rows: ImageRows, memory: float, view: str = "crop:0.7") -> list[torch.Tensor]:
    spec = BackboneSpec("any", view)
    (pictures,) = open_pictures((rows,), spec, SMALL, QUIET, memory=memory)
    order = torch.tensor([3, 0, 6, 1, 5])
    batches = list(pictures.batches(order, 2))
    assert torch.equal(torch.cat([index for index, _ in batches]), order)
    return [pixels for _, pixels in batches]


def test_pictures_from_memory_and_from_disk_are_the_same(picture_rows: MakeRows) -> None:
    rows = picture_rows(7, 1)
    kept, read = seen(rows, memory=1), seen(rows, memory=0)
    assert [len(batch) for batch in kept] == [2, 2, 1]
    assert all(torch.equal(a, b) for a, b in zip(kept, read, strict=True))
    assert kept[0].shape == (2, 16, 16, 3)
    assert not torch.equal(kept[0], seen(rows, memory=1, view="whole")[0])


def test_what_fits_is_kept_and_the_rest_is_read(picture_rows: MakeRows) -> None:
    parts = picture_rows(8, 1), picture_rows(4, 2)
    room = 5 * SMALL.height * SMALL.width * 3 / 2**30
    found = open_pictures(parts, BackboneSpec("any"), SMALL, QUIET, memory=room)
    assert [pictures._kept is None for pictures in found] == [True, False]


@pytest.mark.parametrize("memory", [0.0, 1.0])
def test_an_image_that_cannot_be_read_is_named(
    memory: float, picture_rows: MakeRows, tmp_path: Path
) -> None:
    rows = picture_rows(7, 1)
    (tmp_path / "bad.png").write_bytes(b"nothing")
    broken = replace(rows, images=(*rows.images[:-1], str(tmp_path / "bad.png")))
    with pytest.raises(DataError, match=r"images that can be read, got '.*bad\.png'"):
        list(
            open_pictures((broken,), BackboneSpec("any"), SMALL, QUIET, memory=memory)[0].batches(
                torch.arange(7), 4
            )
        )


def test_the_input_is_what_the_preprocessing_gives() -> None:
    pixels = torch.randint(256, (3, 16, 16, 3), dtype=torch.uint8)
    assert torch.equal(prepared(pixels, SMALL, CPU), SMALL.normalised(pixels))


def test_mirroring_and_augmentation_follow_their_generator() -> None:
    pixels = torch.randint(256, (32, 16, 16, 3), dtype=torch.uint8)
    for options in ({"mirror": True}, {"augmentation": KitAugmentation()}):
        one, same, other = (
            prepared(pixels, SMALL, CPU, generator=torch.Generator().manual_seed(seed), **options)
            for seed in (1, 1, 2)
        )
        assert torch.equal(one, same)
        assert not torch.equal(one, other)
    plain, mirrored = SMALL.normalised(pixels), SMALL.normalised(pixels.flip(2))
    generator = torch.Generator().manual_seed(1)
    one = prepared(pixels, SMALL, CPU, mirror=True, generator=generator)
    flipped = [torch.equal(a, b) for a, b in zip(one, mirrored, strict=True)]
    kept = [torch.equal(a, b) for a, b in zip(one, plain, strict=True)]
    assert all(a != b for a, b in zip(flipped, kept, strict=True))
    assert 8 < sum(flipped) < 24


def test_rows_without_an_age_each_or_of_other_length_are_refused(picture_rows: MakeRows) -> None:
    rows = picture_rows(7, 1)
    with pytest.raises(DataError, match="an age and a weight for each image"):
        replace(rows, targets=Targets(torch.ones(6)))
    with pytest.raises(DataError, match=r"expected embeddings \(7, dim\)"):
        replace(rows, beside=torch.ones(6, 2))


def test_an_aligned_view_with_a_detector_that_is_not_there_is_an_error(
    picture_rows: MakeRows, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FAIRAGE_DETECTOR", str(tmp_path / "none.onnx"))
    with pytest.raises(ConfigError, match="got no file"):
        open_pictures(
            (picture_rows(7, 1),),
            BackboneSpec("any", "aligned"),
            SMALL,
            QUIET.changed(store=tmp_path),
            memory=4.0,
        )


def test_labels_alone_make_rows_for_fairness_terms(picture_rows: MakeRows) -> None:
    rows = picture_rows(7, 1)
    assert len(rows.labelled) == 7
    np.testing.assert_array_equal(rows.labelled.groups["gender"], rows.groups["gender"])
