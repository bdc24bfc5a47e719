"""Runs in several processes, one core each; none outlives the process that started it."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import torch

from fairage._work import as_done, process_pool
from fairage.auditing.scoring import MIN_ROWS
from fairage.exceptions import ConfigError, FairageError
from fairage.experiments.inputs import EmbeddedFaces, load_embedded_faces
from fairage.experiments.phases import expert_recipe, sole_expert
from fairage.experiments.recipe import Recipe
from fairage.experiments.runner import run_version


@dataclass(frozen=True)
class Job:
    """One run that is still to do, and the runs of experts that it does as well.

    Args:
        recipe: What is trained.
        seed: With which seed.
        folder: Where the run is written.
        experts: Runs of recipes which this one trains among its experts, of the same seed.
        min_rows: Faces that a group must have to take part in the scores.
    """

    recipe: Recipe
    seed: int
    folder: Path
    experts: tuple["Job", ...] = ()
    min_rows: int = MIN_ROWS


@dataclass(frozen=True)
class Batch:
    """Runs that are still to do on the same faces."""

    jobs: Sequence[Job]
    data: EmbeddedFaces


@dataclass(frozen=True)
class Done:
    """A run that ended, with what is wrong where it could not be finished."""

    job: Job
    error: FairageError | None = None


def run_batches(batches: Sequence[Batch], *, workers: int, scratch: Path) -> Iterator[Done]:
    """Run the jobs and yield each one as it is done; the same files come out for any `workers`.

    A run that fails leaves no folder and does not keep the others from theirs.

    Where there is a GPU, runs that train the backbone have one process: it holds one of them.

    Args:
        batches: What to run on what.
        workers: Processes; with 1, everything runs in this one.
        scratch: A folder for the data that the processes share.
    """
    total = sum(len(batch.jobs) for batch in batches)
    if workers <= 1 or total <= 1:
        with one_thread():
            for batch in batches:
                for job in batch.jobs:
                    yield from _run(job, batch.data)
        return
    on_gpu = any(_on_gpu(job) for batch in batches for job in batch.jobs)
    with (
        process_pool(min(workers, total) - on_gpu, prepare_worker) as pool,
        process_pool(1, prepare_worker) as alone,
    ):
        running: list[Future[list[Done]]] = []
        saved: dict[int, Path] = {}
        for batch in batches:
            if id(batch.data) not in saved:
                saved[id(batch.data)] = folder = scratch / str(len(saved))
                batch.data.save(folder)
            for job in batch.jobs:
                chosen = alone if _on_gpu(job) else pool
                running.append(chosen.submit(_run_saved, job, saved[id(batch.data)]))
        for done in as_done(running):
            yield from done.result()


@contextmanager
def one_thread() -> Iterator[None]:
    """Give torch one thread while the block runs: sums come out the same as in a worker."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _on_gpu(job: Job) -> bool:
    """Whether the run needs the GPU for itself; heads are trained on the processor."""
    return bool(job.recipe.backbone_stages) and torch.cuda.is_available()


def _run(job: Job, data: EmbeddedFaces) -> list[Done]:
    """Run a job; its errors begin with its name, as it is one of many.

    Where an ensemble fails, the experts that it would have trained are run alone.
    """
    where = f"{job.recipe.version}, seed {job.seed}"
    experts = [(expert.recipe, expert.folder) for expert in job.experts]
    try:
        run_version(
            job.recipe,
            data,
            seed=job.seed,
            folder=job.folder,
            experts=experts,
            min_rows=job.min_rows,
        )
    except FairageError as error:
        failed = error.at(where)  # a new one: the traceback of this one holds the model's memory
    except torch.OutOfMemoryError as error:
        failed = _too_large(error).at(where)
    else:
        return [Done(done) for done in (job, *job.experts)]
    alone = [done for expert in job.experts for done in _run(expert, data)]
    return [Done(job, failed), *alone]


def _too_large(error: torch.OutOfMemoryError) -> FairageError:
    reason = str(error).partition("\n")[0].partition(". GPU ")[0]
    return ConfigError(
        f"expected a run that fits the memory of the GPU, got {reason!r}, give --workers 1 where "
        "others use the GPU, lower batch_size, or raise accumulate in the stage's finetuning, "
        "which leaves the steps as they are"
    )


def _run_saved(job: Job, scratch: Path) -> list[Done]:
    return _run(job, _loaded(scratch))


@lru_cache(maxsize=1)
def _loaded(scratch: Path) -> EmbeddedFaces:
    """Keep what a worker's runs share, so that its fingerprint is computed once."""
    return load_embedded_faces(scratch)


def prepare_worker() -> None:
    """Give torch one thread, as sums depend on their number."""
    torch.set_num_threads(1)


def runs_by_ensembles(batches: Sequence[Batch]) -> list[Batch]:
    """Move jobs of experts into those of ensembles that train the same experts on the same faces.

    Args:
        batches: Runs that are still to do, of recipes that fit their faces.

    Returns:
        The same runs, each once; a batch of which nothing is left is left out.
    """
    taken: list[Job] = []
    merged = [
        replace(batch, jobs=[_with_experts(job, batch, batches, taken) for job in batch.jobs])
        for batch in batches
    ]
    left = [
        replace(batch, jobs=[job for job in batch.jobs if job not in taken]) for batch in merged
    ]
    return [batch for batch in left if batch.jobs]


def trains_expert(ensemble: Recipe, recipe: Recipe) -> bool:
    """Return whether one of the ensemble's experts is just what the other recipe trains."""
    choice, attribute = ensemble.experts, sole_expert(recipe)
    if choice is None or attribute is None:
        return False
    if choice.attributes and attribute not in choice.attributes:
        return False
    if ensemble.stages or ensemble.after or max(ensemble.parts, ensemble.members) > 1:
        return False
    return expert_recipe(ensemble, choice, attribute).fingerprint == recipe.fingerprint


def _with_experts(job: Job, batch: Batch, batches: Sequence[Batch], taken: list[Job]) -> Job:
    """Return the job with the runs of experts that it does, which are added to what is taken."""
    experts = [
        other
        for others in batches
        if others.data is batch.data
        for other in others.jobs
        if other.seed == job.seed and other not in taken
        if trains_expert(job.recipe, other.recipe)
    ]
    taken += experts
    return replace(job, experts=tuple(experts))
