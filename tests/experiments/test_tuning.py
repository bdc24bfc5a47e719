"""The search: what it sees and writes, what stops a trial, what a killed search comes to."""

import errno
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from fairage.datasets.oversampling import CopiedRows
from fairage.embeddings import BackboneSpec, Embeddings, EmbedOptions
from fairage.exceptions import ConfigError, DataError
from fairage.experiments import embedded_faces as embedding_module
from fairage.experiments.inputs import EmbeddedFaces
from fairage.experiments.plan import RunOptions
from fairage.experiments.recipe import Recipe
from fairage.experiments.recipe_files import read_recipe, recipe_from
from fairage.experiments.tuning import search as search_module
from fairage.experiments.tuning import study_store
from fairage.experiments.tuning.search import Search, TuningSettings, tune
from fairage.experiments.tuning.search_output import write_search
from fairage.experiments.tuning.space import candidate, read_space
from fairage.experiments.tuning.study_store import StudyStore
from fairage.experiments.tuning.trials import ScoredTrial, Task, limits_of, run_task
from fairage.tables import Faces

TOLD = {
    "experiment": "1",
    "version": "quick",
    "head": {"name": "regression", "hidden": [8]},
    "training": {"epochs": 4, "learning_rate": 1e-2, "batch_size": 64},
}
MANUAL = {**TOLD, "weighting": {"name": "3", "table": {"gender": {"nobody": 1.0}}}}
SPACE = """
weighting: {choices: [none, 1b]}
fairness: {choices: [null, {name: gap, attributes: [gender]}]}
fairness.strength: {low: 0.1, high: 1, log: true}
training.learning_rate: {low: 1.0e-3, high: 3.0e-2, log: true}
training.epochs: {low: 3, high: 4}
"""
OLD = {"name": "kit", "copies": {"name": "groups", "times": 2}}
AUGMENTED = {**TOLD, "augmentation": OLD}
STAGED = {**TOLD, "stages": [{"name": "elsewhere", "data": "utk"}, {"name": "here"}]}
PLAIN = "training.epochs: {choices: [3, 4]}"
SPEC = BackboneSpec("fake")


@pytest.fixture
def recipe() -> Recipe:
    return recipe_from(TOLD, "test")


@pytest.fixture
def space_file(tmp_path: Path):
    def write(text: str) -> Path:
        (tmp_path / "space.yaml").write_text(text, encoding="utf-8")
        return tmp_path / "space.yaml"

    return write


@pytest.fixture
def seen(embedded: EmbeddedFaces, monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """The splits that were embedded; embeddings come from the fixture, not from images."""
    splits: list[set[str]] = []
    place = {image: row for row, image in enumerate(embedded.frame["image"])}

    def embed(faces: Faces, backbones, **options: object) -> Embeddings:
        splits.append(set(faces.frame["split"]) if "split" in faces.frame.columns else {"extra"})
        rows = [place[image] for image in faces.frame["image"]]
        told = ({"name": "fake", "view": "whole", "flip": True},)
        return Embeddings(embedded.embeddings[rows], np.arange(len(rows)), (), told, 0)

    def embed_copies(train: Faces, copied: CopiedRows, *_: object, **__: object) -> Embeddings:
        splits.append({f"copies of {split}" for split in train.frame["split"]})
        rows = [place[image] for image in train.frame["image"]]
        values = embedded.embeddings[rows][copied.rows] + np.float32(0.1)
        return Embeddings(values, copied.rows, (), (), len(values))

    monkeypatch.setattr(embedding_module, "embed", embed)
    monkeypatch.setattr(embedding_module, "embed_copies", embed_copies)
    return splits


def settings(tmp_path: Path, trials: int, **changes: object) -> TuningSettings:
    own = {name: changes.pop(name) for name in ("timeout", "delta", "seed") if name in changes}
    embedding = EmbedOptions(backbones=(SPEC,), store=tmp_path / "store")
    return TuningSettings(RunOptions(embedding, **{"seeds": 1, **changes}), trials=trials, **own)


@pytest.fixture
def run(recipe: Recipe, embedded: EmbeddedFaces, seen, space_file, tmp_path: Path):
    def run(
        out: str, trials: int, *, text: str = SPACE, recipe: Recipe = recipe, **changes: object
    ) -> Search:
        space, told = read_space(space_file(text)), settings(tmp_path, trials, **changes)
        found = tune(recipe, Faces(embedded.frame), space, told, tmp_path / out)
        write_search(recipe, found, told, tmp_path / out, "faces")
        return found

    return run


def test_the_search_never_sees_test_rows_and_starts_from_the_recipe(run, seen, recipe) -> None:
    found = run("a", 3)
    assert seen == [{"train", "valid"}]
    assert set(found.data.frame["split"]) == {"train", "valid"}
    assert found.outcomes[0].values == {}
    alone = run_task(Task(recipe, 1), found.data)
    assert found.outcomes[0].scored == alone


def test_what_is_written_agrees(run, tmp_path: Path) -> None:
    found = run("a", 6, delta=0.5)
    trials = pl.read_csv(tmp_path / "a" / "trials.csv", infer_schema_length=None)
    assert trials["trial"].to_list() == list(range(6))
    complete = trials.filter(pl.col("state") == "complete")
    front = pl.read_csv(tmp_path / "a" / "front.csv", infer_schema_length=None)
    for row in front.to_dicts():
        better = (complete["mae"] <= row["mae"]) & (complete["average_bias"] < row["average_bias"])
        assert not better.any()
    near = complete.filter(pl.col("mae") <= 1.5 * complete["mae"].min())
    chosen = read_recipe(tmp_path / "a" / "chosen.yaml")
    number = int(chosen.description.split()[1])
    assert number == near.sort("average_bias")["trial"][0]
    again = run_task(Task(chosen, 1), found.data)
    assert again.average_bias == near["average_bias"].min()
    accurate = read_recipe(tmp_path / "a" / "accurate.yaml")
    assert run_task(Task(accurate, 1), found.data).mae == complete["mae"].min()
    page = (tmp_path / "a" / "tuning.html").read_text(encoding="utf-8")
    assert f"rial {number} is chosen" in page or number == 0
    assert "<svg" in page
    assert found.warnings
    assert "What the faces do not allow" in page


def test_one_seed_gives_the_same_trials_and_another_gives_others(run, tmp_path: Path) -> None:
    run("a", 4)
    run("b", 4)
    run("c", 4, seed=1)
    a, b, c = ((tmp_path / name / "trials.csv").read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_a_search_that_was_killed_goes_on_as_if_it_had_not_been(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One trial is left begun, as kill -9 leaves it; a later one scored, but without its end."""
    run("whole", 15)
    for method, number in (("end", 5), ("_tell", 9)):
        with monkeypatch.context() as patch:
            patch.setattr(StudyStore, method, dying(getattr(StudyStore, method), number))
            with pytest.raises(KeyboardInterrupt):
                run("broken", 15)
    run("broken", 15)
    for name in ("trials.csv", "front.csv", "chosen.yaml", "tuning.html"):
        expected = (tmp_path / "whole" / name).read_bytes()
        assert (tmp_path / "broken" / name).read_bytes() == expected


def dying(method: Callable, dead: int) -> Callable:
    """The method of a memory, whose process dies at the trial of this number."""

    def call(memory: StudyStore, trial, scored: ScoredTrial) -> None:
        if getattr(trial, "number", trial) == dead:
            raise KeyboardInterrupt
        method(memory, trial, scored)

    return call


def test_a_search_goes_on_to_more_trials(run, tmp_path: Path) -> None:
    assert run("a", 3).new == 3
    assert run("a", 5).new == 2
    assert run("a", 5).new == 0
    run("b", 5)
    assert (tmp_path / "a" / "trials.csv").read_bytes() == (
        tmp_path / "b" / "trials.csv"
    ).read_bytes()


def test_another_search_in_the_folder_is_refused(run) -> None:
    run("a", 2)
    with pytest.raises(ConfigError, match="give another --out"):
        run("a", 2, seeds=2)
    with pytest.raises(ConfigError, match="give another --out"):
        run("a", 2, text="weighting: {choices: [none]}")
    with pytest.raises(ConfigError, match="give another --out"):
        run("a", 2, delta=0.1)


def test_a_damaged_file_is_told(run, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "tuning.db").write_bytes(b"no database at all, but long enough" * 99)
    with pytest.raises(DataError, match="remove it or give another --out"):
        run("a", 2)


def test_a_full_disk_is_told_and_no_trial_is_lost(run, tmp_path: Path, monkeypatch) -> None:
    run("a", 3)
    first = pl.read_csv(tmp_path / "a" / "trials.csv")["mae"]
    connect = study_store._connect

    def full(path: Path) -> sqlite3.Connection:
        connection = connect(path)
        connection.execute("PRAGMA max_page_count = 1")  # as many as there are
        return connection

    with monkeypatch.context() as patch:
        patch.setattr(study_store, "_connect", full)
        with pytest.raises(OSError, match="trials in it are kept") as error:
            run("a", 25)
    assert error.value.errno == errno.ENOSPC
    assert error.value.filename == str(tmp_path / "a" / "tuning.db")
    assert run("a", 3).new == 0
    kept = pl.read_csv(tmp_path / "a" / "trials.csv")["mae"]
    assert kept.head(3).equals(first)
    assert len(kept) > 3  # what ended before the disk was full


def test_two_searches_in_one_folder_are_refused(run, tmp_path: Path, monkeypatch) -> None:
    def second(*_: object, **__: object) -> ScoredTrial:
        run("a", 2)
        raise AssertionError

    monkeypatch.setattr(search_module, "run_task", second)
    with pytest.raises(ConfigError, match="no other command at work"):
        run("a", 2)


def test_trials_that_cannot_be_trained_are_told_and_left_out(run, tmp_path: Path) -> None:
    found = run(
        "a",
        8,
        text="training.learning_rate: {choices: [1.0e-2, 1.0e+30]}\nhead: {choices: [linear]}",
    )
    failed = [o for o in found.outcomes if o.state == "failed"]
    assert failed
    assert all("finite loss" in outcome.scored.reason for outcome in failed)
    assert "not to be trained" in (tmp_path / "a" / "tuning.html").read_text(encoding="utf-8")


def test_where_no_trial_can_be_trained_the_reason_is_told(run) -> None:
    with pytest.raises(DataError, match=r"got none: .*'female'"):
        run("a", 3, text="training.epochs: {choices: [3]}", recipe=recipe_from(MANUAL, "test"))


def test_where_there_was_no_time_for_a_trial_that_is_told(run) -> None:
    with pytest.raises(DataError, match="no time for any"):
        run("a", 3, timeout=1e-9)


def test_lagging_trials_are_stopped_and_near_ones_are_not(recipe, embedded) -> None:
    whole = run_task(Task(recipe, 1), embedded)
    assert whole.pruned == 0
    assert list(whole.rungs) == ["3"]
    limits = limits_of([whole] * 5, delta=0.03)
    assert run_task(Task(recipe, 1, limits), embedded) == whole
    slow = candidate(recipe, {"training.learning_rate": 1e-6})
    lagging = run_task(Task(slow, 1, {3: whole.mae}), embedded)
    assert lagging.pruned == 3
    assert lagging.epochs == 3


def test_nothing_is_stopped_before_five_trials_ended() -> None:
    known = ScoredTrial(rungs={"3": 10.0, "6": 8.0, "48": 4.0})
    assert limits_of([known] * 4, delta=0.03) == {}
    assert limits_of([known] * 5, delta=0.03) == pytest.approx({3: 18.0, 6: 11.2, 48: 4.4})
    assert limits_of([known] * 5, delta=0.2)[48] == pytest.approx(5.6)


def test_the_numbers_of_a_trial_are_means_over_seeds(recipe, embedded) -> None:
    both = run_task(Task(recipe, 2), embedded)
    first = run_task(Task(recipe, 1), embedded)
    assert both.rungs == first.rungs
    assert both.mae != first.mae
    assert both.epochs == 8


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("after: {choices: [[], [{name: recalibrate, weighting: none}]]}", True),
        ("after: {choices: [[]]}", False),
    ],
)
def test_steps_that_a_space_draws_are_said_to_be_fitted_on_validation_faces(
    run, tmp_path: Path, text: str, told: bool
) -> None:
    run("a", 4, text=text)
    page = (tmp_path / "a" / "tuning.html").read_text(encoding="utf-8")
    assert ("fitted to the validation faces too" in page) == told


def test_chosen_recipes_are_plain_files(run, tmp_path: Path) -> None:
    run("a", 3)
    told = yaml.safe_load((tmp_path / "a" / "chosen.yaml").read_text(encoding="utf-8"))
    assert told["experiment"] == "tuned"
    assert told["version"] == "quick chosen"
    assert "published" not in told


def test_copies_of_training_faces_are_embedded_once_and_told(run, seen, tmp_path: Path) -> None:
    recipe = recipe_from(AUGMENTED, "test")
    found = run("a", 3, text=PLAIN, recipe=recipe)
    assert seen == [{"train", "valid"}, {"copies of train"}]
    copies = found.data.augmented(recipe.augmentation)
    assert found.new_copies == len(copies) > 0
    assert found.outcomes[0].scored == run_task(Task(recipe, 1), found.data)
    plain = run("b", 1, text=PLAIN)
    assert plain.outcomes[0].scored.mae != found.outcomes[0].scored.mae
    page = (tmp_path / "a" / "tuning.html").read_text(encoding="utf-8")
    assert f"{len(copies)} of {len(set(copies.rows))} training faces" in page


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("augmentation: {choices: [null, kit, {name: random, strength: 0.2}]}", 3),
        (
            "augmentation: {choices: [kit, random]}\naugmentation.strength: {choices: [0.2, 0.4]}",
            4,
        ),
        ("augmentation.seed: {choices: [1, 2]}", 3),
        ("weighting, augmentation: {choices: [[none, null], [1b, random]]}", 2),
    ],
)
def test_copies_of_every_augmentation_that_is_drawn_are_there(run, text: str, kinds: int) -> None:
    found = run("a", 6, text=f"{text}\n{PLAIN}", recipe=recipe_from(AUGMENTED, "test"))
    assert len(found.data.copies) == kinds
    assert {outcome.state for outcome in found.outcomes} == {"complete"}


def test_copies_of_a_group_that_is_not_there_are_refused_before_any_trial(run, tmp_path) -> None:
    text = "augmentation.copies: {choices: [all, {name: groups, groups: [gender=malee]}]}"
    with pytest.raises(ConfigError, match="Did you mean 'male'"):
        run("a", 3, text=text, recipe=recipe_from(AUGMENTED, "test"))
    assert not (tmp_path / "a").exists()


@pytest.fixture
def utk(embedded: EmbeddedFaces) -> Faces:
    return Faces(embedded.frame.filter(pl.col("split") == "test").drop("split", "expression"))


def test_stages_on_extra_faces_are_tuned(run, utk, tmp_path: Path) -> None:
    recipe = recipe_from(STAGED, "test")
    found = run("a", 3, text=PLAIN, recipe=recipe, extra_faces={"utk": utk})
    assert found.data.extra("utk").counts["train"] == len(utk)
    assert {outcome.state for outcome in found.outcomes} == {"complete"}
    assert found.outcomes[0].scored == run_task(Task(recipe, 1), found.data)
    page = (tmp_path / "a" / "tuning.html").read_text(encoding="utf-8")
    assert "Extra faces utk" in page
    assert run("a", 5, text=PLAIN, recipe=recipe, extra_faces={"utk": utk}).new == 2


def test_stages_that_are_drawn_need_their_extra_faces(run, utk, seen, tmp_path: Path) -> None:
    text = "stages: {choices: [[], [{name: elsewhere, data: utk}]]}"
    found = run("a", 6, text=text, extra_faces={"utk": utk})
    assert {outcome.state for outcome in found.outcomes} == {"complete"}
    seen.clear()
    with pytest.raises(DataError, match="give --extra-faces utk=TABLE"):
        run("b", 2, text=text)
    with pytest.raises(ConfigError, match=r"got \['utk'\] as well"):
        run("b", 2, extra_faces={"utk": utk})
    assert seen == []
    assert not (tmp_path / "b").exists()


def test_stages_that_are_drawn_may_need_another_drawn_key(run, utk) -> None:
    text = (
        "head, objective: {choices: [[label-distribution, {name: dldl}]]}\n"
        "stages: {choices: [[{name: u, data: utk, objective: dldl}, {name: own}]]}\n"
    )
    found = run("a", 3, text=text, extra_faces={"utk": utk})
    assert {outcome.state for outcome in found.outcomes} == {"complete"}


def test_stages_of_a_backbone_are_refused_before_anything_is_embedded(run, seen) -> None:
    deep = [{"name": "deep", "train": "all"}]
    with pytest.raises(ConfigError, match="write train: head"):
        run("a", 2, text=PLAIN, recipe=recipe_from({**TOLD, "stages": deep}, "test"))
    with pytest.raises(ConfigError, match="write train: head"):
        run("a", 2, text=f"stages: {{choices: [[], {deep}]}}")
    assert seen == []


def test_other_extra_faces_or_copies_are_another_search(run, utk, embedded, monkeypatch) -> None:
    recipe = recipe_from({**STAGED, "augmentation": OLD}, "test")
    run("a", 1, text=PLAIN, recipe=recipe, extra_faces={"utk": utk})
    fewer = Faces(utk.frame.head(20))
    with pytest.raises(ConfigError, match="give another --out"):
        run("a", 2, text=PLAIN, recipe=recipe, extra_faces={"utk": fewer})

    def changed(_: Faces, copied: CopiedRows, *__: object, **___: object) -> Embeddings:
        values = np.zeros((len(copied.rows), 6), dtype=np.float32)
        return Embeddings(values, copied.rows, (), (), len(values))

    monkeypatch.setattr(embedding_module, "embed_copies", changed)
    with pytest.raises(ConfigError, match="give another --out"):
        run("a", 2, text=PLAIN, recipe=recipe, extra_faces={"utk": utk})


def test_a_search_with_copies_and_extra_faces_goes_on_where_it_was_killed(
    run, utk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {
        "text": f"augmentation: {{choices: [null, kit]}}\n{PLAIN}",
        "recipe": recipe_from({**STAGED, "augmentation": OLD}, "test"),
        "extra_faces": {"utk": utk},
    }
    run("whole", 6, **options)
    with monkeypatch.context() as patch:
        patch.setattr(StudyStore, "end", dying(StudyStore.end, 3))
        with pytest.raises(KeyboardInterrupt):
            run("broken", 6, **options)
    run("broken", 6, **options)
    for name in ("trials.csv", "chosen.yaml", "tuning.html"):
        expected = (tmp_path / "whole" / name).read_bytes()
        assert (tmp_path / "broken" / name).read_bytes() == expected


def test_without_a_bias_the_search_chooses_by_mae_and_says_so(
    recipe: Recipe, embedded: EmbeddedFaces, seen, space_file, tmp_path: Path
) -> None:
    space, many = read_space(space_file(SPACE)), settings(tmp_path, 3, min_rows=200)
    result = tune(recipe, Faces(embedded.frame), space, many, tmp_path / "a")
    outcome = write_search(recipe, result, many, tmp_path / "a", "faces")
    assert outcome.note.startswith("No attribute has two groups of 200 validation rows or more")
    trials = pl.read_csv(tmp_path / "a" / "trials.csv")
    complete = trials.filter(pl.col("state") == "complete")
    assert complete["average_bias"].is_null().all()
    assert outcome.chosen == outcome.accurate == complete.sort("mae")["trial"][0]
    assert "is chosen by its MAE alone" in (tmp_path / "a" / "tuning.html").read_text()
    few = settings(tmp_path, 3, min_rows=5)
    result = tune(recipe, Faces(embedded.frame), space, few, tmp_path / "b")
    assert write_search(recipe, result, few, tmp_path / "b", "faces").note == ""


def test_a_selection_that_is_drawn_keeps_the_commands_min_rows(
    run, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipes: list[Recipe] = []
    real = search_module.run_task

    def watched(task: Task, data: EmbeddedFaces) -> ScoredTrial:
        recipes.append(task.recipe)
        return real(task, data)

    monkeypatch.setattr(search_module, "run_task", watched)
    run("a", 3, text="select: {choices: [fair, mae]}\n", min_rows=7)
    assert {recipe.select.rule for recipe in recipes[1:]} <= {"fair", "mae"}
    assert {recipe.select.min_rows for recipe in recipes} == {7}
