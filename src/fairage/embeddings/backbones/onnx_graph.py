"""What an ONNX file says of itself: its outputs, tensors, and the files that hold its weights."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from fairage._text import short
from fairage.exceptions import DataError, MissingDependencyError

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from onnx import TensorProto, ValueInfoProto

Shape = tuple[int | str, ...]


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
        MissingDependencyError: The package `onnx` is not installed.
    """
    try:
        from google.protobuf.message import DecodeError
        from onnx import ModelProto
    except ImportError as error:
        raise MissingDependencyError.for_extra("onnx", "train") from error
    data = path.read_bytes()
    try:
        model = ModelProto.FromString(data)
        tensors = list(_tensors(model))
        outputs = {output.name: _shape(output) for output in model.graph.output}
        locations = sorted({place for each in tensors if (place := _location(each)) is not None})
    except (DecodeError, ValueError) as error:
        raise _no_model(path, data) from error
    if not model.HasField("graph"):
        raise _no_model(path, data)
    files = (path, *(_beside(path, location) for location in locations))
    return OnnxGraph(outputs, frozenset(each.name for each in tensors), files)


def _no_model(path: Path, data: bytes) -> DataError:
    return DataError(
        f"expected an ONNX model, got {str(path)!r} ({_what_it_is(data)}), export it or download "
        "it again"
    )


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


def _tensors(message: "Message") -> Iterator["TensorProto"]:
    """Yield the tensors of a graph, those in attributes, functions and graphs within it too."""
    from onnx import TensorProto

    for field, value in message.ListFields():
        if isinstance(message, TensorProto) or field.message_type is None:
            continue
        for part in [value] if hasattr(value, "ListFields") else value:
            if isinstance(part, TensorProto):
                yield part
            else:
                yield from _tensors(part)


def _location(tensor: "TensorProto") -> str | None:
    return next((each.value for each in tensor.external_data if each.key == "location"), None)


def _shape(output: "ValueInfoProto") -> Shape | None:
    """Return the declared shape: a dimension is a number, a name or `?`."""
    kind = output.type.tensor_type
    if not kind.HasField("shape"):
        return None
    return tuple(
        each.dim_value if each.HasField("dim_value") else each.dim_param or "?"
        for each in kind.shape.dim
    )
