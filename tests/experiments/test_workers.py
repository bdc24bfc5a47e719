"""Runs in several processes: how many train a backbone at once, and what full memory is told as."""

import re
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from fairage.exceptions import ConfigError
from fairage.experiments import schedule
from fairage.experiments.recipe_files import recipe_from
from fairage.experiments.schedule import Batch, Done, Job, run_batches

TOLD = {"experiment": "1", "version": "plain"}
DEEP = {**TOLD, "version": "deep", "stages": [{"name": "deep", "train": "all"}]}

Began = list[tuple[int, str]]


@pytest.fixture
def began(monkeypatch: pytest.MonkeyPatch) -> Began:
    """The size of the pool that each run was given to, and the run's version."""
    found: Began = []

    @contextmanager
    def pool(size: int, _: object):
        yield _Pool(size, found)

    monkeypatch.setattr(schedule, "process_pool", pool)
    return found


class _Pool:
    def __init__(self, size: int, began: Began) -> None:
        self.size, self.began = size, began

    def submit(self, _: object, job: Job, scratch: Path) -> Future[list[Done]]:
        self.began.append((self.size, job.recipe.version))
        future: Future[list[Done]] = Future()
        future.set_result([Done(job)])
        return future


@pytest.mark.parametrize(("gpu", "sizes"), [(True, {2, 1}), (False, {3})])
def test_one_run_at_a_time_trains_the_backbone_on_a_gpu(
    gpu: bool, sizes: set[int], began: Began, embedded, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    jobs = [
        Job(recipe_from(told, "test"), seed, tmp_path / told["version"] / f"seed-{seed}")
        for told in (TOLD, DEEP)
        for seed in range(2)
    ]
    done = list(run_batches([Batch(jobs, embedded)], workers=3, scratch=tmp_path))
    assert len(done) == 4
    assert {size for size, _ in began} == sizes
    deep = {size for size, version in began if version == "deep"}
    assert deep == ({1} if gpu else {3})


def test_memory_that_is_full_is_told_with_what_needs_less(
    embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB. GPU 0 has ...")

    monkeypatch.setattr(schedule, "run_version", full)
    batch = Batch([Job(recipe_from(DEEP, "test"), 0, tmp_path / "seed-0")], embedded)
    (done,) = run_batches([batch], workers=1, scratch=tmp_path)
    assert isinstance(done.error, ConfigError)
    assert re.search(r"--workers 1 .* batch_size, .* accumulate", str(done.error))
    assert str(done.error).startswith("deep, seed 0: expected")
    assert "'CUDA out of memory. Tried to allocate 2 GiB'" in str(done.error)
