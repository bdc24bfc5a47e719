"""Standard output for texts that may hold anything: nothing in them is obeyed."""

import sys
from collections.abc import Iterable, Sequence
from typing import Literal

from rich import box
from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text

from fairage._text import shown

PLAIN_SIGNS = str.maketrans(
    {
        "\N{MINUS SIGN}": "-",
        "\N{EN DASH}": "-",
        "\N{NARROW NO-BREAK SPACE}": " ",
        "\N{HORIZONTAL ELLIPSIS}": "...",
    }
)


def working(doing: str) -> Status:
    """Show a spinner on standard error where that is a terminal."""
    console = Console(stderr=True)
    console.quiet = not console.is_terminal  # else it writes a line end where it stops
    return console.status(doing)


def replace_unknown_signs() -> None:
    """Have standard output replace the signs that its encoding does not know."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")


def say(*lines: str) -> None:
    """Print lines, however long; nothing for an empty one."""
    terminal = Terminal()
    for line in lines:
        terminal.line(line, wrap=False)


class Terminal:
    """Prints lines and tables; nothing else in the commands writes what a table may hold."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, markup=False, emoji=False)
        self._plain = self._console.options.ascii_only

    def line(self, text: str, *, style: str = "", wrap: bool = True) -> None:
        """Print a text, wrapped at the terminal's width; nothing where it is empty."""
        if text:
            one = text.replace("\n", "\\n")  # a line end can only come from a name
            self._console.print(self._text(one, style), soft_wrap=not wrap)

    def blank(self) -> None:
        """Print an empty line."""
        self._console.print()

    def table(
        self,
        headings: Sequence[str],
        rows: Iterable[Sequence[str]],
        *,
        words: int = 1,
        whole: Sequence[int] = (),
        title: str = "",
    ) -> None:
        """Print a table and an empty line.

        Args:
            headings: One a column; none are shown where all are empty.
            rows: The cells of each row.
            words: How many columns, from the left, hold words rather than numbers.
            whole: Places of the columns whose lines are never broken.
            title: A line above it.
        """
        self.line(title, style="bold")
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
        table.show_header = any(headings)
        for place, heading in enumerate(headings):
            justify: Literal["left", "right"] = "left" if place < words else "right"
            table.add_column(self._text(heading), justify=justify, no_wrap=place in whole)
        for row in rows:
            table.add_row(*(self._text(cell) for cell in row))
        self._console.print(table)
        self.blank()

    def _text(self, text: str, style: str = "") -> Text:
        text = shown(text)
        return Text(text.translate(PLAIN_SIGNS) if self._plain else text, style, overflow="fold")
