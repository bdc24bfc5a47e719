"""The blocks of a backbone, in the order in which pictures go through them."""

from dataclasses import dataclass

from torch import nn

from fairage.exceptions import ConfigError

__all__ = ["Blocks", "find_blocks"]

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
        >>> found = find_blocks(model)
        >>> len(found), found.depths["stem.bias"], found.depths["layers.1.bias"]
        (2, 0, 2)
        >>> found.depths["norm.bias"]
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
    found: list[nn.Module] = []
    for stage in stages:
        inside = [getattr(stage, name, None) for name in _INSIDE_A_STAGE]
        lists = [part for part in inside if isinstance(part, (nn.ModuleList, nn.Sequential))]
        if not lists:
            return list(stages)
        found += lists[0]
    return found


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
