"""Names come from strangers' tables: nothing of them may become markup or run, on any page."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser
from tests.reports.conftest import Page, parsed
from tests.reports.factories import Group, adjusted_gap, age_check, model, ranges, result

from fairage.auditing.comparison import compare
from fairage.auditing.comparison_result import ComparisonResult
from fairage.auditing.result import AuditResult
from fairage.auditing.result_parts import Note
from fairage.reports.audit_page import audit_html
from fairage.reports.comparison_page import comparison_html, comparison_view
from fairage.reports.saving import audit_view
from fairage.tables import AGE_GROUP

MARK = "pwned"
PAYLOADS = {
    "close and script": f'g"><script>window.{MARK}=1;alert(1)</script>',
    "script": f"<script>window.{MARK}=1</script>",
    "image": f"<img src=x onerror=window.{MARK}=1>",
    "title": f"</title><script>window.{MARK}=1</script>",
    "style": f"</style><script>window.{MARK}=1</script>",
    "svg": f"</text></svg><svg onload=window.{MARK}=1>",
    "handler": f'"onload="window.{MARK}=1',
    "single quote": f"'onmouseover='window.{MARK}=1",
    "template": "{{7*7}}{% set x = 1 %}${7*7}#{7*7}",
    "terminal markup": "[/b][red]x[/red]",
    "link": f"javascript:window.{MARK}=1",
    "entity": "&lt;b&gt;&#60;i&#62;&amp;",
    "bidi": "light\u202etxt.exe\u2066\u200b",
    "control": "a\x00b\x1b[31mc\x7f",
    "cdata": f"]]><script>window.{MARK}=1</script><![CDATA[",
    "comment": f"<!--<script>window.{MARK}=1</script>",
    "open comment": "<!-- --!> <!",
    "long": "<b>" + 5000 * "w",
    "formula": "=cmd|' /C calc'!A0",
    "css": f"red;background:url(https://x.test/{MARK});}}*{{display:none",
    "lines": "a\r\nb\u2028c\td",
    "surrogate": "a\ud800b",
    "base": '<base href="https://x.test/"><meta http-equiv=refresh content=0>',
    "form": "<form><input name=x autofocus onfocus=alert(1)></form>",
}
HARMLESS = "name"


def poisoned(name: str, text: str = HARMLESS) -> AuditResult:
    """A result in which every name that a stranger chooses is this one, told apart by a number."""
    groups = {f"{name}{i}": Group(400, 3.0 + i, i - 1.0, failed=30 * i) for i in range(3)}
    pair = (f"{name}2", f"{name}0")
    attribute = f"{name}a"
    made = model(
        {attribute: groups, "gender": groups, AGE_GROUP: groups},
        name=f"{name}m",
        adjusted={attribute: [adjusted_gap(1.5, 0.4, attribute=attribute, names=pair)]},
        age_check=replace(age_check({attribute: groups}), reached_by=(attribute, f"{name}2")),
        ranges=ranges(),
    )
    failures = replace(made.failures, reasons={name: 60, f"{name}r": 30})
    made = replace(made, failures=failures)
    whole = result(made, replace(made, name=f"{name}n"), name=name, notes=(Note(name, name),))
    columns = replace(whole.columns, age=name, identity=name, unused={name: name}, weight=name)
    rows = replace(whole.rows, left_out={f"{name}c": name}, binned={name: (name, name)})
    return replace(whole, columns=columns, rows=rows)


def audit_page(name: str) -> str:
    return audit_html(poisoned(name))


def audit_page_of_one_model(name: str) -> str:
    whole = poisoned(name)
    return audit_html(replace(whole, models=dict(list(whole.models.items())[:1])))


def notebook_view(name: str) -> str:
    return audit_view(poisoned(name))


@cache
def compared() -> ComparisonResult:
    """Two models of which one withholds faces, by two attributes; `s` is a group too small."""
    rng = np.random.default_rng(0)
    n = 240
    gender = np.where(np.arange(n) % 2 == 0, "f", "m")
    gender[:5] = "s"
    ages = rng.uniform(5, 80, n).round(1)

    def table(error: float, missing: int) -> dict[str, object]:
        estimates = ages + rng.normal(0, 2, n) + np.where(gender == "m", error, 0.0)
        texts = [f"{estimate:.2f}" for estimate in estimates]
        texts[:: 240 // missing] = ["ERR"] * len(texts[:: 240 // missing])
        images = [f"{i}.jpg" for i in range(n)]
        return {"photo": images, "years": ages, "guess": texts, "gender": gender}

    return compare(
        table(5.0, 4),
        table(1.0, 40),
        age="years",
        prediction_a="guess",
        prediction_b="guess",
        image="photo",
        attributes=["gender"],
    )


def renamed(value: Any, names: Mapping[str, str]) -> Any:
    """Return a part of a result with other names, wherever a text is one of them."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if f.init}
        return replace(value, **{name: renamed(part, names) for name, part in fields.items()})
    if isinstance(value, dict):
        return {renamed(key, names): renamed(part, names) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(renamed(part, names) for part in value)
    return names.get(value, value) if isinstance(value, str) else value


def poisoned_comparison(name: str) -> ComparisonResult:
    names = {"gender": f"{name}a", "f": f"{name}0", "m": f"{name}1", "s": f"{name}2"}
    whole = renamed(compared(), names | {"guess": f"{name}p", "photo": f"{name}i"})
    return replace(whole, a=f"{name}m", b=f"{name}n", notes=(Note(name, name),))


def comparison_page(name: str) -> str:
    return comparison_html(poisoned_comparison(name))


def comparison_notebook_view(name: str) -> str:
    return comparison_view(poisoned_comparison(name))


PAGES: dict[str, Callable[[str], str]] = {
    "audit of two models": audit_page,
    "audit of one model": audit_page_of_one_model,
    "notebook view of an audit": notebook_view,
    "comparison": comparison_page,
    "notebook view of a comparison": comparison_notebook_view,
}
"""Every page, made of a result whose names are the given one."""

each_page = pytest.mark.parametrize("page", PAGES)
each_payload = pytest.mark.parametrize("payload", PAYLOADS)


@cache
def html_of(page: str, name: str) -> str:
    return PAGES[page](name)


def shape(page: Page) -> list[tuple[str, tuple[str, ...]]]:
    """Return the tags outside of drawings with the names of their attributes.

    A name that is cut has a title, and a span to hold it; nothing else may depend on names.
    """
    return [
        (tag, tuple(name for name in attributes if name != "title"))
        for tag, attributes in page.structure
        if not (tag == "span" and attributes == ("title",))
    ]


@each_page
@each_payload
def test_a_name_never_becomes_a_tag_or_an_attribute(page: str, payload: str) -> None:
    made, harmless = (parsed(html_of(page, name)) for name in (PAYLOADS[payload], HARMLESS))
    assert shape(made) == shape(harmless)
    assert set(made.drawn) <= {*harmless.drawn, ("title", ())}
    assert made.loads == ([] if "notebook" in page else ["data:,"])


@each_page
@each_payload
def test_characters_that_are_obeyed_are_not_on_the_page(page: str, payload: str) -> None:
    html = html_of(page, PAYLOADS[payload])
    for character in "\x00\x1b\x7f\u202e\u2066\u200b\u2028\ud800":
        assert character not in html
    html.encode("utf-8")


@each_page
def test_no_template_is_filled_twice(page: str) -> None:
    assert "{{7*7}}" in parsed(html_of(page, PAYLOADS["template"])).text


@each_page
def test_names_never_stand_in_the_style_of_a_page(page: str) -> None:
    html = html_of(page, PAYLOADS["css"])
    for style in html.split("<style>")[1:]:
        assert MARK not in style[: style.index("</style>")]
    for attributes in (attributes for _, attributes in parsed(html).tags):
        assert MARK not in (attributes.get("style") or "")
        assert MARK not in (attributes.get("class") or "")
        assert MARK not in (attributes.get("id") or "")


@each_page
def test_long_names_are_cut_and_kept_as_titles(page: str) -> None:
    html = html_of(page, PAYLOADS["long"])
    made = parsed(html)
    assert "w" * 100 not in made.text
    assert "w" * 5000 in html or page == "notebook view of a comparison"


@each_page
def test_a_browser_runs_nothing_of_them(page: str, browser: Browser, tmp_path: Path) -> None:
    tab = browser.new_page()
    events: list[str] = []
    tab.on("dialog", lambda dialog: (events.append(dialog.message), dialog.dismiss()))
    tab.on("request", lambda request: events.append(request.url))
    for number, payload in enumerate(PAYLOADS.values()):
        path = tmp_path / f"{number}.html"
        path.write_text(html_of(page, payload), encoding="utf-8")
        events.clear()
        tab.goto(path.as_uri())
        assert events == [path.as_uri()]
        assert tab.evaluate(f"window.{MARK}") is None
    tab.close()
