"""No sentence, cell or verdict of one audit contradicts another: all of them are read back."""

import os
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.reports.factories import Group, adjusted_gap, age_check, model, ranges
from tests.reports.held_back import held_back
from tests.reports.reading import Reader, read_audit
from tests.reports.sentence_patterns import COVERAGE_NAMES, PATTERNS

from fairage.auditing.audit_settings import AuditSettings
from fairage.tables import AGE_GROUP

GROUPS = {
    "gender": ("female", "male"),
    "skin_tone": ("dark", "medium", "light"),
    "region": ("north", "south", "east", "west"),
    "glasses": ("worn", "absent"),
}
AGES = ("young", "adult", "senior", "old")


def test_results_made_by_hand_are_read_back() -> None:
    names: set[str] = set()
    for seed in range(400):
        rng = np.random.default_rng(seed)
        names |= read_audit(_made_by_hand(rng), AuditSettings())
    assert names == {name for _, name in PATTERNS}, "every sentence is said at least once"


def _made_by_hand(rng: np.random.Generator) -> Any:
    names = list(GROUPS)[: rng.integers(1, 5)]
    attributes = {name: _groups(GROUPS[name], rng) for name in names}
    if rng.random() < 0.7:
        attributes[AGE_GROUP] = _groups(AGES, rng)
    options: dict[str, Any] = {}
    gender = attributes["gender"]
    if rng.random() < 0.6 and min(group.n for group in gender.values()) >= 30:
        options["adjusted"] = {"gender": _adjusted(gender, rng)}
    if rng.random() < 0.3:
        check = age_check({name: attributes[name] for name in names})
        reached = {} if rng.random() < 0.5 else {"reached_at": None, "reached_by": None}
        options["age_check"] = replace(check, **reached)
    if rng.random() < 0.3:
        options["ranges"] = ranges()
    return held_back(model(attributes, **options))


def _groups(names: tuple[str, ...], rng: np.random.Generator) -> dict[str, Group]:
    spread, off = rng.choice([0.0, 0.3, 2.0]), rng.choice([0.0, 0.5, 3.0])
    return {
        name: Group(
            int(rng.choice([12, 60, 400, 5000])),
            float(4 + spread * rng.uniform(-1, 1)),
            float(off * rng.uniform(-1, 1)),
            int(rng.choice([0, 0, 20])),
        )
        for name in names
    }


def _adjusted(gender: dict[str, Group], rng: np.random.Generator) -> list[Any]:
    gaps = []
    for measure in ("mae", "mean_error"):
        first, second = sorted(gender, key=lambda name: -getattr(gender[name], measure))
        crude = getattr(gender[first], measure) - getattr(gender[second], measure)
        explained = float(crude * rng.uniform(-1, 2))
        reach, usable = float(rng.choice([0.1, 1.0])), bool(rng.random() < 0.8)
        gaps.append(
            adjusted_gap(
                crude,
                explained,
                reach=reach,
                names=(first, second),
                measure=measure,
                usable=usable,
            )
        )
    return gaps


STARTS = range(1000, 3000 if os.environ.get("FAIRAGE_FUZZ") == "1" else 2000, 250)
"""`make fuzz` reads twice as many tables as the other runs."""


@pytest.mark.parametrize(
    ("first", "n_tables"),
    [
        (0, 60),
        *(pytest.param(start, 250, marks=pytest.mark.slow) for start in STARTS),
    ],
)
def test_audits_of_simulated_tables_are_read_back(first: int, n_tables: int) -> None:
    from fairage.auditing import audit

    names: set[str] = set()
    for seed in range(first, first + n_tables):
        rng = np.random.default_rng(seed)
        table, options, settings = simulated(rng)
        result = audit(table, settings=settings, **options)
        for made in result.models.values():
            try:
                names |= read_audit(made, settings)
            except AssertionError as error:
                raise AssertionError(f"table {seed}: {error}") from error
    assert names >= COVERAGE_NAMES, f"never said of intervals: {COVERAGE_NAMES - names}"


def simulated(rng: np.random.Generator) -> tuple[pl.DataFrame, dict[str, Any], AuditSettings]:
    """Return a table of 60 to 400 rows, how to read it, and how to audit it."""
    n = int(rng.integers(60, 401))
    persons = rng.integers(0, max(n // 3, 12), n) if rng.random() < 0.3 else None
    names = list(GROUPS)[: rng.integers(1, 5)]
    columns = {name: _labels(GROUPS[name], n, persons, rng) for name in names}
    ages = rng.uniform(3, 85, n)
    if rng.random() < 0.4:  # one group is older
        older = columns[names[0]] == GROUPS[names[0]][0]
        ages = np.where(older, rng.uniform(30, 85, n), rng.uniform(3, 60, n))
    errors = _errors(columns, ages, persons, rng)
    estimates = np.clip(ages + errors, 0, 110).round(2)
    frame = pl.DataFrame({"age": ages.round(1), "prediction": estimates, **columns})
    options: dict[str, Any] = {"attributes": names}
    if persons is not None:
        frame = frame.with_columns(identity=pl.Series(persons).cast(pl.String))
        options["identity"] = "identity"
    intervals = rng.spawn(1)[0]
    frame = _with_failures(frame, columns[names[-1]], rng)
    are_ranges = bool(rng.random() < 0.2)
    if are_ranges:
        frame = frame.with_columns(age=_as_ranges(ages))
    if are_ranges or intervals.random() < 0.7:
        ends = _intervals(ages, errors, columns[names[0]], intervals, are_ranges=are_ranges)
        frame = frame.with_columns(**ends)
    if rng.random() < 0.1:
        ranges = pl.Series("prediction", _as_ranges(estimates))
        known = pl.col("prediction").is_not_null()
        frame = frame.with_columns(prediction=pl.when(known).then(ranges))
    return frame, options, _settings(rng)


def _labels(
    groups: tuple[str, ...], n: int, persons: np.ndarray | None, rng: np.random.Generator
) -> np.ndarray:
    shares = rng.dirichlet(np.full(len(groups), 1.5))
    labels = rng.choice(np.array(groups), n, p=shares)
    if persons is not None and rng.random() < 0.8:
        labels = labels[persons]
    if rng.random() < 0.3:
        labels = np.where(rng.random(n) < 0.05, "unknown", labels)
    return labels


def _errors(
    columns: dict[str, np.ndarray],
    ages: np.ndarray,
    persons: np.ndarray | None,
    rng: np.random.Generator,
) -> np.ndarray:
    scale = np.full(len(ages), rng.uniform(1, 6))
    shift = np.zeros(len(ages))
    for labels in columns.values():
        wide, off = rng.choice([0, 0, 1]), rng.choice([0, 0, 1])
        for group in np.unique(labels):
            scale = scale * np.where(labels == group, 1 + wide * rng.uniform(0, 1.5), 1)
            shift = shift + np.where(labels == group, off * rng.normal(0, 3), 0)
    if rng.random() < 0.5:
        scale = scale * (0.3 + ages / 50)
    noise = rng.normal(0, 1, len(ages))
    if persons is not None:
        noise = 0.6 * noise + 0.8 * rng.normal(0, 1, persons.max() + 1)[persons]
    return shift + scale * noise


def _with_failures(
    frame: pl.DataFrame, labels: np.ndarray, rng: np.random.Generator
) -> pl.DataFrame:
    kind = rng.choice(["none", "none", "even", "uneven"])
    if kind == "none":
        return frame
    rate = np.where((labels == labels[0]) & (kind == "uneven"), 0.4, 0.05)
    failed = pl.Series(rng.random(len(labels)) < rate)
    return frame.with_columns(prediction=pl.when(failed).then(None).otherwise(pl.col("prediction")))


def _intervals(
    ages: np.ndarray,
    errors: np.ndarray,
    labels: np.ndarray,
    rng: np.random.Generator,
    *,
    are_ranges: bool,
) -> dict[str, Any]:
    """Return columns of intervals: too short for a group, open, missing, or as they should be."""
    n, level = len(ages), rng.choice([0.8, 0.9, 0.95])
    reach = np.quantile(abs(errors), rng.choice([0.5, level, level, 0.98, 1.0]))
    short = (labels == labels[0]) & (rng.random() < 0.5)
    reach = reach * np.where(short, 0.4, 1.0) * rng.uniform(0.9, 1.1, n)
    lower, upper = ages + errors - reach, ages + errors + reach
    for end, nothing in ((lower, rng.choice([-np.inf, np.nan])), (upper, np.inf)):
        end[rng.random(n) < rng.choice([0.0, 0.1, 0.7, 1.0], p=[0.7, 0.15, 0.1, 0.05])] = nothing
    if are_ranges and rng.random() < 0.6:  # each range of true age is partly inside
        lower, upper = ages - 0.3, ages + 0.3
    missing = rng.random(n) < rng.choice([0.0, 0.1, 0.8], p=[0.55, 0.25, 0.2])
    lower[missing] = upper[missing] = np.nan
    ends = {"lower": lower, "upper": upper}
    columns = {name: pl.Series(values).fill_nan(None) for name, values in ends.items()}
    return columns | ({} if rng.random() < 0.3 else {"level": pl.lit(level)})


def _as_ranges(ages: np.ndarray) -> pl.Series:
    low = (ages // 10 * 10).astype(int)
    return pl.Series([f"{start}-{start + 9}" for start in low])


def _settings(rng: np.random.Generator) -> AuditSettings:
    options: dict[str, Any] = {"margin": float(rng.choice([0.5, 1.0, 1.0, 5.0]))}
    if rng.random() < 0.3:
        options |= {"legal_age": 18, "challenge": 25, "wanted_rate": float(rng.choice([0.01, 0.2]))}
    if rng.random() < 0.2:
        options["claimed_mae"] = round(float(rng.uniform(1, 8)), 2)
    if rng.random() < 0.3:
        options["min_rows"] = int(rng.choice([5, 60]))
    return AuditSettings(**options)


WRONG = [
    ("at least 1.0 years apart", "at least 1.2 years apart"),
    ("The MAE of male faces is 4.60", "The MAE of male faces is 4.70"),
    ("is larger than 1.00 years", "is larger than 0.90 years"),
    ("The MAE of male faces is 4.60 years, that of female faces 3.10", "All is well: 3.10"),
    ("Young faces are estimated too old, old", "Adult faces are estimated too old, old"),
    ("Old faces have the worst MAE", "Young faces have the worst MAE"),
    ("skin tone unknown (10 faces)", "skin tone unknown (11 faces)"),
    ("(at least 0.50 years) comes from", "(at least 0.70 years) comes from"),
    (
        "Between people of the same age it is at least 0.20",
        "Between people of the same age it is at least 0.50",
    ),
    ("1.40 corrected for noise", "1.60 corrected for noise"),
    ("6 of 6 pairs of groups differ", "5 of 6 pairs of groups differ"),
    (
        "Groups of gender and age group differ in MAE",
        "Groups of gender and skin tone differ in MAE",
    ),
    ("pass, at least 0.08 points", "pass, at least 0.9 points"),
    ("could still be up to 6.0", "could still be up to 5.0"),
    ("lies between 2.10 and", "lies between 2.20 and"),
]


@pytest.mark.parametrize(("right", "wrong"), WRONG)
def test_the_reader_notices_what_is_wrong(
    right: str, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = model(
        adjusted={"gender": [adjusted_gap(1.5, 0.9)]}, age_check=age_check(), ranges=ranges()
    )
    read_audit(made, AuditSettings())
    hits = []

    def changed(self: Reader, place: str, text: str, *patterns: Any) -> None:
        hits.append(right in text)
        original(self, place, text.replace(right, wrong), *patterns)

    original = Reader.read_text
    monkeypatch.setattr(Reader, "read_text", changed)
    with pytest.raises((AssertionError, KeyError)):
        read_audit(made, AuditSettings())
    assert any(hits)
