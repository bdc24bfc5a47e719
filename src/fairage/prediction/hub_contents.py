"""What of a bundle is published on the hub: its files, its card, and nothing of this machine."""

import hashlib
import warnings
from pathlib import Path, PurePosixPath
from typing import Any

from fairage._bundle_files import CARD, CONFIG, FILES, bundle_config_text, own_name
from fairage._card_results import card_audit
from fairage._files import read_json
from fairage._graph_words import RUN
from fairage._model_card import model_card
from fairage._text import reason_of, short
from fairage.exceptions import ConfigError, DataError

AUDIT = "audit.json"
_SUFFIXES = {".json", ".md", ".onnx", ".parquet", ".safetensors", ".txt"}
_NAMES = {"intervals.bin", "LICENSE", "NOTICE"}


def check_kinds(files: dict[str, str], where: str) -> None:
    """Refuse what is no part of a bundle, such as a pickle or code, even where it is listed."""
    others = [
        name
        for name in files
        if PurePosixPath(name).suffix not in _SUFFIXES and PurePosixPath(name).name not in _NAMES
    ]
    if others or not files:
        raise DataError(
            f"expected a bundle's files in {where!r} ({', '.join(sorted(_SUFFIXES | _NAMES))}), "
            f"got {short(others, 200)}, leave them out and write the bundle again"
        )


def read_audit(path: Path) -> dict[str, Any]:
    """Return what the card says of an audit."""
    file = path / AUDIT if path.is_dir() else path
    try:
        content = read_json(file)
        models, name = content["models"], content["name"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"expected {AUDIT} of fairage audit --out, got {str(file)!r} ({reason_of(error)}), "
            "give the folder that it wrote"
        ) from error
    if len(models) != 1:
        raise ConfigError(
            f"expected an audit of this model alone, got one of {len(models)} models in "
            f"{str(file)!r}, audit it on its own"
        )
    return card_audit(next(iter(models.values())), name)


def without_places(config: dict[str, Any]) -> dict[str, Any]:
    """Return the config without the folders of this machine: a file's own name is enough to load.

    Names on the hub, `ORG/NAME`, stay as they are.
    """
    if "backbones" not in config:
        return config
    backbones = [
        {**each, "name": own_name(each["name"]) if _is_path(each["name"]) else each["name"]}
        for each in config["backbones"]
    ]
    return {**config, "backbones": backbones}


def _is_path(name: str) -> bool:
    """Whether a backbone's name is a path here.

    Examples:
        >>> _is_path("/home/me/net.onnx"), _is_path("models/net.onnx"), _is_path("org/name")
        (True, True, False)
    """
    path = Path(name.partition("#")[0])
    return path.is_absolute() or name[:1] in "./~" or path.suffix == ".onnx" or path.exists()


def contents_of(folder: Path, config: dict[str, Any], repo: str) -> dict[str, Path | bytes]:
    """Return what is pushed, by its path there; the card and the config that lists it are new.

    The script that an export has beside its graph is code, and stays at home.
    """
    from huggingface_hub import ModelCard

    files = {name: digest for name, digest in config[FILES].items() if name != RUN}
    check_kinds(files, str(folder))
    card = model_card(config, repo)
    ModelCard(card)  # our mistake, if it raises: the hub would not understand the metadata
    content = card.encode()
    hashes = {**files, CARD: hashlib.sha256(content).hexdigest()}
    texts = {CARD: content, CONFIG: bundle_config_text(config, hashes).encode()}
    return {**{name: folder / name for name in files}, **texts}


def warn_of_others(folder: Path, pushed: set[str]) -> None:
    """Warn of files in the folder that are not pushed."""
    paths = [path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()]
    others = sorted({path.relative_to(folder).as_posix() for path in paths} - pushed)
    if others:
        warnings.warn(
            f"not pushed, as they are no part of a published bundle: {short(others, 200)}",
            stacklevel=3,
        )
