"""One trial of a search: a candidate trained and judged on validation, stopped where it lags."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from fairage.auditing.scoring import MIN_ROWS, label_groups, score_errors
from fairage.auditing.suite_estimates import average_noise_floor
from fairage.auditing.suite_runs import persons_of
from fairage.exceptions import ConfigError, DataError
from fairage.experiments.fitting import fit
from fairage.experiments.inputs import EmbeddedFaces, load_embedded_faces
from fairage.experiments.recipe import Recipe
from fairage.models import AgeHead
from fairage.tables import AGE
from fairage.training import Epoch

RUNGS = (3, 6, 12, 24, 48)
STARTUP = 5
SLACK, NARROWEST = 0.8, 0.1

Limits = Mapping[int, float]
"""The validation MAE in years that a trial may have at most, by epoch."""


@dataclass(frozen=True)
class Task:
    """What one trial is to train.

    Args:
        recipe: The candidate.
        seeds: Runs of it, with the seeds 0, 1, ...; its numbers are their means.
        limits: When it is stopped.
        min_rows: Faces (persons, where they are known) that a group must have to take part.
    """

    recipe: Recipe
    seeds: int
    limits: Limits = field(default_factory=dict)
    min_rows: int = MIN_ROWS


@dataclass(frozen=True)
class ScoredTrial:
    """What became of a trial; everything is of the validation rows, in years.

    Args:
        mae: Its MAE.
        average_bias: Its average bias; None where no attribute has two groups that take part.
        biases: The bias of each attribute that has one.
        noise_floor: The average bias to be expected if all groups had the same true error.
        noise_p975: What noise exceeds once in forty times.
        epochs: Epochs trained, of all seeds.
        rungs: The lowest MAE up to each rung's epoch, of the first seed.
        pruned: Epoch at which it was stopped; 0 where it was not.
        reason: Why it could not be trained; empty where it could.
    """

    mae: float = 0.0
    average_bias: float | None = None
    biases: dict[str, float] = field(default_factory=dict)
    noise_floor: float | None = None
    noise_p975: float | None = None
    epochs: int = 0
    rungs: dict[str, float] = field(default_factory=dict)
    pruned: int = 0
    reason: str = ""


def limits_of(finished: Sequence[ScoredTrial], *, delta: float) -> Limits:
    """Return the limits for a new trial; none before five trials were trained to their end.

    Successive halving, for two objectives: the first rung lets a trial lag 80 % behind the lowest
    MAE that any trial had reached by the same epoch, and each further rung half of that, but never
    less than 10 % or twice `delta`. The bias plays no part, as a low one early on only means that
    nothing is learnt yet; and what is stopped is too inaccurate to be chosen by the selection rule.

    Args:
        finished: Trials that were trained to their end.
        delta: What the selection rule may give of the MAE, as a share.

    Examples:
        >>> limits = limits_of([ScoredTrial(rungs={"3": 10.0, "6": 8.0})] * 5, delta=0.03)
        >>> {rung: round(limit, 1) for rung, limit in limits.items()}
        {3: 18.0, 6: 11.2}
    """
    if len(finished) < STARTUP:
        return {}
    limits = {}
    for number, rung in enumerate(RUNGS):
        known = [trial.rungs[str(rung)] for trial in finished if str(rung) in trial.rungs]
        if known:
            slack = max(SLACK / 2**number, NARROWEST, 2 * delta)
            limits[rung] = min(known) * (1 + slack)
    return limits


def run_saved_task(task: Task, folder: Path) -> ScoredTrial:
    """Run a task on the faces that `EmbeddedFaces.save` wrote."""
    return run_task(task, load_embedded_faces(folder))


def run_task(task: Task, data: EmbeddedFaces) -> ScoredTrial:
    """Train the candidate with each seed and judge it on the validation rows."""
    watch = _Watch(task.limits)
    plain = not task.recipe.stages and task.recipe.experts is None
    heads = []
    try:
        for seed in range(task.seeds):
            watch.start()
            watched = watch if plain else watch.count
            heads.append(fit(task.recipe, data, seed=seed, watch=watched).head)
    except _LaggingError:
        return ScoredTrial(pruned=watch.epoch, epochs=watch.epochs)
    except (ConfigError, DataError) as error:
        return ScoredTrial(reason=str(error), epochs=watch.epochs)
    return _judge(heads, data.split("valid"), watch, task.min_rows)


class _LaggingError(Exception):
    """A trial is stopped."""


class _Watch:
    """Remembers the lowest MAE at the rungs, and stops a trial that exceeds a limit there."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.rungs: list[dict[str, float]] = []
        self.epoch = self.epochs = 0
        self.lowest = float("inf")

    def start(self) -> None:
        """Begin with a new seed."""
        self.lowest = float("inf")
        self.rungs.append({})

    def count(self, epoch: Epoch) -> None:
        """See an epoch of a training that is one of several: nothing is stopped."""
        self.epochs += 1

    def __call__(self, epoch: Epoch) -> None:
        """See an epoch; members of an average are each held against the limits."""
        self.count(epoch)
        self.epoch = epoch.epoch
        self.lowest = epoch.valid_mae if epoch.epoch == 1 else min(self.lowest, epoch.valid_mae)
        if self.epoch in RUNGS:
            self.rungs[-1][str(self.epoch)] = self.lowest
        if self.lowest > self.limits.get(self.epoch, float("inf")):
            raise _LaggingError


def _judge(
    heads: Sequence[AgeHead], valid: EmbeddedFaces, watch: _Watch, min_rows: int
) -> ScoredTrial:
    ages, persons = valid.frame[AGE].to_numpy(), persons_of(valid.frame)
    groups = {name: label_groups(labels) for name, labels in valid.labels().items()}
    embeddings = torch.from_numpy(np.array(valid.embeddings, dtype=np.float32))
    errors = [head.ages(embeddings).numpy().astype(np.float64) - ages for head in heads]
    scores = [score_errors(own, groups, min_rows=min_rows, units=persons) for own in errors]
    floors = [average_noise_floor(own, groups, persons, min_rows) for own in errors]
    known = [floor for floor in floors if floor is not None]
    names = [name for name, bias in scores[0].biases.items() if not math.isnan(bias)]
    return ScoredTrial(
        mae=float(np.mean([score.mae for score in scores])),
        average_bias=float(np.mean([s.average_bias for s in scores])) if names else None,
        biases={name: float(np.mean([s.biases[name] for s in scores])) for name in names},
        noise_floor=float(np.mean([floor.mean for floor in known])) if known else None,
        noise_p975=float(np.mean([floor.p975 for floor in known])) if known else None,
        epochs=watch.epochs,
        rungs=watch.rungs[0],
    )
