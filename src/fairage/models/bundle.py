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

from fairage._files import (
    atomic_folder,
    changed_files,
    folder_hashes,
    is_sealed,
    read_json,
    sealed,
    write_text,
)
from fairage._text import reason_of, short
from fairage.exceptions import DataError, named_refusals
from fairage.models.calibration import Calibration
from fairage.models.heads import AgeHead
from fairage.models.registry import make_head

FORMAT = 2
WEIGHTS, CONFIG, CARD = "model.safetensors", "config.json", "README.md"
_FILES = "files"


@dataclass(frozen=True)
class Bundle:
    """A trained head and all that is needed to use it: backbones, preprocessing, training facts.

    Args:
        head: The head, standardisation included.
        head_name: Its name in `HEADS`.
        head_options: The options it was made with.
        backbones: One JSON-able description a backbone, in the order of concatenation.
        training: What it was trained on and how: recipe, seed, row counts, versions.
    """

    head: AgeHead
    head_name: str
    head_options: dict[str, Any]
    backbones: tuple[dict[str, Any], ...]
    training: dict[str, Any] = field(default_factory=dict)

    def ages(
        self, embeddings: ArrayLike, backbones: Sequence[Mapping[str, Any]]
    ) -> NDArray[np.float64]:
        """Return estimated ages in years `(n,)`.

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
        ages = self.head.ages(torch.from_numpy(np.ascontiguousarray(values)))
        return ages.numpy().astype(np.float64)


_WORDS = {
    "fingerprint": "weights with the fingerprint",
    "view": "the view",
    "flip": "mirror images averaged (flip):",
    "precision": "the precision",
    "preprocessing": "the preprocessing",
    "dim": "numbers:",
    "decoding": "image decoding of version",
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
    return short(value, 80)


def _plain(backbones: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the descriptions as they come out of a file."""
    plain: list[dict[str, Any]] = json.loads(json.dumps([dict(each) for each in backbones]))
    return plain


def save_bundle(bundle: Bundle, folder: str | Path) -> None:
    """Write the bundle into a folder, which appears whole or not at all.

    `config.json` holds a checksum of every other file, see `note_files`, and a hash of itself.
    """
    tensors = {name: value.contiguous() for name, value in bundle.head.state_dict().items()}
    calibration = bundle.head.calibration
    config = {
        "format": FORMAT,
        "head": {"name": bundle.head_name, "dim": bundle.head.dim, **bundle.head_options},
        "calibration": None if calibration is None else asdict(calibration),
        "backbones": bundle.backbones,
        "training": bundle.training,
    }
    with atomic_folder(folder) as partial:
        with named_refusals(folder, SafetensorError):
            save_file(tensors, partial / WEIGHTS)
        (partial / CARD).write_text(model_card(config), encoding="utf-8")
        _write_config(config, partial)


def note_files(folder: str | Path) -> None:
    """Note in a saved bundle's `config.json` the SHA-256 of every file that is in it now.

    `load_bundle` refuses a bundle that holds others.
    """
    _write_config(_read_config(Path(folder) / CONFIG), Path(folder))


def _write_config(config: dict[str, Any], folder: Path) -> None:
    files = {name: digest for name, digest in folder_hashes(folder).items() if name != CONFIG}
    write_text(folder / CONFIG, json.dumps(sealed(config | {_FILES: files}), indent=2) + "\n")


def load_bundle(folder: str | Path) -> Bundle:
    """Return the bundle of a folder, or raise a DataError that says what is wrong with it.

    Every file must be the one that was saved; the card may be left out.
    """
    folder = Path(folder)
    missing = [name for name in (WEIGHTS, CONFIG) if not (folder / name).is_file()]
    if missing:
        raise DataError(
            f"expected a model bundle with {WEIGHTS} and {CONFIG}, got {str(folder)!r} without "
            f"{missing}, give the folder that fairage run wrote"
        )
    config = _read_config(folder / CONFIG)
    _check_files(folder, config[_FILES])
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
    return Bundle(head, name, options, tuple(config["backbones"]), config["training"])


def _check_files(folder: Path, files: dict[str, str]) -> None:
    changed = changed_files(folder, files)
    if CARD in changed and not (folder / CARD).exists():
        changed.remove(CARD)
    if changed or WEIGHTS not in files:
        raise DataError(
            f"expected in {str(folder)!r} the files that {CONFIG} has the checksums of, got "
            f"missing or other {changed or [WEIGHTS]}, copy them again or train the model again"
        )


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config = read_json(path)
    except ValueError as error:
        raise DataError(
            f"expected JSON in {str(path)!r}, got other data ({reason_of(error)}), copy it again"
        ) from error
    if isinstance(config, dict) and config.get("format") != FORMAT:
        raise DataError(
            f"expected a bundle of format {FORMAT}, got {short(config.get('format'))} in "
            f"{str(path)!r}, use the fairage version that wrote it"
        )
    if not is_sealed(config):
        raise DataError(
            f"expected {str(path)!r} as it was written, got another (its hash is wrong), copy it "
            "again or train the model again"
        )
    return dict(config)


_LIMITS = """\
## Not for

- Deciding about a person without another way to prove their age.
- Ages, groups or pictures that the training data does not show; look at the group counts above.
- Telling who somebody is, or their gender or ethnicity.

The groups are what people perceived in the pictures, not what the persons say of themselves.
Audit the predictions on your own data before you rely on them: `fairage audit predictions.parquet`.
"""


def model_card(config: dict[str, Any]) -> str:
    """Return the card as Markdown, from the bundle's configuration."""
    training = config["training"]
    lines = ["# Age estimator trained by fairage", "", str(training.get("description", "")), ""]
    lines += ["## Made from", ""]
    lines += [_backbone(backbone) for backbone in config["backbones"]]
    lines += [f"- {key}: {training[key]}" for key in ("version", "seed") if key in training]
    lines += [f"- Rows in {split}: {n}" for split, n in training.get("rows", {}).items()]
    lines += [f"- {name}: {version}" for name, version in training.get("versions", {}).items()]
    lines += ["", *_table("## Measured (years, lower is better)", training.get("scores", {}))]
    for attribute, counts in training.get("groups", {}).items():
        lines += _table(f"## Training rows by {attribute}", counts)
    return "\n".join([*lines, _LIMITS])


def _backbone(backbone: dict[str, Any]) -> str:
    line = f"- Backbone: `{backbone.get('name')}`, view `{backbone.get('view')}`"
    if "folder" in backbone:
        line += f", fine-tuned: in the folder `{backbone['folder']}`"
    return line


def _table(title: str, rows: dict[str, Any]) -> list[str]:
    if not rows:
        return []
    cells = [f"| {name} | {_cell(value)} |" for name, value in rows.items()]
    return [title, "", "| | |", "|---|---|", *cells, ""]


def _cell(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
