"""A backbone that trains: its blocks, what of it is frozen, and the network with the head."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from fairage._files import given_path
from fairage.embeddings import BackboneSpec
from fairage.embeddings.backbones.registry import Backbone, find_backbone
from fairage.embeddings.backbones.transformers import (
    PooledModel,
    check_alone,
    download,
    load_pooled,
)
from fairage.exceptions import ConfigError
from fairage.models import AgeHead
from fairage.training.training_settings import FineTuneSettings

_INSIDE_A_STAGE = ("layers", "blocks")


@dataclass(frozen=True)
class Blocks:
    """The blocks of a model, and how deep each of its parameters lies.

    Args:
        modules: The blocks, first to last.
        depths: For each parameter by name: 0 before the first block, then the number of its
            block from 1; what lies between two blocks belongs to the later one, and what comes
            behind the last one has one more.
    """

    modules: tuple[nn.Module, ...]
    depths: dict[str, int]

    def __len__(self) -> int:
        return len(self.modules)

    def from_depth(self, last: int | None) -> int:
        """Return the depth from which on parameters train, for the last so many blocks.

        Raises:
            ConfigError: There are not so many blocks, or none could be told apart.
        """
        if last is None:
            return 0
        if last == 0:
            return len(self) + 2
        if not self.modules:
            raise ConfigError(
                "expected a backbone with a list of blocks (ResNet, ConvNeXt, ViT, DINOv2, "
                "MobileNet, Swin, ...) to train the last of them, got one without, set train to "
                "'head' or 'all'"
            )
        if last > len(self):
            raise ConfigError(
                f"expected train 'last:K' with K up to {len(self)}, the blocks of this backbone, "
                f"got {last}, lower it or set train to 'all'"
            )
        return len(self) - last + 1


def find_blocks(model: nn.Module) -> Blocks:
    """Return the blocks of a vision model; none where it has no list of modules.

    The list with the most parameters holds them: the layers of a ViT, a DINOv2 or a MobileNet.
    Where each of its members holds a list of layers in turn, as stages do (ResNet, ConvNeXt,
    Swin), these are the blocks.

    Examples:
        >>> layers = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])
        >>> parts = {"stem": nn.Linear(2, 2), "layers": layers, "norm": nn.Linear(2, 1)}
        >>> model = nn.ModuleDict(parts)
        >>> blocks = find_blocks(model)
        >>> len(blocks), blocks.depths["stem.bias"], blocks.depths["layers.1.bias"]
        (2, 0, 2)
        >>> blocks.depths["norm.bias"]
        3
    """
    lists = [part for part in model.modules() if isinstance(part, nn.ModuleList) and len(part) > 1]
    if not lists:
        return Blocks((), {name: 1 for name, _ in model.named_parameters()})
    blocks = tuple(_flattened(max(lists, key=_size)))
    return Blocks(blocks, _depths(model, blocks))


def _size(part: nn.Module) -> int:
    return sum(parameter.numel() for parameter in part.parameters())


def _flattened(stages: nn.ModuleList) -> list[nn.Module]:
    """Return the layers of all stages, or the members themselves where they are no stages."""
    layers: list[nn.Module] = []
    for stage in stages:
        inside = [getattr(stage, name, None) for name in _INSIDE_A_STAGE]
        lists = [part for part in inside if isinstance(part, (nn.ModuleList, nn.Sequential))]
        if not lists:
            return list(stages)
        layers += lists[0]
    return layers


def _depths(model: nn.Module, blocks: tuple[nn.Module, ...]) -> dict[str, int]:
    own = {id(p): number for number, block in enumerate(blocks, 1) for p in block.parameters()}
    depths: dict[str, int] = {}
    between: list[str] = []
    reached = 0
    for name, parameter in model.named_parameters():
        if id(parameter) in own:
            reached = own[id(parameter)]
            depths.update(dict.fromkeys(between, reached))
            between = []
            depths[name] = reached
        elif reached == 0:
            depths[name] = 0
        else:
            between.append(name)
    depths.update(dict.fromkeys(between, len(blocks) + 1))
    return depths


_MOMENTUM = 0.1
_FORGETFUL = 0.5
_CHECKPOINTING = ("activation", "gradient")
"""A backbone that trains: its blocks, what of it is frozen, and the network with the head."""


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


class Source(NamedTuple):
    """Where a backbone comes from.

    Args:
        backbone: What `find_backbone` found.
        folder: The folder with its configuration and weights.
    """

    backbone: Backbone
    folder: Path


def find_source(spec: BackboneSpec) -> Source:
    """Return the backbone of a spec, if it is one that can be fine-tuned.

    Raises:
        ConfigError: It is not in the layout of transformers.
        DataError: Its files are not there or not as they should be.
    """
    backbone = find_backbone(spec.name)
    if backbone.kind != "transformers":
        raise ConfigError(
            "expected a backbone in the layout of transformers (config.json and "
            f"model.safetensors) to fine-tune, got {spec.name!r} of kind {backbone.kind!r}, whose "
            "weights are fixed, choose another, or put its embeddings beside those of another"
        )
    path = given_path(spec.name)
    return Source(backbone, path if path.is_dir() else download(spec.name))


class FineTuneNetwork(nn.Module):
    """The backbone's embedding, what stands beside it, and the head on both; all in fp32.

    Args:
        backbone: Gives one embedding a picture.
        head: Made for the width of the embeddings side by side.
    """

    def __init__(self, backbone: PooledModel, head: AgeHead) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    @classmethod
    def load(cls, source: Source, head: AgeHead, device: torch.device) -> "FineTuneNetwork":
        """Return the network with the weights of the source, channels last, on this device."""
        network = cls(load_pooled(source.folder), head).to(device)
        network.backbone.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in its stubs
        return network

    @torch.no_grad()
    def width(self, height: int, width: int) -> int:
        """Return how many numbers the backbone gives for a picture of this height and width."""
        self.eval()
        device = next(self.parameters()).device
        return self.embed(torch.zeros(1, 3, height, width, device=device)).shape[1]

    def embed(self, values: Tensor, *, bf16: bool = False) -> Tensor:
        """Return embeddings `(batch, dim)`, fp32, of normalised pictures."""
        with torch.autocast(values.device.type, dtype=torch.bfloat16, enabled=bf16):
            embeddings: Tensor = self.backbone(values)
        return embeddings.float()

    def forward(
        self, values: Tensor, beside: Tensor | None = None, *, bf16: bool = False
    ) -> Tensor:
        """Return the head's raw outputs `(batch, k)`.

        Args:
            values: Normalised pictures `(batch, 3, height, width)`.
            beside: Embeddings `(batch, dim)` of other backbones.
            bf16: Run the backbone in bf16.
        """
        embeddings = self.embed(values, bf16=bf16)
        if beside is not None:
            embeddings = torch.cat([embeddings, beside], dim=1)
        outputs: Tensor = self.head(embeddings)
        return outputs


def check_finetuning(backbone: BackboneSpec, settings: FineTuneSettings) -> None:
    """Raise what `finetune` would raise of a backbone and settings, without an image.

    Raises:
        ConfigError: It is not in the layout of transformers, has not so many blocks, or cannot
            checkpoint gradients.
        DataError: Its files are not there or not as they should be.
    """
    source = find_source(backbone)
    pooled, preprocessing = load_pooled(source.folder), source.backbone.preprocessing
    check_alone(pooled, preprocessing.height, preprocessing.width)
    freeze(pooled.model, find_blocks(pooled.model), settings)
