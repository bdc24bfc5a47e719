"""The objective for ages that are known as ranges."""

import numpy as np
import polars as pl
import pytest
import torch

from fairage.exceptions import ConfigError
from fairage.experiments.training_data import targets_of
from fairage.objectives import Targets, make_objective
from fairage.objectives.age_ranges import IntervalLoss, years_of

RANGES = {"low": torch.tensor([20.0, 70.0, np.nan]), "high": torch.tensor([30.0, np.inf, np.nan])}
TARGETS = Targets(torch.tensor([25.0, 75.0, 41.5]), **RANGES)


def test_the_loss_is_the_log_of_the_probability_of_the_range_computed_slowly() -> None:
    outputs = torch.randn(3, 101, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    probabilities = outputs.softmax(1).numpy()
    of_rows = [
        probabilities[0, 20:30].sum(),
        probabilities[1, 70:].sum(),
        (probabilities[2, 41] + probabilities[2, 42]) / 2,
    ]
    bends = [
        sum((q[k - 1] - 2 * q[k] + q[k + 1]) ** 2 for k in range(1, 100)) for q in probabilities
    ]
    expected = np.mean([-np.log(p) + 2.0 * bend for p, bend in zip(of_rows, bends, strict=True)])
    found = IntervalLoss(smoothness=2.0)(outputs, TARGETS, torch.ones(3))
    assert found.item() == pytest.approx(expected)


def test_training_on_ranges_alone_finds_a_smooth_distribution_within_them() -> None:
    low, high = torch.tensor([20.0, 30.0]), torch.tensor([30.0, 40.0])
    targets = Targets(torch.tensor([25.0, 35.0]), low=low, high=high)
    logits = torch.zeros(1, 101, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=0.1)
    for _ in range(500):
        optimizer.zero_grad()
        IntervalLoss()(logits.expand(2, -1), targets, torch.tensor([3.0, 1.0])).backward()
        optimizer.step()
    found = logits.detach().softmax(1)[0]
    assert found[20:30].sum() == pytest.approx(0.75, abs=0.05)
    assert found[20:40].sum() > 0.98
    assert found.diff().abs().max() < 0.05, "a spike"


def test_errors_of_ranges_are_the_distance_outside() -> None:
    assert TARGETS.errors(torch.tensor([33.0, 69.0, 40.0])).tolist() == [3.0, 1.0, 1.5]
    assert TARGETS.errors(torch.tensor([20.0, 110.0, 41.5])).tolist() == [0.0, 0.0, 0.0]


def test_ranges_mix_end_by_end_and_are_open_where_one_is() -> None:
    mixed = TARGETS.mixed(TARGETS.rows(torch.tensor([0, 0, 0])), torch.full((3,), 0.5))
    assert mixed.low is not None
    assert mixed.high is not None
    assert mixed.low[:2].tolist() == [20.0, 45.0]
    assert mixed.high[:2].tolist() == [30.0, float("inf")]
    assert torch.isnan(mixed.low[2])
    assert years_of(mixed)[2].sum() == pytest.approx(1.0)


def test_a_range_without_a_whole_year_is_its_age() -> None:
    targets = Targets(torch.tensor([30.4]), low=torch.tensor([30.2]), high=torch.tensor([30.6]))
    assert torch.equal(years_of(targets), years_of(Targets(torch.tensor([30.4]))))


def test_a_faces_table_gives_its_ranges() -> None:
    frame = pl.DataFrame(
        {"age": [25.0, 75.0, 8.0], "age_low": [20.0, 70.0, None], "age_high": [30.0, None, None]}
    )
    targets = targets_of(frame)
    assert targets.low is not None
    assert targets.high is not None
    assert targets.low[:2].tolist() == [20.0, 70.0]
    assert targets.high[:2].tolist() == [30.0, float("inf")]
    assert torch.isnan(targets.low[2])
    assert torch.isnan(targets.high[2])
    assert targets_of(frame.select("age")).low is None


def test_a_negative_smoothness_is_refused() -> None:
    with pytest.raises(ConfigError, match="smoothness"):
        make_objective("interval", smoothness=-1.0)
