"""Faces with their embeddings, and where these come from: what experiments work on."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import TypeAdapter

from fairage._files import atomic_path, hash_of, read_json, write_text
from fairage._random import numpy_rng
from fairage._tables_io import read_numbered
from fairage._votes import votes_array
from fairage.age_groups import AgeGroups
from fairage.embeddings import Embeddings, EmbedOptions
from fairage.exceptions import DataError
from fairage.experiments.recipe import AugmentationChoice
from fairage.faces.views import Framing
from fairage.faces_file import write_faces
from fairage.models import check_same_backbones
from fairage.tables import (
    AGE_GROUP,
    IMAGE,
    SPLIT,
    SPLITS,
    VOTES,
    Faces,
    attribute_names,
    group_labels,
    with_age_groups,
)


@dataclass(frozen=True)
class Provenance:
    """The images behind the embeddings of a faces table, and how they were embedded.

    Args:
        root: Folder that the relative paths of images start from.
        options: Backbones in the order of the embeddings' columns, store, detector, device.
        framing: How the pictures frame the face in them; None where that is not known.

    Examples:
        >>> provenance = Provenance(Path("faces"), EmbedOptions(backbones="embedded"))
        >>> Provenance.from_json(provenance.to_json()) == provenance
        True
    """

    root: Path
    options: EmbedOptions
    framing: Framing | None = None

    def to_json(self) -> str:
        """Return the text that `from_json` reads."""
        return TypeAdapter(Provenance).dump_json(self).decode()

    @classmethod
    def from_json(cls, text: str) -> "Provenance":
        """Return what `to_json` wrote down."""
        return TypeAdapter(Provenance).validate_json(text)


_FRAME, _VALUES, _ABOUT = "faces.parquet", "embeddings.npy", "backbones.json"
_EXTRAS, _COPIES, _ROWS, _NOTES = "extras", "copies", "rows.npy", "notes.json"
_PROVENANCE = "provenance.json"


@dataclass(frozen=True)
class EmbeddedRows:
    """Embeddings of changed copies of some faces.

    Args:
        rows: Row number in the faces table of what each is a copy of, int64, shape `(m,)`.
        embeddings: Shape `(m, dim)`, float32.
        notes: For the user: how they were chosen.
    """

    rows: NDArray[np.int64]
    embeddings: NDArray[np.float32]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    def save(self, folder: Path) -> None:
        """Write the files that `load` reads."""
        _save_array(folder / _ROWS, self.rows)
        _save_array(folder / _VALUES, self.embeddings)
        write_text(folder / _NOTES, json.dumps(self.notes))

    @classmethod
    def load(cls, folder: Path) -> "EmbeddedRows":
        """Return what was saved; the embeddings stay on disk until they are read."""
        notes = read_json(folder / _NOTES)
        values = np.load(folder / _VALUES, mmap_mode="r")
        return cls(np.load(folder / _ROWS), values, tuple(notes))

    @cached_property
    def fingerprint(self) -> str:
        """Hash of rows and embeddings."""
        return hash_of(self.rows.tobytes(), self.embeddings.tobytes(), size=8)


@dataclass(frozen=True)
class EmbeddedFaces:
    """Faces that have an embedding.

    Args:
        frame: Faces table, one row a face, with a split.
        embeddings: Shape `(n, dim)`, float32, in the order of the rows.
        backbones: Description of each backbone, for the model bundle.
        extras: Further faces by name that stages may train on; splits train and valid alone.
        copies: Augmented copies of training faces, by the `key` of the recipe's augmentation.
        provenance: Where the images are and how they were embedded; None where only embeddings
            are at hand.
        age_groups: Groups of the true age, in the frame's column `age_group`.
    """

    frame: pl.DataFrame
    embeddings: NDArray[np.float32]
    backbones: tuple[dict[str, Any], ...]
    extras: Mapping[str, "EmbeddedFaces"] = field(default_factory=dict)
    copies: Mapping[str, EmbeddedRows] = field(default_factory=dict)
    provenance: Provenance | None = None
    age_groups: AgeGroups = field(default_factory=AgeGroups)

    def __post_init__(self) -> None:
        object.__setattr__(self, "frame", with_age_groups(self.frame, self.age_groups))

    def split(self, name: str) -> "EmbeddedFaces":
        """Return the rows of one split, without extras and copies."""
        rows = np.flatnonzero(self.frame[SPLIT].to_numpy() == name)
        return self.of(self.frame[rows], self.embeddings[rows])

    def of(self, frame: pl.DataFrame, embeddings: NDArray[np.float32]) -> "EmbeddedFaces":
        """Return other rows of the same provenance, without extras and copies."""
        return replace(self, frame=frame, embeddings=embeddings, extras={}, copies={})

    @property
    def images(self) -> tuple[str, ...]:
        """Path or URL of each face's image."""
        return tuple(self.faces.images)

    @property
    def faces(self) -> Faces:
        """The faces table, whose images are where the provenance says."""
        root = Path() if self.provenance is None else self.provenance.root
        return Faces(self.frame, root, self.age_groups)

    def extra(self, name: str) -> "EmbeddedFaces":
        """Return further faces, or raise a DataError that says how to hand them over."""
        if name not in self.extras:
            raise DataError(missing_extra([name], self.extras))
        return self.extras[name]

    def augmented(self, choice: AugmentationChoice) -> EmbeddedRows:
        """Return the copies that a recipe's augmentation asks for, all of training rows."""
        if choice.key not in self.copies:
            raise DataError(
                f"expected embedded copies for the augmentation {choice.model_dump()}, got none, "
                "leave augmentation out of the recipe or embed copies of these faces"
            )
        return self.copies[choice.key]

    @property
    def attributes(self) -> list[str]:
        """The attributes that a version is scored on: the table's, then the age group."""
        return [*attribute_names(self.frame), AGE_GROUP]

    def labels(self) -> Mapping[str, NDArray[np.str_]]:
        """The group of each row, for each attribute."""
        return {name: group_labels(self.frame, name) for name in self.attributes}

    @property
    def counts(self) -> dict[str, int]:
        """Rows of each split."""
        return {name: int((self.frame[SPLIT] == name).sum()) for name in SPLITS}

    @property
    def pictures(self) -> NDArray[np.uint64]:
        """A number a row, shape `(n,)`: the same where embeddings are the same to the last bit."""
        factors = numpy_rng(0, "pictures").integers(2**63, size=self.embeddings.shape[1])
        parts = np.array_split(self.embeddings, len(self.embeddings) // 4096 + 1)
        bits = (np.ascontiguousarray(part, np.float32).view(np.uint32) for part in parts)
        return np.concatenate([part.astype(np.uint64) @ factors.astype(np.uint64) for part in bits])

    @cached_property
    def fingerprint(self) -> str:
        """Hash of everything that training and measuring read, but for extras and copies."""
        table = self.frame.drop(IMAGE, VOTES, AGE_GROUP, strict=False)
        text = table.select(sorted(table.columns)).write_csv() + self.age_groups.to_json()
        votes = self.frame.get_column(VOTES, default=None)
        counts = b"" if votes is None else votes_array(votes).tobytes()
        return hash_of(text, counts, self.embeddings.tobytes(), size=8)

    def save(self, folder: Path) -> None:
        """Write the files that `load_embedded_faces` reads."""
        _save_array(folder / _VALUES, self.embeddings)
        write_faces(self.faces, folder / _FRAME)
        (folder / _ABOUT).write_text(json.dumps(self.backbones), encoding="utf-8")
        for name, faces in self.extras.items():
            faces.save(folder / _EXTRAS / name)
        for key, copies in self.copies.items():
            copies.save(folder / _COPIES / key)
        if self.provenance is not None:
            write_text(folder / _PROVENANCE, self.provenance.to_json())


def embedded_faces(
    faces: Faces,
    embeddings: Embeddings,
    extras: Mapping[str, EmbeddedFaces] | None = None,
    splits: Sequence[str] = SPLITS,
) -> EmbeddedFaces:
    """Return the faces that have an embedding, these splits being there."""
    for name in splits:
        faces.split(name)
    for name, other in (extras or {}).items():
        whose = f"the extra faces {name!r} are to stand beside"
        check_same_backbones(embeddings.backbones, other.backbones, whose)
    kept = faces.rows(embeddings.rows)
    embedded = EmbeddedFaces(
        kept.frame,
        embeddings.values,
        embeddings.backbones,
        extras or {},
        age_groups=faces.age_groups,
    )
    empty = [name for name in splits if embedded.counts[name] == 0]
    if empty:
        raise DataError(
            f"expected images that can be read in every split, got none in {empty}, "
            "run: fairage data check"
        )
    return embedded


def missing_extra(names: Sequence[str], known: Iterable[str]) -> str:
    """Return what to say where extra faces of stages were not handed over.

    Examples:
        >>> missing_extra(["utkface"], [])
        "expected the extra faces 'utkface', which stages train on, got none, prepare their ..."
    """
    missing = ", ".join(map(repr, names))
    got = ", ".join(map(repr, sorted(known))) or "none"
    options = " ".join(f"--extra-faces {name}=TABLE" for name in names)
    return (
        f"expected the extra faces {missing}, which stages train on, got {got}, prepare their "
        f"table and give {options}"
    )


def embedded_extra(faces: Faces, embeddings: Embeddings) -> EmbeddedFaces:
    """Return further faces for a stage: all are training rows but those of a split `valid`."""
    frame = faces.rows(embeddings.rows).frame
    train, valid = pl.lit(SPLITS[0]), pl.lit(SPLITS[1])
    own = pl.col(SPLIT) == valid if SPLIT in frame.columns else pl.lit(value=False)
    frame = frame.with_columns(pl.when(own).then(valid).otherwise(train).alias(SPLIT))
    if not (frame[SPLIT] == SPLITS[0]).any():
        raise DataError(
            "expected extra faces to train on, got a table whose images cannot be read or are all "
            "of the split 'valid', check it with: fairage data check"
        )
    return EmbeddedFaces(
        frame, embeddings.values, embeddings.backbones, age_groups=faces.age_groups
    )


def load_embedded_faces(folder: Path) -> EmbeddedFaces:
    """Return what `EmbeddedFaces.save` wrote; the embeddings stay on disk until they are read."""
    backbones: Sequence[dict[str, Any]] = read_json(folder / _ABOUT)
    provenance = folder / _PROVENANCE
    frame, table = read_numbered(folder / _FRAME)
    return EmbeddedFaces(
        frame,
        np.load(folder / _VALUES, mmap_mode="r"),
        tuple(backbones),
        {path.name: load_embedded_faces(path) for path in _folders(folder / _EXTRAS)},
        {path.name: EmbeddedRows.load(path) for path in _folders(folder / _COPIES)},
        Provenance.from_json(provenance.read_text(encoding="utf-8"))
        if provenance.is_file()
        else None,
        table.age_groups or AgeGroups(),
    )


def _save_array(path: Path, values: NDArray[Any]) -> None:
    with atomic_path(path) as partial, partial.open("wb") as file:
        np.save(file, values)


def _folders(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
