"""Every place at which fairage reads a file: a sound input, how it is read, what seals it.

A reader that sets a damaged file aside says so by a warning of ours; here that is an error.
"""

import shutil
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from tests.fuzz import inputs, mutations
from tests.fuzz.inputs import Make
from tests.fuzz.mutations import Change
from tests.tiny_backbones import SIDE, onnx_model, resnet

from fairage.exceptions import DataError

Seal = Literal["none", "file", "folder"]
"""What a damaged file may be taken for: any other, another whole one, or none at all."""


@dataclass(frozen=True)
class Reader:
    """One file that is read.

    Args:
        make: Writes a sound input into a folder.
        file: The file of it that is damaged.
        read: Returns what fairage makes of the folder.
        odd: Mutations that know the format, by name.
        seal: Whether a checksum must notice every change.
    """

    make: Make
    file: str
    read: Callable[[Path], object]
    odd: dict[str, Change]
    seal: Seal = "none"


def odd(header: Change = mutations.head, **more: Change) -> dict[str, Change]:
    return {"odd header": header, **{name.replace("_", " "): each for name, each in more.items()}}


def read_picture(folder: Path) -> object:
    from fairage._images import decode_image, read_image_bytes

    path = folder / "picture"
    try:
        return decode_image(read_image_bytes(str(path)))
    except DataError as error:  # who calls it knows the row and the path
        raise error.at(str(path)) from error


def _picture(make: Make, header: Change = mutations.head, **more: Any) -> Reader:
    seal = more.pop("seal", "none")
    return Reader(make, "picture", read_picture, odd(header, **more), seal)


_png: dict[str, Any] = {
    "header": mutations.png, "resealed_header": mutations.png_resealed, "seal": "file"
}  # fmt: skip
PICTURES = {
    "JPEG": _picture(inputs.picture("JPEG"), mutations.jpeg),
    "progressive JPEG": _picture(inputs.picture("JPEG", progressive=True), mutations.jpeg),
    "CMYK JPEG": _picture(inputs.picture("JPEG", "CMYK"), mutations.jpeg),
    "PNG": _picture(inputs.picture("PNG"), **_png),
    "16-bit PNG": _picture(inputs.deep_png, **_png),
    "palette PNG": _picture(inputs.picture("PNG", "P"), **_png),
    "WebP": _picture(inputs.picture("WebP")),
    "lossless WebP": _picture(inputs.picture("WebP", lossless=True)),
    "BMP": _picture(inputs.picture("BMP")),
    "GIF": _picture(inputs.picture("GIF", "P")),
    "TIFF": _picture(inputs.picture("TIFF")),
    "deflated TIFF": _picture(inputs.picture("TIFF", compression="tiff_deflate")),
    "AVIF": _picture(inputs.picture("AVIF")),
    "HEIC": _picture(inputs.picture("HEIF")),
}


def read_checked_pictures(folder: Path) -> object:
    from fairage.datasets.checks import read_content

    content = read_content(str(folder / "picture"))
    if content.reason:
        raise DataError(f"{folder / 'picture'}: {content.reason}")
    return content.reason


PICTURES |= {
    f"{name} checked": replace(PICTURES[name], read=read_checked_pictures)
    for name in ("JPEG", "PNG", "TIFF")
}


def read_table(folder: Path) -> object:
    from fairage._tables_io import read_table

    return read_table(folder / "rows.csv")


def read_faces(folder: Path) -> object:
    from fairage.faces_file import read_faces

    faces = read_faces(folder / "rows.csv")
    return faces.frame, faces.age_groups


def read_predictions(folder: Path) -> object:
    from fairage.faces_file import read_predictions

    return read_predictions(folder / "rows.csv")


def audited(folder: Path) -> object:
    from fairage import audit

    return audit(folder / "rows.csv").to_dict()


def compared(folder: Path) -> object:
    from fairage import compare

    return compare(folder / "other", folder / "rows.csv").to_dict()


def joined(folder: Path) -> object:
    from fairage import audit

    return audit(folder / "rows.csv", prediction="prediction", join=folder / "other").to_dict()


def _table(make: Make, header: Change, seal: Seal = "none") -> Reader:
    return Reader(make, "rows.csv", read_table, odd(header), seal)


TABLES = {
    "CSV": _table(inputs.delimited(), mutations.cells),
    "TSV": _table(inputs.delimited("\t"), mutations.cells),
    "CSV in UTF-16": _table(inputs.delimited(";", "utf-16"), mutations.cells),
    "Parquet": _table(inputs.parquet, mutations.parquet),
    "CSV in gzip": _table(inputs.gzipped, mutations.gzip, "file"),
    "CSV in zip": _table(inputs.zipped, mutations.zip_directory, "file"),
    "JSON": _table(inputs.json_table, mutations.json_value),
    "JSON lines": _table(inputs.json_lines, mutations.json_value),
    "Excel": _table(inputs.workbook, mutations.zip_directory, "file"),
}
TABLES |= {
    "faces in CSV": replace(TABLES["CSV"], read=read_faces),
    "faces in Parquet": Reader(inputs.faces_table, "rows.csv", read_faces, odd(mutations.parquet)),
    "predictions of a run": replace(TABLES["Parquet"], read=read_predictions),
    "audit of CSV": replace(TABLES["CSV"], read=audited),
    "audit of JSON": replace(TABLES["JSON"], read=audited),
    "audit of Parquet": replace(TABLES["Parquet"], read=audited),
    "audit of Excel": replace(TABLES["Excel"], read=audited),
    "comparison": Reader(inputs.two_tables, "rows.csv", compared, odd(mutations.cells)),
}


def prepared(name: str) -> Callable[[Path], object]:
    """The faces table that comes of the folder, and the pictures that are written for it."""

    def read(folder: Path) -> object:
        from fairage.datasets import prepare_faces
        from fairage.faces_file import read_faces

        outcome = prepare_faces(name, folder, folder / "out.parquet")
        pictures = sorted((folder / "out-images").glob("*/*.png"))
        reasons = [(each.name, each.reason) for each in outcome.skipped]
        frame = read_faces(folder / "out.parquet").frame
        return frame, [path.read_bytes() for path in pictures], reasons

    return read


def redrawn(folder: Path) -> object:
    from fairage.synthetic import synthesize

    return [path.read_bytes() for path in sorted(synthesize(folder, n=2).parent.rglob("*.*"))]


def _source(make: Make, file: str, name: str, header: Change = mutations.cells) -> Reader:
    return Reader(make, file, prepared(name), odd(header))


_APPA = "appa-real"
DATA_SETS = {
    "release, ratings": _source(inputs.release, "gt_avg_train.csv", _APPA),
    "release, votes": _source(inputs.release, "gt_valid.csv", _APPA),
    "release, categories": _source(inputs.release, "allcategories_test.csv", _APPA),
    "challenge, labels": _source(inputs.challenge, "labels_metadata_train.csv", _APPA),
    "challenge, official names": _source(inputs.challenge, "appa_real_merged.csv", _APPA),
    "challenge, ratings": _source(inputs.challenge, "gt_avg_test.csv", _APPA),
    "kit, pictures": _source(inputs.kit, "data_train.npy", _APPA, mutations.npy),
    "kit, ages": _source(inputs.kit, "labels_valid.npy", _APPA, mutations.npy),
    "kit, groups": _source(inputs.kit, "meta_data_test.npy", _APPA, mutations.npy),
    "kit, source of pictures": _source(inputs.prepared_kit, "out-images/train/.source", _APPA),
    "FairFace": _source(inputs.fairface, "fairface_label_train.csv", "fairface"),
    "UTKFace": _source(inputs.utkface, "23_1_0_20170003.jpg.chip.jpg", "utkface", mutations.png),
    "own folder": _source(inputs.own_folder, "faces.csv", "folder"),
    "drawn, truth": Reader(inputs.drawn, "truth.json", redrawn, odd(mutations.json_value)),
    "drawn, request": Reader(inputs.half_drawn, "started.json", redrawn, odd(mutations.json_value)),
    "drawn, picture": Reader(inputs.half_drawn, "images/000002.jpg", redrawn, odd(mutations.jpeg)),
}


def unpacked(folder: Path) -> object:
    from fairage.datasets.archives import unpack

    unpack(folder / "archive", folder / "out")
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*.txt")}


def downloaded(folder: Path) -> object:
    """No address is asked: the archive is there."""
    from fairage.datasets.dataset import Archive
    from fairage.datasets.downloads import download
    from fairage.datasets.registry import find_dataset

    archive = Archive("data.zip", ("http://127.0.0.1:9/data.zip",), optional=True)
    return download(replace(find_dataset("utkface"), archives=(archive,)), folder).archives


def _archive(make: Make, header: Change, seal: Seal = "file") -> Reader:
    return Reader(make, "archive", unpacked, odd(header), seal)


ARCHIVES = {
    "zip": _archive(inputs.zip_archive, mutations.zip_directory),
    "tar": _archive(inputs.tar_archive(""), mutations.tar, "none"),
    "tar.gz": _archive(inputs.tar_archive("gz"), mutations.gzip),
    "tar.bz2": _archive(inputs.tar_archive("bz2"), mutations.head),
    "tar.xz": _archive(inputs.tar_archive("xz"), mutations.head),
    "mark of an unpacked archive": Reader(inputs.unpacked, ".data.zip.unpacked", downloaded, odd()),
}


def preprocessed(folder: Path) -> object:
    from fairage.faces.preprocessing import Preprocessing

    return Preprocessing.from_file(folder / "preprocessor_config.json")


def pooled(folder: Path) -> object:
    from fairage.embeddings.backbones import transformers

    transformers.fingerprint(folder)
    return sorted(transformers.load_pooled(folder).state_dict().items())


def run_onnx(folder: Path) -> object:
    import numpy as np

    from fairage.embeddings.backbones import find_backbone
    from fairage.embeddings.runtime import choose_runtime

    network = find_backbone(str(folder / "model.onnx")).load(
        choose_runtime("cpu", "fp32", batch_size=None, images=1)
    )
    return network(np.zeros((1, SIDE, SIDE, 3), dtype=np.uint8))


_JSON = mutations.json_value
BACKBONES = {
    "preprocessor": Reader(resnet, "preprocessor_config.json", preprocessed, odd(_JSON)),
    "processor": Reader(inputs.nested_resnet, "processor_config.json", preprocessed, odd(_JSON)),
    "type of the model": Reader(resnet, "config.json", preprocessed, odd(_JSON)),
    "configuration": Reader(resnet, "config.json", pooled, odd(_JSON)),
    "weights": Reader(resnet, "model.safetensors", pooled, odd(mutations.safetensors)),
    "ONNX": Reader(onnx_model, "model.onnx", run_onnx, odd(mutations.protobuf)),
    "ONNX, preprocessor": Reader(onnx_model, "preprocessor_config.json", run_onnx, odd(_JSON)),
}


def stored(folder: Path) -> object:
    from fairage.embeddings.store import EmbeddingStore

    store = EmbeddingStore(folder.parent, {})
    store.folder = folder
    with told_aside():
        store.load()
    return store.values(inputs.KEYS)


def detected(folder: Path) -> object:
    from fairage.embeddings.detections import Detections, landmarks_of
    from fairage.embeddings.store import _hash

    detections = Detections(folder / "store", _NoDetector())  # type: ignore[arg-type]  # what it would find is there
    shutil.copytree(folder, folder / "store" / _hash(detections.about), ignore=lambda *_: ["store"])
    with told_aside():
        detections.load()
    return [landmarks_of(detections.row(key)) for key in inputs.KEYS]


class _NoDetector:
    def check(self) -> None:
        pass

    def fingerprint(self) -> str:
        return "fingerprint"


class told_aside(warnings.catch_warnings):
    """Makes an error of the warning that a file is set aside."""

    def __init__(self) -> None:
        super().__init__(record=True)

    def __enter__(self) -> Any:
        self.told = super().__enter__()
        warnings.simplefilter("always")
        return self.told

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        for warning in self.told or ():
            raise DataError(str(warning.message))


def agreed(folder: Path) -> object:
    from fairage.embeddings.precision import AGREEMENT, _read_verdict

    cosine = _read_verdict(folder / "verdict.json")
    return cosine is not None and cosine >= AGREEMENT


STORES = {
    "shard": Reader(
        inputs.store, "shard.safetensors", stored, odd(mutations.safetensors), "folder"
    ),
    "about a store": Reader(inputs.store, "about.json", stored, odd(_JSON), "folder"),
    "landmarks": Reader(
        inputs.store, "shard.safetensors", detected, odd(mutations.safetensors), "folder"
    ),
    "verdict on bf16": Reader(inputs.verdict, "verdict.json", agreed, odd(_JSON)),
}


def bundled(folder: Path) -> object:
    from fairage.models import load_bundle

    bundle = load_bundle(folder / "bundle")
    state = sorted(bundle.head.state_dict().items())
    return state, bundle.head.calibration, bundle.backbones, bundle.training


def _bundle(file: str, header: Change) -> Reader:
    return Reader(inputs.bundle, f"bundle/{file}", bundled, odd(header), "folder")


BUNDLES = {
    "bundle, configuration": _bundle("config.json", _JSON),
    "bundle, weights": _bundle("model.safetensors", mutations.safetensors),
    "bundle, card": _bundle("README.md", mutations.yaml),
    "bundle, backbone": _bundle("backbone/model.safetensors", mutations.safetensors),
    "bundle, preprocessor": _bundle("backbone/preprocessor_config.json", _JSON),
}


def checked_run(folder: Path) -> object:
    from fairage.experiments.runner import damage_of, run_of
    from fairage.faces_file import read_predictions

    run = folder / "1-first" / "seed-0"
    if damage := damage_of(run):
        raise DataError(f"{run}: {damage}")
    return run_of(run), read_predictions(run / "predictions.parquet")


def kept_beside(folder: Path) -> object:
    """What a later command on the same faces keeps of the versions that are there."""
    from fairage.experiments.earlier import earlier_versions

    earlier = earlier_versions(inputs.plan("third"), folder / "suite.json")
    kept = [(each.recipe.slug, len(each.folders)) for each in earlier.kept]
    return kept, earlier.damaged, earlier.notes


def _run(file: str, header: Change) -> Reader:
    return Reader(inputs.runs, f"1-first/seed-0/{file}", checked_run, odd(header), "folder")


def locked(folder: Path) -> object:
    from fairage._locks import locked_folder

    with locked_folder(folder):
        return True


RUNS = {
    "run.json": _run("run.json", _JSON),
    "run, predictions": _run("predictions.parquet", mutations.parquet),
    "run, log": _run("log.csv", mutations.cells),
    "run, weights": _run("bundle/model.safetensors", mutations.safetensors),
    "run, configuration": _run("bundle/config.json", _JSON),
    "suite.json": Reader(inputs.runs, "suite.json", kept_beside, odd(_JSON)),
    "lock": Reader(inputs.lock, ".fairage.lock", locked, odd()),
}


def read_recipe(folder: Path) -> object:
    from fairage.experiments.recipe_files import read_recipe

    return read_recipe(folder / "recipe.yaml")


def read_space(folder: Path) -> object:
    from fairage.experiments.tuning.space import read_space

    return read_space(folder / "space.yaml").content()


def searched(folder: Path) -> object:
    from fairage.experiments.tuning.study_store import open_study

    with open_study(folder, "fingerprint", seed=0) as study:
        return study.outcomes()


RECIPES = {
    "recipe": Reader(inputs.recipe, "recipe.yaml", read_recipe, odd(mutations.yaml)),
    "space": Reader(inputs.space, "space.yaml", read_space, odd(mutations.yaml)),
    "study": Reader(inputs.study, "tuning.db", searched, odd()),
}


def resumed(folder: Path) -> object:
    from fairage.training.checkpoint import Checkpoints
    from fairage.training.selection import BestEpoch, Selection

    best = BestEpoch(Selection())
    found = Checkpoints(folder, "fingerprint").newest(best)
    if found is None:
        raise DataError(f"{folder}: begun anew")
    return sorted(found.tensors.items()), found.done, best.epochs, best.states, best.progress


def finished(folder: Path) -> object:
    from fairage.models import make_head
    from fairage.training.finetuning import finished

    head = make_head("regression", 16, {})
    found = finished(folder, "fingerprint", head)
    if found is None:
        raise DataError(f"{folder}: begun anew")
    return sorted(head.state_dict().items()), found.history, found.description


_EPOCH = "epoch-000001"
TRAINING = {
    "checkpoint": Reader(inputs.checkpoint, f"{_EPOCH}/state.json", resumed, odd(_JSON)),
    "checkpoint, weights": Reader(
        inputs.checkpoint, f"{_EPOCH}/state.safetensors", resumed, odd(mutations.safetensors)
    ),
    "fine-tuned": Reader(inputs.finetuned, "finetuned.json", finished, odd(_JSON)),
    "fine-tuned, head": Reader(
        inputs.finetuned, "head.safetensors", finished, odd(mutations.safetensors)
    ),
}

READERS: dict[str, dict[str, Reader]] = {
    "pictures": PICTURES,
    "tables": TABLES,
    "data sets": DATA_SETS,
    "archives": ARCHIVES,
    "backbones": BACKBONES,
    "stores": STORES,
    "bundles": BUNDLES,
    "runs": RUNS,
    "recipes": RECIPES,
    "training": TRAINING,
}
"""Readers by name, in parts that need the same packages."""
