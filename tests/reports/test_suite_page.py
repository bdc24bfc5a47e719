"""The page of a suite: whole, repeatable, safe, and with nothing bold that is not resolved."""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from playwright.sync_api import Browser
from tests.auditing.suite_factory import make_suite
from tests.reports.conftest import Page, parsed
from tests.reports.test_page_safety import HARMLESS, MARK, PAYLOADS, renamed, shape

from fairage.auditing.suite_runs import Reference, SuiteRuns
from fairage.auditing.suite_statistics import SuiteStatistics, suite_statistics
from fairage.exceptions import DataError
from fairage.reports.suite_page import suite_html

Parse = Callable[[str], Any]
ERRORS = {"baseline": {"female": 3.0, "male": 5.0}, "loss 2b": {"female": 3.9, "male": 4.1}}
ROW = {"gender_bias": 0.2, "age_bias": 3.1, "average_bias": 0.9, "mae": 4.8}


@cache
def published_suite() -> SuiteRuns:
    """Two versions with published peers, a reference and a note."""
    return make_suite(
        ERRORS,
        seeds=4,
        published={"baseline": ROW, "loss 2b": ROW | {"average_bias": 0.6, "mae": 9.9}},
        references=(Reference("FaRL", 3.433, 0.763),),
        study=(Reference("baseline", 4.8, 0.9), Reference("loss 2b", 9.9, 0.6)),
        notes=("loss 9 was left out.",),
    )


@cache
def statistics() -> SuiteStatistics:
    return suite_statistics(published_suite())


def test_the_page_is_whole_and_holds_everything(parse: Parse) -> None:
    page = parse(suite_html(statistics()))
    for text in (
        "Loss 2b is the fairest of 2 versions",
        "noise floor",
        "noise-corrected",
        "published by the study",
        "FaRL",
        "loss 9 was left out.",
        "What loss 2b is.",
        "test 400",
    ):
        assert text in page.words


def test_every_term_is_explained_once(parse: Parse) -> None:
    words = parse(suite_html(statistics())).words
    for meaning in ("the mean of the biases of all attributes", "standard deviation over seeds"):
        assert words.count(meaning) == 1


def bold(html: str) -> list[str]:
    return re.findall(r'<td class="number"><strong>([^<]*)</strong>', html)


def test_only_what_is_resolved_is_bold() -> None:
    fairer = bold(suite_html(statistics()))
    change = statistics().face_sets[0].change("gender_bias", 1)
    assert change is not None
    assert f"\N{MINUS SIGN}{abs(change.value):.2f}" in fairer
    alike = make_suite({"baseline": ERRORS["baseline"], "b": ERRORS["baseline"]}, seeds=4)
    assert bold(suite_html(alike)) == []
    assert bold(suite_html(make_suite(ERRORS, seeds=1))) == []


def test_the_numbers_of_the_table_are_those_of_the_statistics(parse: Parse) -> None:
    words = parse(suite_html(statistics())).words
    for version in statistics().versions:
        for estimate in version.metrics.values():
            assert f"{estimate.mean:.2f}" in words
            assert f"{estimate.low:.2f} to {estimate.high:.2f}" in words
            if estimate.floor is not None:
                assert f"{estimate.floor.mean:.2f}" in words


def test_runs_and_their_statistics_give_the_same_page() -> None:
    assert suite_html(published_suite()) == suite_html(statistics())


def test_the_truth_stands_beside_what_was_found(parse: Parse) -> None:
    runs = replace(published_suite(), truth="Males were made hard.")
    words = parse(suite_html(replace(statistics(), runs=runs))).words
    assert "What the generator put in Males were made hard." in words
    assert "of male (200 faces), against" in words
    assert "The study's fairest row" not in words


def test_many_versions_and_groups_fit(parse: Parse) -> None:
    groups = {f"group {i}": 1.0 + i for i in range(9)}
    errors = {f"version number {i}": groups for i in range(16)}
    parse(suite_html(make_suite(errors, seeds=1, min_rows=20)))


def test_versions_of_one_name_are_told_apart(parse: Parse) -> None:
    first, second = published_suite().versions
    twin = replace(second, experiment="2", version="loss 2b again")
    words = parse(suite_html(replace(published_suite(), versions=(first, second, twin)))).words
    assert "loss 2b (1)" in words
    assert "loss 2b (2)" in words


def test_a_suite_without_runs_is_an_error() -> None:
    with pytest.raises(DataError, match="run the suite first"):
        suite_html(make_suite({}))


def test_versions_on_different_faces_have_no_front_and_no_change(parse: Parse) -> None:
    runs = published_suite()
    first, second = runs.versions
    short = replace(second, predictions=tuple(f.head(300) for f in second.predictions))
    html = suite_html(replace(runs, versions=(first, short)))
    words = parse(html).words
    assert "The versions were measured on different faces" in words
    assert "Against the baseline" not in words
    assert "Pareto front" not in words
    assert "95 % interval" in words, "each has an interval on its own faces"
    assert "Pareto front" in parse(suite_html(two_on_the_front())).words


def two_on_the_front() -> SuiteRuns:
    return make_suite({"a": {"f": 3.0, "m": 4.0}, "b": {"f": 4.0, "m": 4.4}})


def test_each_set_of_faces_has_its_own_table_of_changes(parse: Parse) -> None:
    runs = make_suite(ERRORS)
    shorter = tuple(
        replace(
            v,
            experiment="young",
            version=f"{v.version} again",
            title=f"{v.title} again",
            predictions=tuple(f.head(300) for f in v.predictions),
        )
        for v in runs.versions
    )
    page = parse(suite_html(replace(runs, versions=(*runs.versions, *shorter))))
    assert page.words.count("What each version adds to the numbers of") == 2


def test_a_suite_without_a_bias_is_a_page_without_a_scatter(parse: Parse) -> None:
    words = parse(suite_html(replace(published_suite(), min_rows=300))).words
    assert "Accuracy against fairness" not in words
    assert "nothing can be said of how evenly groups are served" in words


@cache
def poisoned(name: str) -> SuiteStatistics:
    """Statistics in which every name that a stranger chooses is this one, with a number."""
    errors = {"baseline": ERRORS["baseline"], "b": ERRORS["loss 2b"]}
    runs = make_suite(
        errors,
        min_rows=20,
        published={"b": ROW},
        references=(Reference("reference", 3.4, 0.7),),
        study=(Reference("study point", 9.0, 0.9),),
        notes=("note",),
        truth="truth",
    )
    versions = tuple(
        replace(
            v,
            predictions=tuple(
                f.with_columns(
                    pl.Series("gender", ["few"] * 9 + ["unknown"] * 9 + f["gender"].to_list()[18:])
                )
                for f in v.predictions
            ),
        )
        for v in runs.versions
    )
    whole = suite_statistics(replace(runs, versions=versions))
    names = {"gender": "a", "female": "f", "male": "m", "few": "s", "b": "v", "1": "e"}
    names |= {"What b is.": "d", "A suite": "t", "note": "n", "truth": "u"}
    names |= {"reference": "r", "study point": "p", "Faces": "q", "test 400": "w"}
    poison = {known: f"{name}{short}" for known, short in names.items()}
    poison["gender_bias"] = f"{name}a_bias"
    return renamed(whole, poison)  # type: ignore[no-any-return]  # a part of the same kind


@cache
def html_of(name: str) -> str:
    return suite_html(poisoned(name))


def drawn(page: Page) -> set[tuple[str, str]]:
    """Every tag within drawings with each attribute of it; which stand together is of the room."""
    return {(tag, name) for tag, attributes in page.drawn for name in (*attributes, "")}


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_name_never_becomes_a_tag_or_an_attribute(payload: str) -> None:
    made, harmless = (parsed(html_of(name)) for name in (PAYLOADS[payload], HARMLESS))
    assert shape(made) == shape(harmless)
    assert drawn(made) <= drawn(harmless) | {("title", ""), ("text", "text-anchor")}
    assert made.loads == ["data:,"]
    html = html_of(PAYLOADS[payload])
    for character in "\x00\x1b\x7f\u202e\u2066\u200b\u2028\ud800":
        assert character not in html


def test_keys_and_ids_are_never_made_of_names() -> None:
    for tag, attributes in parsed(html_of(PAYLOADS["css"])).tags:
        for name in ("id", "class", "style", "href"):
            assert MARK not in (attributes.get(name) or ""), tag


def test_a_browser_runs_nothing_of_names(browser: Browser, tmp_path: Path) -> None:
    tab = browser.new_page()
    events: list[str] = []
    tab.on("dialog", lambda dialog: (events.append(dialog.message), dialog.dismiss()))
    tab.on("request", lambda request: events.append(request.url))
    for number, payload in enumerate(PAYLOADS.values()):
        path = tmp_path / f"{number}.html"
        path.write_text(html_of(payload), encoding="utf-8")
        events.clear()
        tab.goto(path.as_uri())
        assert events == [path.as_uri()]
        assert tab.evaluate(f"window.{MARK}") is None
    tab.close()


def test_a_browser_shows_it(look: Callable[[str], None]) -> None:
    runs = replace(published_suite(), truth="Males were made hard.")
    look(suite_html(replace(statistics(), runs=runs)))
