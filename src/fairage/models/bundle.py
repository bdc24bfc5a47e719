"""A bundle: a folder that holds a trained model, its config and its card."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from fairage._bundle_files import CARD, CONFIG, WEIGHTS, read_bundle_config, write_bundle_config
from fairage._files import atomic_folder
from fairage._model_card import model_card
from fairage._text import short
from fairage.exceptions import DataError, named_refusals
from fairage.models.calibration import Calibration
from fairage.models.heads import AgeHead
from fairage.models.registry import make_head
from fairage.models.spread import ages_and_spreads


@dataclass(frozen=True)
class Bundle:
    """A trained head and all that is needed to use it: backbones, preprocessing, training facts.

    Args:
        head: The head, standardisation included.
        head_name: Its name in `HEADS`.
        head_options: The options it was made with.
        backbones: One JSON-able description a backbone, in the order of concatenation.
        training: What it was trained on and how: recipe, seed, row counts, versions.
        target: Which age it estimates: `apparent`, `real` or `mixed`; None where nobody said.
        framing: How its training pictures frame a face, see `faces.views.Framing`; None where that
            is not known, as no view of its backbones needs it or no face was found.
    """

    head: AgeHead
    head_name: str
    head_options: dict[str, Any]
    backbones: tuple[dict[str, Any], ...]
    training: dict[str, Any] = field(default_factory=dict)
    target: str | None = None
    framing: dict[str, float] | None = None

    def ages(
        self, embeddings: ArrayLike, backbones: Sequence[Mapping[str, Any]]
    ) -> NDArray[np.float64]:
        """Return estimated ages in years `(n,)`; see `estimate`."""
        return self.estimate(embeddings, backbones)[0]

    def estimate(
        self, embeddings: ArrayLike, backbones: Sequence[Mapping[str, Any]]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return estimated ages and their spreads in years, each `(n,)`; see `spreads_of`.

        Args:
            embeddings: Shape `(n, dim)`, such as `Embeddings.values`.
            backbones: What they are of, such as `Embeddings.backbones`.

        Raises:
            DataError: They are not of the backbones, views and settings that the model was trained
                with, or not finite.
        """
        values = np.asarray(embeddings, dtype=np.float32)
        check_same_backbones(self.backbones, backbones, "the model was trained on")
        if values.ndim != 2 or values.shape[1] != self.head.dim:
            raise DataError(
                f"expected embeddings of shape (n, {self.head.dim}), got {values.shape}, "
                f"embed with {[backbone.get('name') for backbone in self.backbones]}"
            )
        if not np.isfinite(values).all():
            rows = np.flatnonzero(~np.isfinite(values).all(axis=1))
            raise DataError(
                f"expected finite embeddings, got others in row {rows[0] + 1} and {len(rows)} in "
                "all, leave them out"
            )
        ages, spreads = ages_and_spreads(self.head, torch.from_numpy(np.ascontiguousarray(values)))
        return ages.numpy().astype(np.float64), spreads.numpy().astype(np.float64)


_WORDS = {
    "fingerprint": "weights with the fingerprint",
    "view": "the view",
    "flip": "mirror images averaged (flip):",
    "precision": "the precision",
    "preprocessing": "the preprocessing",
    "dim": "numbers:",
    "decoding": "image decoding of version",
    "resizing": "resizing of version",
    "detector": "a face detector with the fingerprint",
    "detection": "face detection of version",
    "alignment": "alignment of version",
}
"""What an embedding depends on beside the image, and how it is called."""


def check_same_backbones(
    expected: Sequence[Mapping[str, Any]], got: Sequence[Mapping[str, Any]], whose: str
) -> None:
    """Raise a DataError that says what differs, unless both describe the same embeddings.

    Names play no part: a backbone may have been moved.

    Args:
        expected: Descriptions of the backbones, in the order of concatenation.
        got: Those of other embeddings.
        whose: Where the former stand, for the message.

    Examples:
        >>> one = {"name": "net", "view": "whole", "flip": True}
        >>> check_same_backbones([one], [{**one, "name": "moved/net"}], "the model was trained on")
        >>> check_same_backbones([one], [{**one, "view": "aligned"}], "the model was trained on")
        Traceback (most recent call last):
        fairage.exceptions.DataError: expected the embeddings that the model was trained on, got
        others: 'net' has the view 'aligned' instead of 'whole'; embed again with the same ...
    """
    differences = []
    if len(expected) != len(got):
        names = [[each.get("name") for each in each_side] for each_side in (got, expected)]
        differences = [f"the backbones {names[0]} instead of {names[1]}"]
    else:
        for one, other in zip(*map(_plain, (expected, got)), strict=True):
            differences += [
                f"{other.get('name')!r} has {words} {_short(other, one, key)} instead of "
                f"{_short(one, other, key)}"
                for key, words in _WORDS.items()
                if one.get(key) != other.get(key)
            ]
    if differences:
        raise DataError(
            f"expected the embeddings that {whose}, got others: {'; '.join(differences)}; embed "
            "again with the same backbones in the same order, views, --precision, --no-flip and "
            "--detector"
        )


def _short(one: dict[str, Any], other: dict[str, Any], key: str) -> str:
    """Return what stands under a key; of settings those alone in which they differ."""
    value, beside = one.get(key), other.get(key)
    if isinstance(value, dict) and isinstance(beside, dict):
        value = {name: each for name, each in value.items() if beside.get(name) != each}
    return "none" if value is None else short(value, 80)


def _plain(backbones: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the descriptions as they come out of a file."""
    plain: list[dict[str, Any]] = json.loads(json.dumps([dict(each) for each in backbones]))
    return plain


def save_bundle(bundle: Bundle, folder: str | Path) -> None:
    """Write the bundle into a folder, which appears whole or not at all.

    `config.json` holds a checksum of every other file and a hash of itself, see
    `write_bundle_config`.
    """
    tensors = {name: value.contiguous() for name, value in bundle.head.state_dict().items()}
    calibration = bundle.head.calibration
    config = {
        "head": {"name": bundle.head_name, "dim": bundle.head.dim, **bundle.head_options},
        "calibration": None if calibration is None else asdict(calibration),
        "backbones": bundle.backbones,
        "training": bundle.training,
        "target": bundle.target,
        "framing": bundle.framing,
    }
    with atomic_folder(folder) as partial:
        with named_refusals(folder, SafetensorError):
            save_file(tensors, partial / WEIGHTS)
        (partial / CARD).write_text(model_card(config), encoding="utf-8")
        write_bundle_config(config, partial)


def load_bundle(folder: str | Path) -> Bundle:
    """Return the bundle of a folder, or raise a DataError that says what is wrong with it.

    Every file must be the one that was saved; the card may be left out.
    """
    folder = Path(folder)
    config = read_bundle_config(folder)
    if not (folder / WEIGHTS).is_file():
        raise DataError(
            f"expected a model bundle with {WEIGHTS}, got {str(folder)!r} without it, give the "
            "folder that fairage run wrote; fairage.load reads exported ones"
        )
    options = dict(config["head"])
    name, dim = options.pop("name"), options.pop("dim")
    head = make_head(name, dim, options)
    try:
        head.load_state_dict(load_file(folder / WEIGHTS))
    except (RuntimeError, SafetensorError) as error:
        raise DataError(
            f"expected weights that fit {CONFIG} in {str(folder / WEIGHTS)!r}, got others or a "
            "damaged file, copy it again or train the model again"
        ) from error
    if (calibration := config["calibration"]) is not None:
        inputs, outputs = tuple(calibration["inputs"]), tuple(calibration["outputs"])
        head.calibration = Calibration(inputs, outputs)
    return Bundle(
        head,
        name,
        options,
        tuple(config["backbones"]),
        config["training"],
        config["target"],
        config["framing"],
    )
