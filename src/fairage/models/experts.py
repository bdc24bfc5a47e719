"""Several heads on one embedding whose ages are merged into one: experts, and ensembles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from fairage.config import build
from fairage.exceptions import ConfigError
from fairage.models.kinds import Coral, Corn, HeadKind, LabelDistribution, Linear, Regression
from fairage.models.layers import QuickDropout
from fairage.objectives.objective import OutputKind
from fairage.objectives.regression import HUNDRED_YEARS

__all__ = ["KINDS", "MERGES", "Experts", "Members"]

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

KINDS: dict[str, type[HeadKind]] = {
    "regression": Regression,
    "linear": Linear,
    "label-distribution": LabelDistribution,
    "coral": Coral,
    "corn": Corn,
    "experts": Experts,
}


def _kind(member: Mapping[str, Any]) -> HeadKind:
    if "name" not in member:
        raise ConfigError(
            f"expected the name of a head in each member, got {dict(member)!r}, "
            "write for example {name: regression}"
        )
    options = {key: value for key, value in member.items() if key != "name"}
    return build("head", KINDS, str(member["name"]), options)
