"""What every model bundle is as a folder: its config, checksums of its files, and its card."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fairage._files import (
    changed_files,
    folder_hashes,
    is_sealed,
    read_json,
    sealed,
    write_text,
)
from fairage._text import reason_of, short
from fairage.exceptions import DataError

FORMAT = 3
HUB = "hub:"
"""How the names of bundles on the Hugging Face hub begin."""
BOXED_NAME = "boxed"
BOXED = Path(__file__).parent / "prediction" / BOXED_NAME
"""The folder of the model in the box."""
WEIGHTS, CONFIG, CARD = "model.safetensors", "config.json", "README.md"
FILES = "files"


def target_of_estimates(config: Mapping[str, Any]) -> str | None:
    """Return which age the estimates are of: the network's, or that of the line which corrects it.

    Examples:
        >>> target_of_estimates({"target": "apparent", "age_map": {"slope": 1, "target": "real"}})
        'real'
    """
    own: str | None = config.get("target")
    return (config.get("age_map") or {}).get("target", own)


def own_name(backbone: str) -> str:
    """Return the name under which a bundle's folder may hold a copy of a backbone.

    Examples:
        >>> own_name("/models/net.onnx#pooled/out"), own_name("org/vit")
        ('net.onnx#pooled/out', 'vit')
    """
    path, mark, output = backbone.partition("#")
    return f"{Path(path).name}{mark}{output}"


def write_bundle_config(config: dict[str, Any], folder: Path) -> None:
    """Write `config.json` with the SHA-256 of every other file there, and a hash of itself."""
    files = {name: digest for name, digest in folder_hashes(folder).items() if name != CONFIG}
    write_text(folder / CONFIG, bundle_config_text(config, files))


def bundle_config_text(config: dict[str, Any], files: dict[str, str]) -> str:
    """Return what stands in `config.json`: the config, sealed, with the SHA-256 of other files."""
    about = {key: value for key, value in config.items() if key != FILES}
    return json.dumps(sealed({"format": FORMAT, **about, FILES: files}), indent=2) + "\n"


def note_files(folder: str | Path) -> None:
    """Note in a saved bundle's `config.json` the SHA-256 of every file that is in it now.

    A bundle that holds others is refused.
    """
    write_bundle_config(read_sealed_config(Path(folder) / CONFIG), Path(folder))


def read_bundle_config(folder: Path) -> dict[str, Any]:
    """Return the config of a bundle whose files are those that were written.

    The card may be left out.

    Raises:
        DataError: There is none, it is damaged, or a file of the bundle is missing or another.
    """
    if not (folder / CONFIG).is_file():
        raise DataError(
            f"expected a model bundle with {CONFIG}, got {str(folder)!r} without it, give the "
            "folder that fairage run or fairage export wrote"
        )
    config = read_sealed_config(folder / CONFIG)
    _check_files(folder, config[FILES])
    return config


def _check_files(folder: Path, files: dict[str, str]) -> None:
    changed = changed_files(folder, files)
    if CARD in changed and not (folder / CARD).exists():
        changed.remove(CARD)
    if changed or not files:
        raise DataError(
            f"expected in {str(folder)!r} the files that {CONFIG} has the checksums of, got "
            f"missing or other {changed}, copy them again or train the model again"
        )


def read_sealed_config(path: Path) -> dict[str, Any]:
    """Return what a bundle's `config.json` holds, whatever the other files are, or a DataError."""
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


def bundle_files(config: dict[str, Any]) -> list[str]:
    """Return the names of the files that a bundle has beside `config.json`."""
    return sorted(config[FILES])
