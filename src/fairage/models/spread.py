"""How far apart the ages lie that a head holds possible for a face: its spread, in years.

Heads that give each age a probability know which faces are hard: a blurred or an old face has a
wide distribution. Intervals are wider where it is; see `fairage.prediction.intervals`.
"""

import torch
from torch import Tensor, nn

from fairage.models.experts import Experts, Members
from fairage.models.heads import AgeHead, HeadKind
from fairage.objectives.objective import OutputKind

LEAST_SPREAD = 1.0
"""Years; less is no knowledge of a face's age. Heads without a distribution have it throughout."""


def spreads_of(head: AgeHead, standardised: Tensor, outputs: Tensor) -> Tensor:
    """Return the standard deviation of the ages that a head holds possible, in years, `(n,)`.

    Of experts it is that of all their distributions as one, so that it grows where they disagree.
    It is never below one year, and one year where a head gives an age alone.

    Args:
        head: The head.
        standardised: Its embeddings `(n, dim)`, standardised.
        outputs: What it makes of them, `(n, k)`.

    Examples:
        >>> from fairage.models.registry import make_head
        >>> rows = torch.zeros(2, 4)
        >>> even = torch.zeros(2, 101)  # each age of 0..100 as likely
        >>> spreads_of(make_head("label-distribution", 4, {}), rows, even).round().tolist()
        [29.0, 29.0]
        >>> spreads_of(make_head("regression", 4, {}), rows, rows[:, :1]).tolist()
        [1.0, 1.0]
    """
    variances = _variances(head.kind, head.layers, standardised, outputs)
    return variances.clamp(min=LEAST_SPREAD**2).sqrt()


@torch.inference_mode()
def ages_and_spreads(head: AgeHead, embeddings: Tensor) -> tuple[Tensor, Tensor]:
    """Return what `AgeHead.ages` and `spreads_of` do for embeddings `(n, dim)`, without dropout."""
    head.eval()
    standardised = head.standardised(embeddings)
    outputs = head.from_standardised(standardised)
    return head.ages_of(outputs), spreads_of(head, standardised, outputs)


def _variances(kind: HeadKind, layers: nn.Module, standardised: Tensor, outputs: Tensor) -> Tensor:
    """Return the variances in square years `(n,)`; zeros where there is no distribution."""
    if isinstance(kind, Experts):
        assert isinstance(layers, nn.Sequential), "a kind of head makes its layers as a sequence"
        return _variances_of_all(layers[0], standardised)
    probabilities = _probabilities(kind.gives, outputs)
    if probabilities is None:
        return outputs.new_zeros(outputs.shape[0])
    years = torch.arange(probabilities.shape[1], dtype=outputs.dtype, device=outputs.device)
    means = probabilities @ years
    return (probabilities * (years - means[:, None]) ** 2).sum(dim=1)


def _variances_of_all(members: nn.Module, standardised: Tensor) -> Tensor:
    """Return the variances of the mean of the members' distributions."""
    assert isinstance(members, Members), "an experts head starts with its members"
    ages, inner = [], []
    for kind, layers in zip(members.kinds, members.heads, strict=True):
        outputs = layers(standardised)
        ages.append(kind.decode(outputs))
        inner.append(_variances(kind, layers, standardised, outputs))
    together = torch.stack(ages)
    between = (together - together.mean(dim=0)) ** 2
    return torch.stack(inner).mean(dim=0) + between.mean(dim=0)


def _probabilities(gives: OutputKind, outputs: Tensor) -> Tensor | None:
    """Return the probability of each age 0..100, `(n, 101)`; None where the head gives none."""
    if gives == "distribution":
        return torch.softmax(outputs, dim=1)
    if gives == "number":
        return None
    older = torch.sigmoid(outputs)
    older = older.cumprod(dim=1) if gives == "corn" else older
    ends = outputs.new_ones(outputs.shape[0], 1)
    return torch.cat([ends, older], dim=1) - torch.cat([older, 0 * ends], dim=1)
