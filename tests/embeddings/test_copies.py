"""Augmented copies: the same every time, computed once, and what the network sees of them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fairage._random import numpy_rng
from fairage.datasets.oversampling import CopiedRows, make_copies
from fairage.embeddings import BackboneSpec, Embeddings, EmbedOptions, batcher, embed, embed_copies
from fairage.embeddings.backbones.registry import find_backbone
from fairage.embeddings.loader import copy_key
from fairage.embeddings.runtime import Runtime
from fairage.embeddings.store import content_key
from fairage.exceptions import ConfigError, DataError
from fairage.faces import decode_image
from fairage.faces.augmentation import KitAugmentation, make_augmentation
from fairage.tables import Faces

KIT = KitAugmentation()
FacesOf = Callable[[Path, list[str]], Faces]


def twice(faces: Faces) -> CopiedRows:
    return make_copies("all", times=2).choose(faces.frame)


def some(rows: list[int], copies: list[int]) -> CopiedRows:
    return CopiedRows(np.array(rows), np.array(copies), ())


@pytest.fixture
def specs(resnet: Path) -> list[BackboneSpec]:
    return [BackboneSpec(str(resnet))]


def test_what_one_call_read_of_the_store_the_next_one_finds(
    pictures: Faces, specs: list[BackboneSpec], tmp_path: Path
) -> None:
    alone, opened = copied(pictures, specs, tmp_path / "alone"), {}
    store = tmp_path / "shared"
    options = EmbedOptions(backbones=specs, precision="fp32", store=store)
    embed(pictures, options, opened=opened)
    (shared,) = opened.values()
    found = copied(pictures, specs, store, opened=opened)
    assert list(opened.values()) == [shared]
    assert (found.new, len(shared)) == (alone.new, len(pictures) + alone.new)
    np.testing.assert_array_equal(found.values, alone.values)
    assert copied(pictures, specs, store, opened=opened).new == 0


def copied(
    faces: Faces,
    specs: list[BackboneSpec],
    store: Path,
    *,
    seed: int = 0,
    opened: dict | None = None,
    **changes,
) -> Embeddings:
    options = EmbedOptions(backbones=specs, store=store, precision="fp32", **changes)
    return embed_copies(faces, twice(faces), KIT, options, seed=seed, opened=opened)


def test_a_copy_is_what_the_network_sees_after_the_view_changed(
    pictures: Faces, resnet: Path, tmp_path: Path
) -> None:
    found = copied(pictures, [BackboneSpec(str(resnet), "crop:0.7")], tmp_path, seed=3)
    backbone = find_backbone(str(resnet))
    network = backbone.load(Runtime("cpu", "fp32", 1, 1))
    wanted = []
    for image in pictures.images[:4]:
        data = Path(image).read_bytes()
        small = backbone.preprocessing.resized(decode_image(data)[6:34, 6:34])
        for copy in (1, 2):
            rng = numpy_rng(3, "augment", content_key(data).hex(), copy)
            pixels = KIT.augment_image(small, rng)
            both = pixels, np.ascontiguousarray(pixels[:, ::-1])
            wanted.append(np.mean([network(p[None])[0] for p in both], axis=0))
    np.testing.assert_allclose(found.values[:8], wanted, rtol=1e-4, atol=1e-5)
    assert found.rows.tolist() == sorted([*range(12), *range(12)])


def test_a_second_call_computes_nothing_and_gives_the_same(pictures, specs, tmp_path) -> None:
    first, again = (copied(pictures, specs, tmp_path / "s") for _ in range(2))
    assert (first.new, again.new) == (24, 0)
    np.testing.assert_array_equal(first.values, again.values)


def test_another_store_gives_the_same_bits(pictures, specs, tmp_path) -> None:
    one, two = (copied(pictures, specs, tmp_path / name).values for name in "ab")
    np.testing.assert_array_equal(one, two)


def test_copies_differ_from_the_face_and_from_each_other(pictures, specs, tmp_path) -> None:
    plain = embed(pictures, EmbedOptions(backbones=specs, store=tmp_path, precision="fp32")).values
    first, second = copied(pictures, specs, tmp_path).values.reshape(12, 2, -1).swapaxes(0, 1)
    for one, other in ((plain, first), (plain, second), (first, second)):
        assert (np.abs(one - other).max(axis=1) > 1e-4).all()


def test_plain_images_are_found_where_they_were(pictures, specs, tmp_path) -> None:
    before = embed(pictures, EmbedOptions(backbones=specs, store=tmp_path, precision="fp32"))
    copied(pictures, specs, tmp_path)
    after = embed(pictures, EmbedOptions(backbones=specs, store=tmp_path, precision="fp32"))
    assert (before.new, after.new) == (12, 0)
    np.testing.assert_array_equal(before.values, after.values)


def test_values_do_not_depend_on_the_order_or_on_what_else_is_copied(
    pictures, specs, tmp_path
) -> None:
    whole = copied(pictures, specs, tmp_path / "a")
    other = pictures.rows(np.arange(12)[::-1].copy())
    told = some([0, 0, 5, 11], [1, 2, 2, 1])
    found = embed_copies(
        other, told, KIT, EmbedOptions(backbones=specs, store=tmp_path / "b", precision="fp32")
    )
    wanted = whole.values[[22, 23, 13, 0]]
    np.testing.assert_allclose(found.values, wanted, rtol=1e-5, atol=1e-6)


def test_every_backbone_sees_the_same_copy(pictures, resnet, onnx_folder, tmp_path) -> None:
    specs = [BackboneSpec(str(resnet)), BackboneSpec(str(onnx_folder), "crop:0.7")]
    together = copied(pictures, specs, tmp_path / "a").values
    alone = [copied(pictures, [spec], tmp_path / "b").values for spec in specs]
    np.testing.assert_array_equal(together, np.hstack(alone))


@pytest.mark.parametrize(
    "change", [{"seed": 1}, {"augmentation": make_augmentation("kit", brightness=0.0)}]
)
def test_another_seed_or_setting_is_another_copy(change, pictures, specs, tmp_path) -> None:
    first = copied(pictures, specs, tmp_path)
    chosen = {"augmentation": KIT, "seed": 0} | change
    options = EmbedOptions(backbones=specs, store=tmp_path, precision="fp32")
    other = embed_copies(pictures, twice(pictures), options=options, **chosen)
    assert other.new == 24
    assert np.abs(first.values - other.values).max() > 1e-4


def test_more_copies_go_on_where_fewer_ended(pictures, specs, tmp_path) -> None:
    first = copied(pictures, specs, tmp_path)
    thrice = make_copies("all", times=3).choose(pictures.frame)
    more = embed_copies(
        pictures, thrice, KIT, EmbedOptions(backbones=specs, store=tmp_path, precision="fp32")
    )
    assert more.new == 12
    kept = more.values.reshape(12, 3, -1)[:, :2].reshape(24, -1)
    np.testing.assert_array_equal(kept, first.values)


def test_many_copies_of_a_face_are_all_there(pictures, specs, tmp_path) -> None:
    told = some([7] * 40, list(range(1, 41)))
    found = embed_copies(
        pictures, told, KIT, EmbedOptions(backbones=specs, store=tmp_path, precision="fp32")
    )
    assert (found.new, found.rows.tolist()) == (40, [7] * 40)
    assert len(np.unique(found.values, axis=0)) == 40


def test_an_interrupted_run_ends_with_the_same_bits(
    pictures: Faces, specs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = copied(pictures, specs, tmp_path / "whole", batch_size=5)
    run, batches = batcher.BackboneBatcher._run_batch, []

    def interrupted(self: batcher.BackboneBatcher) -> None:
        batches.append(1)
        if len(batches) == 3:
            raise KeyboardInterrupt
        run(self)

    monkeypatch.setattr(batcher.BackboneBatcher, "_run_batch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        copied(pictures, specs, tmp_path / "cut", batch_size=5)
    rest = copied(pictures, specs, tmp_path / "cut", batch_size=5)
    assert rest.new == 14
    np.testing.assert_array_equal(whole.values, rest.values)


def test_a_copy_key_is_of_the_image_the_change_the_seed_and_the_number() -> None:
    def key(image=b"a" * 16, augmentation=KIT, seed=0, copy=1) -> bytes:
        return copy_key(image, augmentation, seed=seed, copy=copy)

    other = make_augmentation("random")
    keys = [key(), key(b"b" * 16), key(augmentation=other), key(seed=1), key(copy=2)]
    assert len(set(keys)) == 5
    assert key() == key(augmentation=KitAugmentation())


def test_copies_of_an_unreadable_image_are_left_out_and_told_once(
    pictures: Faces, specs, tmp_path: Path
) -> None:
    (pictures.root / "05.png").unlink()
    with pytest.raises(DataError, match=r"row 6 .*05\.png"):
        copied(pictures, specs, tmp_path / "a")
    found = copied(pictures, specs, tmp_path / "a", on_error="skip")
    assert [failure.row for failure in found.failures] == [5]
    assert found.rows.tolist() == [row for row in range(12) if row != 5 for _ in range(2)]


def test_what_makes_no_sense_is_refused(pictures: Faces, specs, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="one copy or more"):
        embed_copies(pictures, some([], []), KIT, EmbedOptions(backbones=specs, store=tmp_path))
    with pytest.raises(ConfigError, match="on_error"):
        copied(pictures, specs, tmp_path, on_error="ignore")
