"""Published predictions of another team give the numbers that are known of them."""

from pathlib import Path

import pytest

import fairage

BIASES = {
    "gender": 0.0786007,
    "expression": 0.2757021,
    "ethnicity": 0.3056719,
    "age_group": 2.3901180,
}
AGE_GROUPS = {"young": 2.2079565, "adult": 2.9933557, "senior": 4.3771740, "old": 6.5269197}


@pytest.mark.real_data
def test_farls_numbers(real_data: Path) -> None:
    result = fairage.audit(
        real_data / "data" / "predictions" / "appa_real_test_farl.csv",
        age="apparent_age_avg",
        prediction="pred_apparent_farl_exp008",
        attributes=["gender", "expression", "ethnicity"],
        settings=fairage.AuditSettings(claimed_mae=3.26),
    )
    assert result.overall["mae"].value == pytest.approx(3.4325315, abs=1e-5)
    assert {name: own.value for name, own in result.bias.items()} == pytest.approx(BIASES, abs=1e-5)
    errors = {name: group["mae"].value for name, group in result.groups["age_group"].items()}
    assert errors == pytest.approx(AGE_GROUPS, abs=1e-5)
    assert result.average_bias.value == pytest.approx(0.7625232, abs=1e-5)
    assert result.average_floor.mean == pytest.approx(0.24, abs=0.02)
    assert result.claim.kind == "not reproduced"
    kinds = {name: verdict.kind for name, verdict in result.verdicts.items()}
    assert kinds["ethnicity"] == kinds["expression"] == "cannot tell"
    assert kinds["age_group"] == "differ"
    assert sum(result.failures.reasons.values()) == 1
