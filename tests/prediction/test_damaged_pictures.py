"""Damaged photographs: an age or a reason, never a crash; FAIRAGE_FUZZ=1 reads all 2,000."""

import zlib
from functools import cache
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from skimage import data
from tests.fuzz.harness import SHARE
from tests.fuzz.mutations import MUTATIONS

import fairage

KINDS = ("JPEG", "PNG", "WebP", "GIF", "BMP")
INPUTS = 2000


@cache
def sound(kind: str) -> bytes:
    file = BytesIO()
    Image.fromarray(np.asarray(data.astronaut())).resize((256, 256)).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_photograph_has_an_age_or_a_reason(kind: str) -> None:
    names = list(MUTATIONS)
    n = round(INPUTS * SHARE / len(KINDS))
    damaged = [
        MUTATIONS[names[seed % len(names)]](
            sound(kind), np.random.default_rng([seed, zlib.crc32(kind.encode())])
        )
        for seed in range(n)
    ]
    estimates = fairage.load().predict([sound(kind), *damaged])
    assert {each.image for each in estimates} == {f"image {k + 1}" for k in range(n + 1)}
    assert all((each.age is None) == bool(each.reason) for each in estimates)
    assert all(each.age is None or 0 <= each.age < 120 for each in estimates)
    assert estimates[0].age is not None
    assert sum(each.age is None for each in estimates) > n // 10
