"""Experts: heads trained for one attribute each, merged into one model or averaged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from fairage._registry import build
from fairage.exceptions import ConfigError
from fairage.models.heads import (
    AgeHead,
    CoralHead,
    CornHead,
    HeadKind,
    LabelDistributionHead,
    LinearHead,
    QuickDropout,
    RegressionHead,
)
from fairage.objectives.objective import OutputKind
from fairage.objectives.regression import HUNDRED_YEARS

GATE_DROPOUT = 0.5


@dataclass(frozen=True)
class Experts:
    """Member heads, each giving an age, and what merges their ages.

    With `"dense"` the age is a linear layer on the members' ages in hundreds of years, at first
    their mean: the study's ensemble of experts. `"average"` stays the mean. `"gate"` weighs the
    members by a softmax of the standardised embedding, at first all alike.

    Args:
        members: The name and the options of each head.
        merge: What makes one age of the members' ages.

    Examples:
        >>> kind = Experts(({"name": "regression"}, {"name": "linear"}), merge="average")
        >>> kind.layers(8)(torch.zeros(3, 8)).shape
        torch.Size([3, 1])
    """

    gives: ClassVar[OutputKind] = "number"
    members: tuple[dict[str, Any], ...] = ({"name": "regression"},) * 4
    merge: Literal["dense", "average", "gate"] = "dense"

    def __post_init__(self) -> None:
        if not self.members:
            raise ConfigError("expected one member or more, got none, name a head for each")
        self.kinds()

    def kinds(self) -> tuple[HeadKind, ...]:
        """Return the kind of each member."""
        return tuple(_kind(member) for member in self.members)

    def layers(self, dim: int) -> nn.Sequential:
        """Return new layers for embeddings of this width: the members, then the merge."""
        kinds = self.kinds()
        members = Members(kinds, dim, beside_embedding=self.merge == "gate")
        return nn.Sequential(members, MERGES[self.merge](len(kinds), dim))

    def decode(self, outputs: Tensor) -> Tensor:
        """Return ages in years, shape `(batch,)`, for outputs `(batch, 1)`."""
        return outputs.squeeze(-1) * HUNDRED_YEARS


class Members(nn.Module):
    """The members' ages in hundreds of years; those that are not trained do not drop out either.

    Args:
        kinds: The kind of each member.
        dim: Width of the embeddings.
        beside_embedding: Put the embedding behind the ages, for a merge that looks at it.
    """

    def __init__(self, kinds: Sequence[HeadKind], dim: int, *, beside_embedding: bool) -> None:
        super().__init__()
        self.kinds = tuple(kinds)
        self.beside_embedding = beside_embedding
        self.heads = nn.ModuleList(kind.layers(dim) for kind in kinds)

    def forward(self, standardised: Tensor) -> Tensor:
        """Return `(batch, members)`, or `(batch, members + dim)`, for embeddings `(batch, dim)`."""
        pairs = zip(self.kinds, self.heads, strict=True)
        ages = [kind.decode(head(standardised)) / HUNDRED_YEARS for kind, head in pairs]
        merged = torch.stack(ages, dim=1)
        return torch.cat([merged, standardised], dim=1) if self.beside_embedding else merged

    def train(self, mode: bool = True) -> "Members":
        """Set the mode of training, but for frozen members, which stay as they are used."""
        return super().train(mode and any(weight.requires_grad for weight in self.parameters()))


class _Dense(nn.Linear):
    def __init__(self, members: int, dim: int) -> None:
        super().__init__(members, 1)
        nn.init.constant_(self.weight, 1 / members)
        nn.init.zeros_(self.bias)


class _Average(nn.Module):
    def __init__(self, members: int, dim: int) -> None:
        super().__init__()

    def forward(self, ages: Tensor) -> Tensor:
        return ages.mean(dim=1, keepdim=True)


class _Gate(nn.Module):
    def __init__(self, members: int, dim: int) -> None:
        super().__init__()
        self.members = members
        self.dropout = QuickDropout(GATE_DROPOUT)
        self.weigh = nn.Linear(dim, members)
        nn.init.zeros_(self.weigh.weight)
        nn.init.zeros_(self.weigh.bias)

    def forward(self, ages_and_embedding: Tensor) -> Tensor:
        ages = ages_and_embedding[:, : self.members]
        embedding = ages_and_embedding[:, self.members :].contiguous()
        shares = torch.softmax(self.weigh(self.dropout(embedding)), dim=1)
        return (shares * ages).sum(dim=1, keepdim=True)


MERGES: dict[str, type[_Dense | _Average | _Gate]] = {
    "dense": _Dense,
    "average": _Average,
    "gate": _Gate,
}

HEADS: dict[str, type[HeadKind]] = {
    "regression": RegressionHead,
    "linear": LinearHead,
    "label-distribution": LabelDistributionHead,
    "coral": CoralHead,
    "corn": CornHead,
    "experts": Experts,
}


def _kind(member: Mapping[str, Any]) -> HeadKind:
    if "name" not in member:
        raise ConfigError(
            f"expected the name of a head in each member, got {dict(member)!r}, "
            "write for example {name: regression}"
        )
    options = {key: value for key, value in member.items() if key != "name"}
    return build("head", HEADS, str(member["name"]), options)


def merged_head(
    heads: Sequence[AgeHead],
    members: Sequence[Mapping[str, Any]],
    *,
    merge: Literal["dense", "average", "gate"] = "average",
) -> AgeHead:
    """Return a head whose members are copies of these; all must standardise alike.

    Ages are limited to 0..120 after the merge, not those of each member. Calibrations of the
    members are not taken over: one for the whole may follow.

    Args:
        heads: The trained heads.
        members: The name and the options of each.
        merge: As in `Experts`.

    Examples:
        >>> from fairage.models.registry import make_head
        >>> heads = [make_head("regression", 4, {}) for _ in range(3)]
        >>> rows = torch.randn(5, 4)
        >>> merged = merged_head(heads, [{"name": "regression"}] * 3)
        >>> alone = torch.stack([head.ages(rows) for head in heads]).mean(dim=0)
        >>> torch.allclose(merged.ages(rows), alone, atol=1e-3)
        True
    """
    first = heads[0]
    alike = all(
        torch.equal(h.mean, first.mean) and torch.equal(h.scale, first.scale) for h in heads
    )
    assert alike, "members that standardise differently cannot share one standardisation"
    merged = AgeHead(Experts(tuple(map(dict, members)), merge), first.dim)
    merged.mean.copy_(first.mean)
    merged.scale.copy_(first.scale)
    for layers, head in zip(_members(merged).heads, heads, strict=True):
        layers.load_state_dict(head.layers.state_dict())
    return merged


def member_heads(head: AgeHead) -> tuple[AgeHead, ...]:
    """Return the members of an experts head; changing one's weights changes the whole.

    Examples:
        >>> from fairage.models.registry import make_head
        >>> [type(m.kind).__name__ for m in member_heads(make_head("experts", 4, {}))][:2]
        ['RegressionHead', 'RegressionHead']
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
    members = head.layers[0]
    assert isinstance(members, Members), "an experts head starts with its members"
    return members


def _view(head: AgeHead, kind: HeadKind, layers: nn.Module) -> AgeHead:
    assert isinstance(layers, nn.Sequential), "a kind of head makes its layers as a sequence"
    view = AgeHead(kind, head.dim)
    view.layers = layers
    view.mean, view.scale = head.mean, head.scale
    return view
