"""The quick dropout drops what ordinary dropout drops, on average and not otherwise."""

import pytest
import torch

from fairage._random import torch_seed
from fairage.models.heads import QuickDropout


@pytest.mark.parametrize("p", [0.1, 0.25, 0.5, 0.9])
def test_the_share_is_dropped_and_the_mean_is_kept(p: float) -> None:
    layer = QuickDropout(p).train()
    with torch_seed(0, "dropout"):
        found = layer(torch.ones(400, 501))
    assert (found == 0).float().mean().item() == pytest.approx(p, abs=0.005)
    assert found.mean().item() == pytest.approx(1, abs=0.02)
    assert found.unique().tolist() == pytest.approx([0, 1 / (1 - p)], rel=1e-3)


def test_neighbours_are_dropped_independently() -> None:
    with torch_seed(1, "dropout"):
        kept = (QuickDropout(0.5).train()(torch.ones(200_000)) > 0).float()
    assert (kept[1:] * kept[:-1]).mean().item() == pytest.approx(0.25, abs=0.01)
    assert (kept[8:] * kept[:-8]).mean().item() == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize(
    ("p", "integers", "lowest"), [(0.25, torch.int8, -64), (0.1, torch.int16, -26214)]
)
def test_the_mask_is_a_comparison_of_raw_random_bits(p: float, integers, lowest: int) -> None:
    rows = torch.randn(3, 40)
    with torch_seed(2, "dropout"):
        found = QuickDropout(p).train()(rows)
    with torch_seed(2, "dropout"):
        bits = torch.empty(60, dtype=torch.int64).random_(-(2**63), None).view(integers)
    assert torch.equal(found != 0, (bits[: rows.numel()] >= lowest).view(3, 40))


@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (0, 4)])
def test_any_shape_works(shape: tuple[int, int]) -> None:
    assert QuickDropout(0.3).train()(torch.ones(shape)).shape == shape


def test_nothing_happens_outside_training_or_with_a_share_of_zero() -> None:
    rows = torch.randn(5, 5)
    assert QuickDropout(0.5).eval()(rows) is rows
    assert QuickDropout(0.0).train()(rows) is rows


def test_a_gradient_flows_to_what_is_kept() -> None:
    rows = torch.ones(50, 50, requires_grad=True)
    found = QuickDropout(0.5).train()(rows)
    found.sum().backward()
    assert rows.grad is not None
    assert torch.equal(rows.grad, found.detach())
