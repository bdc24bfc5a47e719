from dataclasses import replace

from tests.reports.conftest import parsed
from tests.reports.factories import AGES, GENDER, Group, model, result

from fairage.auditing.result_parts import Note
from fairage.reports.saving import audit_view
from fairage.tables import AGE_GROUP


def test_a_notebook_shows_each_attribute_s_verdict_and_numbers() -> None:
    made = model({"gender": GENDER, AGE_GROUP: AGES})
    page = parsed(audit_view(result(made)))
    assert "Audit of faces.csv" in page.words
    assert "Differ by at least" in page.words
    bias = made.bias["gender"]
    assert f"{bias.value:.2f}" in page.words
    assert "female 3.10 to male 4.60" in page.words
    assert "1 note in result.notes." in page.words


def test_it_needs_nothing_of_the_page_around_it() -> None:
    html = audit_view(result())
    page = parsed(html)
    assert "class=" not in html.replace('class="drawing"', "")
    assert not page.ids
    assert not page.loads
    assert not [tag for tag, _ in page.tags if tag in ("style", "script", "link")]
    variables = ("--group-0", "--surface", "--muted", "--band")
    assert all(f"{name}:" in html for name in variables)


def test_every_model_has_a_part_and_very_many_are_cut() -> None:
    words = parsed(audit_view(result(model(name="one"), model(name="two")))).words
    assert "one: " in words
    assert "two: " in words
    many = parsed(audit_view(result(*(model(name=f"m{i}") for i in range(11))))).words
    assert "3 more models" in many


def test_very_many_attributes_are_cut_by_need() -> None:
    alike = {"a": Group(9000, 3.0), "b": Group(9000, 3.0)}
    attributes = {f"a{i}": alike for i in range(20)} | {"apart": GENDER}
    words = parsed(audit_view(result(model(attributes)))).words
    assert "Apart Differ by" in words
    assert "9 more attributes" in words


def test_groups_without_a_number_and_attributes_without_a_pair_are_shown() -> None:
    made = model({"gender": {"female": Group(500, 3.0), "male": Group(1, 3.0)}})
    html = audit_view(replace(result(made), notes=(Note("a", "b"), Note("c", "d"))))
    assert "nan" not in html
    assert "female 3.00" in parsed(html).words
    assert "2 notes" in parsed(html).words
