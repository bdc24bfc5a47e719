import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest
import torch

from fairage.exceptions import ConfigError, DataError, MissingDependencyError
from fairage.faces.augmentation import (
    Augmentation,
    KitAugmentation,
    RandomAugmentation,
    Step,
    apply_steps,
    make_augmentation,
)
from fairage.faces.augmentation.base import COLOURS, MOVES
from fairage.faces.augmentation.policies import LARGEST_AMOUNTS
from fairage.faces.contact_sheet import preview_rows
from fairage.tables import Faces


def noise(rows: int = 1, height: int = 12, width: int = 10) -> torch.Tensor:
    return torch.rand(rows, 3, height, width, generator=torch.Generator().manual_seed(0))


def changed(operation: str, amount: float, pixels: torch.Tensor) -> torch.Tensor:
    return apply_steps(pixels, [[Step(operation, amount)]] * len(pixels))


@pytest.mark.parametrize("operation", [*COLOURS, *MOVES])
def test_amount_zero_changes_nothing(operation: str) -> None:
    assert torch.equal(changed(operation, 0.0, noise()), noise())


@pytest.mark.parametrize("operation", [*COLOURS, *MOVES])
def test_every_operation_changes_the_picture_and_keeps_its_range(operation: str) -> None:
    found = changed(operation, 0.2, noise(2))
    assert not torch.equal(found, noise(2))
    assert 0 <= found.min() <= found.max() <= 1


def test_flip_mirrors_left_and_right() -> None:
    assert torch.equal(changed("flip", 1.0, noise()), noise().flip(3))


def test_brightness_multiplies() -> None:
    torch.testing.assert_close(changed("brightness", -0.5, noise()), noise() / 2)


def test_no_saturation_is_grey_and_no_contrast_is_flat() -> None:
    assert changed("saturation", -1.0, noise()).std(dim=1).max() < 1e-6
    assert changed("contrast", -1.0, noise()).std() < 1e-6


@pytest.mark.parametrize("size", [(40, 40), (200, 300), (300, 300)])
def test_blur_is_the_gaussian_that_opencv_has(size: tuple[int, int]) -> None:
    pixels = noise(1, *size)
    found = changed("blur", 1.2 / max(size), pixels)[0].permute(1, 2, 0).numpy()
    expected = cv2.GaussianBlur(
        pixels[0].permute(1, 2, 0).numpy(), (9, 9), 1.2, borderType=cv2.BORDER_REPLICATE
    )
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(("operation", "axis"), [("shift_x", 3), ("shift_y", 2)])
def test_a_shift_moves_by_its_share_of_the_side(operation: str, axis: int) -> None:
    pixels = noise(1, 10, 10)
    found, kept = changed(operation, 0.2, pixels), 8
    torch.testing.assert_close(
        found.narrow(axis, 2, kept), pixels.narrow(axis, 0, kept), atol=1e-4, rtol=0
    )


def test_a_quarter_turn_goes_clockwise() -> None:
    pixels = noise(1, 9, 9)
    found = changed("rotation", 90.0, pixels)
    torch.testing.assert_close(found, pixels.rot90(-1, (2, 3)), atol=1e-4, rtol=0)


def test_each_picture_has_its_own_steps() -> None:
    steps = [[Step("flip", 1.0), Step("shift_x", 0.1)], [], [Step("contrast", 0.5)]]
    found = apply_steps(noise(3), steps)
    for row, of in enumerate(steps):
        torch.testing.assert_close(found[row : row + 1], apply_steps(noise(3)[row : row + 1], [of]))


def test_random_of_strength_zero_changes_nothing() -> None:
    image = np.random.default_rng(0).integers(0, 256, (30, 20, 3), dtype=np.uint8)
    augmentation = RandomAugmentation(strength=0.0, operations=len(LARGEST_AMOUNTS))
    for seed in range(10):
        np.testing.assert_array_equal(augmentation.augment_image(image, seed), image)
    pixels = noise(4)
    assert torch.equal(augmentation.augment_batch(pixels, torch.Generator()), pixels)


@pytest.mark.parametrize("strength", [0.1, 1.0])
def test_random_draws_different_operations_within_the_strength(strength: float) -> None:
    augmentation = RandomAugmentation(strength, operations=3)
    seen = set()
    for seed in range(200):
        flip, *drawn = augmentation.draw(np.random.default_rng(seed))
        assert flip.operation == "flip"
        assert len({step.operation for step in drawn}) == 3
        for step in drawn:
            assert abs(step.amount) <= strength * LARGEST_AMOUNTS[step.operation]
        seen |= {step.operation for step in drawn}
    assert seen == set(LARGEST_AMOUNTS)


def test_a_stronger_random_changes_more() -> None:
    def change(strength: float) -> float:
        augmentation = RandomAugmentation(strength, flip=0)
        found = augmentation.augment_batch(noise(64), torch.Generator().manual_seed(0))
        return float((found - noise(64)).abs().mean())

    assert change(0.1) < change(0.4) < change(1.0)


def test_the_kit_draws_all_its_operations_within_their_ranges() -> None:
    kit = KitAugmentation()
    draws = [kit.draw(np.random.default_rng(seed)) for seed in range(300)]
    names = ["flip", "brightness", "saturation", "contrast", "blur", "shift_x", "shift_y"]
    assert all([step.operation for step in draw] == names for draw in draws)
    amounts = np.array([[step.amount for step in draw] for draw in draws])
    assert 0.4 < amounts[:, 0].mean() < 0.6
    assert (np.abs(amounts[:, 1:]).max(axis=0) <= [0.3, 0.4, 0.3, 0.008, 0.1, 0.1]).all()
    assert 0.4 < (amounts[:, 4] > 0).mean() < 0.6


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("kit", {"flip": 1.5}),
        ("kit", {"blur": 0.2}),
        ("kit", {"brightness": float("nan")}),
        ("random", {"strength": -0.1}),
        ("random", {"strength": "much"}),
        ("random", {"operations": 0}),
        ("random", {"operations": 11}),
    ],
)
def test_a_wrong_option_is_named(name: str, options: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=f"option '{next(iter(options))}' of augmentation"):
        make_augmentation(name, **options)


@pytest.mark.parametrize("augmentation", [KitAugmentation(), RandomAugmentation(1.0, 4)])
def test_the_number_of_torch_threads_does_not_matter(augmentation: Augmentation) -> None:
    image = np.random.default_rng(0).integers(0, 256, (224, 224, 3), dtype=np.uint8)
    threads = torch.get_num_threads()
    pictures = []
    try:
        for number in (1, 2, 5):
            torch.set_num_threads(number)
            pictures.append([augmentation.augment_image(image, seed) for seed in range(40)])
    finally:
        torch.set_num_threads(threads)
    np.testing.assert_array_equal(pictures[1], pictures[0])
    np.testing.assert_array_equal(pictures[2], pictures[0])


def test_threads_may_be_the_first_to_augment() -> None:
    code = (
        "import numpy as np\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from fairage.faces.augmentation import KitAugmentation\n"
        "image = np.zeros((9, 9, 3), dtype=np.uint8)\n"
        "with ThreadPoolExecutor(8) as pool:\n"
        "    list(pool.map(lambda seed: KitAugmentation().augment_image(image, seed), range(16)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_missing_kornia_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kornia", None)
    with pytest.raises(MissingDependencyError, match=r"fairage\[train\]"):
        changed("flip", 1.0, noise())


@pytest.fixture
def faces(tmp_path: Path) -> Faces:
    for number in range(8):
        image = np.full((20, 16, 3), 20 * number, dtype=np.uint8)
        assert cv2.imwrite(str(tmp_path / f"{number}.png"), image)
    frame = pl.DataFrame(
        {
            "image": [f"{number}.png" for number in range(8)],
            "age": [10.0, 70.0] * 4,
            "split": ["train"] * 6 + ["test"] * 2,
            "gender": ["female", "female", "male", "male"] * 2,
        }
    )
    return Faces(frame, tmp_path)


def test_a_preview_shows_training_faces_of_the_groups(faces: Faces) -> None:
    groups = ("age_group=old", "gender=female")
    shown = preview_rows(faces, KitAugmentation(), copies=3, groups=groups)
    assert sorted(label for label, _ in shown) == [
        "row 2, age 70, female",
        "row 6, age 70, female",
    ]
    assert all(len(images) == 4 for _, images in shown)


def test_a_preview_is_the_same_for_a_seed(faces: Faces) -> None:
    first, again, other = (
        preview_rows(faces, RandomAugmentation(0.5), rows=3, seed=seed) for seed in (1, 1, 2)
    )
    assert [label for label, _ in first] == [label for label, _ in again]
    assert all(
        (a == b).all()
        for one, two in zip(first, again, strict=True)
        for a, b in zip(one[1], two[1], strict=True)
    )
    assert [label for label, _ in first] != [label for label, _ in other]


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (("old",), "expected a group as attribute=group"),
        (("gender=femal",), "Did you mean 'female'"),
        (("sex=female",), "expected an attribute column"),
    ],
)
def test_a_wrong_group_of_a_preview_is_named(
    faces: Faces, groups: tuple[str, ...], message: str
) -> None:
    with pytest.raises((ConfigError, DataError), match=message):
        preview_rows(faces, KitAugmentation(), groups=groups)


def test_an_image_that_cannot_be_read_is_named_with_its_row(faces: Faces) -> None:
    (faces.root / "1.png").write_bytes(b"broken")
    with pytest.raises(DataError, match=r"row 2, image .*1\.png"):
        preview_rows(faces, KitAugmentation())
