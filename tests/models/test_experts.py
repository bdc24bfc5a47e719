"""Experts and ensembles: merges, frozen members, what a bundle keeps of them."""

from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from fairage.exceptions import ConfigError
from fairage.models import (
    HEADS,
    AgeHead,
    Bundle,
    Experts,
    load_bundle,
    make_head,
    member_heads,
    merged_head,
    save_bundle,
)

DIM = 5
MEMBERS = [
    {"name": "regression", "hidden": [7]},
    {"name": "label-distribution", "hidden": []},
    {"name": "corn", "hidden": [3]},
]
every_merge = pytest.mark.parametrize("merge", ["dense", "average", "gate"])


def standardised_heads() -> list[AgeHead]:
    rows = 3 + 2 * torch.randn(50, DIM, generator=torch.Generator().manual_seed(0))
    heads = []
    for member in MEMBERS:
        options = {key: value for key, value in member.items() if key != "name"}
        head = make_head(str(member["name"]), DIM, options)
        head.standardise_by(rows)
        heads.append(head)
    return heads


@every_merge
def test_every_merge_begins_as_the_mean_of_the_members(merge) -> None:
    heads, rows = standardised_heads(), torch.randn(9, DIM)
    mean = torch.stack([head.ages(rows) for head in heads]).mean(dim=0)
    assert_close(merged_head(heads, MEMBERS, merge=merge).ages(rows), mean, rtol=1e-4, atol=1e-3)


def test_the_members_of_a_merged_head_are_the_heads_it_was_made_of() -> None:
    heads, rows = standardised_heads(), torch.randn(9, DIM)
    for head, member in zip(heads, member_heads(merged_head(heads, MEMBERS)), strict=True):
        assert torch.equal(head.ages(rows), member.ages(rows))


def test_changing_a_member_changes_the_whole_and_not_what_it_was_made_of() -> None:
    heads, rows = standardised_heads(), torch.randn(9, DIM)
    before = heads[0].ages(rows)
    merged = merged_head(heads, MEMBERS)
    whole = merged.ages(rows)
    with torch.no_grad():
        for weight in member_heads(merged)[0].layers.parameters():
            weight.zero_()
    assert not torch.equal(merged.ages(rows), whole)
    assert torch.equal(heads[0].ages(rows), before)


def test_a_gate_can_follow_one_member_here_and_another_there() -> None:
    merged = merged_head(standardised_heads(), MEMBERS, merge="gate").eval()
    gate = merged.layers[1]
    with torch.no_grad():
        gate.weigh.weight[0, 0], gate.weigh.weight[1, 0] = 1000.0, -1000.0
    rows = torch.randn(40, DIM)
    first, second, _ = (member.ages(rows) for member in member_heads(merged))
    left = merged.standardised(rows)[:, 0] > 0
    assert_close(merged.ages(rows), torch.where(left, first, second), rtol=1e-4, atol=1e-3)


def test_frozen_members_do_not_drop_out() -> None:
    head, rows = make_head("experts", 64, {"members": MEMBERS, "merge": "dense"}), torch.ones(1, 64)
    head.train()
    assert not torch.equal(head(rows), head(rows))
    head.layers[0].requires_grad_(False)
    head.train()
    assert torch.equal(head(rows), head(rows))


@every_merge
def test_a_bundle_keeps_members_and_merge(merge, tmp_path: Path) -> None:
    head, rows = merged_head(standardised_heads(), MEMBERS, merge=merge), torch.randn(9, DIM)
    options = {"members": MEMBERS, "merge": merge}
    save_bundle(Bundle(head, "experts", options, ({"name": "x"},)), tmp_path / "bundle")
    found = load_bundle(tmp_path / "bundle")
    assert torch.equal(found.head.ages(rows), head.ages(rows))
    assert [type(m.kind).__name__ for m in member_heads(found.head)] == [
        "RegressionHead",
        "LabelDistributionHead",
        "CornHead",
    ]


def test_experts_may_be_members(tmp_path: Path) -> None:
    inner = {"name": "experts", "members": MEMBERS, "merge": "gate"}
    options = {key: value for key, value in inner.items() if key != "name"}
    heads = [make_head("experts", DIM, options) for _ in range(2)]
    merged = merged_head(heads, [inner, inner])
    rows = torch.randn(9, DIM)
    told = {"members": [inner, inner], "merge": "average"}
    save_bundle(Bundle(merged, "experts", told, ({"name": "x"},)), tmp_path / "bundle")
    assert torch.equal(load_bundle(tmp_path / "bundle").head.ages(rows), merged.ages(rows))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"members": []}, "one member or more"),
        ({"members": [{"hidden": [3]}]}, "expected the name of a head"),
        ({"members": [{"name": "regresion"}]}, "Did you mean 'regression'"),
        ({"members": [{"name": "linear", "hiden": [3]}]}, "Did you mean 'hidden'"),
        ({"merge": "mean"}, "merge"),
    ],
)
def test_members_that_cannot_be_are_refused(options, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_head("experts", DIM, options)


def test_a_head_without_members_says_so() -> None:
    with pytest.raises(ConfigError, match="kind 'experts', got LinearHead"):
        member_heads(make_head("linear", DIM, {}))


def test_experts_are_a_head_like_any_other() -> None:
    assert HEADS["experts"] is Experts
