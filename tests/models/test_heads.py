"""The kit's head: layers, decoding, options; every head's contract is in tests/checks."""

from typing import Any

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from fairage.exceptions import ConfigError
from fairage.models import HEADS, Calibration, check_pair, make_head
from fairage.models.heads import QuickDropout
from fairage.objectives import OBJECTIVES


def test_the_default_layers_are_the_kits() -> None:
    layers = list(make_head("regression", 512, {}).layers)
    kinds = [QuickDropout, nn.Linear, nn.ReLU, nn.Linear, nn.ReLU, nn.Linear, nn.Sigmoid]
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
    head = make_head("regression", 4, {"output": "linear"})
    linear = head.kind.decode(head(far))
    assert linear.min() < 0 or linear.max() > 100


def test_linear_is_the_regression_head_without_its_sigmoid() -> None:
    kinds = [type(layer) for layer in make_head("linear", 512, {}).layers]
    assert kinds == [type(layer) for layer in make_head("regression", 512, {}).layers][:-1]


def test_a_distribution_decodes_to_its_mean() -> None:
    logits = torch.full((2, 101), -1e9)
    logits[0, 30] = logits[1, 20] = logits[1, 40] = 0
    kind = make_head("label-distribution", 4, {}).kind
    assert kind.decode(logits).tolist() == pytest.approx([30, 30])


@pytest.mark.parametrize("name", ["coral", "corn"])
def test_an_ordinal_head_starts_with_every_age_about_as_likely(name: str) -> None:
    head = make_head(name, 4, {"dropout": 0.0})
    ages = head.ages(torch.zeros(1, 4))
    assert ages.item() == pytest.approx(50, abs=1)


def test_corals_probabilities_fall_from_year_to_year_at_first() -> None:
    assert (make_head("coral", 4, {}).eval()(torch.randn(9, 4)).diff(dim=1) < 0).all()


def test_layers_can_be_normalised() -> None:
    kinds = [type(m) for m in make_head("label-distribution", 4, {"layer_norm": True}).layers]
    assert kinds == [QuickDropout, nn.Linear, nn.LayerNorm, nn.ReLU, nn.Linear]


def test_dense_layers_can_have_a_dropout_of_their_own() -> None:
    head = make_head("linear", 4, {"hidden": [64], "dropout": 0.0, "hidden_dropout": 0.5})
    kinds = [type(m) for m in head.layers]
    assert kinds == [QuickDropout, nn.Linear, nn.ReLU, QuickDropout, nn.Linear]
    rows = torch.randn(1, 4)
    head.train()
    assert not torch.equal(head.from_standardised(rows), head.from_standardised(rows))
    assert_close(head.ages(rows), head.ages(rows))


def test_a_dropout_of_all_numbers_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"dropouts from 0 to below 1 .* got \[0.5, 1.0\]"):
        make_head("linear", 4, {"hidden_dropout": 1.0})


@pytest.mark.parametrize("name", sorted({*HEADS} - {"experts"}))
@pytest.mark.parametrize("hidden", [[], [5], [5, 3]])
def test_the_parts_before_and_from_the_last_layer_on_make_the_whole(name, hidden) -> None:
    head = make_head(name, 4, {"hidden": hidden}).eval()
    before, last = head.parted()
    rows = torch.randn(3, 4)
    assert_close(last(before(rows)), head.from_standardised(rows))
    assert sum(1 for layer in last if any(True for _ in layer.parameters())) == 1


@pytest.mark.parametrize("name", sorted(HEADS))
def test_each_head_goes_with_the_objectives_that_read_it_alone(name: str) -> None:
    kind = make_head(name, 4, {}).kind
    for objective in (known() for known in OBJECTIVES.values()):
        if objective.fits == kind.gives:
            check_pair(kind, objective)
        else:
            with pytest.raises(ConfigError, match="expected a head for the objective"):
                check_pair(kind, objective)
    assert any(known.fits == kind.gives for known in OBJECTIVES.values())


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


def test_estimated_ages_are_ages_whatever_corrects_them() -> None:
    head = make_head("regression", 1, {"output": "linear"})
    embeddings = torch.tensor([[-1e4], [0.0], [1e4]])
    assert all(0 <= age <= 120 for age in head.ages(embeddings).tolist())
    head.calibration = Calibration((0.0, 100.0), (-30.0, 160.0))
    assert all(0 <= age <= 120 for age in head.ages(embeddings).tolist())
