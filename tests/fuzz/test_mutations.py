"""Mutations: the same seed damages alike, and what knows a format changes what it says."""

import io
import json
import tarfile
import zlib

import numpy as np
import pytest
from PIL import Image
from tests.fuzz import mutations
from tests.fuzz.mutations import MUTATIONS

DATA = bytes(range(256)) * 4


@pytest.mark.parametrize("name", MUTATIONS)
def test_the_same_seed_damages_alike_and_never_by_nothing(name: str) -> None:
    change = MUTATIONS[name]
    for seed in range(20):
        damaged = change(DATA, np.random.default_rng(seed))
        assert damaged == change(DATA, np.random.default_rng(seed))
        assert damaged != DATA or name == "swapped blocks"


def test_blocks_are_dropped_repeated_and_swapped() -> None:
    rng = np.random.default_rng
    assert len(mutations.drop_block(DATA, rng(0))) < len(DATA)
    assert len(mutations.repeat_block(DATA, rng(0))) > len(DATA)
    assert sorted(mutations.swap_blocks(DATA, rng(0))) == sorted(DATA)


def test_a_resealed_png_has_checksums_that_fit() -> None:
    file = io.BytesIO()
    Image.new("RGB", (9, 9)).save(file, "PNG")
    for seed in range(20):
        damaged = mutations.png_resealed(file.getvalue(), np.random.default_rng(seed))
        name, seal = damaged[12:29], damaged[29:33]
        assert zlib.crc32(name) == int.from_bytes(seal, "big")
        assert len(damaged) == len(file.getvalue())


def test_a_tar_is_mostly_changed_beneath_a_checksum_that_fits() -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo("a.txt"))
    fitting = 0
    for seed in range(50):
        header = bytearray(mutations.tar(file.getvalue(), np.random.default_rng(seed))[:512])
        told = bytes(header[148:156])
        header[148:156] = b" " * 8
        fitting += told == b"%06o\x00 " % sum(header)
    assert 25 < fitting < 50


def test_the_header_of_safetensors_keeps_a_length_that_fits_its_text() -> None:
    text = json.dumps({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    data = len(text).to_bytes(8, "little") + text + b"\0" * 4
    fitting = 0
    for seed in range(50):
        damaged = mutations.safetensors(data, np.random.default_rng(seed))
        fitting += 8 + int.from_bytes(damaged[:8], "little") + 4 == len(damaged)
    assert fitting > 25


def test_an_array_keeps_a_header_of_the_same_length() -> None:
    file = io.BytesIO()
    np.save(file, np.zeros((2, 3)))
    data = file.getvalue()
    for seed in range(50):
        assert len(mutations.npy(data, np.random.default_rng(seed))) == len(data)
