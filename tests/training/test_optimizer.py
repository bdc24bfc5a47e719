"""Steps: optimisers against torch's own, the rate over time, the average of the weights."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from fairage.training import TrainingSettings
from fairage.training.optimizer import HeadStepper, WeightAverage, rate_factor


def model(value: float = 1.0) -> nn.Linear:
    layer = nn.Linear(2, 1)
    with torch.no_grad():
        layer.weight.fill_(value)
        layer.bias.fill_(value)
    return layer


def loss_of(layer: nn.Linear) -> torch.Tensor:
    return layer(torch.tensor([[1.0, 2.0]])).square().sum()


def steps(settings: TrainingSettings, number: int = 5, an_epoch: int = 1) -> nn.Linear:
    layer = model()
    stepper = HeadStepper(layer, settings, an_epoch)
    for _ in range(number):
        stepper.gather(loss_of(layer))
        stepper.step()
    return layer


@pytest.mark.parametrize(
    ("name", "kind"), [("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW)]
)
def test_the_optimisers_are_torchs_with_keras_epsilon(name: str, kind) -> None:
    settings = TrainingSettings(learning_rate=0.1, weight_decay=0.3, optimizer=name)
    expected = model()
    optimizer = kind(expected.parameters(), lr=0.1, weight_decay=0.3, eps=1e-7)
    for _ in range(5):
        optimizer.zero_grad()
        loss_of(expected).backward()
        optimizer.step()
    torch.testing.assert_close(steps(settings).weight, expected.weight)


@pytest.mark.parametrize("loss", [lambda w: w.sum(), lambda w: (w.t() @ w.t().cumsum(0).t()).sum()])
def test_gradients_of_any_layout_step_alike(loss) -> None:
    found, expected = nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False)
    expected.load_state_dict(found.state_dict())
    optimizer = torch.optim.Adam(expected.parameters(), lr=0.1, eps=1e-7)
    stepper = HeadStepper(found, TrainingSettings(learning_rate=0.1), 1)
    for _ in range(3):
        optimizer.zero_grad()
        loss(expected.weight).backward()
        optimizer.step()
        stepper.gather(loss(found.weight))
        stepper.step()
    torch.testing.assert_close(found.weight, expected.weight)


def test_frozen_weights_stay() -> None:
    layer = model()
    layer.bias.requires_grad_(False)
    stepper = HeadStepper(layer, TrainingSettings(learning_rate=0.1), 1)
    stepper.gather(loss_of(layer))
    stepper.step()
    assert layer.bias.item() == 1
    assert not torch.equal(layer.weight, torch.ones(1, 2))


@given(epochs=st.integers(1, 50), warmup=st.floats(0, 10), at=st.floats(0, 60))
def test_the_rate_stays_between_nothing_and_its_highest(epochs, warmup, at) -> None:
    settings = TrainingSettings(epochs=epochs, warmup=warmup, schedule="cosine")
    assert 0 <= rate_factor(settings, at) <= 1


def test_a_constant_rate_is_reached_after_warming_up() -> None:
    settings = TrainingSettings(warmup=4)
    assert [rate_factor(settings, at) for at in (0, 1, 3, 4, 49)] == [0, 0.25, 0.75, 1, 1]


def test_the_first_step_of_a_warmup_moves_nothing_and_cosine_ends_still() -> None:
    warm = TrainingSettings(learning_rate=0.1, warmup=2.0)
    assert torch.equal(steps(warm, 1).weight, torch.ones(1, 2))
    cosine = TrainingSettings(epochs=3, learning_rate=0.1, schedule="cosine")
    torch.testing.assert_close(steps(cosine, 4).weight, steps(cosine, 3).weight)


def test_the_average_equals_a_slow_loop() -> None:
    weight = nn.Parameter(torch.tensor([1.0]))
    average, expected = WeightAverage([weight], 0.9), 1.0
    for step in range(1, 40):
        with torch.no_grad():
            weight.fill_(float(step))
        average.update()
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * step
    assert average.averages[0].item() == pytest.approx(expected, rel=1e-5)


def test_the_average_is_in_the_model_inside_the_block_alone() -> None:
    layer = model()
    stepper = HeadStepper(layer, TrainingSettings(learning_rate=0.1, ema=0.9), 1)
    for _ in range(3):
        stepper.gather(loss_of(layer))
        stepper.step()
    before = layer.weight.detach().clone()
    assert stepper.average is not None
    expected = stepper.average.averages[0].clone()
    with stepper.averaged():
        assert torch.equal(layer.weight, expected)
    assert torch.equal(layer.weight, before)


def test_without_an_average_the_block_changes_nothing() -> None:
    layer = model()
    with HeadStepper(layer, TrainingSettings(), 1).averaged():
        assert torch.equal(layer.weight, torch.ones(1, 2))
