"""Bundles: what is saved comes back bit by bit, whole or not at all, and damage is told."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fairage._bundle_files import note_files
from fairage._files import sealed
from fairage._random import torch_seed
from fairage.exceptions import ConfigError, DataError
from fairage.models import (
    Bundle,
    Calibration,
    bundle,
    load_bundle,
    make_head,
    save_bundle,
)

DIM = 6
OPTIONS: dict[str, Any] = {"hidden": [5], "dropout": 0.1}
BACKBONES: tuple[dict[str, Any], ...] = (
    {
        "name": "embedded",
        "view": "whole",
        "flip": True,
        "precision": "fp32",
        "fingerprint": "abc",
        "preprocessing": {"height": 112, "mean": [0.5, 0.5, 0.5]},
    },
    {"name": "other", "view": "aligned", "detector": "def", "detection": 2},
)
TRAINING = {"description": "A test.", "seed": 3, "rows": {"train": 40}, "scores": {"mae": 4.25}}


def embeddings(rows: int = 20) -> np.ndarray:
    return np.random.default_rng(0).normal(5, 3, (rows, DIM)).astype(np.float32)


def new_bundle(seed: int = 0) -> Bundle:
    with torch_seed(seed, "head"):
        head = make_head("regression", DIM, OPTIONS)
    head.standardise_by(torch.from_numpy(embeddings()))
    return Bundle(head, "regression", OPTIONS, BACKBONES, TRAINING)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bundle that is whole."""
    save_bundle(new_bundle(), tmp_path / "runs" / "bundle")
    return tmp_path / "runs" / "bundle"


def test_a_loaded_bundle_gives_the_same_ages_bit_by_bit(tmp_path: Path) -> None:
    saved = new_bundle()
    save_bundle(saved, tmp_path / "bundle")
    loaded = load_bundle(tmp_path / "bundle")
    np.testing.assert_array_equal(
        loaded.ages(embeddings(), BACKBONES), saved.ages(embeddings(), BACKBONES)
    )
    for name, tensor in saved.head.state_dict().items():
        assert torch.equal(tensor, loaded.head.state_dict()[name]), name


def test_everything_beside_the_weights_comes_back_too(folder: Path) -> None:
    loaded = load_bundle(folder)
    assert (loaded.head_name, loaded.head_options) == ("regression", OPTIONS)
    assert loaded.backbones == BACKBONES
    assert loaded.training == TRAINING


def test_a_loaded_bundle_saves_to_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    save_bundle(load_bundle(folder), tmp_path / "again")
    for path in folder.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes(), path.name


def test_the_folder_holds_weights_configuration_and_card_alone(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    assert names == {"model.safetensors", "config.json", "README.md"}
    assert [path.name for path in folder.parent.iterdir()] == ["bundle"]


def test_the_card_tells_what_the_model_is_and_is_not_for(folder: Path) -> None:
    card = (folder / "README.md").read_text(encoding="utf-8")
    for told in ("A test.", "`embedded`", "Rows in train: 40", "mae | 4.250", "## Not for"):
        assert told in card


def test_ages_are_float64_in_the_order_of_the_rows() -> None:
    model = new_bundle()
    ages = model.ages(embeddings(), BACKBONES)
    assert ages.dtype == np.float64
    np.testing.assert_allclose(model.ages(embeddings()[::-1], BACKBONES), ages[::-1], rtol=1e-5)
    np.testing.assert_array_equal(model.ages(embeddings().astype(np.float64), BACKBONES), ages)


@pytest.mark.parametrize("shape", [(3, DIM + 1), (DIM,), (2, 3, DIM)])
def test_embeddings_of_another_shape_are_an_error_that_names_the_backbones(
    shape: tuple[int, ...],
) -> None:
    with pytest.raises(DataError, match=r"expected embeddings of shape \(n, 6\), got .*embedded"):
        new_bundle().ages(np.zeros(shape), BACKBONES)


def changed(number: int, **changes: object) -> list[dict[str, Any]]:
    return [{**each, **changes} if i == number else each for i, each in enumerate(BACKBONES)]


@pytest.mark.parametrize(
    ("number", "changes", "words"),
    [
        (0, {"view": "crop:0.7"}, r"'embedded' has the view 'crop:0\.7' instead of 'whole'"),
        (0, {"flip": False}, r"mirror images averaged \(flip\): False instead of True"),
        (0, {"precision": "bf16"}, "the precision 'bf16' instead of 'fp32'"),
        (0, {"fingerprint": "xyz"}, "weights with the fingerprint 'xyz' instead of 'abc'"),
        (0, {"preprocessing": {"height": 112, "mean": [0, 0, 0]}}, r"preprocessing {'mean': \[0,"),
        (1, {"detector": "xyz"}, "'other' has a face detector with the fingerprint 'xyz'"),
        (1, {"detection": 1}, "face detection of version 1 instead of 2"),
    ],
)
def test_embeddings_of_the_same_width_made_otherwise_are_refused_in_words(
    folder: Path, number: int, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(DataError, match=f"expected the embeddings that the model.*{words}"):
        load_bundle(folder).ages(embeddings(), changed(number, **changes))


def test_backbones_in_another_order_or_number_are_refused() -> None:
    with pytest.raises(DataError, match="the view 'aligned' instead of 'whole'"):
        new_bundle().ages(embeddings(), BACKBONES[::-1])
    with pytest.raises(DataError, match=r"the backbones \['embedded'\] instead of"):
        new_bundle().ages(embeddings(), BACKBONES[:1])


def test_a_backbone_may_have_moved_and_tuples_are_lists(folder: Path) -> None:
    moved = changed(0, name="moved/net", preprocessing={"height": 112, "mean": (0.5, 0.5, 0.5)})
    assert len(load_bundle(folder).ages(embeddings(), moved)) == 20


def test_embeddings_that_are_not_finite_have_no_ages() -> None:
    values = embeddings()
    values[3, 0] = np.nan
    with pytest.raises(DataError, match="row 4 and 1 in all"):
        new_bundle().ages(values, BACKBONES)


def test_saving_replaces_an_older_bundle(folder: Path) -> None:
    (folder / "stale.txt").write_text("old")
    other = new_bundle(seed=1)
    save_bundle(other, folder)
    assert not (folder / "stale.txt").exists()
    np.testing.assert_array_equal(
        load_bundle(folder).ages(embeddings(), BACKBONES), other.ages(embeddings(), BACKBONES)
    )


def test_what_a_killed_writer_left_is_replaced(tmp_path: Path) -> None:
    partial = tmp_path / ".bundle.partial"
    partial.mkdir()
    (partial / "model.safetensors").write_bytes(b"half")
    (partial / "junk").write_text("x")
    save_bundle(new_bundle(), tmp_path / "bundle")
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]
    assert not (tmp_path / "bundle" / "junk").exists()


def test_a_writer_that_fails_leaves_the_older_bundle_as_it_was(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def full_disk(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(bundle, "model_card", full_disk)
    with pytest.raises(OSError, match="No space left"):
        save_bundle(new_bundle(seed=1), folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_missing_file_is_an_error_that_names_it(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(DataError, match=rf"expected (a model bundle|in) .*{name}"):
        load_bundle(folder)


def test_a_bundle_works_without_its_card(folder: Path) -> None:
    (folder / "README.md").unlink()
    assert load_bundle(folder).head.dim == DIM


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected a model bundle"):
        load_bundle(tmp_path / "nowhere")


def edited(**changes: object) -> Callable[[str], str]:
    """Return an edit of config.json: these keys set, or removed where the value is None."""

    def edit(text: str) -> str:
        config = {**json.loads(text), **changes}
        return json.dumps({key: value for key, value in config.items() if value is not None})

    return edit


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda text: text[: len(text) // 2], "expected JSON in"),
        (lambda _: "", "expected JSON in"),
        (lambda _: "[" * 10**5, "expected JSON in .* nests too deep"),
        (lambda _: "[1]", "as it was written, got another"),
        (edited(format=1), "expected a bundle of format 3, got 1"),
        (edited(format=None), "expected a bundle of format 3, got None"),
        (edited(files={}), "as it was written, got another"),
        (edited(head={"name": "regression", "dim": DIM, **OPTIONS, "x": 1}), "as it was written"),
        (lambda text: text.replace("4.25", "3.25"), "as it was written, got another"),
    ],
)
def test_a_damaged_configuration_is_an_error(
    folder: Path, edit: Callable[[str], str], message: str
) -> None:
    path = folder / "config.json"
    path.write_text(edit(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(DataError, match=message):
        load_bundle(folder)


def test_a_configuration_that_is_no_text_is_an_error(folder: Path) -> None:
    (folder / "config.json").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(DataError, match="expected JSON in"):
        load_bundle(folder)


def test_a_head_of_a_later_version_is_an_error_that_names_it(folder: Path) -> None:
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    later = sealed({**config, "head": {"name": "ordinal", "dim": DIM}})
    path.write_text(json.dumps(later), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"head must be one of .*got 'ordinal'"):
        load_bundle(folder)


def test_a_calibration_comes_back_and_is_used(tmp_path: Path) -> None:
    saved = new_bundle()
    plain = saved.ages(embeddings(), BACKBONES)
    saved.head.calibration = Calibration((0.0, 100.0), (10.0, 110.0))
    save_bundle(saved, tmp_path / "bundle")
    loaded = load_bundle(tmp_path / "bundle")
    assert loaded.head.calibration == saved.head.calibration
    np.testing.assert_allclose(loaded.ages(embeddings(), BACKBONES), plain + 10, atol=1e-4)


@pytest.mark.parametrize("keep", [0, 7, 60, -1])
def test_truncated_weights_are_an_error(folder: Path, keep: int) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match=r"missing or other \['model\.safetensors'\], copy"):
        load_bundle(folder)
    note_files(folder)
    with pytest.raises(DataError, match=r"expected weights that fit config\.json"):
        load_bundle(folder)


def test_one_other_bit_of_the_weights_is_noticed(folder: Path) -> None:
    path = folder / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"other \['model\.safetensors'\]"):
        load_bundle(folder)


def test_a_card_of_another_model_is_noticed(folder: Path) -> None:
    (folder / "README.md").write_text("# A better model")
    with pytest.raises(DataError, match=r"other \['README\.md'\]"):
        load_bundle(folder)


class Evil:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[Path, str]]:
        return Path.write_text, (self.path, "pickle ran")


def test_a_pickle_in_the_place_of_the_weights_is_refused_and_never_run(
    folder: Path, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    torch.save({"layers.1.weight": Evil(trace)}, folder / "model.safetensors")
    note_files(folder)
    with pytest.raises(DataError, match=r"expected weights that fit config\.json"):
        load_bundle(folder)
    assert not trace.exists()
