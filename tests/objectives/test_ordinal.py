"""CORAL and CORN against slow re-writes, and what their levels say."""

from math import exp, log

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fairage.models.heads import CoralHead, CornHead
from fairage.objectives import Targets
from fairage.objectives.ordinal import CoralLoss, CornLoss, levels

ages = st.floats(0, 100)


def logits(seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 2 * torch.randn(1, 100, generator=generator, dtype=torch.float64)


def slow_levels(age: float) -> list[float]:
    return [min(max(age - year, 0), 1) for year in range(100)]


def sigmoid(value: float) -> float:
    return 1 / (1 + exp(-value))


def loss(objective: CoralLoss | CornLoss, age: float, seed: int) -> float:
    targets = Targets(torch.tensor([age], dtype=torch.float64))
    return objective(logits(seed), targets, torch.ones(1, dtype=torch.float64)).item()


@given(age=ages, seed=st.integers(0, 99))
def test_coral_equals_a_slow_loop(age: float, seed: int) -> None:
    total = 0.0
    for level, logit in zip(slow_levels(age), logits(seed)[0].tolist(), strict=True):
        total -= level * log(sigmoid(logit)) + (1 - level) * log(1 - sigmoid(logit))
    assert loss(CoralLoss(), age, seed) == pytest.approx(total / 100, rel=1e-9)


@given(age=ages, seed=st.integers(0, 99))
def test_corn_equals_a_slow_loop_over_those_who_enter_each_year(age: float, seed: int) -> None:
    total, entered = 0.0, 1.0
    for level, logit in zip(slow_levels(age), logits(seed)[0].tolist(), strict=True):
        passed = level / entered if entered > 0 else 0.0
        total -= entered * passed * log(sigmoid(logit))
        total -= entered * (1 - passed) * log(1 - sigmoid(logit))
        entered = level
    assert loss(CornLoss(), age, seed) == pytest.approx(total / 100, rel=1e-9)


@given(age=ages)
def test_levels_add_up_to_the_age(age: float) -> None:
    assert levels(torch.tensor([age], dtype=torch.float64)).sum().item() == pytest.approx(age)


@given(age=ages)
def test_right_probabilities_decode_to_the_age(age: float) -> None:
    told = levels(torch.tensor([age], dtype=torch.float64)).clamp(1e-12, 1 - 1e-12)
    assert CoralHead().decode(torch.logit(told)).item() == pytest.approx(age, abs=1e-6)
    before = torch.cat([torch.ones(1, 1, dtype=torch.float64), told[:, :-1]], dim=1)
    conditional = (told / before).clamp(1e-12, 1 - 1e-12)
    assert CornHead().decode(torch.logit(conditional)).item() == pytest.approx(age, abs=1e-6)
