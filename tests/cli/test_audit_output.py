"""What `fairage audit` prints and writes, of results made by hand."""

import io
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tests.reports.factories import Group, age_check, model

from fairage._text import visible
from fairage.auditing.audit_settings import AuditSettings
from fairage.auditing.columns import Columns
from fairage.auditing.result import AuditResult, ModelAudit
from fairage.auditing.result_parts import Claim, Interval, Note
from fairage.auditing.rows import RowReport
from fairage.cli.output import give_audits
from fairage.cli.terminal import replace_unknown_signs

PAYLOADS = [
    "[/b]",
    "[bold red]x[/bold red]",
    "[link=http://example.org]y[/link]",
    "[unknown]",
    ":smile:",
    "\x1b[31mred",
    "\x1b]0;title\x07",
    "two\nlines",
    "a\rb",
    "\u202egnirts",
    "%s %d {x} {0}",
    "\\[b]",
]
FAILING = {"female": Group(500, 3.1, 0.4, failed=90), "male": Group(480, 4.6, -0.9, failed=2)}


def result(
    *models: ModelAudit, name: str = "vendor.csv", unused: dict[str, str] | None = None
) -> AuditResult:
    made = models or (model({"gender": FAILING}),)
    return AuditResult(
        name=name,
        columns=Columns("age", ("pred",), ("gender",), guessed=("age",), unused=unused or {}),
        settings=AuditSettings(),
        rows=RowReport(1072, 1072, 0, {}, {}, 0, False, {}),
        notes=(Note("few", "Something to know."),),
        models={each.name: each for each in made},
    )


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """Print results on a wide terminal and return the lines."""

    def give(*results: AuditResult, columns: int = 300) -> list[str]:
        monkeypatch.setenv("COLUMNS", str(columns))
        give_audits(results, None, as_json=False)
        return capsys.readouterr().out.splitlines()

    return give


def test_guess_rows_headline_table_and_notes_are_printed(printed) -> None:
    lines = printed(result())
    assert lines[0] == "Columns guessed: age 'age'."
    assert lines[1] == "1,072 rows have a true age and 92 rows have no estimate."
    assert any(
        line.startswith("There is no estimate for 15\u202f% of female faces") for line in lines
    )
    assert any("differ by at least" in line and "male 4.60" in line for line in lines)
    assert "note: Something to know." in lines


def test_failures_check_and_claim_are_shown_only_where_there_are_some(printed) -> None:
    claim = Claim(3.0, Interval(3.4), "not reproduced", "The claim is not reproduced.")
    full = printed(result(model({"gender": FAILING}, age_check=age_check(), claim=claim)))
    plain = printed(result(model({"gender": {"male": Group(90, 3.0), "female": Group(90, 3.0)}})))
    for words in ("Missing estimates:", "Age check for 18", "No threshold", claim.text):
        assert any(line.startswith(words) for line in full) or words == "No threshold"
        assert not any(line.startswith(words) for line in plain)


def test_unused_columns_are_one_sentence(printed) -> None:
    unused = {f"c{i}": "free text" for i in range(9)}
    line = next(each for each in printed(result(unused=unused)) if "not used" in each)
    assert line.startswith("Columns not used: 'c0' (free text), ")
    assert line.endswith("and 3 more.")
    assert not any("not used" in each for each in printed(result()))


def test_lines_wrap_at_80_columns(printed) -> None:
    made = model({f"attribute_{i}": FAILING for i in range(4)}, age_check=age_check())
    assert max(len(line) for line in printed(result(made), columns=80)) <= 80


@pytest.mark.parametrize("payload", PAYLOADS)
def test_names_from_strangers_are_shown_and_never_obeyed(payload: str, printed) -> None:
    groups = {
        payload: Group(500, 3.1, failed=40),
        "male": Group(480, 4.6),
        f"{payload}x": Group(3, 9),
    }
    made = model({payload: groups}, name=payload)
    made = replace(made, failures=replace(made.failures, reasons={payload: 40}))
    twice = result(made, replace(made, name=f"{payload}2"), unused={payload: payload})
    text = "\n".join(printed(twice))
    assert visible(payload).replace("_", " ") in text
    assert all(letter.isprintable() for letter in text if letter not in "\n\u202f")
    assert "Traceback" not in text


def test_several_models_are_named_in_their_headlines(printed) -> None:
    two = result(model({"gender": FAILING}, name="a"), model({"gender": FAILING}, name="b"))
    starts = [line[:2] for line in printed(two)]
    assert "a:" in starts
    assert "b:" in starts


def test_signs_that_the_encoding_does_not_know_are_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    monkeypatch.setenv("COLUMNS", "200")
    groups = {"müde": Group(500, 3.1, -2.0), "male": Group(480, 4.6, 2.0)}
    replace_unknown_signs()
    give_audits([result(model({"gender": groups}))], None, as_json=False)
    sys.stdout.flush()
    text = raw.getvalue().decode("ascii")
    assert "m?de faces" in text
    assert "-2.00" in text
    assert "95 % confidence" in text


def test_several_tables_have_a_folder_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = []

    def save(made: AuditResult, path: str | Path) -> Path:
        saved.append(Path(path))
        return Path(path)

    monkeypatch.setattr(AuditResult, "save", save)
    names = ["a.csv", "x/a.parquet", "b[1].csv.gz", "..", "standard input"]
    give_audits([result(name=name) for name in names], tmp_path, as_json=False)
    folders = ["a", "a-2", "b[1]", "table", "standard input"]
    pages = [tmp_path / folder / "audit.html" for folder in folders]
    assert [path for path in saved if path.suffix == ".html"] == pages
    assert [path for path in saved if path.suffix == ".json"] == [
        page.with_suffix(".json") for page in pages
    ]
    give_audits([result()], tmp_path, as_json=False)
    assert saved[-1] == tmp_path / "audit.html"
    assert f"Report: {tmp_path / 'audit.html'}" in capsys.readouterr().out


def test_json_is_one_line_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    give_audits([result(name="a"), result(name="b")], None, as_json=True)
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["name"] for line in lines] == ["a", "b"]
