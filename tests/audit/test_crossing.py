"""Errors along age and where attributes cross, against slow loops."""

import numpy as np
import polars as pl
import pytest

from fairage.audit.auditing import audit
from fairage.audit.settings import AuditSettings


def test_cells_equal_a_slow_loop(predictions_frame: pl.DataFrame, quick: AuditSettings) -> None:
    model = audit(predictions_frame, settings=quick).models[0]
    crossed = next(i for i in model.intersections if i.attributes == ("gender", "place"))
    signed = pl.col("prediction") - pl.col("age")
    for cell in crossed.cells:
        own = predictions_frame.filter(
            (pl.col("gender") == cell.groups[0]) & (pl.col("place") == cell.groups[1])
        )
        assert cell.n == own.height
        assert cell.mae.value == pytest.approx(own.select(signed.abs().mean()).item())
        assert cell.signed.value == pytest.approx(own.select(signed.mean()).item())
    assert sum(cell.n for cell in crossed.cells) == predictions_frame.height


def test_cells_with_enough_rows_are_ranked_and_the_others_only_listed(
    predictions_frame: pl.DataFrame, quick: AuditSettings
) -> None:
    for crossed in audit(predictions_frame, settings=quick).models[0].intersections:
        ranked = [cell for cell in crossed.cells if cell.rank is not None]
        assert all(cell.n >= quick.min_rows for cell in ranked)
        assert all(cell.n < quick.min_rows for cell in crossed.cells if cell.rank is None)
        errors = [cell.mae.value for cell in ranked]
        assert errors == sorted(errors, reverse=True)
        assert [cell.rank for cell in ranked] == list(range(1, len(ranked) + 1))


def test_every_pair_of_attributes_is_crossed(predictions_frame, quick) -> None:
    pairs = [i.attributes for i in audit(predictions_frame, settings=quick).models[0].intersections]
    assert pairs == [("gender", "place"), ("gender", "age_group"), ("place", "age_group")]


def test_points_along_age_equal_a_slow_loop(predictions_frame, quick) -> None:
    model = audit(predictions_frame, settings=quick).models[0]
    ages = predictions_frame["age"].to_numpy()
    signed = predictions_frame["prediction"].to_numpy() - ages
    male = (predictions_frame["gender"] == "male").to_numpy()
    for points, keep in (
        (model.along_age, np.ones(len(ages), dtype=bool)),
        ([p for p in model.attribute("gender").along_age if p.group == "male"], male),
    ):
        assert sum(point.n for point in points) == keep.sum()
        for point in points:
            own = keep & (ages >= point.low) & (ages < point.high)
            assert point.n == own.sum()
            assert point.high - point.low == 5
            assert point.mae.value == pytest.approx(np.abs(signed[own]).mean())
            assert point.signed.value == pytest.approx(signed[own].mean())
