"""Train the model in the box on FairFace and write it as a bundle.

Usage: python scripts/train_boxed.py FAIRFACE WORK [--out src/fairage/prediction/boxed]

FAIRFACE holds FairFace's pictures and both label files; WORK keeps what can be resumed. Killed and
given again, the training goes on with the epoch that was not finished. Its test faces are not
looked at here: measure the bundle with scripts/measure_boxed.py.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from boxed.bundle import facts, write_bundle
from boxed.faces import ALIGNED, CROP, BoxedFaces, read_faces
from boxed.network import BoxedNetwork, Truth, ages_of
from boxed.refit import range_score, refitted
from boxed.training import Settings, outputs_of, train, truth_of
from fairage.prediction.calibration_rows import CalibrationRows

POWERS = (0.0, 0.25, 0.5, 0.75, 1.0)
LOSS_OF_EXACT = 0.02
"""The power with the best balance is chosen of those that cost at most so much of this share."""


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
    power, last = chosen_layer(network, faces, side)
    network.last = last
    rows = calibration_rows(network, faces, side)
    write_bundle(network, side, rows, given.out, facts(faces, settings, power))
    print(f"wrote {given.out}")


def chosen_layer(
    network: BoxedNetwork, faces: BoxedFaces, side: int
) -> tuple[float, torch.nn.Linear]:
    """Return the power of the weights that does best on validation faces, and its layer."""
    train_rows, valid = faces.rows("train"), faces.rows("valid")
    both = [embedded(network, faces, train_rows, view, side, bf16=True) for view in (CROP, ALIGNED)]
    seen = [embedded(network, faces, valid, view, side) for view in (CROP, ALIGNED)]
    layers, scores = {}, {}
    for power in POWERS:
        truth = truth_of(faces, train_rows, power).rows(torch.from_numpy(train_rows))
        twice = Truth(
            *(torch.cat([getattr(truth, name)] * 2) for name in truth.__dataclass_fields__)
        )
        layers[power] = refitted(network.last, torch.cat(both), twice)
        ages = np.concatenate([ages_of(layers[power](each)).double().numpy() for each in seen])
        scores[power] = range_score(ages, np.tile(faces.ranges[valid], 2))
        print(f"power {power}: {scores[power]}", flush=True)
    best = max(score.exact for score in scores.values())
    near = {p: score for p, score in scores.items() if score.exact >= best - LOSS_OF_EXACT}
    power = max(near, key=lambda each: near[each].balanced)
    print(f"chosen: {power}")
    return power, layers[power]


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
    return CalibrationRows(ages_of(outputs).double().numpy(), low, high, attributes)


if __name__ == "__main__":
    main()
