"""Exporting a model: one ONNX graph from pixels to ages, and all that it takes to run it."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import fairage
from fairage._bundle_files import CARD, CONFIG, write_bundle_config
from fairage._card_results import without_stale_results
from fairage._files import atomic_folder, folder_hashes, given_path, write_text
from fairage._graph_words import GRAPH, RUN
from fairage._model_card import model_card
from fairage._random import numpy_rng
from fairage.exceptions import ConfigError, DataError
from fairage.prediction.age_map import AgeMap
from fairage.prediction.bundle_saving import write_model_tables
from fairage.prediction.cutting_words import how_to_cut
from fairage.prediction.face_input import distinct_inputs
from fairage.prediction.graph import (
    ABOUT,
    AGE_OUTPUT,
    EMBEDDING,
    FORMAT,
    HIGH_OUTPUT,
    LOW_OUTPUT,
    SPREAD,
    WEIGHTS_FILE,
    GraphNetwork,
    read_about,
)
from fairage.prediction.graph_tables import TABLES
from fairage.prediction.loading import CALIBRATION
from fairage.prediction.model import Model
from fairage.prediction.pictures import Images

if TYPE_CHECKING:
    from fairage.prediction.torch_network import TorchNetwork

FP32 = "fp32"
AGREEMENT = 0.1
"""Years that the graph's ages may differ from torch's: rounding makes less than a thousandth, and
hundredths where a backbone has half floats."""
_TRIALS = (1, 3)
_FITTED = ("intervals", "age_map")
_OUTPUTS = {
    AGE_OUTPUT: "(n,), float32: estimated age in years",
    LOW_OUTPUT: "(n,), float32: lower end of the interval in years, -inf where it is open",
    HIGH_OUTPUT: "(n,), float32: upper end of the interval in years, inf where it is open",
    SPREAD: "(n,), float32: standard deviation in years of the ages that the model holds possible",
    EMBEDDING: "(n, dim), float32: what the backbones make of the face",
}
_PACKAGES = ("torch", "transformers", "onnx", "onnxruntime")


def export_model(
    model: Model,
    folder: str | Path,
    *,
    calibration: "Images | None" = None,
    crops: bool = False,
    progress: bool = False,
) -> dict[str, Any]:
    """Write a model as a graph bundle, which appears whole or not at all.

    Args:
        model: Loaded from a folder.
        folder: Where to; an earlier export there is replaced.
        calibration: Faces on which the backbones are brought to int8; None for fp32. What int8
            says is other than what the model was calibrated on, so that it is not calibrated.
        crops: Each of their pictures shows one face; see `Model.predict`.
        progress: Show a progress bar where the faces are read.

    Returns:
        What `export.json` says.

    Raises:
        ConfigError: The folder holds something else.
        DataError: The model cannot be exported, or there are too few faces for int8.
    """
    target = given_path(folder)
    source = _checked(model, target)
    with atomic_folder(target) as partial:
        if isinstance(model.network, GraphNetwork):
            _copy_graph(model, source, partial)
        else:
            _export_torch(model, source, partial)
        if calibration is not None:
            from fairage.prediction.quantization import faces_for_int8, quantize

            faces = faces_for_int8(
                model, GraphNetwork(partial).inputs, calibration, crops=crops, progress=progress
            )
            _note(partial, {"precision": "int8", "int8": quantize(partial, faces)})
            model = _uncalibrated(model)
            write_model_tables(model, partial)
        _note(partial, {"sha256": folder_hashes(partial)[GRAPH]})
        _complete(model, partial)
        return read_about(partial)


def _uncalibrated(model: Model) -> Model:
    """Return the model without intervals and map: both were fitted to ages in fp32."""
    config = without_stale_results(model.config, other_ages=True)
    config = {key: value for key, value in config.items() if key not in _FITTED}
    return replace(model, intervals=None, age_map=AgeMap(), config=config)


def _checked(model: Model, target: Path) -> Path:
    """Return the bundle's folder, unless the target would take its place or somebody's files."""
    source = model.folder
    if source is None:
        raise ConfigError("expected a model that fairage.load returned, got one without a folder")
    here, there = source.resolve(), target.resolve()
    if here == there or here in there.parents or there in here.parents:
        raise ConfigError(
            f"expected a folder beside the bundle {str(source)!r}, got {str(target)!r}, give "
            "another for the export"
        )
    if target.exists() and not target.is_dir():
        raise ConfigError(f"expected a folder, got the file {str(target)!r}, give another path")
    if target.is_dir() and any(target.iterdir()) and not (target / ABOUT).is_file():
        raise ConfigError(
            f"expected a new folder, or an earlier export to replace, got {str(target)!r} with "
            "other files, give another path"
        )
    return source


def _copy_graph(model: Model, source: Path, folder: Path) -> None:
    """Copy a graph; its tables are those of the model as it is now."""
    for name in (GRAPH, ABOUT, TABLES, WEIGHTS_FILE):
        if (source / name).is_file():
            shutil.copyfile(source / name, folder / name)
    if (folder / TABLES).is_file():
        write_model_tables(model, folder)


def _export_torch(model: Model, source: Path, folder: Path) -> None:
    from fairage.prediction.graph_joining import opset_of, save_graph
    from fairage.prediction.torch_export import graph_of
    from fairage.prediction.torch_network import TorchNetwork

    network = TorchNetwork(source, device="cpu", precision=FP32)
    graph = graph_of(network)
    about = _about(model, network, opset_of(graph))
    write_text(folder / ABOUT, json.dumps(about, indent=2) + "\n")
    write_model_tables(model, folder)
    save_graph(graph, folder)
    _note(folder, {"difference": _difference(network, folder)})


def _about(model: Model, network: "TorchNetwork", opset: int) -> dict[str, Any]:
    inputs = [
        {**each.to_dict(), "how_to_cut": how_to_cut(each, model.framing)}
        for each in distinct_inputs(network.inputs)[0]
    ]
    return {
        "format": FORMAT,
        "inputs": inputs,
        "outputs": list(_OUTPUTS),
        "about_outputs": _OUTPUTS,
        "level": None,
        "precision": FP32,
        "trained_in": [each["precision"] for each in model.config["backbones"]],
        "opset": opset,
        "versions": {"fairage": fairage.__version__, **_versions()},
    }


def _versions() -> dict[str, str]:
    versions = {}
    for name in _PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "unknown"
    return versions


def _note(folder: Path, more: Mapping[str, Any]) -> None:
    """Add to `export.json`."""
    write_text(folder / ABOUT, json.dumps({**read_about(folder), **more}, indent=2) + "\n")


def _difference(network: "TorchNetwork", folder: Path) -> dict[str, Any]:
    """Return how far the graph's ages are from torch's, tried on random pixels.

    Raises:
        DataError: They are too far, or the graph does not take any number of pictures.
    """
    graph, rng = GraphNetwork(folder), numpy_rng(0, "export")
    places, largest = distinct_inputs(network.inputs)[1], 0.0
    for count in _TRIALS:
        sides = [(each.preprocessing.height, each.preprocessing.width) for each in graph.inputs]
        pixels = [rng.integers(0, 256, (count, *side, 3), dtype=np.uint8) for side in sides]
        expected = network.estimate([pixels[place] for place in places])
        try:
            got = graph.estimate(pixels)
        except DataError as error:
            raise DataError(
                f"expected backbones that take any number of pictures, got others: the graph fails "
                f"with {count} ({error}), train the head on other backbones, or export those that "
                "are ONNX files again for a batch of any size"
            ) from error
        largest = max(largest, float(np.abs(np.subtract(got, expected)).max()))
    if not largest <= AGREEMENT:
        raise DataError(
            f"expected a graph that gives the ages of the bundle within {AGREEMENT} years, got "
            f"{largest:.3g} years on random pixels, use the bundle as it is"
        )
    return {"random_pictures": sum(_TRIALS), "largest_years": largest}


def _complete(model: Model, folder: Path) -> None:
    """Write all that stands beside the graph."""
    shutil.copyfile(Path(__file__).with_name("exported_run.py"), folder / RUN)
    if model.intervals is not None:
        model.intervals.rows.write(folder / CALIBRATION)
    config = {**model.config, "backbones": list(map(_inside, model.config["backbones"]))}
    about = read_about(folder)
    config["graph"] = {key: about[key] for key in ("precision", "int8") if key in about}
    write_text(folder / CARD, model_card(config))
    assert not (folder / CONFIG).exists(), "the config has the checksums of all other files"
    write_bundle_config(config, folder)


def _inside(backbone: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is said of a backbone whose weights stand in the graph now."""
    about = {key: value for key, value in backbone.items() if key != "folder"}
    return about | ({"fine_tuned": True} if "folder" in backbone else {})
