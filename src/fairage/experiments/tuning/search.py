"""A search for the fairest of the most accurate recipes, on validation rows alone."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fairage._files import hash_of, new_folder
from fairage._locks import scratch_folder
from fairage._work import process_pool, progress_bar, tell
from fairage.exceptions import ConfigError, DataError
from fairage.experiments.embedded_faces import embed_inputs, with_extra_faces
from fairage.experiments.fitting import check_scratch
from fairage.experiments.inputs import EmbeddedFaces
from fairage.experiments.plan import RunOptions, data_warnings
from fairage.experiments.recipe import Recipe
from fairage.experiments.schedule import one_thread, prepare_worker
from fairage.experiments.tuning.space import (
    Space,
    candidate,
    check_space,
    draw,
    embedding_candidates,
)
from fairage.experiments.tuning.study_store import Outcome, StudyStore, Trial, open_study
from fairage.experiments.tuning.trials import ScoredTrial, Task, limits_of, run_saved_task, run_task
from fairage.tables import Faces

SPLITS = ("train", "valid")
Submit = Callable[[Task], Future[ScoredTrial]]


@dataclass(frozen=True)
class TuningSettings:
    """How a search goes.

    Args:
        run: Backbones, processes, extra faces; `seeds` are the runs of each trial, whose numbers
            are their means. With one process, a seed always gives the same trials.
        trials: Trials in all, those of earlier calls among them.
        timeout: Seconds after which no trial is begun any more; None for no limit.
        delta: What the selection rule may give of the lowest MAE, as a share.
        seed: Start of the random numbers.
    """

    run: RunOptions
    trials: int = 60
    timeout: float | None = None
    delta: float = 0.03
    seed: int = 0


@dataclass(frozen=True)
class Search:
    """What a search found.

    Args:
        outcomes: All trials that are over, by number.
        data: What they were trained and scored on; no test rows among it.
        warnings: What is wrong with the faces.
        new: Trials of this call.
        seconds: Time of this call's trials.
        new_copies: Augmented copies that were embedded now; the others were in the store.
    """

    outcomes: list[Outcome]
    data: EmbeddedFaces
    warnings: tuple[str, ...]
    new: int
    seconds: float
    new_copies: int = 0


def tune(recipe: Recipe, faces: Faces, space: Space, settings: TuningSettings, out: Path) -> Search:
    """Try the recipe as it is, then candidates, until there are as many trials as wanted.

    Rows of the split `test` are dropped before anything is embedded. The augmented copies of the
    recipe, and of every augmentation that the space draws, are embedded before the first trial.
    Killed at any moment and called again, the search goes on.

    Raises:
        ConfigError: The space does not fit the recipe, a stage trains a backbone, an augmentation
            is drawn from a range or copies a group that is not there, or `out` holds another
            search.
        DataError: A split or extra faces are missing, or no trial could be trained.
    """
    run = settings.run
    recipe = recipe.with_min_rows(run.min_rows)
    check_scratch(recipe, None)
    check_space(space, recipe)
    recipes, _ = with_extra_faces(embedding_candidates(space, recipe), run.extra_faces)
    for drawn in recipes:
        check_scratch(drawn, None)
    inputs = embed_inputs(
        recipes, run.grouped(faces), run.embedding, run.extra_faces, splits=SPLITS
    )
    data = inputs.data
    warnings = data_warnings(data, run.min_rows, SPLITS)
    started = time.monotonic()
    with (
        open_study(
            new_folder(out), _hash(recipe, space, settings, data), seed=settings.seed
        ) as study,
        _training(data, run.workers) as submit,
    ):
        tell(warnings)
        new = _Searching(recipe, space, settings, study, submit).run()
        outcomes = study.outcomes()
    if not any(outcome.state == "complete" for outcome in outcomes):
        reasons = [o.scored.reason for o in outcomes] or ["there was no time for any"]
        raise DataError(f"expected a trial that can be trained, got none: {reasons[0]}")
    seconds = time.monotonic() - started
    return Search(outcomes, data, warnings, new, seconds, new_copies=inputs.new_copies)


def _hash(recipe: Recipe, space: Space, settings: TuningSettings, data: EmbeddedFaces) -> str:
    """Return the hash of all that a search depends on; more trials do not make it another one."""
    own: list[float] = [settings.run.seeds, settings.seed, settings.delta]  # delta: what is stopped
    own.append(settings.run.min_rows)
    text = json.dumps([recipe.fingerprint, space.content(), *own])
    more = [f"{name}={extra.fingerprint}" for name, extra in sorted(data.extras.items())]
    more += [f"{key}={copies.fingerprint}" for key, copies in sorted(data.copies.items())]
    return hash_of(text, data.fingerprint, *more, size=8)


@contextmanager
def _training(data: EmbeddedFaces, workers: int) -> Iterator[Submit]:
    """Yield what takes a task in: this process for one worker, else processes of their own."""
    if workers == 1:
        with one_thread():
            yield lambda task: _done(run_task(task, data))
        return
    with scratch_folder() as scratch:
        data.save(scratch)
        with process_pool(workers, prepare_worker) as pool:
            yield lambda task: pool.submit(run_saved_task, task, scratch)


def _done(scored: ScoredTrial) -> Future[ScoredTrial]:
    future: Future[ScoredTrial] = Future()
    future.set_result(scored)
    return future


@dataclass(frozen=True)
class _Searching:
    """One call of a search: begins trials while there are workers for them, and ends them."""

    recipe: Recipe
    space: Space
    settings: TuningSettings
    study: StudyStore
    submit: Submit

    def run(self) -> int:
        """Return how many trials were trained now."""
        there = len(self.study.outcomes())
        left = max(self.settings.trials - there, 0)
        until = time.monotonic() + (self.settings.timeout or float("inf"))
        running: dict[Future[ScoredTrial], Trial] = {}
        begun = 0
        with progress_bar("trials", left) as advance:
            while True:
                while (
                    begun < left
                    and len(running) < self.settings.run.workers
                    and time.monotonic() < until
                ):
                    running |= self._begin()
                    begun += 1
                if not running:
                    return begun
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    self.study.end(running.pop(future), future.result())
                    advance(1)

    def _begin(self) -> dict[Future[ScoredTrial], Trial]:
        trial, number = self.study.begin()
        values = draw(trial, self.space, self.recipe) if number > 0 else {}
        finished = [o.scored for o in self.study.outcomes() if o.state == "complete"]
        limits = limits_of(finished, delta=self.settings.delta)
        try:
            recipe = candidate(self.recipe, values) if values else self.recipe
        except ConfigError as error:
            return {_done(ScoredTrial(reason=str(error))): trial}
        run = self.settings.run
        recipe = recipe.with_min_rows(run.min_rows)  # of a selection that was drawn
        return {self.submit(Task(recipe, run.seeds, limits, run.min_rows)): trial}
