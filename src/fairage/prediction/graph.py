"""A graph bundle: pictures of faces in, ages out, in one ONNX file that onnxruntime runs."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairage._graph_words import GRAPH
from fairage._onnxruntime import open_session, session_errors
from fairage._text import reason_of, short
from fairage._work import usable_processors
from fairage.exceptions import DataError
from fairage.prediction.face_input import FaceInput

ABOUT = "export.json"
WEIGHTS_FILE = "model.onnx.data"
"""Beside a large graph, its weights."""
FORMAT = 2
AGE_OUTPUT, LOW_OUTPUT, HIGH_OUTPUT = "age", "low", "high"
SPREAD, EMBEDDING = "spread", "embedding"
NETWORK_AGE = "network_age"
"""The age before the line of `fairage calibrate --map`, which a model draws itself."""

_LEAST_OUTPUTS = [AGE_OUTPUT, SPREAD, EMBEDDING]

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]


class GraphNetwork:
    """The graph of a folder; threads may share it.

    Args:
        folder: Holds `model.onnx` and `export.json`.

    Raises:
        DataError: One of them is missing, damaged, or does not fit the other.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / GRAPH
        self.about = read_about(folder)
        self.inputs = _inputs(self.about, folder)
        self._session = open_session(self._path, threads=usable_processors())
        self._age = self._check()

    def estimate(self, pixels: Sequence[Pixels]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return ages and spreads `(n,)` in years; see `fairage.models.spreads_of`.

        Args:
            pixels: For each input `(n, height, width, 3)`, red, green, blue.

        Raises:
            DataError: The graph gives something else for one of them.
        """
        ages, spreads = self._run((self._age, SPREAD), pixels)
        if not np.isfinite([ages, spreads]).all():
            rows = np.flatnonzero(~np.isfinite([ages, spreads]).all(axis=0))
            raise DataError(
                f"expected finite ages of {str(self._path)!r}, got others for face {rows[0] + 1} "
                f"and {len(rows)} in all, leave them out"
            )
        return ages.astype(np.float64), spreads.astype(np.float64)

    def embed(self, pixels: Sequence[Pixels]) -> Floats:
        """Return embeddings `(n, dim)` of the same."""
        (embeddings,) = self._run((EMBEDDING,), pixels)
        return np.asarray(embeddings, dtype=np.float32)

    def _run(self, outputs: Sequence[str], pixels: Sequence[Pixels]) -> list[NDArray[Any]]:
        named = {each.name: values for each, values in zip(self.inputs, pixels, strict=True)}
        with session_errors(self._path, "a graph that runs on what export.json says"):
            return [np.asarray(values) for values in self._session.run(list(outputs), named)]

    def _check(self) -> str:
        """Return the output with ages; a graph that is not as it is said to be is a DataError."""
        got = {each.name: (each.type, each.shape[1:]) for each in self._session.get_inputs()}
        expected = {each.name: ("tensor(uint8)", _shape(each)) for each in self.inputs}
        outputs = {each.name for each in self._session.get_outputs()}
        if got != expected or not {*_LEAST_OUTPUTS} <= outputs:
            raise DataError(
                f"expected the inputs {short(expected, 200)} and the outputs "
                f"{_LEAST_OUTPUTS} in {str(self._path)!r}, got {short(got, 200)} and "
                f"{sorted(outputs)}, export the model again"
            )
        return NETWORK_AGE if NETWORK_AGE in outputs else AGE_OUTPUT


def read_about(folder: Path) -> dict[str, Any]:
    """Return what `export.json` says, or raise a DataError."""
    path = folder / ABOUT
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        if about["format"] == FORMAT:
            return dict(about)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise _damaged(path, reason_of(error)) from error
    raise DataError(
        f"expected {ABOUT} of format {FORMAT}, got {short(about['format'])} in {str(path)!r}, "
        "use the fairage version that wrote it"
    )


def _inputs(about: dict[str, Any], folder: Path) -> tuple[FaceInput, ...]:
    try:
        return tuple(map(FaceInput.from_dict, about["inputs"]))
    except (KeyError, TypeError, AttributeError) as error:
        raise _damaged(folder / ABOUT, reason_of(error)) from error


def _damaged(path: Path, reason: str) -> DataError:
    return DataError(
        f"expected what fairage export writes in {str(path)!r}, got other data ({reason}), export "
        "the model again"
    )


def _shape(each: FaceInput) -> list[int]:
    return [each.preprocessing.height, each.preprocessing.width, 3]
