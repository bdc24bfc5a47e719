from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from fairage.exceptions import DataError
from fairage.report import SuiteRuns, suite_html

Parse = Callable[[str], Any]


def test_the_page_is_whole_and_tells_everything(published_suite: SuiteRuns, parse: Parse) -> None:
    page = parse(suite_html(published_suite))
    for text in (
        "Of 2 versions, loss 2b treats the groups most evenly",
        "noise floor",
        "the bias that chance alone would give",
        "published by the study",
        "FaRL",
        "loss 9 was left out.",
        "What loss 2b is.",
        "test 200",
    ):
        assert text in page.words


def test_every_term_is_explained_once(published_suite: SuiteRuns, parse: Parse) -> None:
    words = parse(suite_html(published_suite)).words
    for meaning in ("mean absolute error: by", "the mean of the biases", "standard deviation over"):
        assert words.count(meaning) == 1


def test_the_lowest_of_a_column_is_marked(published_suite: SuiteRuns) -> None:
    html = suite_html(published_suite)
    assert "<strong>0.60</strong>" in html
    assert "<strong>0.90</strong>" not in html


def test_the_same_suite_gives_the_same_page(published_suite: SuiteRuns) -> None:
    assert suite_html(published_suite) == suite_html(published_suite)


def test_the_truth_stands_beside_what_was_found(published_suite: SuiteRuns, parse: Parse) -> None:
    words = parse(suite_html(replace(published_suite, truth="Males were made hard."))).words
    assert "What the generator put in Males were made hard." in words
    assert "the baseline errs most on male" in words
    assert "beats the study" not in words


def test_names_from_outside_are_escaped(suite: Callable[..., SuiteRuns], parse: Parse) -> None:
    html = suite_html(suite({"<script>x</script>": {"<b>f</b>": 1.0, "m&n": 2.0}}))
    assert "<script" not in html
    assert "<b>" not in html
    assert "<script>x</script>" in parse(html).words


def test_many_versions_and_groups_fit(suite: Callable[..., SuiteRuns], parse: Parse) -> None:
    groups = {f"group {i}": 1.0 + i for i in range(9)}
    parse(suite_html(suite({f"version number {i}": groups for i in range(16)}, seeds=1)))


def test_versions_of_one_name_are_told_apart(published_suite: SuiteRuns, parse: Parse) -> None:
    first, second = published_suite.versions
    twin = replace(second, experiment="2", version="loss 2b again")
    words = parse(suite_html(replace(published_suite, versions=(first, second, twin)))).words
    assert "loss 2b (1)" in words
    assert "loss 2b (2)" in words


def test_a_suite_without_runs_is_an_error(suite: Callable[..., SuiteRuns]) -> None:
    with pytest.raises(DataError, match="run the suite first"):
        suite_html(suite({}))


def test_a_browser_shows_it(published_suite: SuiteRuns, look: Callable[[str], None]) -> None:
    look(suite_html(replace(published_suite, truth="Males were made hard.")))
