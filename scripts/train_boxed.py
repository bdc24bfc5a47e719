"""Train the model in the box on FairFace and write it as a bundle.

Usage: python scripts/train_boxed.py FAIRFACE WORK [--out src/fairage/prediction/boxed]

FAIRFACE holds FairFace's pictures and both label files; WORK keeps what can be resumed. Killed and
given again, the training goes on with the epoch that was not finished. Its test faces are not
looked at here: measure the bundle with scripts/measure_boxed.py.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from boxed.bundle import facts, write_bundle
from boxed.faces import ALIGNED, CROP, BoxedFaces, read_faces
from boxed.network import BoxedNetwork, Truth, ages_of, spreads_of
from boxed.refit import LEAST, LIMITS, range_score, refitted
from boxed.settings import Settings
from boxed.training import outputs_of, train, truth_of
from fairage.prediction.calibration_rows import CalibrationRows

WEIGHTS = ((0.25, 2.0), (0.5, 1.0), (0.5, 1.5), (0.5, 2.0), (0.75, 1.0), (0.75, 1.5))
"""Weights to choose from: those of a face are (faces of its range) ** -power, times the second
number where its range is 60 to 69, whose faces lie between two larger ranges."""
BOOSTED = 7


def main() -> None:
    """Train, fit the last layer anew, calibrate, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("fairface", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--out", type=Path, default=Path("src/fairage/prediction/boxed"))
    given = parser.parse_args()
    cv2.setNumThreads(1)
    settings, side = Settings(), Settings().side
    faces = read_faces(given.fairface, given.work)
    (given.work / "training").mkdir(exist_ok=True)
    network = train(faces, settings, given.work / "training")
    weights, last = chosen_layer(network, faces, side)
    network.last = last
    rows = calibration_rows(network, faces, side)
    write_bundle(network, side, rows, given.out, facts(faces, settings, weights))
    print(f"wrote {given.out}")


def chosen_layer(
    network: BoxedNetwork, faces: BoxedFaces, side: int
) -> tuple[tuple[float, float], torch.nn.Linear]:
    """Return the weights that do best on validation faces, and their layer.

    Each layer has a limit that it comes closest to, or exceeds by most, as a share of it; the best
    is the one for which that share is least.
    """
    train_rows, valid = faces.rows("train"), faces.rows("valid")
    both = [embedded(network, faces, train_rows, view, side, bf16=True) for view in (CROP, ALIGNED)]
    seen = [embedded(network, faces, valid, view, side) for view in (CROP, ALIGNED)]
    layers, excess = {}, {}
    for power, boost in WEIGHTS:
        truth = boosted(truth_of(faces, train_rows, power), faces, train_rows, boost)
        twice = Truth(
            *(torch.cat([getattr(truth, name)] * 2) for name in truth.__dataclass_fields__)
        )
        layers[power, boost] = refitted(network.last, torch.cat(both), twice)
        ages = np.concatenate(
            [ages_of(layers[power, boost](each)).double().numpy() for each in seen]
        )
        score = range_score(ages, np.tile(faces.ranges[valid], 2))
        excess[power, boost] = max(
            *(years / limit for years, limit in zip(score.outside, LIMITS, strict=True)),
            *(least / getattr(score, name) for name, least in LEAST.items()),
        )
        print(f"power {power}, boost {boost}: {score}", flush=True)
    weights = min(excess, key=lambda each: excess[each])
    print(f"chosen: power {weights[0]}, boost {weights[1]}")
    return weights, layers[weights]


def boosted(truth: Truth, faces: BoxedFaces, rows: NDArray[np.int64], boost: float) -> Truth:
    """Return what is known of these faces, those of one range with more weight."""
    own = truth.rows(torch.from_numpy(rows))
    is_boosted = torch.from_numpy(faces.ranges[rows] == BOOSTED)
    weights = torch.where(is_boosted, boost * own.weights, own.weights)
    return replace(own, weights=weights / weights.mean())


def embedded(
    network: BoxedNetwork,
    faces: BoxedFaces,
    rows: np.ndarray,
    view: int,
    side: int,
    *,
    bf16: bool = False,
) -> Tensor:
    """Return the embeddings of some faces in one view."""
    return outputs_of(network, faces.pixels, rows, view, side, bf16=bf16)[0]


def calibration_rows(network: BoxedNetwork, faces: BoxedFaces, side: int) -> CalibrationRows:
    """Return the calibration faces, aligned as those of photographs are, with their estimates."""
    rows = faces.rows("calibration")
    _, outputs = outputs_of(network, faces.pixels, rows, ALIGNED, side)
    low, high = (limits[rows] for limits in faces.limits)
    attributes = {
        name: faces.frame[name].to_numpy()[rows].astype(np.str_) for name in ("gender", "ethnicity")
    }
    ages, spreads = (of(outputs).double().numpy() for of in (ages_of, spreads_of))
    return CalibrationRows(ages, low, high, attributes, spreads=spreads)


if __name__ == "__main__":
    main()
