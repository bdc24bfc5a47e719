"""Sentences, table and section about a model's own intervals, read back against the numbers."""

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.reports.reading import Reader, read_audit

from fairage.auditing import AuditResult, AuditSettings, audit
from fairage.reports.audit_coverage import coverage_sentences, coverage_table
from fairage.reports.audit_page import audit_html

Parse = Callable[[str], Any]


def audited(hits: dict[str, tuple[int, int]], level: float | None = 0.9) -> AuditResult:
    """Return the audit of groups of which so many of so many true ages lie inside."""
    held = [i < inside for inside, n in hits.values() for i in range(n)]
    skin = [group for group, (_, n) in hits.items() for _ in range(n)]
    n = len(held)
    frame = pl.DataFrame(
        {
            "age": np.where(held, 30.0, 50.0),
            "prediction": np.linspace(25, 35, n),
            "lower": np.full(n, 20.0),
            "upper": np.full(n, 40.0),
            "skin": skin,
        }
    )
    settings = AuditSettings(level=level)
    return audit(frame, settings=settings)


def told(result: AuditResult) -> str:
    return " ".join(coverage_sentences(result.coverage)).replace("\u202f", " ")


def test_each_kind_has_its_sentence() -> None:
    words = told(
        audited({"dark": (700, 1000), "light": (990, 1000), "olive": (900, 1000), "red": (28, 35)})
    )
    assert "The interval of the estimate holds the true age of 86.3 % of 3,035 faces (" in words
    assert "; 90 % were promised: it falls short, by at least 2." in words
    assert "dark faces (70.0 %, by at least 16 points) (95 % confidence, all 6 groups at" in words
    assert "at once by Bonferroni's correction)" in words
    assert (
        "It holds more than promised for adult faces (100.0 %, by at least 9.7 points) and" in words
    )
    assert "It is within 5 points of the promise for olive faces (90.0 %, up to " in words
    assert "cannot tell whether the promise is kept for red faces (80.0 %, up to " in words


def test_nothing_is_short_without_proof() -> None:
    words = told(audited({"dark": (35, 40), "light": (36, 40)}))
    assert "these rows cannot tell whether the promise is kept, up to " in words
    assert "It falls short for no group for certain (95 % confidence, all " in words


def test_without_a_level_it_is_asked_for() -> None:
    words = told(audited({"dark": (35, 40), "light": (36, 40)}, None))
    assert "how many it promises to hold is not known: --level says so." in words
    assert "short" not in words
    assert "promised" not in words


def test_what_is_not_judged_is_named() -> None:
    words = told(audited({"dark": (350, 400), "light": (3, 4)}))
    assert "Not judged, being too small or unknown: skin light (4 faces)." in words


def test_open_missing_and_undecided_rows_are_told() -> None:
    frame = pl.DataFrame(
        {
            "age": ["20-29", "30", "31", "32"],
            "prediction": [25.0, 30.0, 31.0, 33.0],
            "lower": [25.0, None, 20.0, None],
            "upper": [35.0, 40.0, 40.0, None],
        }
    )
    words = told(audit(frame))
    assert "without 1 interval of 3 with an open end" in words
    assert "the median width, in which these are the widest, is 20.0 years." in words
    assert "1 estimate has no interval and has no part in this." in words
    assert "Of 1 face the true age is a range that lies partly inside the interval" in words
    frame = frame.with_columns(lower=pl.lit(None, dtype=pl.Float64))
    assert "No interval has both ends." in told(audit(frame))


def test_random_audits_say_no_more_than_their_limits() -> None:
    for seed in range(60):
        rng = np.random.default_rng(seed)
        level = float(rng.choice([0.5, 0.8, 0.9, 0.95]))
        sizes = {name: int(rng.choice([12, 40, 200, 900])) for name in ("dark", "light", "olive")}
        hits = {
            name: (int(rng.binomial(n, min(level + rng.normal(0, 0.08), 1))), n)
            for name, n in sizes.items()
        }
        result = audited(hits, level)
        (model,) = result.models.values()
        read_audit(model, result.settings)


HITS = {"dark": (700, 1000), "light": (990, 1000), "olive": (900, 1000), "red": (28, 35)}
WRONG = [
    ("the true age of 86.2\u202f%", "the true age of 86.3\u202f%"),
    ("of 3,039 faces (", "of 3,038 faces ("),
    ("90\u202f% were promised", "95\u202f% were promised"),
    ("it falls short, by at least 2.", "it falls short, by at least 3."),
    ("it falls short, by", "it holds more, by"),
    ("are 20.0 (20.0 to 20.0) years wide", "are 20.0 (20.0 to 20.1) years wide"),
    ("20.0 in the median", "21.0 in the median"),
    ("dark faces (70.0\u202f%", "dark faces (71.0\u202f%"),
    ("dark faces (70.0\u202f%, by", "olive faces (70.0\u202f%, by"),
    ("by at least 16 points)", "by at least 17 points)"),
    ("all 6 groups at once", "all 7 groups at once"),
    ("It holds more than promised for adult", "It falls short for adult"),
    ("is within 5 points of the promise", "is within 4 points of the promise"),
    ("olive faces (90.0\u202f%, up to 2", "olive faces (90.0\u202f%, up to 1"),
    ("These rows cannot tell whether the promise is kept for red", "It is within 5 points for red"),
    (" These rows cannot tell whether the promise is kept for red", "Red"),
    ("skin blue (4 faces)", "skin blue (5 faces)"),
    ("skin blue (4 faces)", "skin red (4 faces)"),
]


@pytest.mark.parametrize(("right", "wrong"), WRONG)
def test_the_reader_notices_what_is_wrong(
    right: str, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = audited({**HITS, "blue": (3, 4)})
    (model,) = result.models.values()
    read_audit(model, result.settings)
    hits = []

    def changed(self: Reader, place: str, text: str, *patterns: Any) -> None:
        hits.append(right in text)
        original(self, place, text.replace(right, wrong) if patterns else text, *patterns)

    original = Reader.read_text
    monkeypatch.setattr(Reader, "read_text", changed)
    with pytest.raises((AssertionError, KeyError)):
        read_audit(model, result.settings)
    assert any(hits), f"not said: {right}"


@pytest.mark.parametrize("start", ["It holds more", "It is within", "These rows", "Not judged"])
def test_the_reader_notices_what_is_not_said(start: str, monkeypatch: pytest.MonkeyPatch) -> None:
    result = audited({**HITS, "blue": (3, 4)})
    (model,) = result.models.values()

    def changed(self: Reader, place: str, text: str, *patterns: Any) -> None:
        if not patterns or not text.startswith(start):
            original(self, place, text, *patterns)

    original = Reader.read_text
    monkeypatch.setattr(Reader, "read_text", changed)
    with pytest.raises(AssertionError):
        read_audit(model, result.settings)


def test_the_table_has_every_group_once() -> None:
    result = audited({"dark": (700, 1000), "light": (3, 4)})
    assert result.coverage is not None
    table = coverage_table(result.coverage, ["skin", "age_group"], 60)
    rows = {row.name: row for row in table.rows}
    assert list(rows)[:3] == ["All faces", "Skin: dark", "Skin: light"]
    assert rows["Skin: light"].remark == "too few"
    assert rows["Skin: light"].faint
    assert not rows["Skin: dark"].faint
    assert rows["Skin: dark"].remark == "falls short by at least 16 points"
    assert rows["Skin: dark"].cells[0][0] == "70.0\u202f%"


def test_the_page_has_the_section_only_where_there_are_intervals(parse: Parse) -> None:
    result = audited({"dark": (700, 1000), "light": (990, 1000)})
    page = audit_html(result)
    parse(page)
    section = page.split("Intervals of the estimates</h2>")[1].split("</section>")[0]
    assert "falls short by at least" in section
    assert "Coverage and width of intervals by skin" in section
    assert section.count("<h3>") == 2
    assert "lower to upper" in page.split("What was audited</h2>")[-1]
    plain = pl.DataFrame({"age": [30.0] * 40, "prediction": [31.0] * 39 + [33.0]})
    assert "Intervals of the estimates" not in audit_html(audit(plain))
