"""Commands that are killed: what they work on, what is finished for good, what must come out."""

import json
import re
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from tests.fuzz.inputs import kit

from fairage import _images  # noqa: F401  # loaded before processes are forked

N = 90
RECIPE = "experiment: mine\nversion: {}\ntraining: {{epochs: {}, learning_rate: 1e-2}}\n"
SPLITS = ("train", "valid", "test")


@dataclass(frozen=True)
class Scenario:
    """A command that goes on where it was killed.

    Args:
        arguments: Of `fairage`, given the folder of the inputs and the one to write into.
        kept: Patterns of the files that are finished once they are there.
        counted: Returns more of what is finished, ready to be compared.
    """

    arguments: Callable[[Path, Path], list[object]]
    kept: tuple[str, ...] = ()
    counted: Callable[[Path], set[str]] = field(default=lambda _: set())


def make_inputs(folder: Path) -> None:
    """Write everything that the commands read."""
    _pictures(folder)
    _recipes(folder)
    (folder / "kit").mkdir()
    kit(folder / "kit")
    with zipfile.ZipFile(folder / "archive.zip", "w") as archive:
        for number in range(6):
            archive.writestr(f"faces/{number}.txt", f"{number}" * 3000)


def _pictures(folder: Path) -> None:
    import cv2

    rng = np.random.default_rng(0)
    ages = rng.uniform(5, 80, N).round(1)
    names = [f"{number:03d}.png" for number in range(N)]
    for name, age in zip(names, ages, strict=True):
        picture = np.clip(rng.normal(2.5 * age, 20, (24, 24, 3)), 0, 255).astype(np.uint8)
        assert cv2.imwrite(str(folder / name), picture)
    groups = {"gender": ["f", "f", "f", "m", "m", "m"] * (N // 6), "split": SPLITS * (N // 3)}
    frame = pl.DataFrame({"image": names, "age": ages, **groups})
    frame.write_parquet(folder / "faces.parquet")
    frame[:24].write_parquet(folder / "few.parquet")
    estimates = pl.Series("prediction", ages + rng.normal(0, 5, N))
    frame.with_columns(estimates).write_csv(folder / "predictions.csv")


def _recipes(folder: Path) -> None:
    suite = folder / "recipes" / "tiny"
    suite.mkdir(parents=True)
    for number, name in enumerate(("one", "two")):
        text = RECIPE.format(name, 2 + number)
        (folder / f"{name}.yaml").write_text(text)
        (suite / f"{name}.yaml").write_text(text)
    experts = "experts: {attributes: [gender]}\n"
    (suite / "three.yaml").write_text(RECIPE.format("three", 1) + experts)
    (folder / "space.yaml").write_text(
        "training.learning_rate: {low: 1e-3, high: 3e-2, log: true}\n"
    )


def _trained(inputs: Path) -> list[object]:
    faces = ["--faces", inputs / "faces.parquet", "--backbone", "embedded"]
    store = ["--store", inputs / "store", "--workers", 1, "--min-rows", 3]
    return [*faces, *store]


def _trials(out: Path) -> set[str]:
    """Return the trials that have an end."""
    if not (out / "tuning.db").is_file():
        return set()
    with closing(sqlite3.connect(out / "tuning.db")) as database:
        try:
            rows = database.execute(
                "SELECT number, value_json FROM trials JOIN trial_user_attributes USING (trial_id)"
                " WHERE key = 'scored'"
            ).fetchall()
        except sqlite3.OperationalError:  # killed before there were tables
            return set()
    return {f"{number} {value}" for number, value in rows}


_UNPACK = "from fairage.datasets.archives import unpack"
SCENARIOS = {
    "embed": Scenario(
        lambda inputs, out: [
            *("embed", inputs / "few.parquet", "--backbone", "embedded", "--store", out),
            *("--batch-size", 6, "--workers", 1),
        ],
        ("*/*.safetensors",),
    ),
    "run": Scenario(
        lambda inputs, out: [
            *("run", inputs / "one.yaml", inputs / "two.yaml", *_trained(inputs)),
            *("--seeds", 1, "--out", out),
        ],
        ("*/seed-*/**/*",),
    ),
    "suite": Scenario(
        lambda inputs, out: ["suite", "tiny", *_trained(inputs), "--seeds", 1, "--out", out],
        ("*/seed-*/**/*",),
    ),
    "tune": Scenario(
        lambda inputs, out: [
            *("tune", inputs / "one.yaml", *_trained(inputs), "--trials", 3),
            *("--space", inputs / "space.yaml", "--out", out),
        ],
        counted=_trials,
    ),
    "synthesize": Scenario(
        lambda _, out: ["data", "synthesize", "--out", out, "--n", 4, "--workers", 1],
        ("images/*.jpg",),
    ),
    "prepare": Scenario(
        lambda inputs, out: [
            *("data", "prepare", "appa-real", inputs / "kit", "--out", out / "kit.parquet")
        ],
        ("kit-images/*/*.png",),
    ),
    "unpack": Scenario(lambda inputs, out: ["unpack", inputs / "archive.zip", out], ("faces/*",)),
    "predict": Scenario(
        lambda inputs, out: [
            *("predict", *4 * [inputs / "*.png"], "--crops", "--out", out / "ages.parquet"),
            *("--batch-size", 64, "--workers", 1),
        ]
    ),
    "audit": Scenario(
        lambda inputs, out: ["audit", inputs / "predictions.csv", "--out", out, "--min-rows", 3]
    ),
}


def contents(out: Path) -> dict[str, object]:
    """Return what a command wrote, by path, without times and without names made by chance."""
    found: dict[str, object] = {}
    shards: dict[str, bytes] = {}
    for path in sorted(out.rglob("*")):
        name = path.relative_to(out).as_posix()
        if re.fullmatch(r"\w+/[0-9a-f]{16}\.safetensors", name):
            shards |= _rows(path)
        elif path.name == "run.json":
            found[name] = _without_times(path)
        elif path.name in ("tuning.db", ".fairage.lock"):
            found[name] = "there"
        else:
            found[name] = path.read_bytes() if path.is_file() else "folder"
    return {**found, "shards": shards}


def _rows(path: Path) -> dict[str, bytes]:
    from fairage.embeddings.store import read_shard

    shard = read_shard(path)
    pairs = zip(shard.keys, shard.values, strict=True)
    return {f"{path.parent.name} {key.hex()}": row.tobytes() for key, row in pairs}


def _without_times(path: Path) -> object:
    told = json.loads(path.read_text())
    for training in told["trainings"]:
        del training["seconds"]
    del told["hash"]
    return told


def kept(scenario: Scenario, out: Path) -> set[str]:
    """Return what is finished: files by inode and time, and what else is counted."""
    paths = [path for pattern in scenario.kept for path in out.glob(pattern)]
    own = [path for path in paths if path.is_file() and "/." not in path.as_posix()]
    files = {f"{p.relative_to(out)} {p.stat().st_ino} {p.stat().st_mtime_ns}" for p in own}
    return files | scenario.counted(out)
