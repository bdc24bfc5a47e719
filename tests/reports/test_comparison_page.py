"""The page of a comparison: whole, safe, and with the numbers of the result."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.reports.comparisons import Model, compared
from tests.reports.conftest import parsed

from fairage._text import number, signed
from fairage.auditing.comparison import compare
from fairage.auditing.comparison_result import ComparisonResult
from fairage.reports.comparison_page import comparison_html, comparison_view
from fairage.reports.comparison_text import comparison_lines

PAYLOAD = "\"><script>window.pwned=1</script>{{7*7}}<!--'"


@pytest.fixture(scope="module")
def fairer() -> ComparisonResult:
    models = (
        Model({"f": 4.0, "m": 8.0, "x": 4.0}, missing={"f": 0.02}),
        Model({"f": 4.5, "m": 5.0, "x": 4.0}),
    )
    return compared(*models, sizes=(0.5, 0.45, 0.05))


def test_the_page_is_whole(fairer: ComparisonResult, parse: Callable[[str], Any]) -> None:
    html = comparison_html(fairer)
    text = parse(html).words
    for heading in (
        "one and two compared",
        "What changes from one to two",
        "Whose errors change",
        "Biases",
        "Faces without an estimate",
        "What this comparison cannot tell",
        "What was compared",
    ):
        assert heading in text
    assert html == comparison_html(fairer)


def test_every_sentence_is_on_the_page(
    fairer: ComparisonResult, parse: Callable[[str], Any]
) -> None:
    text = parse(comparison_html(fairer)).words
    _, *others = comparison_lines(fairer)
    for sentence in others:
        assert " ".join(sentence.split()) in text
    assert "two is more accurate than one" in text


def test_numbers_are_those_of_the_result(
    fairer: ComparisonResult, parse: Callable[[str], Any]
) -> None:
    text = parse(comparison_html(fairer)).words
    for group in fairer.groups["gender"].values():
        assert number(group.a["mae"]) in text
        assert number(group.b["mae"]) in text
        assert signed(group["mae"].value) in text
        assert signed(group["mean_error"].low) in text
    assert signed(fairer.overall["mae"].value) in text
    assert signed(fairer.bias["gender"].high) in text
    assert "too small" in text


def test_identical_models_have_a_page(parse: Callable[[str], Any]) -> None:
    same = Model({"f": 4.0, "m": 4.0})
    page = parse(comparison_html(compared(same, same, shared=1.0)))
    assert "give the same estimates" in page.words
    assert "nan" not in page.words
    assert not [tag for tag, _ in page.tags if tag == "svg"]


def test_few_rows_have_a_page(parse: Callable[[str], Any]) -> None:
    few = compared(Model({"f": 4.0, "m": 8.0}), Model({"f": 4.0, "m": 4.0}), n=6)
    text = parse(comparison_html(few)).words
    assert "too few to say" in text
    assert "nan" not in text


def test_a_model_without_failures_has_no_section_of_them() -> None:
    result = compared(Model({"f": 4.0, "m": 8.0}), Model({"f": 4.0, "m": 4.0}))
    assert "<h2>Faces without an estimate</h2>" not in comparison_html(result)


def test_names_from_a_table_are_text(parse: Callable[[str], Any]) -> None:
    rng = np.random.default_rng(0)
    gender = rng.choice([f"a{PAYLOAD}", f"b{PAYLOAD}"], 200)
    base = pl.DataFrame(
        {
            f"img{PAYLOAD}": [f"{i}" for i in range(200)],
            "age": rng.uniform(20, 60, 200),
            f"est{PAYLOAD}": rng.uniform(20, 60, 200),
            f"sex{PAYLOAD}": gender,
        }
    )
    other = base.with_columns(pl.lit(33.0).alias(f"est{PAYLOAD}"))
    result = compare(
        base,
        other,
        image=f"img{PAYLOAD}",
        prediction_a=f"est{PAYLOAD}",
        prediction_b=f"est{PAYLOAD}",
        attributes=[f"sex{PAYLOAD}"],
    )
    result = replace(result, a=f"a{PAYLOAD}", b=f"b{PAYLOAD}")
    page = parse(comparison_html(result))
    assert "script" not in {tag for tag, _ in page.tags}
    assert "49" not in page.words.split("{{")[0].split()
    assert "{{7*7}}" in page.words
    view = parsed(comparison_view(result))
    assert "script" not in {tag for tag, _ in view.tags}


def test_of_very_many_groups_the_page_shows_some_and_counts_the_rest() -> None:
    rng = np.random.default_rng(1)
    n = 4000
    table = {
        "image": list(range(n)),
        "age": np.full(n, 30.0),
        "prediction": 30 + rng.normal(0, 3, n),
        "country": [f"c{i % 80}" for i in range(n)],
    }
    other = table | {"prediction": 30 + rng.normal(0, 3, n)}
    html = comparison_html(compare(table, other, attributes=["country"]))
    assert "20 more groups: see compare.json" in html
    assert len(html) < 400_000


def test_a_browser_shows_it(fairer: ComparisonResult, look: Callable[[str], None]) -> None:
    look(comparison_html(fairer))
