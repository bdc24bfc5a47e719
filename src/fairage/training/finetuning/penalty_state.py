"""What a fairness term remembers between steps, taken out of it and put back.

A penalty keeps its memory in tensors: attributes of its own, or of the objects that it holds.
"""

import dataclasses

import torch
from torch import Tensor

from fairage.objectives.fairness import Penalty

__all__ = ["penalty_tensors", "restore_penalty"]


def penalty_tensors(penalty: Penalty | None) -> dict[str, Tensor]:
    """Return all tensors of a penalty by their dotted names, not copied.

    Examples:
        >>> from fairage.objectives.fairness import FAIRNESS, GroupLayout
        >>> groups = ("gender", "f"), ("gender", "m")
        >>> layout = GroupLayout(groups, torch.tensor([3, 3]), torch.tensor([0, 0]), rows=6)
        >>> sorted(penalty_tensors(FAIRNESS["adaptive"]().start(layout)))
        ['logs', 'same']
    """
    return {} if penalty is None else _tensors(penalty, "")


@torch.no_grad()
def restore_penalty(penalty: Penalty | None, tensors: dict[str, Tensor]) -> None:
    """Put tensors that `penalty_tensors` returned into a new penalty of the same term."""
    for name, value in penalty_tensors(penalty).items():
        value.copy_(tensors[name])


def _tensors(holder: object, prefix: str) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for name, value in getattr(holder, "__dict__", {}).items():
        if isinstance(value, Tensor):
            found[prefix + name] = value
        elif not dataclasses.is_dataclass(value):  # the term's options, which do not change
            found |= _tensors(value, f"{prefix}{name}.")
    return found
