"""Long work: how many at once, worker processes that never outlive their parent, notes, bars."""

import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from fairage import _text
from fairage.exceptions import ConfigError

_NO_LIMIT = 2**60  # version 1 of cgroups says so with a number beyond it
_PROCESS_BYTES = 2**30
"""Memory that a worker process is counted with: torch, and its share of the data."""


def usable_processors(root: Path = Path("/")) -> int:
    """Return how many processors this process may use, which may be fewer than the machine has.

    The least of its affinity (`taskset`, Slurm) and of what its cgroup and those above it may use
    (containers; version 1 and 2).

    Args:
        root: Where `proc` and `sys` are.
    """
    affinity = getattr(os, "sched_getaffinity", None)  # Linux alone has it
    most = len(affinity(0)) if affinity else os.cpu_count() or 1
    for group in _cgroups(root, "cpu"):
        quota, _, period = _read(group / "cpu.max").partition(" ")
        quota = quota or _read(group / "cpu.cfs_quota_us")
        period = period or _read(group / "cpu.cfs_period_us")
        if quota.isdecimal() and period.isdecimal() and int(period):
            most = min(most, -(-int(quota) // int(period)))
    return max(1, most)


def usable_memory(root: Path = Path("/")) -> int | None:
    """Return how many bytes the cgroup of this process may use; None where nothing limits it."""
    names = ("memory.max", "memory.limit_in_bytes")
    limits = [_read(group / name) for group in _cgroups(root, "memory") for name in names]
    numbers = [int(limit) for limit in limits if limit.isdecimal()]
    return min((number for number in numbers if number < _NO_LIMIT), default=None)


def worker_processes(root: Path = Path("/")) -> int:
    """Return how many worker processes suit this machine: one a processor, as memory allows."""
    memory = usable_memory(root)
    processors = usable_processors(root)
    return processors if memory is None else max(1, min(processors, memory // _PROCESS_BYTES))


def _cgroups(root: Path, controller: str) -> Iterator[Path]:
    """Yield the folders of this process's cgroup for a controller, and of those above it."""
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, names, path = line.split(":", 2)
        if names and controller not in names.split(","):
            continue
        for mount in {names, controller} if names else {""}:
            top = root / "sys/fs/cgroup" / mount
            own = top / path.lstrip("/")
            yield from (own, *own.parents[: len(own.parts) - len(top.parts)])


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


@contextmanager
def process_pool(workers: int, prepare: Callable[[], None]) -> Iterator[ProcessPoolExecutor]:
    """Yield a pool of worker processes; what has not begun when the block ends never does.

    What is at work then is waited for, but where the block is interrupted: that ends at once.

    Args:
        workers: How many processes.
        prepare: Called once in each of them before any work; a function at the top of a module.

    Raises:
        ConfigError: A process was ended from outside, most often as memory ran out.
    """
    pool = ProcessPoolExecutor(
        workers, get_context("spawn"), initializer=_start_worker, initargs=(prepare,)
    )
    try:
        yield pool
    except BrokenProcessPool as error:
        raise ConfigError(
            f"expected {workers} worker processes to work to the end, got one that was ended from "
            "outside, most often as memory ran out, give fewer --workers and run again"
        ) from error
    except (KeyboardInterrupt, GeneratorExit):
        for process in list(pool._processes.values()):  # the pool itself cannot, before 3.14
            process.kill()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


Item = TypeVar("Item")
Result = TypeVar("Result")
_MOST_DECODERS = 8
_DOWNLOADERS = 16
_LOOK_SECONDS = 0.5


def as_done(futures: Iterable[Future[Result]]) -> Iterator[Future[Result]]:
    """Yield futures as they are done.

    Other than in `concurrent.futures.as_completed`, Ctrl-C does not wait for the next of them:
    where another thread gets the signal, that sleeps on.
    """
    left = set(futures)
    while left:
        done, left = wait(left, timeout=_LOOK_SECONDS, return_when=FIRST_COMPLETED)
        yield from done


def in_order(
    items: Iterable[Item], read: Callable[[Item], Result], *, ahead: int, workers: int
) -> Generator[Result, None, None]:
    """Yield what `read` gives of each item, in order, while threads are at the next ones.

    Args:
        items: What is read.
        read: Called in threads.
        ahead: How many results may wait.
        workers: How many threads.

    Examples:
        >>> list(in_order([3, 1, 2], lambda n: n * n, ahead=2, workers=2))
        [9, 1, 4]
    """
    pool = ThreadPoolExecutor(workers, thread_name_prefix="fairage-read")
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(read, item))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def reader_threads(images: Sequence[str], workers: int | None) -> int:
    """Return how many threads read these images: more where they come over the network."""
    if workers is not None:
        return workers
    if any("://" in image for image in images):
        return _DOWNLOADERS
    return min(_MOST_DECODERS, usable_processors())


def _start_worker(prepare: Callable[[], None]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the parent answers it
    threading.Thread(target=_end_with_parent, daemon=True).start()
    prepare()


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os._exit(1)


def tell(lines: Iterable[str]) -> None:
    """Write lines on standard error: what should be known before long work begins."""
    if sys.stderr is None:
        return
    for line in lines:
        sys.stderr.write(f"note: {_text.shown(' '.join(line.split()))}\n")
    sys.stderr.flush()


Advance = Callable[[int], None]
"""Tells a progress bar that so many more items are done."""


@contextmanager
def progress_bar(
    description: str, total: int, *, unit: str = "", shown: bool = True
) -> Iterator[Advance]:
    """Show a bar on standard error while the block runs, and yield the function that moves it.

    Nothing is shown where standard error is not a terminal, or where it is not wanted.

    Examples:
        >>> with progress_bar("reading", total=3) as advance:
        ...     for _ in range(3):
        ...         advance(1)
    """
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    visible = shown and sys.stderr is not None and sys.stderr.isatty()
    with Progress(*columns, console=Console(stderr=True), disable=not visible) as bar:
        task = bar.add_task(_text.shown(description), total=total)
        yield lambda done: bar.advance(task, done)
