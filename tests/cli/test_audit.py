"""`fairage audit` and `fairage compare`, as a person and as a script use them."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

CSV = "image;label;pred;sex\na;20,5;22;f\nb;30;28;m\nc;41;40;f\nd;50;61;m\n"


def fairage(*arguments: object, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fairage", *map(str, arguments)]
    return subprocess.run(
        command, input=stdin, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def predictions(tmp_path: Path, rng: np.random.Generator) -> Path:
    ages = rng.uniform(10, 70, 150).round(1)
    frame = pl.DataFrame(
        {
            "image": [f"{i}.jpg" for i in range(150)],
            "age": ages,
            "prediction": (ages + rng.normal(0, 4, 150)).round(2),
            "gender": rng.choice(["female", "male"], 150),
        }
    )
    frame.write_parquet(tmp_path / "a.parquet")
    frame.with_columns(pl.col("prediction") + 1).write_csv(tmp_path / "b.csv")
    return tmp_path / "a.parquet"


def test_a_person_reads_guess_biases_policy_and_claim(predictions: Path) -> None:
    done = fairage(
        "audit", predictions, "--replicates", 50, "--legal-age", 18, "--challenge", 25,
        "--claimed-mae", 1.5,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for words in ("Columns guessed: age 'age'", "gender", "noise", "passes from 25", "published"):
        assert words in done.stdout


def test_out_holds_report_and_numbers(predictions: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = fairage("audit", predictions, "--replicates", 50, "--out", out)
    assert done.returncode == 0, done.stderr
    told = json.loads((out / "audit.json").read_text(encoding="utf-8"))
    assert told["rows"]["used"] == 150
    assert "<html" in (out / "audit.html").read_text(encoding="utf-8")


def test_stdin_is_read_and_json_is_printed() -> None:
    done = fairage("audit", "-", "--json", "--replicates", 20, stdin=CSV)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["name"] == "standard input"
    assert told["columns"]["age"] == "label"
    assert told["models"][0]["errors"]["mae"]["value"] == pytest.approx((1.5 + 2 + 1 + 11) / 4)


def test_options_choose_columns_and_age_edges(predictions: Path) -> None:
    done = fairage(
        "audit", predictions, "--age", "age", "--prediction", "prediction", "--attribute",
        "gender", "--age-edges", "0,18,65", "--replicates", 20, "--json",
    )  # fmt: skip
    groups = json.loads(done.stdout)["models"][0]["attributes"][-1]["groups"]
    assert [group["name"] for group in groups] == ["0-18", "18-65", "65+"]


def test_a_comparison_is_shown_and_written(predictions: Path, tmp_path: Path) -> None:
    other, out = predictions.with_name("b.csv"), tmp_path / "out"
    done = fairage("compare", predictions, other, "--replicates", 50, "--out", out)
    assert done.returncode == 0, done.stderr
    assert "bias of gender" in done.stdout
    told = json.loads((out / "compare.json").read_text(encoding="utf-8"))
    assert told["n"] == 150
    assert "<html" in (out / "compare.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["audit", "none.csv"], "no file 'none.csv'"),
        (["audit", "-"], "empty file"),
        (["audit", "{table}", "--age", "agee"], "Did you mean 'age'"),
        (["audit", "{table}", "--age-edges", "0,x"], "--age-edges"),
        (["audit", "{table}", "--age-edges", "5,3"], "rise from 0"),
        (["audit", "{table}", "--challenge", "25"], "legal_age"),
        (["audit", "{table}", "--replicates", "3"], "replicates"),
        (["compare", "{table}", "none.csv"], "no file"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    arguments: list[str], words: str, predictions: Path
) -> None:
    done = fairage(*(part.format(table=predictions) for part in arguments))
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: ")


@pytest.mark.parametrize("command", ["audit", "compare"])
def test_help_shows_an_example(command: str) -> None:
    done = fairage(command, "--help")
    assert done.returncode == 0
    assert f"fairage {command} " in " ".join(done.stdout.split("Example")[1].split())
