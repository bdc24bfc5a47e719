"""Steps of a training: the optimiser, its rate over time, an average of the weights."""

import math
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim.adam import adam
from torch.optim.adamw import adamw

from fairage.training.trainable_backbone import Blocks, FineTuneNetwork, Freezing
from fairage.training.training_settings import FineTuneSettings, TrainingSettings

KERAS_EPSILON = 1e-7


class HeadStepper:
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
        self._gradients: tuple[Tensor, ...] = ()

    def gather(self, loss: Tensor) -> None:
        """Take the gradient of this loss; a head's batch has one part."""
        assert not self._gradients, "a step follows each batch"
        self._gradients = torch.autograd.grad(loss, self.weights)

    def step(self) -> None:
        """Change the weights by one step against the gradient, and forget that."""
        rate = self.settings.learning_rate * rate_factor(self.settings, self.done / self.steps)
        self._update(self._gradients, rate)
        self._gradients = ()
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


_PEAK = "peak"


class NetworkStepper:
    """Takes AdamW's steps on all that trains in a network.

    Args:
        network: What is trained, in place.
        blocks: The backbone's blocks.
        freezing: What of the backbone moves.
        settings: Step sizes, decay, average.
        steps: Steps an epoch.
    """

    def __init__(
        self,
        network: FineTuneNetwork,
        blocks: Blocks,
        freezing: Freezing,
        settings: FineTuneSettings,
        steps: int,
    ) -> None:
        self.settings, self.steps, self.done = settings, steps, 0
        self.optimizer = torch.optim.AdamW(_groups(network, blocks, settings))
        self.optimizer.zero_grad()  # what an earlier training of the head left
        moving = [p for p in network.head.parameters() if p.requires_grad]
        moving += [cast("nn.Parameter", t) for _, t in freezing.moving() if t.is_floating_point()]
        self.average = WeightAverage(moving, settings.ema) if settings.ema > 0 else None

    @property
    def parameters(self) -> list[nn.Parameter]:
        """All that the optimiser moves, in its own order."""
        return [p for group in self.optimizer.param_groups for p in group["params"]]

    def gather(self, loss: Tensor) -> None:
        """Add the gradients of this loss."""
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves backward untyped

    def step(self) -> None:
        """Change the weights against the gradients that have been gathered, and forget those."""
        factor = rate_factor(self.settings, self.done / self.steps)
        for group in self.optimizer.param_groups:
            group["lr"] = group[_PEAK] * factor
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.done += 1
        if self.average is not None:
            self.average.update()

    def averaged(self) -> AbstractContextManager[None]:
        """Put the averaged weights, where there are any, into the model while the block runs."""
        return swapped_in(self.average)

    def tensors(self) -> dict[str, Tensor]:
        """Return what the optimiser and the average remember, by name."""
        tensors: dict[str, Tensor] = {}
        for number, parameter in enumerate(self.parameters):
            for key, value in self.optimizer.state.get(parameter, {}).items():
                tensors[f"optimizer.{number}.{key}"] = value
        if self.average is not None:
            tensors |= {f"average.{i}": value for i, value in enumerate(self.average.averages)}
        return tensors

    @torch.no_grad()
    def restore(self, tensors: dict[str, Tensor], done: int) -> None:
        """Go on as if so many steps had just been taken; tensors as `tensors` returned them."""
        self.done = done
        for number, parameter in enumerate(self.parameters):
            prefix = f"optimizer.{number}."
            state = {
                name.removeprefix(prefix): value
                for name, value in tensors.items()
                if name.startswith(prefix)
            }
            if state:
                self.optimizer.state[parameter] = {
                    key: value if key == "step" else torch.empty_like(parameter).copy_(value)
                    for key, value in state.items()
                }
        if self.average is not None:
            self.average.done = done
            for i, value in enumerate(self.average.averages):
                value.copy_(tensors[f"average.{i}"])


def _groups(
    network: FineTuneNetwork, blocks: Blocks, settings: FineTuneSettings
) -> list[dict[str, Any]]:
    """Return the optimiser's groups: equal step size and decay together."""
    rate = settings.learning_rate if settings.backbone_rate is None else settings.backbone_rate
    by_rate: dict[tuple[float, float], list[nn.Parameter]] = {}
    for parameter in network.head.parameters():
        _add(by_rate, parameter, settings.learning_rate, settings.weight_decay)
    for name, parameter in network.backbone.model.named_parameters():
        before_last = max(0, len(blocks) - blocks.depths[name])
        decayed = rate * settings.layer_decay**before_last
        _add(by_rate, parameter, decayed, settings.weight_decay)
    return [
        {"params": parameters, "lr": peak, _PEAK: peak, "weight_decay": decay}
        for (peak, decay), parameters in by_rate.items()
    ]


def _add(
    by_rate: dict[tuple[float, float], list[nn.Parameter]],
    parameter: nn.Parameter,
    rate: float,
    decay: float,
) -> None:
    if parameter.requires_grad:
        key = rate, decay if parameter.ndim > 1 else 0.0
        by_rate.setdefault(key, []).append(parameter)
