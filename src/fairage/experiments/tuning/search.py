"""A search for the fairest of the most accurate recipes, on validation rows alone."""

import hashlib
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from fairage._files import new_folder
from fairage._work import process_pool, progress_bar
from fairage.auditing.scoring import MIN_ROWS
from fairage.embeddings import BackboneSpec
from fairage.exceptions import ConfigError, DataError
from fairage.experiments.embedded_faces import Embedder, handed_over
from fairage.experiments.fitting import check_scratch
from fairage.experiments.inputs import EmbeddedFaces
from fairage.experiments.recipe import Recipe, with_min_rows
from fairage.experiments.schedule import one_thread, prepare_worker
from fairage.experiments.tuning.space import (
    Space,
    candidate,
    check_space,
    draw,
    embedding_candidates,
)
from fairage.experiments.tuning.study_store import Memory, Outcome, Trial, open_memory
from fairage.experiments.tuning.trials import Judged, Task, limits_of, run_saved_task, run_task
from fairage.tables import Faces

__all__ = ["Search", "TuningSettings", "tune"]

SPLITS = ("train", "valid")
Submit = Callable[[Task], Future[Judged]]


@dataclass(frozen=True)
class TuningSettings:
    """How a search goes.

    Args:
        backbones: Whose embeddings are concatenated.
        store: Folder of the embedding store.
        trials: Trials in all, those of earlier calls among them.
        seeds: Runs of each trial; its numbers are their means.
        timeout: Seconds after which no trial is begun any more; None for no limit.
        workers: Processes that train. With one, a seed always gives the same trials.
        delta: What the selection rule may give of the lowest MAE, as a share.
        seed: Start of the random numbers.
        on_error: `"fail"` or `"skip"` for an image that cannot be read.
        detector: File of the face detector for aligned views; None for what the environment
            names.
        extra_faces: Further faces by name, which stages of the recipe train on.
        min_rows: Faces (persons, where they are known) that a group must have to take part in
            biases, averages and the choices of epochs and trials.
    """

    backbones: tuple[BackboneSpec, ...]
    store: Path
    trials: int = 60
    seeds: int = 1
    timeout: float | None = None
    workers: int = 1
    delta: float = 0.03
    seed: int = 0
    on_error: Literal["fail", "skip"] = "fail"
    detector: Path | None = None
    extra_faces: Mapping[str, Faces] = field(default_factory=dict)
    min_rows: int = MIN_ROWS


@dataclass(frozen=True)
class Search:
    """What a search found.

    Args:
        outcomes: All trials that are over, by number.
        data: What they were trained and judged on; no test rows among it.
        new: Trials of this call.
        seconds: Time of this call's trials.
        new_copies: Augmented copies that were embedded now; the others were in the store.
    """

    outcomes: list[Outcome]
    data: EmbeddedFaces
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
    recipe = with_min_rows(recipe, settings.min_rows)
    check_scratch(recipe, None)
    check_space(space, recipe)
    recipes, _ = handed_over(embedding_candidates(space, recipe), settings.extra_faces)
    for told in recipes:
        check_scratch(told, None)
    embedder = Embedder(settings.backbones, settings.store, settings.on_error, settings.detector)
    found = embedder.embedded(recipes, faces, settings.extra_faces, splits=SPLITS)
    data = found.data
    started = time.monotonic()
    with (
        open_memory(new_folder(out), _hash(recipe, space, settings, data), seed=settings.seed) as m,
        _training(data, settings.workers) as submit,
    ):
        new = _Searching(recipe, space, settings, m, submit).run()
        outcomes = m.outcomes()
    if not any(outcome.state == "complete" for outcome in outcomes):
        reasons = [o.judged.reason for o in outcomes] or ["there was no time for any"]
        raise DataError(f"expected a trial that can be trained, got none: {reasons[0]}")
    return Search(outcomes, data, new, time.monotonic() - started, new_copies=found.new)


def _hash(recipe: Recipe, space: Space, settings: TuningSettings, data: EmbeddedFaces) -> str:
    """Return the hash of all that a search depends on; more trials do not make it another one."""
    own: list[float] = [settings.seeds, settings.seed, settings.delta]  # delta: what is stopped
    own.append(settings.min_rows)
    told = json.dumps([recipe.fingerprint, space.told(), *own])
    more = [f"{name}={extra.fingerprint}" for name, extra in sorted(data.extras.items())]
    more += [f"{key}={copies.fingerprint}" for key, copies in sorted(data.copies.items())]
    parts = "".join([told, data.fingerprint, *more])
    return hashlib.blake2b(parts.encode(), digest_size=8).hexdigest()


@contextmanager
def _training(data: EmbeddedFaces, workers: int) -> Iterator[Submit]:
    """Yield what takes a task in: this process for one worker, else processes of their own."""
    if workers == 1:
        with one_thread():
            yield lambda task: _done(run_task(task, data))
        return
    with tempfile.TemporaryDirectory(prefix="fairage-") as scratch:
        data.save(Path(scratch))
        with process_pool(workers, prepare_worker) as pool:
            yield lambda task: pool.submit(run_saved_task, task, Path(scratch))


def _done(judged: Judged) -> Future[Judged]:
    future: Future[Judged] = Future()
    future.set_result(judged)
    return future


@dataclass(frozen=True)
class _Searching:
    """One call of a search: begins trials while there are workers for them, and ends them."""

    recipe: Recipe
    space: Space
    settings: TuningSettings
    memory: Memory
    submit: Submit

    def run(self) -> int:
        """Return how many trials were trained now."""
        there = len(self.memory.outcomes())
        wanted = max(self.settings.trials - there, 0)
        until = time.monotonic() + (self.settings.timeout or float("inf"))
        running: dict[Future[Judged], Trial] = {}
        begun = 0
        with progress_bar("trials", wanted) as advance:
            while True:
                while (
                    begun < wanted
                    and len(running) < self.settings.workers
                    and time.monotonic() < until
                ):
                    running |= self._begin()
                    begun += 1
                if not running:
                    return begun
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    self.memory.end(running.pop(future), future.result())
                    advance(1)

    def _begin(self) -> dict[Future[Judged], Trial]:
        trial, number = self.memory.begin()
        values = draw(trial, self.space, self.recipe) if number > 0 else {}
        finished = [o.judged for o in self.memory.outcomes() if o.state == "complete"]
        limits = limits_of(finished, delta=self.settings.delta)
        try:
            recipe = candidate(self.recipe, values) if values else self.recipe
        except ConfigError as error:
            return {_done(Judged(reason=str(error))): trial}
        recipe = with_min_rows(recipe, self.settings.min_rows)  # of a selection that was drawn
        return {
            self.submit(Task(recipe, self.settings.seeds, limits, self.settings.min_rows)): trial
        }
