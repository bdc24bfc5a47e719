"""Worker processes: spawned, prepared, and never outliving the process that started them."""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process

__all__ = ["process_pool"]


@contextmanager
def process_pool(workers: int, prepare: Callable[[], None]) -> Iterator[ProcessPoolExecutor]:
    """Yield a pool of worker processes; what has not begun when the block ends never does.

    Args:
        workers: How many processes.
        prepare: Called once in each of them before any work; a function at the top of a module.
    """
    pool = ProcessPoolExecutor(
        workers, get_context("spawn"), initializer=_start_worker, initargs=(prepare,)
    )
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _start_worker(prepare: Callable[[], None]) -> None:
    prepare()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os._exit(1)
