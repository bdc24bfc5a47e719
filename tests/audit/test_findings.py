"""Published figures checked, and how many rows a gap takes."""

import numpy as np
import pytest

from fairage.audit.auditing import audit
from fairage.audit.findings import RESOLVED_GAP, check_claim, rows_to_resolve
from fairage.audit.groups import group_rows
from fairage.audit.intervals import Estimate
from fairage.audit.sample import gather
from fairage.audit.settings import AuditSettings


@pytest.mark.parametrize(
    ("claimed", "verdict"),
    [
        (3.43, "reproduced"),
        (3.4, "reproduced"),
        (3.433, "reproduced"),
        (3.3, "within chance"),
        (3.26, "not reproduced"),
        (0.0, "not reproduced"),
    ],
)
def test_a_claim_is_held_against_the_measured_mae(claimed: float, verdict: str) -> None:
    found = check_claim(claimed, Estimate(3.4325, 1977, 3.29, 3.58))
    assert found is not None
    assert found.verdict == verdict
    assert "3.433" in found.text or "3.432" in found.text


def test_no_claim_no_check() -> None:
    assert check_claim(None, Estimate(3.4, 10, 3.0, 4.0)) is None


def test_so_many_rows_find_the_gap_in_four_of_five_samples(rng: np.random.Generator) -> None:
    groups = group_rows(np.repeat(["a", "b"], [100, 30_000]))
    pilot = gather({"x": groups})
    needed = rows_to_resolve(pilot.quantity(rng.gamma(2, 2, 30_100)), pilot.attributes["x"])[0]
    assert needed is not None
    found = 0
    for _ in range(400):
        own = rng.gamma(2, 2, needed) + RESOLVED_GAP
        rest = rng.gamma(2, 2, 30_000)
        error = np.sqrt(own.var() / len(own) + rest.var() / len(rest))
        found += abs(own.mean() - rest.mean()) > 1.96 * error
    assert 0.68 <= found / 400 <= 0.92  # the pilot's own variance is uncertain


def test_errors_that_do_not_vary_need_no_number_of_rows() -> None:
    sample = gather({"x": group_rows(list("aabb"))})
    quantity = sample.quantity(np.array([2.0, 2.0, 1.0, 5.0]))
    needed = rows_to_resolve(quantity, sample.attributes["x"])
    assert needed[0] is None
    assert needed[1] is not None


def test_floors_that_shuffle_rows_of_persons_are_warned_of(
    rng: np.random.Generator, quick: AuditSettings
) -> None:
    persons = np.repeat(np.arange(50), 4)
    table = {
        "age": rng.uniform(40, 50, 50)[persons],
        "prediction": rng.uniform(20, 60, 200),
        "gender": rng.choice(["f", "m"], 50)[persons],
        "expression": np.tile(["happy", "neutral"], 100),
        "who": persons,
    }

    def told(**options: str) -> list[str]:
        found = audit(table, attributes=["gender", "expression"], settings=quick, **options)
        return [w.text for w in found.warnings if w.name == "varies_within_persons"]

    (text,) = told(identity="who")
    assert "more than one group of expression:" in text
    table["row"] = np.arange(200)
    assert told(identity="row") == told() == []
