import re
from importlib.resources import files

import pytest

from fairage.auditing.measures import MEASURES
from fairage.reports.html import TERMS, Glossary, _environment, short_name

TEMPLATES = [
    path
    for path in files("fairage.reports").joinpath("templates").iterdir()
    if ".html" in path.name
]
LISTS_OF_TERMS = re.compile(r"parts\.terms\(\[([^\]]*)\]")


def fill(template: str, **context: object) -> str:
    return _environment().from_string(template).render(**context)


def test_each_term_is_explained_once() -> None:
    glossary = Glossary()
    assert [term.name for term in glossary.explain("bias", "bias", "gap")] == [
        "Bias of an attribute",
        "Gap",
    ]
    assert not glossary.explain("gap")


@pytest.mark.parametrize("key", MEASURES)
def test_every_measure_is_explained(key: str) -> None:
    (term,) = Glossary().explain(key)
    assert term.name == MEASURES[key].title
    assert term.meaning == MEASURES[key].meaning


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_templates_explain_only_terms_that_exist(template: object) -> None:
    text = template.read_text()  # type: ignore[attr-defined]  # a path of the package
    for keys in LISTS_OF_TERMS.findall(text):
        for key in re.findall(r'"([^"]+)"', keys):
            assert key in TERMS or key in MEASURES


def test_no_template_switches_escaping_off() -> None:
    for template in TEMPLATES:
        text = template.read_text()
        assert "safe" not in re.findall(r"\|\s*(\w+)", text)
        assert "autoescape" not in text


def test_what_a_template_is_given_is_escaped() -> None:
    assert fill("{{ x }}", x="<script>\"'&") == "&lt;script&gt;&#34;&#39;&amp;"


@pytest.mark.parametrize("hidden", ["\x00", "\x1b", "\x7f", "\u202e", "\u2066", "\ud800"])
def test_characters_that_are_not_seen_become_escapes(hidden: str) -> None:
    page = fill("{{ x }}|{{ x | name }}|{{ x | visible }}", x=f"a{hidden}b")
    assert hidden not in page
    assert page.count("a") == 3


def test_line_breaks_within_a_name_are_shown() -> None:
    assert fill("{{ x }}", x="a\nb") == "a\\nb"


def test_a_long_name_is_cut_and_has_the_whole_as_its_title() -> None:
    html = short_name("<" + 5000 * "x")
    assert html.startswith('<span title="&lt;xxx')
    assert html.count("x") > 5000
    assert len(re.sub(r'title="[^"]*"', "", html)) < 200
    assert short_name("a & b") == "a &amp; b"
