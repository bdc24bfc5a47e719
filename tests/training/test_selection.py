"""The selection rule: which epoch is kept, and that its weights are still there."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fairage.exceptions import ConfigError
from fairage.training import Epoch, Selection, fairest
from fairage.training.selection import BestEpoch

Told = tuple[float, float, float]
values = st.tuples(st.floats(0.1, 9), st.floats(1, 9), st.floats(0, 5))
histories = st.lists(values, min_size=1, max_size=30)


def epochs(told: list[Told]) -> list[Epoch]:
    return [
        Epoch(i + 1, 1.0, loss, mae, {"gender": bias}) for i, (loss, mae, bias) in enumerate(told)
    ]


def kept(told: list[Told], selection: Selection) -> BestEpoch:
    best_epoch = BestEpoch(selection)
    for i, epoch in enumerate(epochs(told)):
        best_epoch.offer(epoch, lambda i=i: {"weight": torch.tensor(float(i))})
    return best_epoch


def slow_fair(told: list[Told], delta: float) -> int:
    lowest = min(mae for _, mae, _ in told)
    chosen = None
    for i, (_, mae, bias) in enumerate(told):
        if mae > lowest * (1 + delta):
            continue
        if chosen is None or (bias, mae) < (told[chosen][2], told[chosen][1]):
            chosen = i
    assert chosen is not None
    return chosen


@given(told=histories, delta=st.floats(0, 1))
def test_fair_takes_the_lowest_bias_among_the_nearly_as_accurate(told, delta) -> None:
    best_epoch = kept(told, Selection(rule="fair", delta=delta))
    assert best_epoch.best == slow_fair(told, delta)
    assert best_epoch.best == fairest([t[1] for t in told], [t[2] for t in told], delta=delta)


@given(told=histories, rule=st.sampled_from(["loss", "mae", "fair"]), delta=st.floats(0, 1))
def test_the_weights_of_the_chosen_epoch_are_still_there(told, rule, delta) -> None:
    best_epoch = kept(told, Selection(rule=rule, delta=delta))
    assert best_epoch.states[best_epoch.best]["weight"].item() == best_epoch.best
    assert len(best_epoch.states) == 1 or rule == "fair"


@given(told=histories)
def test_loss_and_mae_take_the_first_of_the_lowest(told: list[Told]) -> None:
    for column, rule in enumerate(("loss", "mae")):
        found = [t[column] for t in told]
        assert kept(told, Selection(rule=rule)).best == found.index(min(found))


def test_a_later_more_accurate_epoch_takes_the_choice_from_a_fairer_one() -> None:
    told = [(1.0, 5.0, 0.1), (1.0, 4.0, 0.6), (1.0, 4.1, 0.5)]
    assert kept(told[:1], Selection(rule="fair")).best == 0
    assert kept(told, Selection(rule="fair")).best == 2


def test_it_is_over_after_so_many_epochs_without_a_better_one() -> None:
    falling = [(9.0 - i, 9.0 - i, 1.0) for i in range(3)]
    for rule in ("loss", "mae", "fair"):
        best_epoch = kept(falling, Selection(rule=rule))
        assert not best_epoch.is_over(1)
        for i in range(2):
            best_epoch.offer(Epoch(4 + i, 1.0, 9.0, 9.0, {"gender": 2.0}), dict)
        assert best_epoch.is_over(2)
        assert not best_epoch.is_over(3)


def test_without_groups_fair_is_mae() -> None:
    best_epoch = BestEpoch(Selection(rule="fair"))
    for i, mae in enumerate((5.0, 4.0, 4.05)):
        best_epoch.offer(Epoch(i + 1, 1.0, 1.0, mae), dict)
    assert best_epoch.best == 1
    assert math.isnan(best_epoch.epochs[0].valid_average_bias)


def test_without_a_bias_the_history_says_once_that_the_mae_was_chosen_by() -> None:
    def note(rule: str, biases: dict[str, float]) -> str:
        best_epoch = BestEpoch(Selection(rule=rule, min_rows=12))
        for i, mae in enumerate((5.0, 4.0)):
            best_epoch.offer(Epoch(i + 1, 1.0, 1.0, mae, biases), dict)
        return best_epoch.history.note

    assert note("fair", {}).startswith("No attribute has two groups of 12 validation rows")
    assert note("fair", {"gender": 0.0}) == ""
    assert note("mae", {}) == ""


@given(
    trials=st.lists(st.tuples(st.floats(1, 9), st.floats(0, 5) | st.just(math.nan)), min_size=1),
    delta=st.floats(0, 1),
)
def test_a_bias_that_is_not_there_is_never_chosen_by(trials, delta) -> None:
    maes, biases = [list(column) for column in zip(*trials, strict=True)]
    chosen = fairest(maes, biases, delta=delta)
    near = [i for i, mae in enumerate(maes) if mae <= min(maes) * (1 + delta)]
    known = [biases[i] for i in near if not math.isnan(biases[i])]
    assert chosen in near
    assert biases[chosen] == min(known) if known else maes[chosen] == min(maes)


def test_min_rows_below_two_are_refused() -> None:
    with pytest.raises(ConfigError, match="min_rows: expected 2 or more"):
        Selection(rule="fair", min_rows=1)


def test_the_default_gives_three_percent_of_accuracy() -> None:
    assert Selection(rule="fair").delta == 0.03
    assert fairest([4.0, 4.1, 4.2], [0.9, 0.8, 0.1]) == 1
    assert fairest([1.0], [1.0]) == 0


def test_average_bias_is_the_mean_of_the_biases() -> None:
    assert Epoch(1, 0, 0, 0, {"a": 1.0, "b": 3.0}).valid_average_bias == pytest.approx(2.0)
