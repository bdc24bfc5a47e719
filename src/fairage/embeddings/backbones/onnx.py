"""Backbones in ONNX files, run by onnxruntime."""

import glob
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fairage._files import file_hash
from fairage.embeddings.runtime import Runtime
from fairage.exceptions import DataError, MissingDependencyError
from fairage.faces.preprocessing import Preprocessing

_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
_CUDA = "CUDAExecutionProvider"
_ERRORS_ONLY = 3


class OnnxNetwork:
    """An ONNX model with its preprocessing.

    It takes one image tensor `(n, 3, height, width)`, or with the channels last. Of its outputs the
    first counts; a map is averaged over its places, tokens over their number. Precision is what
    the file has.

    Args:
        path: The file.
        preprocessing: The model's.
        runtime: Device and size of the job.
    """

    def __init__(self, path: Path, preprocessing: Preprocessing, runtime: Runtime) -> None:
        self._preprocessing = preprocessing
        self._session = _open(path, runtime)
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].type not in _TYPES:
            kinds = [(each.name, each.shape, each.type) for each in inputs]
            raise DataError(
                f"expected one image input (n, 3, height, width) of floats, got {kinds} in "
                f"{str(path)!r}, export the model again"
            )
        self._name, shape = inputs[0].name, inputs[0].shape
        self._type = _TYPES[inputs[0].type]
        self._channels_last = shape[3] == 3 and shape[1] != 3
        self._fixed_batch = shape[0] if isinstance(shape[0], int) and shape[0] > 0 else None
        self._check_sides(path, shape)

    def __call__(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return embeddings `(n, dim)` of resized pixels `(n, height, width, 3)`."""
        values = self._preprocessing.normalised(torch.from_numpy(pixels))
        if self._channels_last:
            values = values.permute(0, 2, 3, 1)
        batch = np.ascontiguousarray(values.numpy(), dtype=self._type)
        size = self._fixed_batch or len(batch)
        parts = [self._pass(batch[i : i + size], size) for i in range(0, len(batch), size)]
        return np.concatenate(parts)

    def _pass(self, batch: NDArray[Any], size: int) -> NDArray[np.float32]:
        gap = size - len(batch)
        padded = np.concatenate([batch, np.zeros((gap, *batch.shape[1:]), batch.dtype)])
        features = np.asarray(self._session.run(None, {self._name: padded})[0], dtype=np.float32)
        if features.ndim == 4:
            features = features.mean(axis=(1, 2) if self._channels_last else (2, 3))
        elif features.ndim == 3:
            features = features.mean(axis=1)
        return features[: len(batch)].reshape(len(batch), -1)

    def _check_sides(self, path: Path, shape: list[Any]) -> None:
        sides = shape[1:3] if self._channels_last else shape[2:]
        shown = [self._preprocessing.height, self._preprocessing.width]
        fixed = [(a, b) for a, b in zip(sides, shown, strict=True) if isinstance(a, int)]
        if any(side != want for side, want in fixed):
            raise DataError(
                f"expected a preprocessor_config.json for images of {sides}, got {shown} for "
                f"{str(path)!r}, correct its size"
            )


def fingerprint(path: Path) -> str:
    """Return a hash of an ONNX file and of the weight files beside it that carry its name."""
    return file_hash(sorted(path.parent.glob(f"{glob.escape(path.name)}*")))


def _open(path: Path, runtime: Runtime) -> Any:  # noqa: ANN401  # onnxruntime has no types
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingDependencyError.for_extra("onnxruntime", "train") from error
    from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidGraph, InvalidProtobuf

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = _ERRORS_ONLY
    on_gpu = runtime.device.startswith("cuda") and _CUDA in onnxruntime.get_available_providers()
    providers = [_CUDA, "CPUExecutionProvider"] if on_gpu else ["CPUExecutionProvider"]
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=providers)
    except (Fail, InvalidGraph, InvalidProtobuf, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(
            f"expected an ONNX model, got {str(path)!r} ({reason}), export it again"
        ) from error
