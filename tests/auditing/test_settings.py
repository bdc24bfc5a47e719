"""Options of an audit: what is refused, and how."""

import pytest

from fairage.auditing.audit_settings import AuditSettings
from fairage.exceptions import ConfigError


def test_the_defaults_are_those_of_the_methods() -> None:
    settings = AuditSettings()
    assert (settings.min_rows, settings.margin, settings.rate_margin) == (30, 1.0, 0.05)
    assert settings.threshold is None
    assert settings.range_end == "closed"
    assert settings.missing == ()


def test_the_threshold_is_the_challenge_or_else_the_legal_age() -> None:
    assert AuditSettings(legal_age=18).threshold == 18
    assert AuditSettings(legal_age=18, challenge=25).threshold == 25


@pytest.mark.parametrize(
    "options",
    [
        {"min_rows": 1},
        {"min_rows": 0},
        {"margin": 0},
        {"margin": -1.0},
        {"margin": 120},
        {"margin": float("nan")},
        {"margin": float("inf")},
        {"rate_margin": 0},
        {"rate_margin": 1},
        {"rate_margin": 5.0},
        {"wanted_rate": 0},
        {"wanted_rate": float("nan")},
        {"legal_age": 0},
        {"legal_age": 121},
        {"legal_age": float("nan")},
        {"challenge": 25},
        {"challenge": 0, "legal_age": 18},
        {"oldest": -5},
        {"claimed_mae": -0.1},
        {"claimed_mae": 121},
        {"claimed_mae": float("nan")},
        {"claimed_mae": "three"},
        {"claimed_mae": ""},
        {"claimed_mae": "1e1"},
        {"claimed_mae": "-3.4"},
        {"claimed_mae": "3,4"},
        {"claimed_mae": "nan"},
        {"range_end": "shut"},
    ],
)
def test_options_out_of_their_limits_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as caught:
        AuditSettings(**options)  # type: ignore[arg-type]  # options by name
    text = str(caught.value)
    assert text.startswith("expected") or "must be" in text or "range_end" in text
    assert "got" in text
    assert next(iter(options)) in text or "legal_age" in text or "margin" in text


@pytest.mark.parametrize("claim", [0, 3, 3.4, "3.40", " 3.4 ", ".5", "0", "12"])
def test_a_claim_is_a_number_or_how_it_is_written(claim: float | str) -> None:
    assert AuditSettings(claimed_mae=claim).claimed_mae == claim


@pytest.mark.parametrize(
    "options",
    [
        {"min_rows": 2},
        {"margin": 0.01},
        {"rate_margin": 0.999},
        {"legal_age": 0.5},
        {"legal_age": 120, "challenge": 120},
        {"oldest": 90},
        {"range_end": "open"},
    ],
)
def test_options_at_their_limits_are_taken(options: dict[str, object]) -> None:
    AuditSettings(**options)  # type: ignore[arg-type]  # options by name
