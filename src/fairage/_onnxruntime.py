"""ONNX files run by onnxruntime: opened in one way, and what goes wrong names the file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fairage._text import reason_of
from fairage.exceptions import DataError, MissingDependencyError

_CUDA = "CUDAExecutionProvider"
_SILENT = 4


AGAIN = "export it again"


def open_session(
    path: Path,
    *,
    threads: int,
    device: str = "cpu",
    expected: str = "an ONNX model",
    do: str = AGAIN,
) -> Any:  # noqa: ANN401  # onnxruntime has no types
    """Return an onnxruntime session of a file, which threads may share.

    Args:
        path: The file; weights that it keeps in other files are looked for beside it.
        threads: How many threads compute one call.
        device: A device of torch's names; a GPU is used where onnxruntime can.
        expected: What the file was expected to be, for the message.
        do: What to do where it is none.

    Raises:
        DataError: The file is damaged, or holds what onnxruntime cannot run.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingDependencyError.for_extra("onnxruntime", "predict") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = _SILENT  # what goes wrong is raised
    on_gpu = device.startswith("cuda") and _CUDA in onnxruntime.get_available_providers()
    providers = [_CUDA, "CPUExecutionProvider"] if on_gpu else ["CPUExecutionProvider"]
    with session_errors(path, expected, do):
        return onnxruntime.InferenceSession(str(path), options, providers=providers)


@contextmanager
def session_errors(path: Path, expected: str, do: str = AGAIN) -> Iterator[None]:
    """Have what onnxruntime raises name the file.

    Args:
        path: The file.
        expected: What it was expected to be, as in "an ONNX model".
        do: What to do where it is none.
    """
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    own = [kind for kind in vars(state).values() if isinstance(kind, type)]
    kinds: tuple[type[Exception], ...] = (RuntimeError, ValueError)
    kinds += tuple(kind for kind in own if issubclass(kind, Exception))
    try:
        yield
    except kinds as error:
        raise DataError(
            f"expected {expected}, got {str(path)!r} ({reason_of(error)}), {do}"
        ) from error
