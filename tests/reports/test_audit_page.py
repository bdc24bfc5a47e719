import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.reports.factories import (
    AGES,
    GENDER,
    SKIN,
    Group,
    adjusted_gap,
    age_check,
    model,
    ranges,
    result,
)

from fairage.auditing import AuditSettings, audit
from fairage.auditing.result import AuditResult
from fairage.reports.audit_page import audit_html
from fairage.reports.audit_text import findings, tiles
from fairage.tables import AGE_GROUP

Parse = Callable[[str], Any]
FAILING = {name: replace(group, failed=40 * i) for i, (name, group) in enumerate(GENDER.items())}


@pytest.fixture(scope="module")
def everything() -> AuditResult:
    """A result in which every part has something to show."""
    full = model(
        {"gender": FAILING, "skin_tone": SKIN, AGE_GROUP: AGES},
        adjusted={"gender": [adjusted_gap(1.5, 0.4), adjusted_gap(1.3, 0.2, measure="mean_error")]},
        age_check=age_check(),
        ranges=ranges(),
    )
    return result(full)


@pytest.fixture(scope="module")
def html(everything: AuditResult) -> str:
    return audit_html(everything)


def headings(page: str) -> list[str]:
    return re.findall(r"<h2[^>]*>(.*?)</h2>", page)


def test_the_page_is_whole_and_has_every_section_in_order(html: str, parse: Parse) -> None:
    parse(html)
    assert headings(html) == [
        "Read this first", "In short", "Gaps between groups", "How far estimates are off",
        "Bias of each attribute", "Errors of each group", "Along age", "Where attributes meet",
        "Faces without an estimate", "As an age check for 18", "Ages given as ranges",
        "All numbers", "Columns not used", "What this audit cannot tell", "What was audited",
    ]  # fmt: skip


def test_sections_without_content_are_left_out(parse: Parse) -> None:
    bare = result(model({"gender": {"female": Group(500, 3.0)}}), notes=())
    page = audit_html(replace(bare, columns=replace(bare.columns, unused={})))
    parse(page)
    assert headings(page) == [
        "In short", "Gaps between groups", "How far estimates are off", "Along age",
        "All numbers", "What this audit cannot tell", "What was audited",
    ] or "Gaps between groups" not in headings(page)  # fmt: skip
    for heading in ("Bias of each", "Errors of each group", "Faces without", "age check", "ranges"):
        assert not any(heading in each for each in headings(page))


def test_the_first_screen_has_headline_rows_and_numbers(
    everything: AuditResult, html: str, parse: Parse
) -> None:
    top = html[: html.index("<main>")]
    assert "male faces" in top
    assert "True ages are ranges" in top
    for tile in tiles(everything.model):
        assert f"<dt>{tile.name}</dt><dd>{tile.value}" in top
    assert '<div class="differ"><dt>Groups</dt>' in top


def test_every_finding_is_said_somewhere(everything: AuditResult, html: str, parse: Parse) -> None:
    words = parse(html).words
    for sentence in findings(everything.model, everything.settings):
        assert " ".join(sentence.split()) in words


def test_every_figure_has_a_sentence_and_a_name(html: str, parse: Parse) -> None:
    page = parse(html)
    figures = [tag for tag, _ in page.tags if tag == "figure"]
    assert html.count("<figcaption>") == len(figures) == 1 + 3 + 3 + 2
    assert "<figcaption></figcaption>" not in html


def test_numbers_carry_n_and_interval(everything: AuditResult, html: str) -> None:
    mae = everything.model.overall["mae"]
    assert f'{mae.value:.2f}<small class="span">{mae.low:.2f} to {mae.high:.2f}</small>' in html
    assert ">n = 480</text>" in html


def test_the_same_result_gives_the_same_page(everything: AuditResult, html: str) -> None:
    assert audit_html(everything) == html


def test_terms_are_explained_once(html: str, parse: Parse) -> None:
    words = parse(html).words
    for meaning in ("the bias to be expected if all groups", "holds the true number in 95 of 100"):
        assert words.count(meaning) == 1


def test_words_of_the_old_inference_are_gone(html: str, parse: Parse) -> None:
    words = parse(html).words
    for word in ("beyond chance", "more than chance", "p-value", "shuffled", "Excess", "signed"):
        assert word not in words


def test_why_columns_are_not_used_is_said(html: str, parse: Parse) -> None:
    parse(html)
    assert '<th scope="row">pred_gender</th><td>it is what a model said</td>' in html


def test_several_models_stand_side_by_side(parse: Parse) -> None:
    page = audit_html(result(model({"gender": GENDER}), model({"gender": SKIN}, name="other")))
    words = parse(page).words
    assert headings(page)[1] == "The models side by side"
    assert '<h2 class="model">other</h2>' in page
    assert "other: " in words
    assert '<dl class="tiles">' not in page


def test_many_attributes_do_not_drown_the_page(parse: Parse) -> None:
    attributes = {
        f"attribute_{i:02}": {f"g{k}": Group(400, 3.0 + k / 5 * (i % 3)) for k in range(2 + i % 4)}
        for i in range(40)
    }
    page = audit_html(result(model(attributes)))
    words = parse(page).words
    assert len(page.encode()) < 1_000_000
    assert page.count("<figure") <= 1 + 12 + 12
    assert page.count('<table class="heat">') == 15
    assert "28 other attributes" in words
    assert "765 other pairs of attributes" in words
    for name in attributes:
        assert name.replace("_", " ").capitalize() in words


def test_many_groups_do_not_drown_the_page(parse: Parse) -> None:
    groups = {f"country {i}": Group(60, 3.0 + i / 100) for i in range(90)}
    page = audit_html(result(model({"country": groups, "gender": GENDER})))
    assert "30 more groups are in audit.json." in parse(page).words
    assert len(page.encode()) < 1_000_000


def test_many_models_do_not_drown_the_page(parse: Parse) -> None:
    page = audit_html(result(*(model(name=f"model {i}") for i in range(12))))
    words = parse(page).words
    assert "What can be said of 8 other models stands below." in words
    assert page.count('<p class="lead">') == 12, "every model has its first line"
    assert len(page.encode()) < 1_500_000


def test_nothing_on_a_page_is_not_a_number(html: str) -> None:
    assert not re.search(r"\bnan\b|\binf\b|None", html)


def test_a_browser_shows_it(html: str, look: Callable[[str], None]) -> None:
    look(html)


def test_a_browser_shows_long_names_and_many_groups(look: Callable[[str], None]) -> None:
    groups = {
        f"{'long ' * (i % 7)}{'x' * (40 * (i % 3))} {i}": Group(60, 3 + i / 9) for i in range(24)
    }
    look(audit_html(result(model({"y" * 70: groups, "gender": SKIN}, age_check=age_check()))))


def test_a_real_audit_s_page_is_whole(parse: Parse) -> None:
    rng = np.random.default_rng(0)
    n = 600
    ages = rng.uniform(3, 85, n)
    gender = np.where(np.arange(n) % 2 == 0, "f", "m")
    estimates = ages + rng.normal(0, 2, n) - np.where(gender == "m", 6.0, 0.0)
    table = {
        "age": ages,
        "prediction": [str(e) if i % 20 else "no face" for i, e in enumerate(estimates)],
        "gender": gender,
        "skin_tone": rng.choice(["light", "dark"], n),
        "file": [f"{i}.jpg" for i in range(n)],
    }
    settings = AuditSettings(legal_age=18, challenge=25, claimed_mae=1.0)
    found = audit(table, attributes=["gender", "skin_tone"], settings=settings)
    html = audit_html(found)
    words = parse(html).words
    assert "As an age check for 18" in headings(html)
    assert "Faces without an estimate" in headings(html)
    assert "no face" in words
    for group in found.groups["gender"].values():
        assert f"{group['mae'].value:.2f}" in words
    assert not re.search(
        r"\bnan\b|\binf\b|None\b", words.replace("None of", "").replace("None is", "")
    )


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
    assert "<dt>MAE</dt><dd>3.43 years" in html
    assert "1,978 rows have a true age and 1 row has no estimate" in words
    look(html)
