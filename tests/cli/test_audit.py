"""`fairage audit` and `fairage compare`, as a person and as a script use them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from fairage.cli.app import app
from fairage.cli.audit_options import bins_of, column_of, labels_of
from fairage.exceptions import ConfigError

CSV = "image;label;pred;sex\na;20,5;22;f\nb;30;28;m\nc;41;40;f\nd;50;61;m\n"


def fairage(
    *arguments: object, stdin: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fairage", *map(str, arguments)]
    return subprocess.run(
        command,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "COLUMNS": "80", **environment},
    )


def table(n: int = 400, seed: int = 0) -> pl.DataFrame:
    """Return a table in which men are estimated too young and women too old."""
    rng = np.random.default_rng(seed)
    gender = rng.choice(["female", "male"], n)
    ages = rng.uniform(10, 70, n).round(1)
    shift = np.where(gender == "male", -3.0, 3.0)
    return pl.DataFrame(
        {
            "image": [f"{i}.jpg" for i in range(n)],
            "age": ages,
            "prediction": (ages + shift + rng.normal(0, 3, n)).round(2),
            "gender": gender,
            "comment": [f"free text {i}" for i in range(n)],
        }
    )


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    frame = table()
    frame.write_parquet(tmp_path / "a.parquet")
    frame.with_columns(pl.col("prediction") + 1).write_csv(tmp_path / "b.csv")
    return tmp_path / "a.parquet"


def words(done: subprocess.CompletedProcess[str]) -> str:
    """Return what was printed on one line."""
    return " ".join(done.stdout.split())


def test_a_person_reads_what_the_intervals_hold(tmp_path: Path) -> None:
    frame = table().with_columns(
        lower=pl.col("prediction") - 3, upper=pl.col("prediction") + 3, level=0.9
    )
    frame.write_csv(tmp_path / "own.csv")
    done = fairage("audit", tmp_path / "own.csv", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "interval 'lower' to 'upper' of level 'level'" in words(done)
    assert "90 % were promised: it falls short, by at least" in words(done)
    assert max(len(line) for line in done.stdout.partition("Report: ")[0].splitlines()) <= 80
    written = json.loads((tmp_path / "audit.json").read_text(encoding="utf-8"))
    assert written["models"]["prediction"]["coverage"]["overall"]["kind"] == "falls short"
    frame.drop("level").write_csv(tmp_path / "own.csv")
    assert "--level says so" in words(fairage("audit", tmp_path / "own.csv"))
    done = fairage("audit", tmp_path / "own.csv", "--interval", "lower,upper", "--level", 0.1)
    assert "10 % were promised: it holds more" in words(done)
    assert "interval of" not in words(fairage("audit", tmp_path / "own.csv", "--interval", ""))
    done = fairage("audit", tmp_path / "own.csv", "--level", 90)
    assert done.returncode == 2
    assert "expected level between 0 and 1, got 90" in done.stderr


def test_a_person_reads_guess_headline_table_check_and_claim(predictions: Path) -> None:
    done = fairage("audit", predictions, "--legal-age", 18, "--challenge", 25, "--claimed-mae", 1.5)
    assert done.returncode == 0, done.stderr
    for part in (
        "Columns guessed: age 'age'",
        "Columns not used: 'comment' (",
        "All 400 rows have a true age and an estimate.",
        "Female faces are estimated too old, male faces too young: mean errors +",
        "years apart (95\u202f% confidence, all gaps at once)".replace("\u202f", " "),
        "differ by",
        "Age check for 18, who is estimated at 25 or older passes:",
        "was published",
    ):
        assert part in words(done), part
    assert max(len(line) for line in done.stdout.splitlines()) <= 80


def test_out_holds_page_and_numbers(predictions: Path, tmp_path: Path) -> None:
    out = tmp_path / "out[1]*"
    done = fairage("audit", predictions, "--out", out)
    assert done.returncode == 0, done.stderr
    assert f"Report: {out / 'audit.html'}" in done.stdout
    numbers = json.loads((out / "audit.json").read_text(encoding="utf-8"))
    assert numbers["models"]["prediction"]["verdict"]["kind"] == "differ"
    assert "<html" in (out / "audit.html").read_text(encoding="utf-8")


def test_several_tables_have_a_folder_each(predictions: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = fairage("audit", predictions, predictions.with_name("b.csv"), "--out", out)
    assert done.returncode == 0, done.stderr
    assert {path.parent.name for path in out.glob("*/audit.html")} == {"a", "b"}


def test_stdin_is_read_and_json_is_printed() -> None:
    done = fairage("audit", "-", "--json", stdin=CSV)
    assert done.returncode == 0, done.stderr
    numbers = json.loads(done.stdout)
    assert numbers["name"] == "standard input"
    assert numbers["columns"]["age"] == "label"
    mae = numbers["models"]["pred"]["overall"]["mae"]["value"]
    assert mae == pytest.approx((1.5 + 2 + 1 + 11) / 4)


def test_options_reach_the_audit(predictions: Path) -> None:
    done = fairage(
        "audit", predictions, "--age", "age", "--prediction", "prediction", "--attribute",
        "gender", "--age-edges", "0,18,65", "--min-rows", 50, "--margin", 2, "--rate-margin", 10,
        "--missing", "ERR", "--missing", "0", "--seed", 4, "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    numbers = json.loads(done.stdout)
    settings = numbers["settings"]
    assert settings["min_rows"] == 50
    assert settings["margin"] == 2.0
    assert settings["rate_margin"] == pytest.approx(0.1)
    assert settings["missing"] == ["ERR", "0"]
    assert settings["seed"] == 4
    model = numbers["models"]["prediction"]
    assert set(model["groups"]["age_group"]) == {"0-18", "18-65", "65+"}


def test_codes_are_named_numbers_binned_and_tables_joined(tmp_path: Path) -> None:
    frame = table().with_columns(income=pl.col("age") * 100)
    frame = frame.with_columns(gender=pl.col("gender").replace({"male": "0", "female": "1"}))
    frame.select("image", "prediction", "age").write_csv(tmp_path / "pred.csv")
    frame.select("image", "gender", "income").write_csv(tmp_path / "who.csv")
    done = fairage(
        "audit", tmp_path / "pred.csv", "--join", tmp_path / "who.csv", "--on", "image",
        "--attribute", "gender", "--attribute", "income", "--label", "gender.0=male",
        "--label", "gender.1=female", "--bins", "income=2000,4000", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    groups = json.loads(done.stdout)["models"]["prediction"]["groups"]
    assert set(groups["gender"]) == {"male", "female"}
    assert len(groups["income"]) == 3


def test_a_comparison_is_shown_and_written(predictions: Path, tmp_path: Path) -> None:
    other, out = predictions.with_name("b.csv"), tmp_path / "out"
    done = fairage("compare", predictions, other, "--out", out)
    assert done.returncode == 0, done.stderr
    assert "MAE" in done.stdout
    assert json.loads((out / "compare.json").read_text(encoding="utf-8"))
    assert "<html" in (out / "compare.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["audit", "none.csv"], "no file 'none.csv'"),
        (["audit", "-"], "empty"),
        (["audit", "{table}", "--age", "agee"], "Did you mean 'age'"),
        (["audit", "{table}", "--age-edges", "0,x"], "age-group edges as numbers"),
        (["audit", "{table}", "--age-edges", "5,3"], "rise from 0"),
        (["audit", "{table}", "--challenge", "25"], "legal_age"),
        (["audit", "{table}", "--min-rows", "1"], "--min-rows"),
        (["audit", "{table}", "--margin", "0"], "margin"),
        (["audit", "{table}", "--rate-margin", "0"], "rate_margin"),
        (["audit", "{table}", "--range-end", "half"], "range_end"),
        (["audit", "{table}", "--label", "gender=male"], "--label as COLUMN.CODE=NAME"),
        (["audit", "{table}", "--bins", "income"], "--bins as COLUMN=BINS"),
        (["audit", "{table}", "--on", "image"], "join"),
        (["compare", "{table}", "none.csv"], "no file"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    arguments: list[str], part: str, predictions: Path
) -> None:
    done = fairage(*(each.format(table=predictions) for each in arguments))
    assert done.returncode == 2
    assert part in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: ")


@pytest.mark.parametrize("command", ["audit", "compare"])
def test_help_shows_an_example_and_panels(command: str) -> None:
    done = fairage(command, "--help")
    assert done.returncode == 0
    assert f"fairage {command} " in " ".join(done.stdout.split("Example")[1].split())
    for panel in ("Columns", "Method", "Output"):
        assert panel in done.stdout


def test_an_encoding_without_the_signs_does_not_stop_the_output(predictions: Path) -> None:
    done = fairage("audit", predictions, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "mean errors +" in words(done)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_a_reader_that_leaves_early_is_no_error(predictions: Path, option: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "fairage", "audit", str(predictions), *option],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(writer)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr
    assert done.returncode == 1


def test_columns_are_one_or_both_ends_of_a_range() -> None:
    assert column_of(None) is None
    assert column_of("age") == "age"
    assert column_of("low,high") == ("low", "high")
    assert column_of("low, high") == ("low", "high")
    assert column_of("a,b,c") == "a,b,c"
    assert column_of(",age") == ",age"


def test_labels_are_gathered_bycolumn_of() -> None:
    options = ["gender.0=male", "gender.1=female", "skin.tone.1=a=b"]
    assert labels_of(options) == {"gender": {"0": "male", "1": "female"}, "skin.tone": {"1": "a=b"}}
    assert labels_of(None) is None
    for wrong in ("gender", "gender.0", "gender.=male", ".0=male", "gender.0="):
        with pytest.raises(ConfigError, match=r"--label as COLUMN\.CODE=NAME"):
            labels_of([wrong])


def test_bins_are_a_number_of_quantiles_or_edges() -> None:
    assert bins_of(["income=4", "a=b=20,50.5", "tone=2.5"]) == {
        "income": 4,
        "a=b": (20.0, 50.5),
        "tone": (2.5,),
    }
    assert bins_of([]) is None
    for wrong in ("income", "income=", "=4", "income=a,b"):
        with pytest.raises(ConfigError, match="--bins as COLUMN=BINS"):
            bins_of([wrong])


class StubModel:
    """Stands for a model of `fairage.load`: thirty years for everybody."""

    def __init__(self, source: str | None) -> None:
        self.source = source

    def predict(self, images: list[str], *, crops: bool = False) -> list[float]:
        return [31.0 if crops else 30.0] * len(images)


def test_faces_are_estimated_and_audited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str | None] = []

    def load(source: str | None) -> StubModel:
        loaded.append(source)
        return StubModel(source)

    monkeypatch.setitem(sys.modules, "fairage.prediction", SimpleNamespace(load=load))
    faces = tmp_path / "faces.csv"
    rows = [f"{i}.jpg,{20 + i % 20},{'train' if i % 2 else 'test'}" for i in range(80)]
    faces.write_text("\n".join(["image,age,split", *rows]), encoding="utf-8")
    out = tmp_path / "out"
    command = ["audit", "--faces", str(faces), "--model", "bundle", "--split", "test"]
    done = CliRunner().invoke(app, [*command, "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert loaded == ["bundle"]
    assert "All 40 rows have a true age and an estimate." in done.output
    assert pl.read_parquet(out / "predictions.parquet")["prediction"].to_list() == [30.0] * 40
    assert (out / "audit.html").exists()
    done = CliRunner().invoke(app, ["audit", "--faces", str(faces), "--crops", "--json"])
    assert loaded[1] is None, "the model in the box"
    assert json.loads(done.stdout)["models"]["prediction"]["n"] == 80


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["a.csv", "--faces", "b.csv"], "expected tables of estimates or --faces, got 'a.csv'"),
        (
            ["--model", "bundle"],
            "expected tables of estimates, or --faces and --model, got neither",
        ),
        (["a.csv", "--split", "test"], "expected --faces beside --split, got none"),
        (["a.csv", "--crops"], "expected --faces beside --crops, got none"),
    ],
)
def test_tables_and_faces_do_not_mix(options: list[str], message: str) -> None:
    done = fairage("audit", *options)
    assert done.returncode == 2
    assert message in done.stderr
