"""What a suite is to run, and what comes of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from fairage.auditing.scoring import MIN_ROWS
from fairage.experiments.data import EmbeddedFaces
from fairage.experiments.recipe import Recipe

__all__ = ["Plan", "SuiteOutcome", "Version"]


@dataclass(frozen=True)
class Version:
    """A recipe and the faces that it is trained and measured on."""

    recipe: Recipe
    data: EmbeddedFaces


@dataclass(frozen=True)
class Plan:
    """What is to be run and told.

    Args:
        title: Heading of the report.
        versions: In the order of the tables; their recipes have different names.
        seeds: Runs of each version, with the seeds 0, 1, ...
        workers: Processes that train.
        facts: What is run on what, for the report.
        backbones: Descriptions of the backbones, for `suite.json`.
        left_out: A sentence on each version that is not run, by its recipe's `slug`.
        truth: What a generator put into the faces, for the report.
        notes: Further sentences for the report.
        min_rows: Faces (persons, where they are known) that a group must have to take part.
    """

    title: str
    versions: Sequence[Version]
    seeds: int
    workers: int
    facts: dict[str, str]
    backbones: Any
    left_out: dict[str, str] = field(default_factory=dict)
    truth: str | None = None
    notes: tuple[str, ...] = ()
    min_rows: int = MIN_ROWS


@dataclass(frozen=True)
class SuiteOutcome:
    """Where a suite wrote what, and how much of it was new.

    Args:
        folder: Holds `results.csv`, `summary.csv`, `report.html` and a folder a version.
        summary: One row a version, as in `summary.csv`.
        new_runs: Runs that were trained now; the others were there already.
        left_out: A sentence on each recipe that does not fit the faces, by its `slug`.
        seconds: Time of training alone.
        copies: Augmented copies that were trained on.
        new_copies: Those of them that were embedded now.
    """

    folder: Path
    summary: pl.DataFrame
    new_runs: int
    left_out: dict[str, str]
    seconds: float
    copies: int = 0
    new_copies: int = 0
