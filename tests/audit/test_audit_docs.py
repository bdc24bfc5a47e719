"""The pages about the audit hold what they say."""

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fairage.age_groups import AgeGroups
from fairage.audit import comparing, differences, intervals, levelling, parts, resampling, result
from fairage.audit.columns import Columns
from fairage.audit.rows import RowReport
from fairage.audit.settings import AuditSettings

DOCS = Path(__file__).parents[2] / "docs"
SOURCE = Path(__file__).parents[2] / "src" / "fairage" / "audit"
DOCUMENTED = [
    AgeGroups, AuditSettings, Columns, RowReport, comparing.ComparisonResult,
    differences.Difference, intervals.Estimate, levelling.Levelling, parts.AgePoint,
    parts.AuditWarning, parts.Cell, parts.Claim, parts.ErrorMeasures, parts.GroupAudit,
    parts.Intersection, parts.PairGap, parts.PolicyAudit, parts.PolicyCurve, parts.PolicyGroup,
    parts.Standardised, resampling.NoiseFloor, result.AttributeAudit, result.AuditResult,
    result.AverageBias, result.ModelAudit,
]  # fmt: skip


@pytest.mark.parametrize("part", DOCUMENTED, ids=lambda part: part.__name__)
def test_every_key_of_the_schema_is_documented(part: type) -> None:
    page = (DOCS / "audit-json.md").read_text(encoding="utf-8")
    section = page.split(f"### {part.__name__}\n")[1].split("\n### ")[0].split("\n## ")[0]
    named = re.findall(r"^\| `(\w+)` \|", section.split("The names:")[0], flags=re.MULTILINE)
    assert named == [field.name for field in dataclasses.fields(part)]


def test_the_version_of_the_schema_is_documented() -> None:
    page = (DOCS / "audit-json.md").read_text(encoding="utf-8")
    assert f"`schema_version`, now {result.SCHEMA_VERSION}." in page


def test_every_name_of_a_warning_is_documented() -> None:
    page = (DOCS / "audit-json.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `(\w+)` \|", page.split("The names:")[1], flags=re.MULTILINE))
    code = "".join((SOURCE / name).read_text() for name in ("findings.py", "pairing.py"))
    given = set(re.findall(r'(?:warn|AuditWarning)\(\s*"(\w+)"', code))
    assert len(given) > 10
    assert given <= listed


def test_the_tutorial_runs_as_it_is_written(tmp_path: Path) -> None:
    page = (DOCS / "tutorials" / "audit-a-vendor.md").read_text(encoding="utf-8")
    script = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)[0]
    (tmp_path / "make_vendor.py").write_text(script, encoding="utf-8")
    commands = re.findall(r"^\$ ((?:python|fairage) .*)$", page, flags=re.MULTILINE)
    assert len(commands) == 4
    for command in commands:
        words = command.replace("fairage", "-m fairage").removeprefix("python ").split()
        done = subprocess.run(
            [sys.executable, *words], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        shown = _shown(page, command)
        assert bool(shown) == (words[-1] != "make_vendor.py")
        printed = " ".join(done.stdout.split())
        for line in shown:
            assert " ".join(line.split()) in printed, line
    assert (tmp_path / "report" / "audit.html").exists()
    assert (tmp_path / "comparison" / "compare.html").exists()


def _shown(page: str, command: str) -> list[str]:
    """Return the lines that the page shows as what a command prints, up to the next command."""
    after = page.split(f"$ {command}\n")[1].split("\n$ ")[0].split("\n## ")[0]
    printed, *blocks = after.split("```")
    texts = [block.removeprefix("text") for block in blocks[1::2] if block.startswith("text")]
    return [line for text in (printed, *texts) for line in text.splitlines() if line.strip()]
