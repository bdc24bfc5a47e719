"""Small sound files of every kind that fairage reads, each written into an empty folder.

What needs a heavy package imports it itself, so that a child process loads what it works with.
"""

import gzip
import io
import json
import sqlite3
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from tests.tiny_backbones import PROCESSOR, resnet

from fairage._locks import LOCK
from fairage.age_groups import AgeGroups

SPLITS = ("train", "valid", "test")
Make = Callable[[Path], None]


def pixels(height: int = 24, width: int = 32) -> np.ndarray:
    """A smooth picture with some noise."""
    y, x = np.mgrid[0:height, 0:width]
    noise = np.random.default_rng(0).integers(0, 20, (height, width))
    channels = [x * 235 // width + noise, y * 255 // height, np.full((height, width), 40)]
    return np.stack(channels, axis=-1).astype(np.uint8)


def picture(kind: str, mode: str = "RGB", **options: Any) -> Make:
    """Pillow writes it as `picture`."""

    def make(folder: Path) -> None:
        from PIL import Image

        if kind == "HEIF":
            import pillow_heif

            pillow_heif.register_heif_opener()
        image = Image.fromarray(pixels())
        image = image.quantize(16) if mode == "P" else image.convert(mode)
        image.save(folder / "picture", kind, **options)

    return make


def deep_png(folder: Path) -> None:
    import cv2

    _, data = cv2.imencode(".png", pixels().astype(np.uint16) * 257)
    (folder / "picture").write_bytes(data.tobytes())


def rows(n: int = 60) -> pl.DataFrame:
    """True ages, estimates and groups."""
    rng = np.random.default_rng(0)
    ages = rng.uniform(1, 90, n).round(1)
    return pl.DataFrame(
        {
            "image": [f"{i:03d}.jpg" for i in range(n)],
            "age": ages,
            "prediction": (ages + rng.normal(0, 5, n)).round(2),
            "split": [SPLITS[i % 3] for i in range(n)],
            "gender": ["female", "male"] * (n // 2),
        }
    )


def delimited(separator: str = ",", encoding: str = "utf-8") -> Make:
    def make(folder: Path) -> None:
        text = rows().write_csv(separator=separator)
        (folder / "rows.csv").write_text(text, encoding=encoding)

    return make


def parquet(folder: Path) -> None:
    rows().write_parquet(folder / "rows.csv")


def gzipped(folder: Path) -> None:
    (folder / "rows.csv").write_bytes(gzip.compress(rows().write_csv().encode(), mtime=0))


def zipped(folder: Path) -> None:
    with zipfile.ZipFile(folder / "rows.csv", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("table.csv", rows().write_csv())


def json_table(folder: Path) -> None:
    (folder / "rows.csv").write_text(rows(20).write_json(), encoding="utf-8")


def json_lines(folder: Path) -> None:
    rows(20).write_ndjson(folder / "rows.csv")


def workbook(folder: Path) -> None:
    rows(20).write_excel(folder / "table.xlsx")
    (folder / "table.xlsx").rename(folder / "rows.csv")


def two_tables(folder: Path) -> None:
    rows().write_csv(folder / "rows.csv")
    rows().with_columns(pl.col("prediction") + 1).write_csv(folder / "other")


def faces_table(folder: Path) -> None:
    """With age groups in its metadata and the raters' votes."""
    from fairage._tables_io import write_table

    frame = rows(12).drop("prediction")
    votes = pl.Series("votes", [[0] * 30 + [7] + [0] * 70] * 12)
    edges = AgeGroups.from_edges([0, 18, 65])
    write_table(frame.with_columns(votes), folder / "table.parquet", edges)
    (folder / "table.parquet").rename(folder / "rows.csv")


def _draw(path: Path, seed: int) -> None:
    from fairage.datasets.appa_real.npy_kit import encode_png

    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    path.write_bytes(encode_png(noise))


def _write_csv(path: Path, header: str, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")


_RATINGS = "file_name,num_ratings,apparent_age_avg,apparent_age_std,real_age"


def release(folder: Path) -> None:
    """APPA-REAL as its authors publish it, with votes and attributes."""
    for start, split in enumerate(SPLITS):
        names = [f"{10 * start + number:06d}.jpg" for number in range(4)]
        for number, name in enumerate(names):
            _draw(folder / split / f"{name}_face.jpg", 10 * start + number)
        _write_csv(
            folder / f"gt_avg_{split}.csv", _RATINGS, [f"{n},38,30.25,4.0,33" for n in names]
        )
        guesses = [f"{name},{age}" for name in names for age in (29, 31, 30)]
        _write_csv(folder / f"gt_{split}.csv", "file_name,apparent_age", guesses)
        _write_csv(
            folder / f"allcategories_{split}.csv",
            "file,gender,race,makeup,time,happiness",
            [f"{name},male,asian,nomakeup,modernphoto,happy" for name in names],
        )


def challenge(folder: Path) -> None:
    """APPA-REAL as the challenge hands it out."""
    merged = []
    for start, split in enumerate(SPLITS):
        ids = [f"{number:06d}" for number in range(1, 4)]
        for number, own in enumerate(ids):
            _draw(folder / f"{split}_data" / f"{own}.jpg", 10 * start + number)
            merged.append(f"{split},{split}_data/{own}.jpg,{start}{own}.jpg,38,30.5,4.25,33")
        labels = [f"{own},30.5,female,asian,happy" for own in ids]
        _write_csv(
            folder / f"labels_metadata_{split}.csv", "imageId,age,gender,ethnicity,emotion", labels
        )
        ratings = [f"{start}{own}.jpg,38,30.5,4.25,33" for own in ids]
        _write_csv(folder / f"gt_avg_{split}.csv", _RATINGS, ratings)
    header = "split,image,orig_file_name," + _RATINGS.partition(",")[2]
    _write_csv(folder / "appa_real_merged.csv", header, merged)


def kit(folder: Path) -> None:
    """APPA-REAL as the starting kit packs it."""
    meta = [["male", "asian", "happy"], ["female", "caucasian", "neutral"]] * 2
    for seed, split in enumerate(SPLITS):
        noise = np.random.default_rng(seed).integers(0, 256, (4, 12, 10, 3), dtype=np.uint8)
        np.save(folder / f"data_{split}.npy", noise)
        np.save(folder / f"labels_{split}.npy", np.array([[20.5], [30.0], [41.0], [65.0]]))
        np.save(folder / f"meta_data_{split}.npy", np.array(meta))


def prepared_kit(folder: Path) -> None:
    """The same, whose pictures have been written already."""
    from fairage.datasets import prepare_faces

    kit(folder)
    prepare_faces("appa-real", folder, folder / "out.parquet")


def fairface(folder: Path) -> None:
    for split, ages in {"train": ["0-2", "20-29", "more than 70"], "val": ["3-9"] * 3}.items():
        lines = [
            f"{split}/{n}.jpg,{age},Male,East Asian,True" for n, age in enumerate(ages, start=1)
        ]
        for n in range(1, 4):
            _draw(folder / split / f"{n}.jpg", n + len(split))
        header = "file,age,gender,race,service_test"
        _write_csv(folder / f"fairface_label_{split}.csv", header, lines)


def own_folder(folder: Path) -> None:
    for number in range(8):
        _draw(folder / f"{number}.png", number)
    lines = [f"{number}.png,{20 + number},{'fm'[number % 2]}" for number in range(8)]
    _write_csv(folder / "faces.csv", "image,age,gender", lines)


def utkface(folder: Path) -> None:
    """Its labels are in the names; what is read of the files tells which are the same."""
    for number in range(8):
        _draw(folder / f"{20 + number}_{number % 2}_0_2017{number:04d}.jpg.chip.jpg", number)


def drawn(folder: Path) -> None:
    from fairage.synthetic import synthesize

    synthesize(folder, n=2)


def half_drawn(folder: Path) -> None:
    """The same, of which the end is not written yet."""
    drawn(folder)
    (folder / "truth.json").rename(folder / "started.json")
    (folder / "images" / "000001.jpg").unlink()


FILES = {f"faces/{name}.txt": f"{name} " * 60 for name in ("one", "two", "three")}


def zip_archive(folder: Path) -> None:
    with zipfile.ZipFile(folder / "archive", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in FILES.items():
            archive.writestr(name, text)


def tar_archive(packing: str) -> Make:
    def make(folder: Path) -> None:
        with tarfile.open(folder / "archive", f"w:{packing}") as archive:  # type: ignore[call-overload]  # the mode is no literal
            for name, text in FILES.items():
                info = tarfile.TarInfo(name)
                info.size = len(text)
                archive.addfile(info, io.BytesIO(text.encode()))

    return make


def unpacked(folder: Path) -> None:
    """A data set that has been downloaded and unpacked, its archive beside it."""
    zip_archive(folder)
    (folder / "archive").rename(folder / "data.zip")
    (folder / ".data.zip.unpacked").write_text("3")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)


def nested_resnet(folder: Path) -> None:
    """The same, whose preprocessing is in the newer file."""
    resnet(folder)
    (folder / "preprocessor_config.json").rename(folder / "processor_config.json")
    (folder / "processor_config.json").write_text(json.dumps({"image_processor": PROCESSOR}))


KEYS = [bytes([number]) * 16 for number in range(5)]


def store(folder: Path) -> None:
    """A part of the embedding store: one shard, whose name is not left to chance."""
    from fairage.embeddings.store import Shard

    values = np.random.default_rng(0).normal(size=(len(KEYS), 11)).astype(np.float32)
    values[:, 0] = 1.0  # of landmarks: a face was found
    Shard(KEYS, values).write(folder).rename(folder / "shard.safetensors")
    (folder / "about.json").write_text('{"weights": "abc"}\n')


def verdict(folder: Path) -> None:
    (folder / "verdict.json").write_text('{"least_cosine": 0.9998, "images": 16}\n')


def bundle(folder: Path) -> None:
    """A bundle with a calibration, and a backbone of its own in a folder."""
    import torch

    from fairage._bundle_files import note_files
    from fairage.models import Bundle, Calibration, make_head, save_bundle

    options = {"hidden": [5], "dropout": 0.1}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        head = make_head("regression", 16, options)
    head.calibration = Calibration((10.0, 80.0), (12.0, 85.0))
    about = ({"name": "tiny", "view": "whole", "folder": "backbone"},)
    training = {"description": "A test.", "seed": 3, "scores": {"mae": 4.25}}
    save_bundle(Bundle(head, "regression", options, about, training), folder / "bundle")
    (folder / "bundle" / "backbone").mkdir()
    resnet(folder / "bundle" / "backbone")
    note_files(folder / "bundle")


def embedded() -> Any:
    """Faces with embeddings, in all splits."""
    from fairage.experiments.inputs import EmbeddedFaces
    from fairage.faces_file import check_faces

    frame = check_faces(rows(90).drop("prediction"))
    values = np.random.default_rng(0).normal(size=(90, 4)).astype(np.float32)
    about = ({"name": "fake", "view": "whole", "flip": True},)
    return EmbeddedFaces(frame, values, about)


def plan(*versions: str) -> Any:
    """The plan of quick trainings with two seeds."""
    from fairage.experiments.plan import Plan, Version
    from fairage.experiments.recipe_files import recipe_from

    data = embedded()
    quick = {"experiment": "1", "training": {"epochs": 1, "learning_rate": 1e-2}}
    recipes = [recipe_from({**quick, "version": version}, "test") for version in versions]
    return Plan("test", [Version(each, data) for each in recipes], 2, 1, {}, [], min_rows=5)


def runs(folder: Path) -> None:
    from fairage.experiments.suite import run_plan

    run_plan(plan("first", "second"), folder)


RECIPE = """\
experiment: mine
version: quick
description: A test.
weighting: {name: 1b}
head: {name: regression, hidden: [8]}
objective: mae
training: {epochs: 3, learning_rate: 1.0e-2, batch_size: 64}
stages:
  - {name: first, training: {epochs: 1}}
  - {name: second, data: here}
select: {rule: fair, delta: 0.03}
"""
SPACE = """\
weighting: {choices: [none, 1b, {name: raking}]}
training.learning_rate: {low: 1.0e-3, high: 3.0e-2, log: true}
training.batch_size: {choices: [64, 128]}
"head, objective": {choices: [[regression, mae], [regression, huber]]}
"""


def recipe(folder: Path) -> None:
    (folder / "recipe.yaml").write_text(RECIPE, encoding="utf-8")


def space(folder: Path) -> None:
    (folder / "space.yaml").write_text(SPACE, encoding="utf-8")


def study(folder: Path) -> None:
    """A search with two trials, one complete and one that could not be trained."""
    from fairage.experiments.tuning.study_store import open_study
    from fairage.experiments.tuning.trials import ScoredTrial

    with open_study(folder, "fingerprint", seed=0) as memory:
        for scored in (ScoredTrial(mae=5.0, average_bias=1.0), ScoredTrial(reason="no luck")):
            trial, _ = memory.begin()
            trial.suggest_float("rate", 1e-3, 1e-2)
            trial.suggest_categorical("weighting", ['"none"', '"1b"'])
            memory.end(trial, scored)


def lock(folder: Path) -> None:
    """The lock of a folder, into which something has written a table."""
    with closing(sqlite3.connect(folder / LOCK)) as database:
        database.execute("CREATE TABLE a (b)")


def checkpoint(folder: Path) -> None:
    import torch

    from fairage.training.checkpoint import Checkpoint, Checkpoints
    from fairage.training.selection import BestEpoch, Epoch, Selection

    best = BestEpoch(Selection())
    best.epochs = [Epoch(1, 2.0, 1.5, 1.25, {"gender": 0.5})]
    best.states = {0: {"weight": torch.ones(3)}}
    tensors = {"weight": torch.arange(6.0).reshape(2, 3)}
    Checkpoints(folder, "fingerprint").write(Checkpoint(tensors, 5, best))


def finetuned(folder: Path) -> None:
    """What a fine-tuning that is over leaves beside its run until that is whole."""
    import torch

    from fairage.models import make_head
    from fairage.training.finetuning import FineTuned, write_outcome
    from fairage.training.selection import Epoch, History

    with torch.random.fork_rng():
        torch.manual_seed(0)
        head = make_head("regression", 16, {})
    (folder / "backbone").mkdir()
    resnet(folder / "backbone")
    history = History((Epoch(1, 2.0, 1.5, 1.25, {"gender": 0.5}),), 0, "")
    write_outcome(
        folder, "fingerprint", FineTuned(head, folder / "backbone", history, {"name": "tiny"})
    )
