"""Trained heads made into one, and the heads within one."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import nn

from fairage.exceptions import ConfigError
from fairage.models.experts import Experts, Members
from fairage.models.heads import AgeHead
from fairage.models.kinds import HeadKind

__all__ = ["member_heads", "merged_head"]


def merged_head(
    heads: Sequence[AgeHead],
    told: Sequence[Mapping[str, Any]],
    *,
    merge: Literal["dense", "average", "gate"] = "average",
) -> AgeHead:
    """Return a head whose members are copies of these; all must standardise alike.

    Their calibrations are not taken over: one for the whole may follow.

    Args:
        heads: The trained heads.
        told: The name and the options of each.
        merge: As in `Experts`.

    Examples:
        >>> from fairage.models.heads import make_head
        >>> heads = [make_head("linear", 4, {}) for _ in range(3)]
        >>> rows = torch.randn(5, 4)
        >>> merged = merged_head(heads, [{"name": "linear"}] * 3)
        >>> alone = torch.stack([head.ages(rows) for head in heads]).mean(dim=0)
        >>> torch.allclose(merged.ages(rows), alone, atol=1e-3)
        True
    """
    first = heads[0]
    alike = all(
        torch.equal(h.mean, first.mean) and torch.equal(h.scale, first.scale) for h in heads
    )
    assert alike, "members that standardise differently cannot share one standardisation"
    merged = AgeHead(Experts(tuple(map(dict, told)), merge), first.dim)
    merged.mean.copy_(first.mean)
    merged.scale.copy_(first.scale)
    for layers, head in zip(_members(merged).heads, heads, strict=True):
        layers.load_state_dict(head.layers.state_dict())
    return merged


def member_heads(head: AgeHead) -> tuple[AgeHead, ...]:
    """Return the members of an experts head; changing one's weights changes the whole.

    Examples:
        >>> from fairage.models.heads import make_head
        >>> [type(m.kind).__name__ for m in member_heads(make_head("experts", 4, {}))][:2]
        ['Regression', 'Regression']
    """
    if not isinstance(head.kind, Experts):
        raise ConfigError(
            f"expected a head of kind 'experts', got {type(head.kind).__name__}, "
            "which has no members, use it as it is"
        )
    members = _members(head)
    return tuple(
        _view(head, kind, layers) for kind, layers in zip(members.kinds, members.heads, strict=True)
    )


def _members(head: AgeHead) -> Members:
    found = head.layers[0]
    assert isinstance(found, Members), "an experts head starts with its members"
    return found


def _view(head: AgeHead, kind: HeadKind, layers: nn.Module) -> AgeHead:
    assert isinstance(layers, nn.Sequential), "a kind of head makes its layers as a sequence"
    view = AgeHead(kind, head.dim)
    view.layers = layers
    view.mean, view.scale = head.mean, head.scale
    return view
