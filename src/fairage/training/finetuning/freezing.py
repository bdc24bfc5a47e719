"""What of a network moves in a fine-tuning, and which of its parts behave as in training."""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from fairage.exceptions import ConfigError
from fairage.training.finetuning.blocks import Blocks
from fairage.training.finetuning.settings import FineTuneSettings

__all__ = ["Freezing", "freeze"]

_MOMENTUM = 0.1
_FORGETFUL = 0.5
_CHECKPOINTING = ("activation", "gradient")
"""What transformers calls it, the newer name first."""


@dataclass(frozen=True)
class Freezing:
    """Which parts of a backbone train.

    Args:
        model: The backbone.
        training: Its modules that behave as in training: with dropout and the like.
        adapting: Its batch-norms that take the statistics of the batches.
    """

    model: nn.Module
    training: tuple[nn.Module, ...]
    adapting: tuple[nn.Module, ...]

    def apply(self) -> None:
        """Set the modes for training; frozen parts and kept statistics rest."""
        self.model.eval()
        for part in self.training:
            part.train()
        for norm in _batch_norms(self.model):
            norm.eval()
        for part in self.adapting:
            part.train()

    def moving(self) -> Iterator[tuple[str, Tensor]]:
        """Yield name and tensor of all that training changes in the backbone."""
        for name, parameter in self.model.named_parameters():
            if parameter.requires_grad:
                yield name, parameter
        adapting = set(map(id, self.adapting))
        for name, part in self.model.named_modules():
            if id(part) in adapting:
                for key, buffer in part.named_buffers(recurse=False):
                    yield f"{name}.{key}", buffer


def freeze(model: nn.Module, blocks: Blocks, settings: FineTuneSettings) -> Freezing:
    """Freeze what does not train, and say which parts do.

    Raises:
        ConfigError: There are not so many blocks, or the model cannot checkpoint gradients.
    """
    start = blocks.from_depth(settings.last)
    for name, parameter in model.named_parameters():
        parameter.requires_grad = blocks.depths[name] >= start
    if settings.gradient_checkpointing and settings.last != 0:
        _checkpoint_gradients(model)
    adapting: tuple[_BatchNorm, ...] = ()
    if settings.batch_norm == "adapt":
        adapting = tuple(norm for norm in _batch_norms(model) if _trains(norm))
    for norm in adapting:
        if norm.momentum is not None and norm.momentum > _FORGETFUL:  # it knew the last batch only
            norm.momentum = _MOMENTUM
    parts = (model,) if settings.last is None else blocks.modules[max(0, start - 1) :]
    return Freezing(model, parts, adapting)


def _batch_norms(model: nn.Module) -> list[_BatchNorm]:
    return [part for part in model.modules() if isinstance(part, _BatchNorm)]


def _trains(norm: _BatchNorm) -> bool:
    parameters = list(norm.parameters())
    return bool(parameters) and all(parameter.requires_grad for parameter in parameters)


def _checkpoint_gradients(model: nn.Module) -> None:
    known = [kind for kind in _CHECKPOINTING if hasattr(model, f"{kind}_checkpointing_enable")]
    if not known or not getattr(model, "supports_gradient_checkpointing", False):
        raise ConfigError(
            "expected a backbone whose transformers model can checkpoint gradients, got "
            f"{type(model).__name__}, which cannot, leave gradient_checkpointing out and raise "
            "accumulate instead"
        )
    enable = getattr(model, f"{known[0]}_checkpointing_enable")
    enable(**{f"{known[0]}_checkpointing_kwargs": {"use_reentrant": False}})
