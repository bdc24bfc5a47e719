import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.reports.factories import GENDER, Group, model, result

from fairage.auditing.comparison import compare
from fairage.exceptions import ConfigError
from fairage.reports.saving import save_result, spreadsheet_safe


def test_the_suffix_says_what_is_written(tmp_path: Path) -> None:
    made = result(model({"gender": GENDER}))
    html = save_result(made, tmp_path / "a.html").read_text(encoding="utf-8")
    assert html.startswith("<!doctype html>")
    numbers = json.loads(save_result(made, str(tmp_path / "a.JSON")).read_text(encoding="utf-8"))
    assert numbers["models"]["prediction"]["overall"]["mae"]["n"] == 1000
    csv = pl.read_csv(save_result(made, tmp_path / "a.csv"))
    parquet = pl.read_parquet(save_result(made, tmp_path / "a.parquet"))
    assert csv["value"].to_list() == parquet["value"].to_list()
    assert parquet.equals(made.to_frame())


def test_the_result_s_own_method_writes_the_same(tmp_path: Path) -> None:
    made = result(model({"gender": GENDER}))
    assert made.save(tmp_path / "a.json") == tmp_path / "a.json"
    assert (tmp_path / "a.json").is_file()


@pytest.mark.parametrize("name", ["a.pdf", "a", "html", ".html.gz"])
def test_another_suffix_is_an_error_that_names_those_there_are(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"\.html, \.json, \.csv or \.parquet, got"):
        save_result(result(), tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".html", ".json", ".csv", ".parquet"])
def test_names_with_brackets_and_stars_are_names(tmp_path: Path, suffix: str) -> None:
    path = save_result(result(), tmp_path / "new" / f"a[1]*{suffix}")
    assert path.is_file()
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_what_stood_there_is_kept_where_writing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("before", encoding="utf-8")
    monkeypatch.setattr(pl.DataFrame, "write_csv", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        save_result(result(), path)
    assert path.read_text(encoding="utf-8") == "before"
    assert [file.name for file in tmp_path.iterdir()] == ["a.csv"]


def test_json_has_no_number_that_is_none(tmp_path: Path) -> None:
    one = result(model({"gender": {"f": Group(500, 3.0), "m": Group(1, 3.0)}}))
    text = save_result(one, tmp_path / "a.json").read_text(encoding="utf-8")
    assert "NaN" not in text
    json.loads(text, parse_constant=pytest.fail)


@pytest.mark.parametrize(
    "formula",
    ["=1+1", "=cmd|' /C calc'!A0", "+SUM(A1)", "-2+3", "@SUM(1)", "\t=1", "\r=1", " =1", "\n=1"],
)
def test_formulas_are_text_in_a_spreadsheet(tmp_path: Path, formula: str) -> None:
    made = result(model({formula: {formula: Group(300, 3.0), "m": Group(300, 4.0)}}, name=formula))
    frame = pl.read_csv(save_result(made, tmp_path / "a.csv"))
    for column in ("model", "attribute", "group"):
        assert f"'{formula}" in frame[column].to_list()
        assert formula not in frame[column].to_list()
    raw = pl.read_parquet(save_result(made, tmp_path / "a.parquet"))
    assert formula in raw["group"].to_list(), "only spreadsheets run formulas"


def test_numbers_and_words_stay_as_they_are() -> None:
    values = ["-1", "+3", "-0.5", "male", "", None, "a=b", "-3 %"]
    frame = pl.DataFrame({"group": values, "value": range(8)})
    assert spreadsheet_safe(frame).equals(frame)


def test_a_comparison_is_written_in_the_same_ways(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    ages = rng.uniform(5, 80, 120)
    table = {"image": [f"{i}.jpg" for i in range(120)], "age": ages, "gender": ["f", "m"] * 60}
    first, second = (table | {"prediction": ages + rng.normal(0, 3, 120)} for _ in range(2))
    made = compare(first, second)
    assert "<!doctype html>" in save_result(made, tmp_path / "c.html").read_text(encoding="utf-8")
    json.loads(save_result(made, tmp_path / "c.json").read_text(encoding="utf-8"))
    assert pl.read_csv(save_result(made, tmp_path / "c.csv")).height == made.to_frame().height
    assert pl.read_parquet(save_result(made, tmp_path / "c.parquet")).equals(made.to_frame())
