"""The heads by name, and which objectives go with them."""

from collections.abc import Mapping
from typing import Any

from fairage._registry import build
from fairage.exceptions import ConfigError
from fairage.models.experts import HEADS
from fairage.models.heads import AgeHead, HeadKind
from fairage.objectives import OBJECTIVES, Objective


def make_head(name: str, dim: int, options: Mapping[str, Any]) -> AgeHead:
    """Return a new head of this name; options are the fields of its class.

    Examples:
        >>> import torch
        >>> head = make_head("regression", 8, {"hidden": [4]})
        >>> head.ages(torch.zeros(3, 8)).shape
        torch.Size([3])
    """
    return AgeHead(build("head", HEADS, name, options), dim)


def check_pair(kind: HeadKind, objective: Objective) -> None:
    """Refuse an objective that cannot read what the head puts out; name those that go together.

    Examples:
        >>> check_pair(HEADS["corn"](), OBJECTIVES["mse"]())
        Traceback (most recent call last):
        fairage.exceptions.ConfigError: expected a head ... ['experts', 'linear', 'regression'], ...
    """
    if kind.gives == objective.fits:
        return
    heads = sorted(name for name, known in HEADS.items() if known.gives == objective.fits)
    objectives = sorted(name for name, known in OBJECTIVES.items() if known.fits == kind.gives)
    raise ConfigError(
        f"expected a head for the objective {type(objective).__name__} among {heads}, got "
        f"{type(kind).__name__}, take one of them or an objective among {objectives}"
    )
