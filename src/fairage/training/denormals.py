"""Numbers too small for full precision: a processor is many times slower where it meets them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["denormals_flushed"]


@contextmanager
def denormals_flushed() -> Iterator[None]:
    """Take numbers below 1e-38 for zero while the block runs, where the processor can.

    Only where torch has one thread, as in a suite's workers: the setting is each thread's own, and
    threads that start meanwhile would keep it.

    Adam's averages of a weight whose gradient is zero from some step on, as behind a unit that
    never fires, shrink towards zero and stay among such numbers.

    Examples:
        >>> with denormals_flushed():
        ...     torch.tensor(1e-30) * 1e-10
        tensor(0.)
    """
    if torch.get_num_threads() > 1:
        yield
        return
    before = sys.float_info.min / 2 == 0
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)
