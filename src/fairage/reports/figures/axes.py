"""Axes of the figures: from numbers to pixels, round ticks, grid lines, legends."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fairage._text import number, signed
from fairage.reports.figures.svg import INK, MUTED, SMALL, Drawing, text_width

LINE = 18.0  # from one line of a legend to the next
HANDLE = 26.0
ROUND_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Scale:
    """A straight line from numbers, `low` to `high`, to pixels, `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the pixel of a number."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def inside(self, value: float) -> float:
        """Return the pixel of a number, or of the nearer end where it lies outside."""
        return self(min(max(value, self.low), self.high))


@dataclass(frozen=True)
class Key:
    """An entry of a legend: its name, and how it looks.

    Args:
        name: What it says.
        colour: Of everything.
        shape: A marker, where there is one.
        hollow: Whether the marker is.
        dash: A line: solid where empty, none at all where None.
        box: A filled box instead of both.
    """

    name: str
    colour: str
    shape: str = ""
    hollow: bool = False
    dash: str | None = None
    box: bool = False


def limits(values: Iterable[float | None], *, least: float = 1.0, margin: float = 0.07) -> Scale:
    """Return a scale, without pixels yet, that holds all numbers; others are passed over.

    Args:
        values: What must be seen.
        least: Smallest length of the axis, so that noise never looks large.
        margin: Room beyond both ends, as a share of the length.

    Examples:
        >>> scale = limits([1.0, 2.0, None], margin=0.1)
        >>> round(scale.low, 2), round(scale.high, 2)
        (0.9, 2.1)
    """
    finite = [value for value in values if value is not None and math.isfinite(value)] or [0.0]
    low, high = min(finite), max(finite)
    room = max(margin * (high - low), (least - (high - low)) / 2)
    return Scale(low - room, high + room, 0.0, 1.0)


def nice_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Return round numbers from `low` to `high`, at most `most` of them, evenly spaced.

    Examples:
        >>> nice_ticks(0.3, 7.1)
        [2.0, 4.0, 6.0]
        >>> nice_ticks(0, 1, 6)
        [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    if not high > low:
        return [low]
    raw = (high - low) / max(most - 1, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    for step in (power * factor for factor in (*ROUND_STEPS, 20.0)):
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first + 1 <= most:
            return [round(i * step, 10) for i in range(first, last + 1)]
    return []


def x_axis(
    drawing: Drawing,
    scale: Scale,
    top: float,
    bottom: float,
    title: str,
    *,
    sign: bool = False,
    line: bool = True,
) -> None:
    """Draw vertical grid lines with their numbers beneath, and the title under them."""
    ticks = nice_ticks(scale.low, scale.high, max(3, int((scale.end - scale.start) / 48)))
    write = signed if sign else number
    digits = _digits(ticks)
    drawing.lines([((scale(tick), top), (scale(tick), bottom)) for tick in ticks])
    for tick in ticks:
        drawing.text(scale(tick), bottom + 15, write(tick, digits), anchor="middle", size=SMALL)
    if line:
        drawing.line((scale.start, bottom), (scale.end, bottom), stroke=MUTED)
    middle = (scale.start + scale.end) / 2
    drawing.text(middle, bottom + 32, title, anchor="middle", size=SMALL)


def y_axis(
    drawing: Drawing, scale: Scale, left: float, right: float, *, sign: bool = False
) -> None:
    """Draw horizontal grid lines with their numbers to the left."""
    ticks = nice_ticks(scale.low, scale.high, 6)
    write = signed if sign else number
    digits = _digits(ticks)
    drawing.lines([((left, scale(tick)), (right, scale(tick))) for tick in ticks])
    for tick in ticks:
        drawing.text(left - 7, scale(tick) + 3.6, write(tick, digits), anchor="end", size=SMALL)


def legend(
    drawing: Drawing, keys: Sequence[Key], left: float, top: float, width: float, columns: int = 0
) -> None:
    """Write the keys in lines of so many columns; of as many as fit where none is given."""
    columns = columns or _columns(keys, width)
    room = width / columns
    for i, key in enumerate(keys):
        x, y = left + (i % columns) * room, top + LINE * (i // columns) + LINE / 2
        _handle(drawing, key, x, y)
        drawing.text(
            x + HANDLE + 6, y + 3.8, key.name, fill=INK, size=SMALL, room=room - HANDLE - 14
        )


def legend_height(keys: Sequence[Key], width: float, columns: int = 0) -> float:
    """Return how many pixels a legend takes."""
    columns = columns or _columns(keys, width)
    return LINE * math.ceil(len(keys) / columns)


def _handle(drawing: Drawing, key: Key, x: float, y: float) -> None:
    if key.box:
        drawing.rect((x + 4, y - 5), HANDLE - 8, 10, fill=key.colour, opacity=0.55, radius=2)
        return
    if key.dash is not None:
        drawing.line((x, y), (x + HANDLE, y), stroke=key.colour, width=1.8, dash=key.dash)
    if key.shape:
        middle = x + HANDLE / 2
        drawing.marker(middle, y, fill=key.colour, shape=key.shape, hollow=key.hollow)


def _columns(keys: Sequence[Key], width: float) -> int:
    widest = max((text_width(key.name, SMALL) for key in keys), default=1.0) + HANDLE + 20
    return max(1, min(len(keys), int(width // min(widest, width))))


def _digits(ticks: Sequence[float]) -> int:
    """Return how many digits tell the ticks apart."""
    for digits in range(4):
        if all(abs(tick - round(tick, digits)) < 1e-9 for tick in ticks):
            return digits
    return 4
