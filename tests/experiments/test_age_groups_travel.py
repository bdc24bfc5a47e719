"""Age groups of one's own, from the faces to a run and a suite: never lost, never mixed."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import fairage
from fairage.age_groups import AgeGroups
from fairage.auditing.suite_runs import SuiteRuns, VersionRuns
from fairage.embeddings import Embeddings
from fairage.exceptions import DataError
from fairage.experiments import suite
from fairage.experiments.inputs import EmbeddedFaces, embedded_extra, load_embedded_faces
from fairage.experiments.plan import Plan, Version
from fairage.experiments.recipe_files import recipe_from
from fairage.experiments.runner import PREDICTIONS, RUN
from fairage.faces_file import read_predictions
from fairage.tables import Faces, with_age_groups

EDGES = AgeGroups.from_edges([0, 25, 50])
QUICK = {"experiment": "1", "version": "quick", "training": {"epochs": 1}}


@pytest.fixture
def regrouped(embedded: EmbeddedFaces) -> EmbeddedFaces:
    frame = embedded.frame.drop("age_group")
    return EmbeddedFaces(frame, embedded.embeddings, embedded.backbones, age_groups=EDGES)


def test_a_worker_reads_the_very_faces_that_were_saved(
    regrouped: EmbeddedFaces, tmp_path: Path
) -> None:
    n = 30
    unchecked = pl.DataFrame(
        {"image": [f"{i}.png" for i in range(n)], "age": range(n), "gender": ["f", None, "m"] * 10}
    )
    values = np.zeros((n, 6), dtype=np.float32)
    found = Embeddings(values, np.arange(n), (), regrouped.backbones, new=0)
    extra = embedded_extra(Faces(unchecked, age_groups=EDGES), found)
    data = replace(regrouped, extras={"more": extra})
    data.save(tmp_path)
    again = load_embedded_faces(tmp_path)
    assert again.fingerprint == data.fingerprint
    assert again.extra("more").fingerprint == extra.fingerprint
    assert again.extra("more").age_groups == again.age_groups == EDGES
    assert (
        again.fingerprint != replace(data, frame=data.frame.drop("age_group"), **OTHERS).fingerprint
    )


OTHERS = {"age_groups": AgeGroups((0.0, 25.0, 50.0), ("a", "b", "c"))}


@pytest.mark.parametrize("workers", [1, 2])
def test_a_suite_says_its_age_groups_and_resumes(
    regrouped: EmbeddedFaces, tmp_path: Path, workers: int
) -> None:
    plan = Plan(
        "test", [Version(recipe_from(QUICK, "test"), regrouped)], 2, workers, {}, [], min_rows=5
    )
    assert suite.run_plan(plan, tmp_path).new_runs == 2
    assert suite.run_plan(plan, tmp_path).new_runs == 0
    folder = tmp_path / "1-quick" / "seed-0"
    written = json.loads((folder / RUN).read_text(encoding="utf-8"))
    assert written["age_groups"]["edges"] == [0, 25, 50]
    described = json.loads((tmp_path / "suite.json").read_text(encoding="utf-8"))
    assert described["age_groups"]["1-quick"]["names"] == ["0-25", "25-50", "50+"]
    predictions = read_predictions(folder / PREDICTIONS)
    assert set(predictions["age_group"].unique()) <= {"0-25", "25-50", "50+"}
    assert "age_group" not in pl.read_parquet(folder / PREDICTIONS).columns


def test_published_numbers_stand_beside_the_default_age_groups_alone(
    embedded: EmbeddedFaces, regrouped: EmbeddedFaces, tmp_path: Path, monkeypatch
) -> None:
    measured: list[SuiteRuns] = []
    real = suite.suite_statistics
    monkeypatch.setattr(suite, "is_challenge_test", lambda _: True)
    monkeypatch.setattr(suite, "suite_statistics", lambda runs: measured.append(runs) or real(runs))
    for data, comparable in ((embedded, True), (regrouped, False)):
        out = tmp_path / str(comparable)
        recipe = recipe_from({**QUICK, "published": {"mae": 4.8, "average_bias": 0.9}}, "test")
        plan = Plan("test", [Version(recipe, data)], 1, 1, {}, [], min_rows=5)
        suite.run_plan(plan, out)
        runs = measured[-1]
        assert runs.comparable is comparable
        assert (runs.versions[0].published is not None) is comparable


def test_versions_with_other_age_groups_are_not_held_against_each_other(
    embedded: EmbeddedFaces,
) -> None:
    frame = embedded.frame.with_columns(prediction=pl.col("age")).drop("age_group")
    versions = [
        VersionRuns("1", str(number), str(number), "", None, (with_age_groups(frame, groups),))
        for number, groups in enumerate((EDGES, AgeGroups(), EDGES))
    ]
    assert SuiteRuns("test", tuple(versions), {}).face_sets == [[0, 2], [1]]


def predictions(tmp_path: Path, name: str, groups: AgeGroups | None) -> Path:
    rng = np.random.default_rng(0)
    ages = rng.uniform(5, 80, 200)
    frame = pl.DataFrame(
        {
            "image": [str(i) for i in range(200)],
            "age": ages,
            "prediction": ages + rng.normal(0, 3, 200),
        }
    )
    path = tmp_path / name
    if groups is None:
        frame.write_parquet(path)
    else:
        frame.write_parquet(path, metadata={"fairage.age_groups": groups.to_json()})
    return path


def age_groups_of(result: fairage.AuditResult | fairage.ComparisonResult) -> list[str]:
    return list(result.groups["age_group"])


def test_an_audit_takes_the_age_groups_that_a_file_says(tmp_path: Path) -> None:
    bare, own = predictions(tmp_path, "a.parquet", None), predictions(tmp_path, "b.parquet", EDGES)
    assert age_groups_of(fairage.audit(bare)) == ["young", "adult", "senior", "old"]
    assert age_groups_of(fairage.audit(own)) == ["0-25", "25-50", "50+"]
    assert age_groups_of(fairage.audit(own.read_bytes())) == ["0-25", "25-50", "50+"]
    settings = fairage.AuditSettings(age_groups=AgeGroups())
    assert len(age_groups_of(fairage.audit(own, settings=settings))) == 4


def test_a_joined_or_compared_file_says_them_too(tmp_path: Path) -> None:
    bare, own = predictions(tmp_path, "a.parquet", None), predictions(tmp_path, "b.parquet", EDGES)
    labels = pl.DataFrame({"image": [str(i) for i in range(200)], "sex": ["f", "m"] * 100})
    joined = tmp_path / "labels.parquet"
    labels.write_parquet(joined, metadata={"fairage.age_groups": EDGES.to_json()})
    assert age_groups_of(fairage.audit(bare, join=joined)) == ["0-25", "25-50", "50+"]
    assert age_groups_of(fairage.compare(bare, own)) == ["0-25", "25-50", "50+"]


def test_files_that_say_different_age_groups_are_an_error(tmp_path: Path) -> None:
    one = predictions(tmp_path, "a.parquet", EDGES)
    two = predictions(tmp_path, "b.parquet", AgeGroups())
    with pytest.raises(DataError, match=r"the same age groups in 'a\.parquet' and 'b\.parquet'"):
        fairage.compare(one, two)
    settings = fairage.AuditSettings(age_groups=EDGES)
    assert age_groups_of(fairage.compare(one, two, settings=settings)) == ["0-25", "25-50", "50+"]
