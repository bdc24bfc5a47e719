"""What a search writes: its trials, the front, two recipes, a report."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml

from fairage._files import write_text
from fairage._partial_files import remove_leftovers
from fairage._tables_io import write_table
from fairage.age_groups import AgeGroups
from fairage.auditing.scoring import AVERAGE_BIAS, MAE, bias_column
from fairage.experiments.inputs import EmbeddedRows
from fairage.experiments.recipe import Recipe
from fairage.experiments.suite import backbone_title, rows_text, software
from fairage.experiments.tuning.search import Search, TuningSettings
from fairage.experiments.tuning.space import candidate
from fairage.experiments.tuning.study_store import Outcome
from fairage.reports.tuning_page import (
    SearchNumbers,
    TrialNumbers,
    front_of_trials,
    tuning_html,
)
from fairage.training.selection import fairest, no_bias_note

TRIALS, FRONT, REPORT = "trials.csv", "front.csv", "tuning.html"
FLOORS = (f"{AVERAGE_BIAS}_floor", f"{AVERAGE_BIAS}_floor_p975")
CHOSEN, ACCURATE = "chosen.yaml", "accurate.yaml"


@dataclass(frozen=True)
class TuningOutcome:
    """What came of a search.

    Args:
        folder: Holds `trials.csv`, `front.csv`, `chosen.yaml`, `accurate.yaml`, `tuning.html`.
        front: One row a trial of the Pareto front, as in `front.csv`.
        chosen: Number of the trial that the selection rule takes.
        accurate: Number of the most accurate trial.
        counts: Trials of each state.
        new: Trials that were trained now.
        seconds: Their time.
        copies: Augmented copies that the trials could train on.
        new_copies: Those of them that were embedded now.
        note: What must be known of the choice; empty where there is nothing.
        warnings: What is wrong with the faces.
        age_groups: Groups of the true age that the trials were judged by.
    """

    folder: Path
    front: pl.DataFrame
    chosen: int
    accurate: int
    counts: dict[str, int]
    new: int
    seconds: float
    copies: int = 0
    new_copies: int = 0
    note: str = ""
    warnings: tuple[str, ...] = ()
    age_groups: AgeGroups = field(default_factory=AgeGroups)


def write_search(
    recipe: Recipe, search: Search, settings: TuningSettings, out: Path, faces_name: str
) -> TuningOutcome:
    """Write everything that a search found; the database of its trials is there already.

    Args:
        recipe: What the search started from.
        search: The search.
        settings: How it went.
        out: The folder.
        faces_name: How the report names the faces table.
    """
    complete = [outcome for outcome in search.outcomes if outcome.state == "complete"]
    tried = [_tried(outcome) for outcome in complete]
    front = [trial.number for trial in front_of_trials(tried)]
    maes, biases = [t.mae for t in tried], [t.average_bias for t in tried]
    chosen = fairest(maes, biases, delta=settings.delta)
    accurate = tried.index(front_of_trials(tried)[0])
    rows = {outcome.number: outcome for outcome in search.outcomes}
    attributes = search.data.attributes
    front_frame = _frame([rows[number] for number in front], attributes)
    remove_leftovers(out, {TRIALS, FRONT, CHOSEN, ACCURATE, REPORT}.__contains__)
    write_table(_frame(search.outcomes, attributes), out / TRIALS)
    write_table(front_frame, out / FRONT)
    for name, index in ((CHOSEN, chosen), (ACCURATE, accurate)):
        write_text(out / name, _yaml(recipe, complete[index], name, len(search.outcomes)))
    states = ("complete", "pruned", "failed")
    counts = {state: sum(o.state == state for o in search.outcomes) for state in states}
    facts = _facts(recipe, search, settings, faces_name)
    report = SearchNumbers(
        title=f"Search from the recipe {recipe.version}",
        trials=tried,
        chosen=tried[chosen],
        delta=settings.delta,
        pruned=counts["pruned"],
        failed=counts["failed"],
        fitted_on_validation=any(candidate(recipe, o.values).after for o in complete),
        min_rows=settings.run.min_rows,
        facts=facts,
        warnings=search.warnings,
    )
    write_text(out / REPORT, tuning_html(report))
    numbers = tried[chosen].number, tried[accurate].number
    outcome = TuningOutcome(out, front_frame, *numbers, counts, search.new, search.seconds)
    copies = sum(map(len, search.data.copies.values()))
    note = "" if tried[chosen].has_bias else no_bias_note(settings.run.min_rows)
    return replace(
        outcome,
        copies=copies,
        new_copies=search.new_copies,
        note=note,
        warnings=search.warnings,
        age_groups=search.data.age_groups,
    )


def _tried(outcome: Outcome) -> TrialNumbers:
    scored = outcome.scored
    return TrialNumbers(
        outcome.number,
        scored.mae,
        _or_nan(scored.average_bias),
        scored.biases,
        _or_nan(scored.noise_floor),
        _or_nan(scored.noise_p975),
        {key: _text(value) for key, value in outcome.values.items()},
    )


def _frame(outcomes: Sequence[Outcome], attributes: Sequence[str]) -> pl.DataFrame:
    """One row a trial; what a trial has not got is empty."""
    keys = list(dict.fromkeys(key for outcome in outcomes for key in outcome.values))
    rows = [_row(outcome, attributes, keys) for outcome in outcomes]
    numbers = [MAE, *map(bias_column, attributes), AVERAGE_BIAS, *FLOORS]
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return frame.with_columns(pl.col(numbers).cast(pl.Float64))


def _row(outcome: Outcome, names: Sequence[str], keys: Sequence[str]) -> dict[str, Any]:
    scored, whole = outcome.scored, outcome.state == "complete"
    return {
        "trial": outcome.number,
        "state": outcome.state,
        MAE: scored.mae if whole else None,
        **{bias_column(name): scored.biases.get(name) for name in names},
        AVERAGE_BIAS: scored.average_bias if whole else None,
        FLOORS[0]: scored.noise_floor if whole else None,
        FLOORS[1]: scored.noise_p975 if whole else None,
        "epochs": scored.epochs,
        "reason": scored.reason or (f"lagged at epoch {scored.pruned}" if scored.pruned else ""),
        **{key: _text(outcome.values[key]) if key in outcome.values else None for key in keys},
    }


def _shown(bias: float | None) -> str:
    return "unknown" if bias is None else f"{bias:.3f}"


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def _text(value: object) -> str:
    """Return a value as a recipe would write it."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | dict):
        return yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=1000).strip()
    return value if isinstance(value, str) else json.dumps(value)


def _yaml(recipe: Recipe, outcome: Outcome, name: str, trials: int) -> str:
    """Return the trial's recipe as a file that `fairage run` takes."""
    kind = Path(name).stem
    scored = outcome.scored
    best = candidate(recipe, outcome.values).model_copy(
        update={
            "experiment": "tuned",
            "version": f"{recipe.version} {kind}",
            "description": f"Trial {outcome.number} of {trials} from {recipe.version}; validation "
            f"MAE {scored.mae:.3f}, average bias {_shown(scored.average_bias)}.",
        }
    )
    plain = best.model_dump(mode="json", exclude={"published"}, exclude_defaults=True)
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100)


def _facts(
    recipe: Recipe, search: Search, settings: TuningSettings, faces_name: str
) -> dict[str, str]:
    data = search.data
    return {
        "Recipe": f"{recipe.experiment}, {recipe.version}",
        "Faces table": faces_name,
        "Faces": rows_text(data),
        "Age groups": str(data.age_groups),
        **{f"Extra faces {name}": rows_text(extra) for name, extra in data.extras.items()},
        **{f"Augmented copies {n}": _copies(c) for n, c in enumerate(data.copies.values(), 1)},
        "Backbones": ", ".join(map(backbone_title, data.backbones)),
        "Trials": str(len(search.outcomes)),
        "Seeds a trial": str(settings.run.seeds),
        "Versions of software": software(),
    }


def _copies(copies: EmbeddedRows) -> str:
    texts = [f"{len(copies):,} of {len(np.unique(copies.rows)):,} training faces", *copies.notes]
    return "; ".join(texts)
