"""The embedding store: shards, files of keys and embeddings that appear whole or not.

A shard is a safetensors file of two tensors, `keys` (n, 16) uint8 and `values` (n, dim) float32,
with a checksum of both in its header, so that a damaged one is noticed and not believed.
"""

import json
import secrets
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from fairage._files import atomic_path, hash_of, new_folder, write_text
from fairage._partial_files import remove_leftovers
from fairage.exceptions import DataError

KEY_BYTES = 16
SUFFIX = ".safetensors"
_KEYS, _VALUES, _CHECKSUM = "keys", "values", "checksum"


class DamagedShardError(DataError):
    """A shard is not what was written."""


def content_key(data: bytes) -> bytes:
    """Return the key of an image: a hash of its file's bytes, wherever the file lies.

    Examples:
        >>> len(content_key(b"an image"))
        16
    """
    return bytes.fromhex(hash_of(data, size=KEY_BYTES))


@dataclass(frozen=True)
class Shard:
    """Some keys and their embeddings.

    Args:
        keys: Keys of `KEY_BYTES` bytes.
        values: Shape `(len(keys), dim)`, float32.
    """

    keys: list[bytes]
    values: NDArray[np.float32]

    def write(self, folder: Path) -> Path:
        """Write the shard into a new file of the folder and return its path."""
        keys = np.frombuffer(b"".join(self.keys), dtype=np.uint8).reshape(-1, KEY_BYTES)
        values = np.ascontiguousarray(self.values, dtype=np.float32)
        data = save({_KEYS: keys, _VALUES: values}, {_CHECKSUM: _checksum(keys, values)})
        path = folder / f"{secrets.token_hex(8)}{SUFFIX}"
        with atomic_path(path) as temporary:
            temporary.write_bytes(data)
        return path


def read_shard(path: Path) -> Shard:
    """Return the shard in a file.

    Raises:
        DamagedShardError: The file is not a shard, not the one that was written, or has
            embeddings that are not finite.
        FileNotFoundError: It is gone, as when another process has merged it.
    """
    data = path.read_bytes()
    try:
        tensors, checksum = load(data), _header_checksum(data)
        keys, values = tensors[_KEYS], tensors[_VALUES]
    except (SafetensorError, KeyError, ValueError) as error:
        raise DamagedShardError(f"expected a shard, got {error} in {str(path)!r}") from error
    if checksum != _checksum(keys, values) or keys.shape[1] != KEY_BYTES:
        raise DamagedShardError(
            f"expected the checksum in the header, got another in {str(path)!r}"
        )
    if not np.isfinite(values).all():
        raise DamagedShardError(f"expected finite embeddings, got others in {str(path)!r}")
    text = keys.tobytes()
    return Shard([text[i : i + KEY_BYTES] for i in range(0, len(text), KEY_BYTES)], values)


def _header_checksum(data: bytes) -> str:
    """Return our entry of the safetensors header, which starts with its length in 8 bytes."""
    length = int.from_bytes(data[:8], "little")
    return str(json.loads(data[8 : 8 + length])["__metadata__"][_CHECKSUM])


def _checksum(keys: NDArray[np.uint8], values: NDArray[np.float32]) -> str:
    return hash_of(keys.tobytes(), np.ascontiguousarray(values).data)


_ABOUT = "about.json"
_DAMAGED = ".damaged"
_MERGE_FROM = 64
_SMALL_BYTES = 32 * 2**20
_MERGED_ROWS = 2**15
_TRIES = 20


class EmbeddingStore:
    """The embeddings of one backbone configuration, by content key of the image.

    Args:
        root: Folder of the whole store.
        about: What makes the configuration, ready for JSON; its hash names the folder.

    Examples:
        >>> import tempfile
        >>> store = EmbeddingStore(Path(tempfile.mkdtemp()), {"weights": "abc"})
        >>> store.add([b"k" * 16], np.ones((1, 2), dtype=np.float32))
        >>> again = EmbeddingStore(store.folder.parent, {"weights": "abc"})
        >>> again.load()
        >>> again.values([b"k" * 16]).tolist()
        [[1.0, 1.0]]
    """

    def __init__(self, root: Path, about: Mapping[str, Any]) -> None:
        self.about = dict(about)
        self.folder = root / _hash(about)
        self._rows: dict[bytes, NDArray[np.float32]] = {}
        self._read: list[Path] = []

    def __contains__(self, key: bytes) -> bool:
        return key in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def load(self) -> None:
        """Read every shard, unless they are those that were read before.

        A damaged one is set aside with a warning.
        """
        for _ in range(_TRIES):
            if (shards := self.shards()) == self._read:
                return
            try:
                self._rows, self._read = _union(_read_shards(shards)), shards
                return
            except FileNotFoundError:
                continue  # another process merged shards meanwhile
        raise DataError(
            f"expected shards that stay, got ones deleted again and again in {str(self.folder)!r}, "
            "wait for the other processes and run again"
        )

    def shards(self) -> list[Path]:
        """Return the files of the store's shards, by name."""
        return sorted(p for p in self.folder.glob(f"*{SUFFIX}") if not p.name.startswith("."))

    def add(self, keys: Sequence[bytes], values: NDArray[np.float32]) -> None:
        """Keep embeddings `(n, dim)` under these keys, on disk when this returns.

        Raises:
            DataError: One of them is not finite.
        """
        if not keys:
            return
        if not np.isfinite(values).all():
            raise DataError("expected finite embeddings, got others, leave them out")
        if not (self.folder / _ABOUT).is_file():
            write_text(self.folder / _ABOUT, json.dumps(self.about, indent=2) + "\n")
        shard = Shard(list(keys), values)
        shard.write(new_folder(self.folder))
        for key, row in zip(shard.keys, shard.values, strict=True):
            self._rows.setdefault(key, row)

    def values(self, keys: Sequence[bytes]) -> NDArray[np.float32]:
        """Return the embeddings `(n, dim)` of keys that are all there."""
        return np.stack([self._rows[key] for key in keys])

    def merge(self) -> None:
        """Replace many small shards by few, if there are many; remove what killed writers left."""
        remove_leftovers(self.folder, lambda name: name == _ABOUT or name.endswith(SUFFIX))
        small = [path for path in self.shards() if _size(path) < _SMALL_BYTES]
        if len(small) < _MERGE_FROM:
            return
        try:
            merged = _union(_read_shards(small))
        except FileNotFoundError:
            return  # another process is at it
        keys = list(merged)
        for start in range(0, len(keys), _MERGED_ROWS):
            part = keys[start : start + _MERGED_ROWS]
            Shard(part, np.stack([merged[key] for key in part])).write(self.folder)
        for path in small:
            path.unlink(missing_ok=True)


Opened = dict[Path, EmbeddingStore]
"""Parts of a store that have been read, by folder."""


def _hash(about: Mapping[str, Any]) -> str:
    return hash_of(json.dumps(about, sort_keys=True), size=12)


def _read_shards(paths: Iterable[Path]) -> Iterable[Shard]:
    for path in paths:
        try:
            yield read_shard(path)
        except DamagedShardError as error:
            aside = path.with_name(path.name + _DAMAGED)
            path.replace(aside)
            warnings.warn(
                f"{error}; it is set aside as {aside.name!r}, its images are embedded again",
                stacklevel=2,
            )


def _union(shards: Iterable[Shard]) -> dict[bytes, NDArray[np.float32]]:
    rows: dict[bytes, NDArray[np.float32]] = {}
    for shard in shards:
        for key, row in zip(shard.keys, shard.values, strict=True):
            rows.setdefault(key, row)
    return rows


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
