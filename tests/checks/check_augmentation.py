"""What every augmentation must hold; a new member of AUGMENTATIONS is checked by itself."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from fairage.exceptions import DataError
from fairage.faces.augmentation import AUGMENTATIONS, make_augmentation

every_augmentation = pytest.mark.parametrize("name", sorted(AUGMENTATIONS))


def picture(height: int = 40, width: int = 31, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def batch(rows: int = 5, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    images = np.stack([picture(seed=row) for row in range(rows)])
    return torch.from_numpy(images).permute(0, 3, 1, 2).to(dtype) / 255


def generator(seed: int = 0, device: str = "cpu") -> torch.Generator:
    return torch.Generator(device).manual_seed(seed)


@every_augmentation
@pytest.mark.parametrize("size", [(40, 31), (1, 50), (50, 1), (1, 1), (2, 3), (224, 224)])
def test_an_image_keeps_its_shape_and_type(name: str, size: tuple[int, int]) -> None:
    image = picture(*size)
    before = image.copy()
    for seed in range(5):
        changed = make_augmentation(name).augment_image(image, seed)
        assert (changed.shape, changed.dtype) == (image.shape, np.uint8)
        assert changed.flags.c_contiguous
        assert changed.flags.writeable
    np.testing.assert_array_equal(image, before)


@every_augmentation
def test_a_read_only_or_strided_image_is_welcome(name: str) -> None:
    image = picture(80, 62)[::2, ::-2]
    image.flags.writeable = False
    expected = make_augmentation(name).augment_image(image.copy(), 1)
    np.testing.assert_array_equal(make_augmentation(name).augment_image(image, 1), expected)


@every_augmentation
def test_the_seed_decides(name: str) -> None:
    augmentation, image = make_augmentation(name), picture()
    pictures = [augmentation.augment_image(image, seed) for seed in range(20)]
    again = augmentation.augment_image(image, np.random.default_rng(7))
    np.testing.assert_array_equal(again, pictures[7])
    assert len({each.tobytes() for each in pictures}) == 20


@every_augmentation
def test_global_random_states_are_neither_read_nor_changed(name: str) -> None:
    augmentation = make_augmentation(name)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        before = torch.get_rng_state()
        first = (
            augmentation.augment_image(picture(), 0),
            augmentation.augment_batch(batch(), generator()),
        )
        assert torch.equal(before, torch.get_rng_state())
        torch.manual_seed(2)
        second = (
            augmentation.augment_image(picture(), 0),
            augmentation.augment_batch(batch(), generator()),
        )
    np.testing.assert_array_equal(first[0], second[0])
    assert torch.equal(first[1], second[1])


@every_augmentation
def test_threads_give_the_pictures_that_one_thread_gives(name: str) -> None:
    augmentation, seeds = make_augmentation(name), range(60)
    alone = [augmentation.augment_image(picture(seed=seed), seed) for seed in seeds]
    with ThreadPoolExecutor(8) as pool:
        together = pool.map(
            lambda seed: augmentation.augment_image(picture(seed=seed), seed), seeds
        )
        for expected, found in zip(alone, together, strict=True):
            np.testing.assert_array_equal(found, expected)


@every_augmentation
def test_a_grey_picture_stays_grey(name: str) -> None:
    grey = np.repeat(picture()[..., :1], 3, axis=2)
    for seed in range(10):
        changed = make_augmentation(name).augment_image(grey, seed).astype(int)
        assert np.ptp(changed, axis=2).max() <= 1


@every_augmentation
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_a_batch_keeps_shape_type_range_and_itself(name: str, dtype: torch.dtype) -> None:
    pixels = batch(dtype=dtype)
    before = pixels.clone()
    changed = make_augmentation(name).augment_batch(pixels, generator())
    assert (changed.shape, changed.dtype, changed.device) == (
        pixels.shape,
        pixels.dtype,
        pixels.device,
    )
    assert 0 <= changed.min() <= changed.max() <= 1
    assert torch.equal(pixels, before)


@every_augmentation
def test_the_generator_decides_about_a_batch_and_moves_on(name: str) -> None:
    augmentation, same = make_augmentation(name), batch(1).expand(6, -1, -1, -1)
    state = generator(3)
    first, second = (augmentation.augment_batch(same, state) for _ in range(2))
    assert torch.equal(first, augmentation.augment_batch(same, generator(3)))
    assert not torch.equal(first, second)
    assert len({row.numpy().tobytes() for row in first}) > 1


@every_augmentation
def test_both_ways_make_the_same_picture_of_one_draw(name: str) -> None:
    augmentation, state = make_augmentation(name), generator(5)
    seed = int(torch.randint(2**62, (), generator=generator(5)))
    found = augmentation.augment_batch(batch(6), state).permute(0, 2, 3, 1).numpy() * 255
    rng = np.random.default_rng(seed)
    for row in range(6):
        expected = augmentation.augment_image(picture(seed=row), rng)
        assert np.abs(found[row] - expected).max() <= 1.5


@every_augmentation
def test_an_empty_batch_stays_empty(name: str) -> None:
    assert make_augmentation(name).augment_batch(batch()[:0], generator()).shape == (0, 3, 40, 31)


@every_augmentation
def test_the_description_goes_through_json_and_tells_settings_apart(name: str) -> None:
    described = make_augmentation(name).to_dict()
    assert json.loads(json.dumps(described)) == described
    assert described["name"] == name
    assert make_augmentation(name, flip=0.25).to_dict() != described


@every_augmentation
@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4), dtype=np.uint8),
        np.zeros((4, 4, 4), dtype=np.uint8),
        np.zeros((4, 4, 3), dtype=np.float32),
        np.zeros((0, 4, 3), dtype=np.uint8),
    ],
)
def test_what_is_no_image_is_refused(name: str, image: np.ndarray) -> None:
    with pytest.raises(DataError, match="expected an"):
        make_augmentation(name).augment_image(image, 0)


@every_augmentation
@pytest.mark.parametrize(
    "pixels", [torch.zeros(3, 4, 4), torch.zeros(1, 1, 4, 4), torch.zeros(1, 3, 4, 4).byte()]
)
def test_what_is_no_batch_is_refused(name: str, pixels: torch.Tensor) -> None:
    with pytest.raises(DataError, match="expected"):
        make_augmentation(name).augment_batch(pixels, generator())


@pytest.mark.gpu
@every_augmentation
def test_a_batch_stays_on_the_gpu_and_looks_as_on_the_cpu(name: str) -> None:
    if not torch.cuda.is_available():
        pytest.skip("there is no CUDA device")
    found = make_augmentation(name).augment_batch(batch().cuda(), generator())
    expected = make_augmentation(name).augment_batch(batch(), generator())
    assert found.is_cuda
    assert (found.cpu() - expected).abs().max() < 2 / 255
