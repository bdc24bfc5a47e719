"""The pages about the audit hold what they say."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from fairage.auditing.measures import MEASURES

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def test_the_page_of_audit_json_is_as_the_code_says() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "audit_json_page.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("key", sorted(MEASURES))
def test_every_measure_is_documented(key: str) -> None:
    assert f"| `{key}` |" in (DOCS / "audit-json.md").read_text(encoding="utf-8")


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


def test_the_guide_to_audit_a_model_runs_as_it_is_written(tmp_path: Path) -> None:
    page = (DOCS / "guides" / "audit-a-model.md").read_text(encoding="utf-8")
    script = "\n".join(re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL))
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == "0.0", "every picture has an estimate"
    assert (tmp_path / "audit.html").exists()
    assert (tmp_path / "predictions.parquet").exists()


def _shown(page: str, command: str) -> list[str]:
    """Return the lines that the page shows as what a command prints, up to the next command."""
    after = page.split(f"$ {command}\n")[1].split("\n$ ")[0].split("\n## ")[0]
    printed, *blocks = after.split("```")
    texts = [block.removeprefix("text") for block in blocks[1::2] if block.startswith("text")]
    return [line for text in (printed, *texts) for line in text.splitlines() if line.strip()]
