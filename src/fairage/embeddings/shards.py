"""One shard of the embedding store: a file with keys and embeddings that appears whole or not.

A shard is a safetensors file of two tensors, `keys` (n, 16) uint8 and `values` (n, dim) float32,
with a checksum of both in its header, so that a damaged one is noticed and not believed.
"""

import hashlib
import json
import secrets
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from fairage._files import atomic_path
from fairage.exceptions import DataError

__all__ = ["KEY_BYTES", "SUFFIX", "DamagedShardError", "Shard", "content_key", "read_shard"]

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
    return hashlib.blake2b(data, digest_size=KEY_BYTES).digest()


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
        DamagedShardError: The file is not a shard, or not the one that was written.
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
    text = keys.tobytes()
    return Shard([text[i : i + KEY_BYTES] for i in range(0, len(text), KEY_BYTES)], values)


def _header_checksum(data: bytes) -> str:
    """Return our entry of the safetensors header, which starts with its length in 8 bytes."""
    length = int.from_bytes(data[:8], "little")
    return str(json.loads(data[8 : 8 + length])["__metadata__"][_CHECKSUM])


def _checksum(keys: NDArray[np.uint8], values: NDArray[np.float32]) -> str:
    told = hashlib.blake2b(keys.tobytes(), digest_size=16)
    told.update(np.ascontiguousarray(values).data)
    return told.hexdigest()
