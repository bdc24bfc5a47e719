"""Ways in which files get damaged: functions of bytes and chance, some of which know a format."""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable

import numpy as np

Chance = np.random.Generator
Change = Callable[[bytes, Chance], bytes]


def cut(data: bytes, rng: Chance) -> bytes:
    """The end is missing."""
    return data[: rng.integers(len(data))]


def flip_bit(data: bytes, rng: Chance) -> bytes:
    """One bit is another."""
    return _with_byte(data, rng, lambda byte: byte ^ 1 << int(rng.integers(8)))


def flip_byte(data: bytes, rng: Chance) -> bytes:
    """One byte is another."""
    return _with_byte(data, rng, lambda byte: byte ^ int(rng.integers(1, 256)))


def _with_byte(data: bytes, rng: Chance, change: Callable[[int], int]) -> bytes:
    at = int(rng.integers(len(data)))
    return data[:at] + bytes([change(data[at])]) + data[at + 1 :]


def drop_block(data: bytes, rng: Chance) -> bytes:
    """A block is missing."""
    start, end = _block(data, rng)
    return data[:start] + data[end:]


def repeat_block(data: bytes, rng: Chance) -> bytes:
    """A block is there twice."""
    start, end = _block(data, rng)
    return data[:end] + data[start:end] + data[end:]


def swap_blocks(data: bytes, rng: Chance) -> bytes:
    """Two blocks that follow on one another have changed places."""
    start, end = _block(data, rng)
    middle = (start + end) // 2
    return data[:start] + data[middle:end] + data[start:middle] + data[end:]


def _block(data: bytes, rng: Chance) -> tuple[int, int]:
    length = int(rng.integers(1, min(len(data), 512) + 1))
    start = int(rng.integers(len(data) - length + 1))
    return start, start + length


def empty(_: bytes, __: Chance) -> bytes:
    """Nothing is left."""
    return b""


def web_page(_: bytes, __: Chance) -> bytes:
    """A server's answer was saved in the place of the file."""
    return b"<!DOCTYPE html>\n<html><head><title>404</title></head>\n<body>no</body></html>\n"


def lfs_pointer(data: bytes, _: Chance) -> bytes:
    """The file stayed in git-lfs."""
    version = b"version https://git-lfs.github.com/spec/v1\n"
    return version + b"oid sha256:%064x\nsize %d\n" % (zlib.crc32(data), len(data))


def other_kind(_: bytes, rng: Chance) -> bytes:
    """It is a file of another kind."""
    return OTHERS[int(rng.integers(len(OTHERS)))]


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.csv", "image,age\na.jpg,31\n")
    return file.getvalue()


def _npy() -> bytes:
    file = io.BytesIO()
    np.save(file, np.zeros((2, 3)))
    return file.getvalue()


OTHERS = [
    *(b"{}", b"[]", b"null", b"0", b'"text"', b"[[1, 2], [3]]", b"image,age\na.jpg,31\n"),
    *(b"\x00" * 300, b"\xff\xfe" + b"x" * 99, b"%PDF-1.7\n%\xe2\xe3", b"a: [1, 2]\n", b"\n\n"),
    *(_zip(), _npy(), b"\x1f\x8b\x08\x00\x00\x00\x00\x00", b"PAR1" * 5, b"[" * 5000),
]


ODD = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def head(data: bytes, rng: Chance, reach: int = 64) -> bytes:
    """A number of two or four bytes near the start is out of range."""
    return _odd_number(data, int(rng.integers(min(reach, len(data)))), rng)


def _odd_number(data: bytes, at: int, rng: Chance, order: str = "") -> bytes:
    kind = (order or rng.choice(["<", ">"])) + str(rng.choice(["H", "I"]))
    size = struct.calcsize(kind)
    value = int(rng.choice(ODD)) & (1 << 8 * size) - 1
    return data[:at] + struct.pack(kind, value) + data[at + size :]


def png(data: bytes, rng: Chance) -> bytes:
    """The length or the name of a chunk is wrong."""
    places = [at for at, _, _ in _chunks(data)]
    return _odd_number(data, int(rng.choice(places)) + 4 * int(rng.integers(2)), rng, ">")


def png_resealed(data: bytes, rng: Chance) -> bytes:
    """A field of IHDR is out of range, and the checksum fits it."""
    at, name, body = _chunks(data)[0]
    field = int(rng.choice([0, 4, 8, 9, 10, 11, 12]))
    if field < 8:
        body = _odd_number(body, field, rng, ">")[:13]
    else:
        body = body[:field] + bytes([int(rng.integers(256))]) + body[field + 1 :]
    seal = struct.pack(">I", zlib.crc32(name + body))
    return data[: at + 8] + body + seal + data[at + 12 + len(body) :]


def _chunks(data: bytes) -> list[tuple[int, bytes, bytes]]:
    """Return place, name and body of each chunk."""
    chunks, at = [], 8
    while at < len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        chunks.append((at, name, data[at + 8 : at + 8 + length]))
        at += 12 + length
    return chunks


def jpeg(data: bytes, rng: Chance) -> bytes:
    """The length of a segment, or a side of the picture, is wrong."""
    places, at = [], 2
    while data[at + 1] != 0xDA:
        places += [at + 2]
        if 0xC0 <= data[at + 1] <= 0xC2:
            places += [at + 5, at + 7, at + 8]
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return _odd_number(data, int(rng.choice([*places, at + 2])), rng, ">")


def gzip(data: bytes, rng: Chance) -> bytes:
    """A byte of the header, the checksum or the size is another."""
    places = [*range(10), *range(len(data) - 8, len(data))]
    at = int(rng.choice(places))
    return data[:at] + bytes([int(rng.integers(256))]) + data[at + 1 :]


def zip_directory(data: bytes, rng: Chance) -> bytes:
    """A field of the table of contents, or of a file's own header, is wrong."""
    starts = [m.start() for m in re.finditer(rb"PK(\x01\x02|\x05\x06|\x03\x04)", data)]
    at = int(rng.choice(starts)) + int(rng.integers(4, 46))
    return _odd_number(data, min(at, len(data) - 4), rng, "<")


def tar(data: bytes, rng: Chance) -> bytes:
    """A field of a header is wrong, mostly with a checksum that fits it."""
    at = int(rng.choice(_tar_headers(data)))
    header = bytearray(data[at : at + 512])
    start, length = ((0, 9), (100, 7), (124, 11), (136, 11), (156, 1), (157, 9))[rng.integers(6)]
    header[start : start + length] = bytes(rng.choice([*b"\x0079/ax\xff\x80"], length).tolist())
    if rng.random() < 0.8:
        header[148:156] = b" " * 8
        header[148:156] = b"%06o\x00 " % sum(header)
    return data[:at] + bytes(header) + data[at + 512 :]


def _tar_headers(data: bytes) -> list[int]:
    return [at for at in range(0, len(data), 512) if data[at + 257 : at + 262] == b"ustar"]


def safetensors(data: bytes, rng: Chance) -> bytes:
    """The length of the header, or a number or name in it, is wrong."""
    if rng.random() < 0.3:
        return _odd_number(data, int(rng.choice([0, 4])), rng, "<")
    length = int.from_bytes(data[:8], "little")
    text = json_value(data[8 : 8 + length], rng)
    return struct.pack("<Q", len(text)) + text + data[8 + length :]


def parquet(data: bytes, rng: Chance) -> bytes:
    """The magic number, the length of the footer or a byte of it is wrong."""
    length = int.from_bytes(data[-8:-4], "little")
    if rng.random() < 0.3:
        return _odd_number(data, int(rng.choice([0, len(data) - 8, len(data) - 4])), rng, "<")
    at = len(data) - 8 - 1 - int(rng.integers(length))
    return data[:at] + bytes([int(rng.integers(256))]) + data[at + 1 :]


def npy(data: bytes, rng: Chance) -> bytes:
    """The version, the type, the order or the shape is wrong."""
    if rng.random() < 0.2:
        return head(data, rng, 10)
    length = int.from_bytes(data[8:10], "little")
    text = data[10 : 10 + length]
    odd = [b"-1", b"0", b"1e9", b"99999999999", b"None", b"'", b"(", b"True", b"'|O'", b"'<U99'"]
    found = list(re.finditer(rb"\d+|True|False|'[<|>][a-zA-Z]\d+'", text))
    at = found[int(rng.integers(len(found)))]
    text = text[: at.start()] + odd[int(rng.integers(len(odd)))] + text[at.end() :]
    return data[:10] + text.strip().ljust(length - 1)[: length - 1] + b"\n" + data[10 + length :]


_ODD_JSON = (
    *(b"-1", b"0", b"1e999", b"-1e999", b"NaN", b"99999999999999999999", b"0.5", b"null", b"true"),
    *(b'"x"', b'"\\ud800"', b"[]", b"{}", b"[[]]", b'""', b"1e-320", b"9" * 5000),
)
_JSON_VALUE = re.compile(rb'-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null|"[^"\\]*"')


def json_value(data: bytes, rng: Chance) -> bytes:
    """A number, a text or a key is something else."""
    found = list(_JSON_VALUE.finditer(data))
    at = found[int(rng.integers(len(found)))]
    return data[: at.start()] + _ODD_JSON[int(rng.integers(len(_ODD_JSON)))] + data[at.end() :]


_ODD_YAML = (
    *(b"-1", b"0", b".nan", b".inf", b"99999999999999999999", b"null", b"true", b"x", b"[]", b"{}"),
    *(b"&a [*a]", b"!!python/object:os.system {}", b"2001-01-01", b"0x1F", b"'", b"[1, {a: 2}]"),
)


def yaml(data: bytes, rng: Chance) -> bytes:
    """A key or a value is something else."""
    return _replace(data, rb"[\w.+-]+", _ODD_YAML, rng)


_ODD_CELLS = (
    b"",
    b"-1",
    b"1e999",
    b"nan",
    b'"',
    b'"\n"',
    b"99999999999999999999",
    b"x",
    b"\0",
    b",",
)


def cells(data: bytes, rng: Chance) -> bytes:
    """A cell of a table in text is something else."""
    return _replace(data, rb"[^,;\t\n]+", _ODD_CELLS, rng)


def _replace(data: bytes, pattern: bytes, odd: tuple[bytes, ...], rng: Chance) -> bytes:
    found = list(re.finditer(pattern, data))
    at = found[int(rng.integers(len(found)))]
    return data[: at.start()] + odd[int(rng.integers(len(odd)))] + data[at.end() :]


def protobuf(data: bytes, rng: Chance) -> bytes:
    """A tag, a length or a number near the start or the end is wrong, as of an ONNX graph."""
    places = [*range(min(len(data), 250)), *range(max(0, len(data) - 250), len(data))]
    at = int(rng.choice(places))
    return data[:at] + bytes([int(rng.integers(256))]) + data[at + 1 :]


MUTATIONS: dict[str, Change] = {
    "cut": cut,
    "flipped bit": flip_bit,
    "flipped byte": flip_byte,
    "dropped block": drop_block,
    "repeated block": repeat_block,
    "swapped blocks": swap_blocks,
    "other kind": other_kind,
    "empty": empty,
    "web page": web_page,
    "lfs pointer": lfs_pointer,
}
"""What happens to files of every format."""

ONCE = ("empty", "web page", "lfs pointer")
"""Those that chance plays no part in: once a file is enough."""
