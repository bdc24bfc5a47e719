"""What an ONNX file says of itself, read without the package `onnx`: outputs, tensors, files.

The file is one protobuf message; of the messages in it only the fields that matter are read.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fairage._text import short
from fairage.exceptions import DataError

Shape = tuple[int | str, ...]

_GRAPH, _OUTPUT, _NAME, _TYPE = 7, 12, 1, 2
_TENSOR_NAME, _EXTERNAL = 8, 13
_INSIDE = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
"""The numbers of the fields in which tensors are, however deep."""


@dataclass(frozen=True)
class OnnxGraph:
    """What matters of an ONNX file.

    Args:
        outputs: The declared shape of each output; None where none is declared.
        tensors: Names of the weights.
        files: The file itself, then those with weights that it names.
    """

    outputs: dict[str, Shape | None]
    tensors: frozenset[str]
    files: tuple[Path, ...]


def read_graph(path: Path) -> OnnxGraph:
    """Return what an ONNX file says.

    Raises:
        DataError: It is no ONNX file or a cut one; or a file with weights is missing, or is not
            in its folder.
    """
    data = path.read_bytes()
    try:
        graphs = [_bytes(content) for number, content in _fields(data) if number == _GRAPH]
        tensors = [dict(_named(tensor)) for tensor in _tensors(memoryview(data), "model")]
        outputs = dict(_output(_bytes(c)) for n, c in _fields(graphs[0]) if n == _OUTPUT)
    except (IndexError, ValueError) as error:
        raise DataError(
            f"expected an ONNX model, got {str(path)!r} ({_what_it_is(data)}), export it or "
            "download it again"
        ) from error
    locations = sorted({each["location"] for each in tensors if "location" in each})
    files = (path, *(_beside(path, location) for location in locations))
    return OnnxGraph(outputs, frozenset(each.get("name", "") for each in tensors), files)


def _what_it_is(data: bytes) -> str:
    if data.startswith(b"version https://git-lfs"):
        return "a pointer of Git LFS: fetch the file with git lfs pull"
    if data.lstrip()[:1] == b"<":
        return "a web page"
    return "an empty file" if not data else "another kind of file, or cut short"


def _beside(path: Path, location: str) -> Path:
    """Return the path of a file with weights; a link in the folder is as good as the file."""
    place = PurePosixPath(location)
    if place.is_absolute() or ".." in place.parts or "\\" in location or ":" in location:
        raise DataError(
            f"expected weights in the folder of {str(path)!r}, got {short(location)}, which lies "
            "elsewhere, export the model again"
        )
    if not (path.parent / place).is_file():
        raise DataError(
            f"expected the weights {short(location)} beside {str(path)!r}, got no such file, copy "
            "it there or export the model again"
        )
    return path.parent / place


def _fields(message: bytes | memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield number and content of each field of a message; ValueError where it is none."""
    message, at = memoryview(message), 0
    while at < len(message):
        tag, at = _number(message, at)
        kind = tag & 7
        if kind == 0:
            value, at = _number(message, at)
            yield tag >> 3, value
            continue
        length = {1: 8, 5: 4}.get(kind, 0)
        if kind == 2:
            length, at = _number(message, at)
        if (not length and kind != 2) or at + length > len(message):
            raise ValueError("no message of protobuf")
        if kind == 2:
            yield tag >> 3, message[at : at + length]
        at += length


def _number(message: memoryview, at: int) -> tuple[int, int]:
    """Return the number of 7 bits a byte that begins at a place, and where it has ended."""
    value = shift = 0
    while message[at] & 0x80:
        value |= (message[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
    return value | message[at] << shift, at + 1


def _tensors(message: memoryview, kind: str) -> Iterator[memoryview]:
    for number, content in _fields(message):
        inside = _INSIDE[kind].get(number)
        if inside == "tensor":
            yield _bytes(content)
        elif inside:
            yield from _tensors(_bytes(content), inside)


def _named(tensor: memoryview) -> Iterator[tuple[str, str]]:
    """Yield the name of a tensor and what is said of its file."""
    for number, content in _fields(tensor):
        if number == _TENSOR_NAME:
            yield "name", _text(content)
        elif number == _EXTERNAL:
            entry = dict(_fields(_bytes(content)))
            yield _text(entry[1]), _text(entry.get(2, memoryview(b"")))


def _output(value: memoryview) -> tuple[str, Shape | None]:
    """Return name and shape of an output: a dimension is a number, a name or `?`."""
    fields = dict(_fields(value))
    name, shape = _text(fields[_NAME]), None
    for _, tensor_type in _fields(_bytes(fields.get(_TYPE, memoryview(b"")))):
        for number, content in _fields(_bytes(tensor_type)):
            if number == 2:
                shape = tuple(_dimension(_bytes(dim)) for _, dim in _fields(_bytes(content)))
    return name, shape


def _dimension(message: memoryview) -> int | str:
    for _, content in _fields(message):
        return content if isinstance(content, int) else _text(content)
    return "?"


def _bytes(content: int | memoryview) -> memoryview:
    if isinstance(content, int):
        raise ValueError("expected bytes, got a number")  # damage, as elsewhere
    return content


def _text(content: int | memoryview) -> str:
    return bytes(_bytes(content)).decode()
