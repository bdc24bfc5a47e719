"""Changes by group: exact values, limits that hold at once, and who takes part."""

import numpy as np
import pytest

from fairage.auditing.changes import OVERALL
from fairage.auditing.groups import Groups, Units, group_rows, groups_of
from fairage.auditing.noise import estimate_means
from fairage.auditing.paired_inference import PairedInference, changes_at_once, infer_changes


def attributes_of(rng: np.random.Generator, n: int, sizes: list[int]) -> dict[str, Groups]:
    return {
        f"attribute {i}": groups_of(
            [f"g{j}" for j in range(k)], rng.choice(k, n, p=rng.dirichlet(np.full(k, 8.0)))
        )
        for i, k in enumerate(sizes)
    }


def equal_models(rng: np.random.Generator, n: int, heavy: bool) -> tuple[np.ndarray, np.ndarray]:
    """Two models with errors of one law, correlated."""
    one = rng.standard_normal(n)
    other = 0.8 * one + 0.6 * rng.standard_normal(n)
    if heavy:
        return tuple(2 * np.sign(z) * np.exp(0.6 * np.abs(z)) for z in (one, other))
    return 4 * one, 4 * other


def some_group_differs(changes: PairedInference) -> bool:
    return any(
        verdict.improved or verdict.worsened or verdict.moved
        for name, verdict in changes.verdicts.items()
        if name != OVERALL
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "sizes", "heavy"),
    [(4_000, [2, 3, 4], False), (4_000, [2, 3, 4], True), (10_000, [2, 4, 8, 12], True)],
    ids=["9 groups", "9 groups, heavy tails", "26 groups, heavy tails"],
)
def test_equal_models_seldom_differ_for_some_group(n: int, sizes: list[int], heavy: bool) -> None:
    """With 1.96 standard errors a group it would be 42 % of 9 groups and 80 % of 26."""
    rng = np.random.default_rng(20)
    tables = 500 if n < 5_000 else 250
    found = overall = 0
    for _ in range(tables):
        a, b = equal_models(rng, n, heavy)
        changes = infer_changes(a, b, attributes_of(rng, n, sizes))
        found += some_group_differs(changes)
        overall += bool(changes.verdicts[OVERALL].improved + changes.verdicts[OVERALL].worsened)
    assert found / tables <= 0.065
    assert overall / tables <= 0.08


def test_equal_models_on_small_groups_seldom_differ() -> None:
    rng = np.random.default_rng(2)
    found = 0
    for _ in range(60):
        a, b = equal_models(rng, 400, heavy=True)
        found += some_group_differs(infer_changes(a, b, attributes_of(rng, 400, [2, 3])))
    assert found <= 7


def test_a_few_changed_rows_prove_nothing() -> None:
    """Four rows of 1,000 that all change one way: by a normal law 12 % of such tables differ."""
    rng = np.random.default_rng(3)
    groups = {"g": groups_of(("x", "y"), rng.integers(0, 2, 1000))}
    a = np.abs(rng.standard_normal(1000)) * 4 + 5
    b = a.copy()
    b[:4] += 3.0
    changes = infer_changes(a, b, groups)
    assert not some_group_differs(changes)
    assert not changes.verdicts[OVERALL].worsened
    b[:40] += 3.0
    assert infer_changes(a, b, groups).verdicts[OVERALL].worsened


def test_limits_of_all_groups_hold_at_once() -> None:
    rng, misses, tables = np.random.default_rng(4), 0, 100
    groups = groups_of([f"g{i}" for i in range(8)], np.arange(3200) % 8)
    shifts = np.linspace(-1, 1, 8)[groups.codes]
    for _ in range(tables):
        a = 4 + rng.uniform(0, 2, 3200)
        b = a + shifts + rng.normal(0, 1.0, 3200)
        changes = infer_changes(a, b, {"g": groups}).groups["g"]
        truth = dict(zip(changes, np.linspace(-1, 1, 8), strict=True))
        misses += any(
            not each["mae"].low <= truth[name] <= each["mae"].high  # type: ignore[operator]  # both ends are there
            for name, each in changes.items()
        )
    assert misses / tables <= 0.09


def test_the_critical_value_of_independent_groups_is_known() -> None:
    rng = np.random.default_rng(5)
    groups = {"g": group_rows(np.arange(20_000) % 20)}
    means = estimate_means({"mae": rng.normal(size=20_000)}, groups)
    # 20 two-sided normal tests at once: Sidak's 0.99744 leaves 3.02.
    assert changes_at_once(means, np.arange(20)) == pytest.approx(3.02, abs=0.12)
    assert changes_at_once(means, np.arange(1)) == pytest.approx(1.96, abs=0.1)
    assert changes_at_once(means, np.zeros(0, dtype=np.int64)) == 0.0


def test_values_are_means_of_the_differences() -> None:
    rng = np.random.default_rng(6)
    a, b = rng.normal(1, 3, 500), rng.normal(-1, 2, 500)
    groups = groups_of(("x", "y"), rng.integers(0, 2, 500))
    changes = infer_changes(a, b, {"g": groups})
    for place, name in enumerate(groups.names):
        rows, change = groups.codes == place, changes.groups["g"][name]
        assert change["mae"].value == pytest.approx(np.abs(b[rows]).mean() - np.abs(a[rows]).mean())
        assert change["mean_error"].value == pytest.approx(b[rows].mean() - a[rows].mean())
        assert change.a["mae"] == pytest.approx(np.abs(a[rows]).mean())
        assert change.b["mean_error"] == pytest.approx(b[rows].mean())
        assert change["mae"].n == change.n == rows.sum()
    assert changes.overall["mae"].value == pytest.approx(np.abs(b).mean() - np.abs(a).mean())


def test_what_both_models_share_cancels_out() -> None:
    rng = np.random.default_rng(7)
    a = np.abs(rng.normal(0, 6, 800)) + 0.1
    change = infer_changes(a, a + 0.01 + rng.normal(0, 0.001, 800), {}).overall["mae"]
    assert change.low is not None
    assert change.high is not None
    assert 0.009 < change.low < change.high < 0.011


def test_errors_that_are_equal_but_for_rounding_do_not_differ() -> None:
    """Estimates 2.7 too high and 2.7 too low: the MAE is the same, the mean error is not."""
    ages = np.linspace(10, 70, 401)
    changes = infer_changes((ages + 2.7) - ages, (ages - 2.7) - ages, {})
    assert changes.overall["mae"].value == 0.0
    assert not changes.verdicts[OVERALL].improved + changes.verdicts[OVERALL].worsened
    assert changes.verdicts[OVERALL].kind == "shifted"


def test_identical_estimates_have_no_interval() -> None:
    a = np.random.default_rng(8).normal(0, 3, 100)
    changes = infer_changes(a, a, {"g": group_rows(np.arange(100) % 2)})
    assert {verdict.kind for verdict in changes.verdicts.values()} == {"identical"}
    for group in (changes.overall, *changes.groups["g"].values()):
        assert group.identical
        assert (group["mae"].value, group["mae"].low, group["mae"].high) == (0.0, None, None)


def test_a_group_whose_estimates_are_the_same_stands_beside_one_that_changed() -> None:
    rng = np.random.default_rng(9)
    groups = groups_of(("same", "better"), np.arange(400) % 2)
    a = rng.normal(0, 3, 400) + 6
    b = np.where(groups.codes == 0, a, a - 2)
    changes = infer_changes(a, b, {"g": groups})
    assert changes.groups["g"]["same"].identical
    assert changes.groups["g"]["same"]["mae"].low is None
    assert changes.verdicts["g"].kind == "better"
    assert [change.group for change in changes.verdicts["g"].improved] == ["better"]


def test_small_groups_and_unknown_are_listed_and_not_judged() -> None:
    rng = np.random.default_rng(10)
    codes = np.repeat([0, 1, 2], [200, 29, 60])
    groups = groups_of(("large", "small", "unknown"), codes)
    a = np.abs(rng.normal(0, 1, 289)) + 9
    b = a - np.where(codes == 0, 0.0, 8.0) + rng.normal(0, 0.5, 289)
    changes = infer_changes(a, b, {"g": groups})
    own = changes.groups["g"]
    assert [own[name].reason for name in groups.names] == ["", "too small", "unknown"]
    assert own["small"]["mae"].high is not None
    assert own["small"]["mae"].high < -7
    assert changes.verdicts["g"].kind == "within margin"
    assert changes.verdicts["g"].left_out == (("g", "small", 29), ("g", "unknown", 60))
    assert infer_changes(a, b, {"g": groups}, min_rows=20).verdicts["g"].kind == "better"


def test_rows_of_left_out_groups_count_overall() -> None:
    a, b = np.full(60, 5.0), np.r_[np.full(31, 5.0), np.full(29, 3.0)]
    groups = {"g": groups_of(("large", "small"), np.repeat([0, 1], [31, 29]))}
    assert infer_changes(a, b, groups).overall["mae"].value == pytest.approx(-2 * 29 / 60)


def test_fewer_rows_than_the_least_tell_nothing() -> None:
    changes = infer_changes(np.full(20, 9.0), np.full(20, 1.0), {})
    verdict = changes.verdicts[OVERALL]
    assert (verdict.kind, verdict.reason) == ("cannot tell", "too few rows")
    assert infer_changes(np.full(30, 9.0), np.full(30, 1.0), {}).verdicts[OVERALL].kind == "better"


def test_persons_are_the_unit() -> None:
    """Twenty rows of one person are not twenty persons: limits widen, groups are counted anew."""
    rng = np.random.default_rng(11)
    persons = Units(np.repeat(np.arange(40), 20), 40)
    effect = rng.normal(0, 1, 40)[persons.codes]
    a = 8 + rng.normal(0, 0.2, 800)
    b = a + effect + rng.normal(0, 0.2, 800)
    groups = {"g": groups_of(("x", "y"), (persons.codes >= 12).astype(int))}
    rows, clustered = infer_changes(a, b, groups), infer_changes(a, b, groups, units=persons)
    width = [each.overall["mae"].high - each.overall["mae"].low for each in (rows, clustered)]  # type: ignore[operator]  # both ends are there
    assert width[1] > 2.5 * width[0]
    assert clustered.groups["g"]["x"].n_persons == 12
    assert clustered.groups["g"]["x"].reason == "too small"
    assert clustered.overall.n_persons == 40
    assert rows.groups["g"]["x"].takes_part


def test_weights_count_rows_as_often_as_they_say() -> None:
    rng = np.random.default_rng(12)
    a, b = np.abs(rng.normal(0, 3, 90)), np.abs(rng.normal(0, 2, 90))
    weights = rng.integers(1, 4, 90)
    groups = groups_of(("x", "y"), np.arange(90) % 2)
    weighted = infer_changes(a, b, {"g": groups}, weights=weights.astype(float))
    repeated = np.repeat(np.arange(90), weights)
    expected = infer_changes(
        a[repeated], b[repeated], {"g": groups_of(("x", "y"), groups.codes[repeated])}
    )
    for one, other in (
        (weighted.overall, expected.overall),
        (weighted.groups["g"]["x"], expected.groups["g"]["x"]),
    ):
        assert one["mae"].value == pytest.approx(other["mae"].value)
        assert one.a["mae"] == pytest.approx(other.a["mae"])
    assert weighted.overall.n == 90
