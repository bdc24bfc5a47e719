"""Run folders that are not as they were written: trained again, told, and never believed."""

import json
from pathlib import Path
from shutil import rmtree

import pytest

from fairage._files import folder_hashes, sealed
from fairage.exceptions import ConfigError
from fairage.experiments.recipe_files import recipe_from
from fairage.experiments.runner import RUN, damage_of, run_of
from fairage.experiments.suite import run_plan

QUICK = {"experiment": "1", "training": {"epochs": 2, "learning_rate": 1e-2}}
FOLDER = Path("1-first") / "seed-1"


@pytest.fixture
def plan(plan_of):
    recipes = [recipe_from({**QUICK, "version": name}, "test") for name in ("first", "second")]
    return plan_of(*recipes)


@pytest.fixture
def out(plan, tmp_path: Path) -> Path:
    run_plan(plan, tmp_path)
    return tmp_path


def flip(path: Path) -> None:
    """Change a digit in the middle of what the file says."""
    data = bytearray(path.read_bytes())
    at = next(i for i in range(len(data) // 2, len(data)) if chr(data[i]).isdigit())
    data[at] = ord("1") if data[at] != ord("1") else ord("2")
    path.write_bytes(data)


DAMAGES = {
    "no bundle": ("bundle", rmtree),
    "no weights": ("bundle/model.safetensors", Path.unlink),
    "half the weights": ("bundle/model.safetensors", lambda path: path.write_bytes(b"half")),
    "other configuration": ("bundle/config.json", flip),
    "no predictions": ("predictions.parquet", Path.unlink),
    "half the predictions": ("predictions.parquet", lambda path: path.write_bytes(b"PAR1")),
    "other log": ("log.csv", flip),
    "no run.json": (RUN, Path.unlink),
    "empty run.json": (RUN, lambda path: path.write_text("")),
    "half of run.json": (RUN, lambda path: path.write_text(path.read_text()[:100])),
    "a list": (RUN, lambda path: path.write_text("[]")),
    "other run.json": (RUN, flip),
    "no text": (RUN, lambda path: path.write_bytes(b"\xff\xfe")),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_run_is_trained_again_and_told(damage: str, out: Path, plan, trained) -> None:
    before = {name: (out / name).read_bytes() for name in ("results.csv", "summary.csv")}
    name, spoil = DAMAGES[damage]
    spoil(out / FOLDER / name)
    trained.clear()
    with pytest.warns(UserWarning, match=rf"seed-1'.*{Path(name).name}.* is trained again"):
        outcome = run_plan(plan, out)
    assert trained == [("first", 1)]
    assert outcome.new_runs == 1
    assert damage_of(out / FOLDER) == ""
    assert {name: (out / name).read_bytes() for name in before} == before


def test_a_whole_run_is_kept_and_nothing_told(out: Path, plan, trained) -> None:
    (out / FOLDER / "notes.txt").write_text("of the user")
    trained.clear()
    run_plan(plan, out)
    assert trained == []


def test_every_file_of_a_run_has_its_checksum(out: Path) -> None:
    told = json.loads((out / FOLDER / RUN).read_text())
    files = folder_hashes(out / FOLDER)
    del files[RUN]
    assert told["files"] == files
    assert {"bundle/README.md", "log.csv", "predictions.parquet"} < set(files)


def test_a_damaged_run_that_fails_keeps_no_other_from_its_report(
    out: Path, plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ConfigError("expected luck, got none, wait")

    (out / FOLDER / "predictions.parquet").unlink()
    monkeypatch.setattr("fairage.experiments.runner.fit", fail)
    with (
        pytest.warns(UserWarning, match="trained again"),
        pytest.raises(
            ConfigError, match=r"first, seed 1: expected luck.* other versions are whole"
        ),
    ):
        run_plan(plan, out)
    assert "second" in (out / "summary.csv").read_text()


@pytest.mark.parametrize("damaged", [True, False])
def test_a_run_of_other_faces_is_refused_damaged_or_not(damaged: bool, out: Path, plan) -> None:
    path = out / FOLDER / RUN
    content = json.loads(path.read_text())
    path.write_text(json.dumps(sealed({**content, "fingerprint": "other"})))
    if damaged:
        (out / FOLDER / "predictions.parquet").unlink()
    with pytest.raises(ConfigError, match="got one of others"):
        run_plan(plan, out)
    assert run_of(out / FOLDER) == "other"


def test_a_run_without_checksums_is_trained_again(out: Path, plan, trained) -> None:
    path = out / FOLDER / RUN
    content = json.loads(path.read_text())
    del content["hash"], content["files"]
    path.write_text(json.dumps(content))
    trained.clear()
    with pytest.warns(UserWarning, match="missing or damaged"):
        run_plan(plan, out)
    assert trained == [("first", 1)]


def test_what_killed_runs_left_is_removed_and_nothing_of_others(out: Path, plan, trained) -> None:
    ours = [
        ".report.0123abcd.partial.html",
        ".suite.0123abcd.partial.json",
        "1-first/.seed-7.partial",
        "1-second/.seed-0.old",
        "1-gone/.seed-0.partial",
    ]
    others = [
        ".notes.0123abcd.partial.html",
        ".seed-0.partial",
        ".vim.old",
        "1-first/.seed-0.finetuning",
        "1-first/.mine.partial",
    ]
    for name in (*ours, *others):
        path = out / name
        if path.suffix in (".html", ".json"):
            path.write_text("half")
        else:
            path.mkdir(parents=True)
            (path / "half").write_text("half")
    trained.clear()
    run_plan(plan, out)
    assert trained == []
    assert not any((out / name).exists() for name in ours)
    kept = [name for name in others if (out / name).exists()]
    assert kept == [name for name in others if not name.endswith(".finetuning")]  # it is whole


def test_a_run_that_was_moved_away_to_be_replaced_is_put_back(out: Path, plan, trained) -> None:
    (out / FOLDER).rename(out / FOLDER.with_name(".seed-1.old"))
    trained.clear()
    run_plan(plan, out)
    assert trained == []
