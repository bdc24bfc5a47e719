from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from fairage.audit.auditing import audit
from fairage.audit.result import AuditResult
from fairage.audit.settings import AuditSettings
from fairage.report import audit_html
from fairage.report.audit_facts import tiles

Parse = Callable[[str], Any]
FEW = AuditSettings(replicates=100, permutations=100, legal_age=18, challenge=25, claimed_mae=1.0)


def table(n: int = 600, *, harder: float = 6.0) -> pl.DataFrame:
    """Faces whose `m` group is estimated `harder` years too young; `x` has four faces."""
    rng = np.random.default_rng(0)
    ages = rng.uniform(3, 85, n)
    gender = np.where(np.arange(n) % 2 == 0, "f", "m")
    gender[:4] = "x"
    off = rng.normal(0, 2, n) - np.where(gender == "m", harder, 0)
    return pl.DataFrame(
        {
            "age": ages,
            "prediction": ages + off,
            "gender": gender,
            "skin_tone": rng.choice(["light", "dark"], n),
        }
    )


@pytest.fixture(scope="module")
def result() -> AuditResult:
    return audit(table(), attributes=["gender", "skin_tone"], settings=FEW)


@pytest.fixture(scope="module")
def html(result: AuditResult) -> str:
    return audit_html(result)


def test_the_page_is_whole_and_has_every_section(html: str, parse: Parse) -> None:
    words = parse(html).words
    for heading in (
        "In short", "How far estimates are off", "Bias against chance", "Errors of each group",
        "Along age", "Where attributes meet", "As an age check for 18", "All numbers",
        "What this audit cannot tell", "What was audited",
    ):  # fmt: skip
        assert heading in words


def test_every_figure_has_a_sentence(html: str, parse: Parse) -> None:
    page = parse(html)
    figures = [tag for tag, _ in page.tags if tag == "figure"]
    assert len(figures) == 1 + 3 + 3 + 3 + 2
    assert html.count("<figcaption>") == len(figures)
    assert "<figcaption></figcaption>" not in html


def test_the_same_result_gives_the_same_page(result: AuditResult, html: str) -> None:
    assert audit_html(result) == html


def test_terms_are_explained_once(html: str, parse: Parse) -> None:
    words = parse(html).words
    for meaning in ("what is left when group labels are shuffled", "would lie in most other"):
        assert words.count(meaning) == 1


def test_numbers_carry_n_and_interval(result: AuditResult, html: str) -> None:
    mae = result.models[0].errors.mae
    assert mae.low is not None
    assert f'{mae.value:.2f}<small class="span">{mae.low:.2f} to {mae.high:.2f}</small>' in html
    assert ">n = 298</text>" in html


def test_several_models_stand_side_by_side(parse: Parse) -> None:
    frame = table().with_columns(other=pl.col("age") + 1)
    settings = replace(FEW, legal_age=None, challenge=None, claimed_mae=None)
    found = audit(
        frame, prediction=["prediction", "other"], attributes=["gender"], settings=settings
    )
    words = parse(audit_html(found)).words
    assert "The models side by side" in words
    assert "Estimates of other are off by 1.00 years on average." in words
    assert "age check" not in words


def test_the_head_of_the_page_has_the_four_numbers_to_know(result: AuditResult, html: str) -> None:
    named = {tile.name: (tile.value, tile.note) for tile in tiles(result.models[0])}
    assert named["Gaps beyond chance"] == ("1 of 3", "by gender")
    worst = result.models[0].attribute("gender").group("m").errors
    value = f"{worst.mae.value:.2f} years"
    assert named["Largest group error"] == (value, f"gender m, {worst.n} faces")
    for shown, note in named.values():
        assert f"<dd>{shown}<small>{note}</small></dd>" in html


def test_groups_too_small_are_told_beside_the_groups_not_first(html: str) -> None:
    warned, heading = "too few rows to say anything", "Errors of each group"
    assert html.index(warned) > html.index(heading)


def test_names_from_outside_are_escaped(parse: Parse) -> None:
    frame = table().with_columns(
        pl.col("gender").replace({"f": "<i>f</i>"}), pl.col("skin_tone").alias('a"<b>')
    )
    settings = AuditSettings(replicates=20, permutations=20)
    html = audit_html(audit(frame, attributes=["gender", 'a"<b>'], settings=settings))
    assert "<i>" not in html
    assert "<i>f</i>" in parse(html).words


def test_many_groups_do_not_drown_the_page(parse: Parse) -> None:
    frame = table(3000).with_columns(country=pl.Series([f"country {i % 90}" for i in range(3000)]))
    settings = AuditSettings(replicates=20, permutations=20)
    html = audit_html(audit(frame, attributes=["gender", "country"], settings=settings))
    assert "30 more groups are in audit.json." in parse(html).words
    assert len(html) < 1_000_000


def test_one_group_alone_has_no_figure(parse: Parse) -> None:
    frame = table().with_columns(gender=pl.lit("f"))
    settings = AuditSettings(replicates=20, permutations=20)
    words = parse(audit_html(audit(frame, attributes=["gender"], settings=settings))).words
    assert "Group errors by gender" not in words


def test_a_browser_shows_it(html: str, look: Callable[[str], None]) -> None:
    look(html)


@pytest.mark.real_data
def test_the_published_predictions_of_another_team(
    real_data: Path, parse: Parse, look: Callable[[str], None]
) -> None:
    found = audit(
        real_data / "data" / "predictions" / "appa_real_test_farl.csv",
        age="apparent_age_avg",
        prediction="pred_apparent_farl_exp008",
        attributes=["gender", "expression", "ethnicity"],
    )
    html = audit_html(found)
    words = parse(html).words
    assert "Estimates are off by 3.43 years on average. The gap by age group is beyond" in words
    assert "by gender, expression or ethnicity none is." in words
    assert "All numbers rest on 1,977 faces; 1 row left out" in words
    look(html)
