"""Progress bars for long work: shown on a terminal, silent elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

__all__ = ["Advance", "progress_bar"]

Advance = Callable[[int], None]
"""Tells a progress bar that so many more items are done."""


@contextmanager
def progress_bar(description: str, total: int, *, unit: str = "") -> Iterator[Advance]:
    """Show a bar on standard error while the block runs, and yield the function that moves it.

    Nothing is shown where standard error is not a terminal.

    Examples:
        >>> with progress_bar("reading", total=3) as advance:
        ...     for _ in range(3):
        ...         advance(1)
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(description, total=total)
        yield lambda done: bar.advance(task, done)
