"""The spread of what a head holds possible: its standard deviation, of experts that of all."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from fairage.models import AgeHead, ages_and_spreads, make_head, spreads_of

DIM = 4


def rows(n: int = 6) -> Tensor:
    return torch.randn(n, DIM, generator=torch.Generator().manual_seed(0))


def outputs_of(head: AgeHead) -> Tensor:
    return head.from_standardised(head.standardised(rows()))


def loud(name: str, **options: object) -> AgeHead:
    """A head whose outputs differ from face to face."""
    torch.manual_seed(1)
    head = make_head(name, DIM, options).eval()
    with torch.no_grad():
        for layer in head.layers.modules():
            if isinstance(layer, nn.Linear):
                layer.weight.mul_(3)
    return head


def deviation(probabilities: np.ndarray) -> np.ndarray:
    years = np.arange(probabilities.shape[1])
    means = probabilities @ years
    return np.sqrt((probabilities * (years - means[:, None]) ** 2).sum(axis=1))


def older(name: str, outputs: Tensor) -> np.ndarray:
    shares = torch.sigmoid(outputs.double())
    return (shares.cumprod(dim=1) if name == "corn" else shares).detach().numpy()


def test_a_distribution_has_its_standard_deviation() -> None:
    head = loud("label-distribution")
    outputs = outputs_of(head)
    expected = deviation(torch.softmax(outputs.double(), dim=1).detach().numpy())
    found = spreads_of(head, rows(), outputs).detach().numpy()
    np.testing.assert_allclose(found, np.maximum(expected, 1), rtol=1e-4)
    assert len(set(found.tolist())) > 1


@pytest.mark.parametrize("name", ["coral", "corn"])
def test_thresholds_are_a_distribution_too(name: str) -> None:
    head = loud(name)
    outputs = outputs_of(head)
    shares = older(name, outputs)
    ones, zeros = np.ones((len(shares), 1)), np.zeros((len(shares), 1))
    probabilities = np.hstack([ones, shares]) - np.hstack([shares, zeros])
    found = spreads_of(head, rows(), outputs).detach().numpy()
    np.testing.assert_allclose(found, np.maximum(deviation(probabilities), 1), rtol=1e-3)


@pytest.mark.parametrize("name", ["regression", "linear"])
def test_a_number_alone_has_a_spread_of_one_year(name: str) -> None:
    head = loud(name)
    assert spreads_of(head, rows(), outputs_of(head)).tolist() == [1.0] * 6


def test_experts_are_taken_as_one_distribution() -> None:
    members = ({"name": "label-distribution"}, {"name": "coral"}, {"name": "regression"})
    head = loud("experts", members=members, merge="average")
    ages, variances = [], []
    for kind, layers in zip(head.layers[0].kinds, head.layers[0].heads, strict=True):
        alone = AgeHead(kind, DIM)
        alone.layers = layers
        outputs = layers(rows())
        ages.append(kind.decode(outputs))
        spread = spreads_of(alone, rows(), outputs)
        variances.append(spread**2 if kind.gives != "number" else torch.zeros(6))
    between = torch.stack(ages).var(dim=0, correction=0)
    expected = (torch.stack(variances).mean(dim=0) + between).sqrt()
    assert_close(spreads_of(head, rows(), outputs_of(head)), expected, rtol=1e-4, atol=1e-4)


def test_certain_heads_have_a_spread_of_one_year() -> None:
    certain = torch.full((2, 101), -100.0)
    certain[:, 30] = 100.0
    assert spreads_of(loud("label-distribution"), rows(2), certain).tolist() == [1.0, 1.0]


def test_both_come_without_dropout() -> None:
    head = loud("label-distribution", hidden=(8,), dropout=0.5).train()
    ages, spreads = ages_and_spreads(head, rows())
    assert_close(ages, head.ages(rows()))
    assert_close(spreads, ages_and_spreads(head, rows())[1])
