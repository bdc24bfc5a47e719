"""Weights of the challenge's real training rows."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from fairage.tables import AGE_GROUP
from fairage.weighting import make_weighting

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def train(real_data: Path) -> pl.DataFrame:
    table = pl.read_csv(real_data / "data" / "appa-real" / "labels_metadata_train.csv")
    assert table.height == 4065
    return table.rename({"emotion": "expression"})


def test_1b_gives_the_published_formulas_numbers(train: pl.DataFrame) -> None:
    groups = make_weighting("1b").weigh(train).groups
    rounded = {a: {g: round(w, 2) for g, w in table.items()} for a, table in groups.items()}
    assert rounded == {
        "gender": {"male": 0.98, "female": 1.02},
        "expression": {"happy": 1.43, "slightlyhappy": 0.57, "neutral": 0.72, "other": 6.12},
        "ethnicity": {"caucasian": 0.39, "afroamerican": 11.24, "asian": 3.19},
        AGE_GROUP: {"young": 1.28, "adult": 0.43, "senior": 1.39, "old": 6.82},
    }


def test_2b_has_96_possible_cells(train: pl.DataFrame) -> None:
    weights = make_weighting("2b").weigh(train)
    (cells,) = weights.groups.values()
    lone = max(cells.values())
    assert lone == pytest.approx((5 + 4065) / (5 + 96))
    assert len(cells) < 96


def test_2a_leaves_most_of_its_cells_empty(train: pl.DataFrame) -> None:
    (cells,) = make_weighting("2a").weigh(train).groups.values()
    assert len(cells) < 2400 / 2


def test_the_studys_hand_set_table_names_every_group(train: pl.DataFrame) -> None:
    weights = make_weighting("3").weigh(train)
    assert np.all(weights.values > 0)
    assert weights.effective_sample_size < 200
