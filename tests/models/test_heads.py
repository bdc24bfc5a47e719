"""The kit's head: layers, decoding, options; every head's contract is in tests/checks."""

from typing import Any

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from fairage.exceptions import ConfigError
from fairage.models import make_head


def test_the_default_layers_are_the_kits() -> None:
    layers = list(make_head("regression", 512, {}).layers)
    kinds = [nn.Dropout, nn.Linear, nn.ReLU, nn.Linear, nn.ReLU, nn.Linear, nn.Sigmoid]
    assert [type(layer) for layer in layers] == kinds
    assert layers[0].p == 0.5
    dense = [layer for layer in layers if isinstance(layer, nn.Linear)]
    assert [(layer.in_features, layer.out_features) for layer in dense] == [
        (512, 128),
        (128, 32),
        (32, 1),
    ]


def test_dense_layers_start_as_keras_starts_them() -> None:
    dense = make_head("regression", 512, {}).layers[1]
    limit = (6 / (512 + 128)) ** 0.5
    assert dense.weight.abs().max() <= limit
    assert dense.weight.abs().max() > 0.99 * limit
    assert not dense.bias.any()


def test_an_output_is_the_age_in_hundreds_of_years() -> None:
    head = make_head("regression", 4, {})
    assert_close(head.kind.decode(torch.tensor([[0.25], [0.5]])), torch.tensor([25.0, 50.0]))


def test_a_sigmoid_keeps_the_age_in_0_to_100_and_a_linear_output_does_not() -> None:
    far = 1e4 * torch.randn(50, 4, generator=torch.Generator().manual_seed(0))
    ages = make_head("regression", 4, {}).ages(far)
    assert ages.min() >= 0
    assert ages.max() <= 100
    linear = make_head("regression", 4, {"output": "linear"}).ages(far)
    assert linear.min() < 0 or linear.max() > 100


def test_hidden_layers_can_be_chosen_or_left_out() -> None:
    assert make_head("regression", 4, {"hidden": [7]}).layers[1].out_features == 7
    only = [m for m in make_head("regression", 4, {"hidden": []}).layers if hasattr(m, "weight")]
    assert [(m.in_features, m.out_features) for m in only] == [(4, 1)]


def test_dropout_acts_in_training_alone() -> None:
    head, rows = make_head("regression", 64, {}), torch.ones(1, 64)
    head.train()
    assert not torch.equal(head(rows), head(rows))
    head.eval()
    assert torch.equal(head(rows), head(rows))


def test_a_number_that_never_varies_keeps_the_scale_one() -> None:
    head = make_head("regression", 2, {})
    head.standardise_by(torch.tensor([[3.0, 1.0], [3.0, 5.0]]))
    assert head.mean.tolist() == [3, 3]
    assert head.scale.tolist() == [1, 2]
    assert torch.isfinite(head.ages(torch.tensor([[3.0, 1.0]]))).all()


def test_one_row_can_be_standardised_by() -> None:
    head = make_head("regression", 2, {})
    head.standardise_by(torch.tensor([[3.0, 1.0]]))
    assert head.scale.tolist() == [1, 1]


@pytest.mark.parametrize(
    "options",
    [
        {"output": "softplus"},
        {"dropout": 1.0},
        {"dropout": -0.1},
        {"dropout": float("nan")},
        {"dropout": "half"},
        {"hidden": [0]},
        {"hidden": 128},
        {"hidden": [1.5]},
    ],
)
def test_a_wrong_option_is_an_error(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="expected"):
        make_head("regression", 4, options)


def test_an_unknown_name_or_option_is_an_error_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"got 'regressio'\. Did you mean 'regression'\?"):
        make_head("regressio", 4, {})
    with pytest.raises(ConfigError, match=r"got 'hiddn'\. Did you mean 'hidden'\?"):
        make_head("regression", 4, {"hiddn": [3]})
