"""The card of a model says what its config says, to people and to the hub."""

import numpy as np
import pytest
import yaml
from huggingface_hub import ModelCard

import fairage
from fairage._card_results import card_audit
from fairage._model_card import model_card

HEAD = {"name": "regression", "dim": 6}
OURS = {"name": "embedded", "view": "whole", "fingerprint": "abc"}
AWAY = {"name": "/home/me/mobilenet", "view": "aligned", "fingerprint": "def"}
SCORES = {"mae": 4.25, "age_bias": 0.5, "gender_bias": None, "average_bias": 0.5}


@pytest.fixture(scope="module")
def audit() -> dict[str, object]:
    rng = np.random.default_rng(0)
    ages = rng.uniform(5, 80, 200)
    groups = {"gender": rng.choice(["f", "m|x"], 200)}
    result = fairage.audit(ages, ages + rng.normal(0, 3, 200), groups)
    (about,) = result.to_dict()["models"].values()
    return dict(about)


def metadata(card: str) -> dict[str, object]:
    before, front, _ = card.split("---\n", 2)
    assert not before
    return dict(yaml.safe_load(front))


def test_the_hub_understands_the_metadata() -> None:
    config = {"license": "cc-by-4.0", "datasets": ["me/faces"], "training": {"scores": SCORES}}
    card = ModelCard(model_card(config, "me/ages"))
    assert card.data.license == "cc-by-4.0"
    assert card.data.datasets == ["me/faces"]
    assert card.data.library_name == "fairage"
    assert card.data.model_name == "me/ages"
    results = {each.metric_name: each.metric_value for each in card.data.eval_results}
    assert results == {"MAE, years": 4.25, "Age bias, years": 0.5, "Average bias, years": 0.5}


def test_what_is_not_known_is_not_in_the_metadata() -> None:
    about = metadata(model_card({"training": {"scores": {"mae": float("nan")}}}))
    assert not {"license", "datasets", "model-index", "metrics"} & set(about)


def test_names_that_yaml_would_read_otherwise_come_back() -> None:
    config = {"license": "no", "training": {"scores": {"a: b_bias": 1.0}}}
    card = ModelCard(model_card(config))
    assert card.data.license == "no"
    assert card.data.eval_results[0].metric_name == "A: b bias, years"


def test_the_audit_gives_each_group_a_row_with_its_interval(audit: dict[str, object]) -> None:
    card = model_card({"audits": [card_audit(audit, "my faces")]})
    results = ModelCard(card).data.eval_results
    assert {each.dataset_name for each in results} == {"my faces"}
    assert "## Results by group: my faces" in card
    figures = audit["groups"]["gender"]["f"]["mae"]
    of_f = [each for each in results if each.metric_name == "MAE where gender is f, years"]
    assert [each.metric_value for each in of_f] == [pytest.approx(figures["value"], abs=1e-4)]
    numbers = f"{figures['value']:.2f} ({figures['low']:.2f} to {figures['high']:.2f})"
    assert f"| gender | f | {figures['n']} | {numbers} |" in card
    assert "| gender | m\\|x |" in card
    assert "| all |  | 200 |" in card
    assert f"{audit['average_bias']['value']:.2f} (" in card


def test_an_open_end_and_a_missing_figure_are_said() -> None:
    overall = {"mae": {"value": 3.0, "low": 2.5, "high": None, "n": 40}}
    assert "| all |  | 40 | 3.00 (2.50 to open) | \N{EN DASH} |" in model_card(
        {"audits": [{"faces": "x", "overall": overall}]}
    )


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("apparent", "how old people look, not how old they are"),
        ("real", "in years since birth"),
        ("mixed", "of apparent and of real ages"),
        (None, "Nobody said whether"),
    ],
)
def test_the_card_says_which_age_is_estimated(target: str | None, words: str) -> None:
    assert words in model_card({"target": target})


def test_backbones_say_where_they_are() -> None:
    tuned = {**OURS, "name": "me/net", "folder": "backbone"}
    card = model_card({"head": HEAD, "backbones": [OURS, AWAY, tuned]})
    assert "`embedded`, view `whole`, which comes with fairage" in card
    assert "`me/net`, view `whole`, fine-tuned: in the folder `backbone`" in card
    assert (
        "**not in this bundle**: put a copy of it into the bundle's folder as `mobilenet`" in card
    )
    assert "must have the fingerprint `def`" in card


@pytest.mark.parametrize("more", [{}, {"head": HEAD, "files": {"model.onnx": ""}}])
def test_a_graph_needs_no_backbone(more: dict[str, object]) -> None:
    card = model_card({"backbones": [AWAY], **more})
    assert "inside `model.onnx`" in card
    assert "not in this bundle" not in card


def test_intervals_say_what_they_rest_on() -> None:
    held = {"value": 0.9012, "low": 0.85, "high": 0.94, "n": 1234}
    rows = [{"attribute": "gender", "group": "f|m", "covered": held, "width": {"value": 12.0}}]
    about = {"source": f"FairFace, {'x' * 200}", "n": 4000, "level": 0.9, "held": rows}
    card = model_card({"intervals": about})
    assert "x" * 200 in card
    percent = "\N{NARROW NO-BREAK SPACE}%"
    share = f"90.1{percent} (85.0{percent} to 94.0{percent})"
    assert f"| gender | f\\|m | 1,234 | {share} | 12.00 |" in card
    assert "calibrated on 4,000 faces (FairFace, x" in card
    assert "90\N{NARROW NO-BREAK SPACE}% are to be of an age in their interval" in card
    assert "## Intervals" not in model_card({})


def test_answers_have_their_cost_by_group() -> None:
    share = {"value": 0.01, "low": 0.002, "high": 0.03, "n": 200}
    costs = [{"attribute": "all", "group": "", "referred": share, "wrong_yes": None}]
    rule = {"title": "18", "text": "Yes from 25.", "faces": "real ages", "costs": costs}
    card = model_card({"decisions": [rule]})
    assert "## Decisions: 18" in card
    assert "Yes from 25. Measured on real ages" in card
    percent = "\N{NARROW NO-BREAK SPACE}%"
    cell = f"1.0{percent} (0.2{percent} to 3.0{percent}) of 200"
    assert f"| all |  | {cell} | \N{EN DASH} |\n" in card
    assert "wrong no" not in card


def test_the_graph_is_spoken_of() -> None:
    card = model_card({"backbones": [], "graph": {"precision": "fp32"}})
    assert "- Precision: fp32" in card
    assert "## The graph" not in model_card({})


def test_coverage_of_ranges_is_shown_by_its_limits() -> None:
    covered = {"value": 0.971, "low": 0.662, "high": 0.984, "n": 5000}
    own = {"covered": covered, "mean_width": {"value": 25.0}, "undecided": 1500}
    coverage = {"level": 0.995, "overall": own, "groups": {}}
    audit = {"overall": {"mae": {"value": 5.0}}, "groups": {}, "coverage": coverage}
    card = model_card({"audits": [card_audit(audit, "ranges")]})
    percent = "\N{NARROW NO-BREAK SPACE}%"
    assert f"| 66.2{percent} to 98.4{percent}; 1,500 faces cannot be judged |" in card
    assert "97.1" not in card
    assert f"(99.5{percent} promised)" in card
