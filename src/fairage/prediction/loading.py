"""A model that predicts, from a bundle's folder, from the hub, or the one in the box."""

import os
from pathlib import Path
from typing import Any

from fairage._bundle_files import BOXED, BOXED_NAME, CONFIG, HUB, WEIGHTS, read_bundle_config
from fairage._files import given_path
from fairage._graph_words import GRAPH
from fairage._images import DECODING_VERSION
from fairage.exceptions import ConfigError, DataError, MissingDependencyError
from fairage.faces.detection import DETECTION_VERSION, FaceDetector, find_detector
from fairage.faces.preprocessing import RESIZING_VERSION
from fairage.faces.views import ALIGNMENT_VERSION, Framing
from fairage.prediction.age_map import AgeMap
from fairage.prediction.calibration_rows import CalibrationRows
from fairage.prediction.graph import GraphNetwork
from fairage.prediction.intervals import ConformalAges
from fairage.prediction.model import Model, Network

CALIBRATION = "calibration.parquet"


def load(
    source: str | os.PathLike[str] | None = None,
    *,
    device: str | None = None,
    detector: str | Path | FaceDetector | None = None,
) -> Model:
    """Return a model that estimates ages from photographs.

    Args:
        source: Folder of a bundle, as `fairage run` and `fairage export` write them;
            `hub:ORG/NAME` or `hub:ORG/NAME@REVISION`; `boxed` or None for the model in the box.
        device: Where networks of torch run, such as `cuda`; what is there if unset. Graphs run on
            the processor.
        detector: ONNX file of a face detector, or the detector, in place of the one in the box.

    Raises:
        ConfigError: There is no such folder.
        DataError: The bundle is damaged, or does not fit this version or this detector.
        MissingDependencyError: The bundle needs torch, which is not installed.

    Examples:
        >>> import fairage
        >>> fairage.load().target
        'apparent'
    """
    folder = _folder(source)
    config = read_bundle_config(folder)
    finder = detector if isinstance(detector, FaceDetector) else find_detector(detector)
    network = _network(folder, config, device)
    _check_pixels(config, finder, folder)
    return Model(
        network=network,
        detector=finder,
        config=config,
        intervals=_intervals(folder),
        framing=None if config.get("framing") is None else Framing(**config["framing"]),
        age_map=AgeMap.from_config(config.get("age_map")),
        folder=folder,
    )


def _folder(source: str | os.PathLike[str] | None) -> Path:
    if source is None:
        return BOXED
    text = os.fspath(source)
    if text == BOXED_NAME and not Path(text).exists():
        return BOXED
    if text.startswith(HUB):
        from fairage.prediction.hub import fetch

        return fetch(text)
    path = given_path(text)
    if not path.is_dir():
        raise ConfigError(
            f"expected a model bundle, got no folder {text!r}, give the folder that fairage run "
            f"wrote (OUT/VERSION/seed-0/bundle), {HUB}ORG/NAME, or nothing for the model in the box"
        )
    inner = path / "bundle"
    return inner if (inner / CONFIG).is_file() and not (path / CONFIG).exists() else path


def _network(folder: Path, config: dict[str, Any], device: str | None) -> Network:
    if (folder / GRAPH).is_file():
        return GraphNetwork(folder)
    if not (folder / WEIGHTS).is_file():
        raise DataError(
            f"expected a bundle with {GRAPH} or {WEIGHTS}, got {str(folder)!r} without, copy it "
            "again"
        )
    try:
        from fairage.prediction.torch_network import TorchNetwork
    except ModuleNotFoundError as error:
        if MissingDependencyError.of(error) is error:
            raise
        raise MissingDependencyError(
            f"expected torch for the bundle {str(folder)!r}, got no package {error.name!r}, run: "
            "pip install 'fairage[train]', or export the bundle where that is installed: fairage "
            "export BUNDLE --onnx DIR"
        ) from error
    return TorchNetwork(folder, device=device)


def _check_pixels(config: dict[str, Any], detector: FaceDetector, folder: Path) -> None:
    """Raise a DataError if networks would see other pixels than in the training."""
    got = {
        "detector": detector.fingerprint(),
        "detection": DETECTION_VERSION,
        "alignment": ALIGNMENT_VERSION,
        "decoding": DECODING_VERSION,
        "resizing": RESIZING_VERSION,
    }
    for backbone in config.get("backbones", ()):
        for key, value in got.items():
            if backbone.get(key) not in (None, value):
                raise DataError(
                    f"expected the {key} {backbone[key]!r} that {str(folder)!r} was trained with, "
                    f"got {value!r}, "
                    + (
                        "give the detector's file (--detector)"
                        if key == "detector"
                        else "use the fairage version that trained it, or train it again"
                    )
                )


def _intervals(folder: Path) -> ConformalAges | None:
    path = folder / CALIBRATION
    return ConformalAges.fit(CalibrationRows.read(path)) if path.is_file() else None
