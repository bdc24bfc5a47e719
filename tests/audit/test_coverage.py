"""What 95 % intervals promise: they hold the truth in 92 to 98 of 100 samples."""

import numpy as np
import pytest

from fairage.audit.bootstrap import draw_means
from fairage.audit.gaps import biases
from fairage.audit.groups import group_rows
from fairage.audit.measures import mean_estimates
from fairage.audit.resampling import noise_floors
from fairage.audit.sample import gather
from fairage.audit.spread import BIAS, GAP, average_estimate, spread_estimates

DATA_SETS = 300


def covers(estimate, truth: float) -> bool:
    return estimate.low <= truth <= estimate.high


@pytest.mark.parametrize(
    ("maes", "sizes"),
    [([3.0, 4.0, 6.0], [300, 200, 120]), ([2.2, 3.0, 4.4, 6.5], [200, 500, 200, 100])],
)
def test_intervals_cover_known_gaps(maes: list[float], sizes: list[int]) -> None:
    rng = np.random.default_rng(7)
    means = np.repeat(maes, sizes)
    second = np.arange(len(means)) % 2  # half of each group, errors 30 % larger or smaller
    means *= np.where(second == 1, 1.3, 0.7)
    sample = gather(
        {"x": group_rows(np.repeat(list("abcd")[: len(maes)], sizes)), "y": group_rows(second)}
    )
    true_y = [means[second == half].mean() for half in (0, 1)]
    bias_x, bias_y = biases(np.array([maes]))[0], true_y[1] - true_y[0]
    hits: dict[str, int] = dict.fromkeys(("mae", "bias", "gap", "average"), 0)
    for _ in range(DATA_SETS):
        quantity = sample.quantity(rng.gamma(2, means / 2))
        own = sample.attributes
        draws = draw_means([quantity], own, sample, replicates=300, rng=rng)[0]
        group = mean_estimates(quantity, own["x"], draws["x"], sample)[0]
        bias, gap = spread_estimates([BIAS, GAP], quantity, own["x"], draws["x"], sample)
        average = average_estimate(quantity, own, draws, sample)
        hits["mae"] += covers(group, maes[0])
        hits["bias"] += covers(bias, bias_x)
        hits["gap"] += covers(gap, np.ptp(maes))
        hits["average"] += covers(average, (bias_x + bias_y) / 2)
    shares = {name: count / DATA_SETS for name, count in hits.items()}
    assert all(0.92 <= share <= 0.98 for share in shares.values()), shares


def test_intervals_cover_where_some_attributes_have_no_gap() -> None:
    """The hard case: chance inflates every bias, and the average gathers it."""
    rng = np.random.default_rng(11)
    means = np.repeat([3.0, 4.0, 6.0], [300, 200, 120])
    labels = {
        "x": np.repeat(list("abc"), [300, 200, 120]),
        "y": rng.permutation(len(means)) % 2,
        "z": rng.choice(["p", "q"], len(means), p=[0.9, 0.1]),
    }
    true = {
        name: biases(np.array([[means[own == g].mean() for g in np.unique(own)]]))[0]
        for name, own in labels.items()
    }
    sample = gather({name: group_rows(own) for name, own in labels.items()})
    own = sample.attributes
    hits: dict[str, int] = dict.fromkeys((*labels, "average"), 0)
    for _ in range(DATA_SETS):
        quantity = sample.quantity(rng.gamma(2, means / 2))
        draws = draw_means([quantity], own, sample, replicates=200, rng=rng)[0]
        floors, average = noise_floors(quantity.values, labels, permutations=100, rng=rng)
        for name, floor in floors.items():
            found = spread_estimates(
                [BIAS], quantity, own[name], draws[name], sample, by_chance=floor.by_chance
            )[0]
            hits[name] += covers(found, true[name])
        found = average_estimate(quantity, own, draws, sample, by_chance=average.by_chance)
        hits["average"] += covers(found, np.mean(list(true.values())))
    shares = {name: count / DATA_SETS for name, count in hits.items()}
    assert all(0.92 <= share <= 0.98 for share in shares.values()), shares
