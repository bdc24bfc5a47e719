"""Tiny numbers are zero while a head is trained, and what they were before afterwards."""

import pytest
import torch

from fairage.models import make_head
from fairage.objectives import OBJECTIVES, Targets
from fairage.training import Rows, TrainingSettings, train_head
from fairage.training.head_training import denormals_flushed


def tiny() -> float:
    return (torch.tensor([1e-30]) * 1e-10).item()


pytestmark = pytest.mark.skipif(
    not torch.set_flush_denormal(False), reason="this processor cannot flush denormal numbers"
)


def failing() -> None:
    with denormals_flushed():
        raise KeyError(tiny())


def test_they_are_zero_inside_and_come_back_even_after_an_error() -> None:
    with pytest.raises(KeyError, match=r"^0\.0$"):
        failing()
    assert tiny() > 0


def test_with_several_threads_nothing_is_set() -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with denormals_flushed():
            assert float(torch.tensor(1e-30) * 1e-10) > 0
    finally:
        torch.set_num_threads(threads)


def test_who_flushes_them_anyway_still_does_afterwards() -> None:
    with denormals_flushed():
        with denormals_flushed():
            pass
        assert tiny() == 0
    assert tiny() > 0


def test_a_head_is_trained_without_them() -> None:
    rows = Rows(torch.randn(8, 2), Targets(torch.full((8,), 30.0)), torch.ones(8))
    seen = []
    train_head(
        make_head("linear", 2, {}),
        rows,
        rows,
        objective=OBJECTIVES["mse"](),
        settings=TrainingSettings(epochs=1),
        seed=0,
        watch=lambda _: seen.append(tiny()),
    )
    assert seen == [0]
    assert tiny() > 0
