"""Steps of a training: the optimiser, its rate over time, an average of the weights."""

import math
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

import torch
from torch import Tensor, nn
from torch.optim.adam import adam
from torch.optim.adamw import adamw

from fairage.training.settings import TrainingSettings

__all__ = ["Stepper", "WeightAverage", "rate_factor", "swapped_in"]

KERAS_EPSILON = 1e-7


class Stepper:
    """Takes the optimiser's steps on everything in the model that requires a gradient.

    It calls torch's functions rather than its optimisers, whose bookkeeping a small head waits for
    longer than for the step itself.

    Args:
        model: What is trained, in place.
        settings: The optimiser, its rate and schedule.
        steps: Steps an epoch.
    """

    def __init__(self, model: nn.Module, settings: TrainingSettings, steps: int) -> None:
        self.settings, self.steps, self.done = settings, steps, 0
        self.weights: list[Tensor] = [w for w in model.parameters() if w.requires_grad]
        self.means = [torch.zeros_like(weight) for weight in self.weights]
        self.squares = [torch.zeros_like(weight) for weight in self.weights]
        self.counts = [torch.zeros((), device=weight.device) for weight in self.weights]
        self.average = WeightAverage(self.weights, settings.ema) if settings.ema > 0 else None

    def step(self, loss: Tensor) -> None:
        """Change the weights by one step against the gradient of this loss."""
        rate = self.settings.learning_rate * rate_factor(self.settings, self.done / self.steps)
        self._update(torch.autograd.grad(loss, self.weights), rate)
        self.done += 1
        if self.average is not None:
            self.average.update()

    @torch.no_grad()
    def _update(self, gradients: Sequence[Tensor], rate: float) -> None:
        kind = adam if self.settings.optimizer == "adam" else adamw
        kind(
            self.weights,
            [gradient.contiguous() for gradient in gradients],  # the fused step reads raw memory
            self.means,
            self.squares,
            [],
            self.counts,
            fused=True,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=rate,
            weight_decay=self.settings.weight_decay,
            eps=KERAS_EPSILON,
            maximize=False,
        )

    def averaged(self) -> AbstractContextManager[None]:
        """Put the averaged weights, where there are any, into the model while the block runs."""
        return swapped_in(self.average)


class WeightAverage:
    """Exponential moving average of weights: `a <- d a + (1 - d) w` after each step.

    In the first steps d is at most `(1 + t) / (10 + t)`, so that the first weights are soon
    forgotten.
    """

    def __init__(self, weights: Sequence[Tensor], decay: float) -> None:
        self.weights, self.decay, self.done = weights, decay, 0
        self.averages = [weight.detach().clone() for weight in weights]

    @torch.no_grad()
    def update(self) -> None:
        """Take in the weights as they are now."""
        self.done += 1
        decay = min(self.decay, (1 + self.done) / (10 + self.done))
        for average, weight in zip(self.averages, self.weights, strict=True):
            average.lerp_(weight, 1 - decay)

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange the weights in the model and their averages."""
        for average, weight in zip(self.averages, self.weights, strict=True):
            kept = weight.clone()
            weight.copy_(average)
            average.copy_(kept)


def rate_factor(settings: TrainingSettings, epochs: float) -> float:
    """Return what the learning rate is multiplied by after so many epochs, a float.

    Examples:
        >>> settings = TrainingSettings(epochs=10, schedule="cosine", warmup=2)
        >>> [round(rate_factor(settings, epochs), 3) for epochs in (0, 1, 2, 6, 10)]
        [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    if epochs < settings.warmup:
        return epochs / settings.warmup
    if settings.schedule == "constant":
        return 1.0
    length = max(settings.epochs - settings.warmup, 1e-9)
    progress = min((epochs - settings.warmup) / length, 1.0)
    return (1 + math.cos(math.pi * progress)) / 2


@contextmanager
def swapped_in(average: WeightAverage | None) -> Iterator[None]:
    """Put averaged weights, where there are any, into their model while the block runs."""
    if average is not None:
        average.swap()
    try:
        yield
    finally:
        if average is not None:
            average.swap()
