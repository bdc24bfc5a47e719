"""Steps of a fine-tuning: a step size for each depth, over time, and an average of the weights."""

from contextlib import AbstractContextManager
from typing import Any, cast

import torch
from torch import Tensor, nn

from fairage.training.finetuning.blocks import Blocks
from fairage.training.finetuning.freezing import Freezing
from fairage.training.finetuning.network import FineTuneNetwork
from fairage.training.finetuning.settings import FineTuneSettings
from fairage.training.optimizer import WeightAverage, rate_factor, swapped_in

__all__ = ["FineTuneStepper"]

_PEAK = "peak"


class FineTuneStepper:
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

    def step(self) -> None:
        """Change the weights against the gradients that have been gathered, and forget those."""
        factor = rate_factor(self.settings.rates, self.done / self.steps)
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
        found: dict[str, Tensor] = {}
        for number, parameter in enumerate(self.parameters):
            for key, value in self.optimizer.state.get(parameter, {}).items():
                found[f"optimizer.{number}.{key}"] = value
        if self.average is not None:
            found |= {f"average.{i}": value for i, value in enumerate(self.average.averages)}
        return found

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
    found: dict[tuple[float, float], list[nn.Parameter]] = {}
    for parameter in network.head.parameters():
        _add(found, parameter, settings.learning_rate, settings.weight_decay)
    for name, parameter in network.backbone.model.named_parameters():
        before_last = max(0, len(blocks) - blocks.depths[name])
        decayed = rate * settings.layer_decay**before_last
        _add(found, parameter, decayed, settings.weight_decay)
    return [
        {"params": parameters, "lr": peak, _PEAK: peak, "weight_decay": decay}
        for (peak, decay), parameters in found.items()
    ]


def _add(
    found: dict[tuple[float, float], list[nn.Parameter]],
    parameter: nn.Parameter,
    rate: float,
    decay: float,
) -> None:
    if parameter.requires_grad:
        key = rate, decay if parameter.ndim > 1 else 0.0
        found.setdefault(key, []).append(parameter)
