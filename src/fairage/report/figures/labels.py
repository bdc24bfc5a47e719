"""Names beside the points of a scatter, placed so that they do not cover each other."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = ["Label", "place_labels"]

CHARACTER, LINE = 0.58, 1.25
MARKER = 5.0
NEAR = ((9, 0), (-9, 0), (0, 13), (0, -13), (9, 13), (9, -13), (-9, 13), (-9, -13))
FAR = ((22, 18), (22, -18), (-22, 18), (-22, -18), (0, 26), (0, -26), (34, 30), (34, -30))


@dataclass(frozen=True)
class Label:
    """A name to write beside a point.

    Args:
        x: The point, in data coordinates.
        y: The point, in data coordinates.
        text: The name.
        colour: Of the text.
        size: Of the text, in CSS pixels.
        optional: Leave the name out where there is no room for it.
        bold: Write it bold.
        reach: Half the length of the point's error bars along x and y, in data coordinates.
    """

    x: float
    y: float
    text: str
    colour: str
    size: float
    optional: bool = False
    bold: bool = False
    reach: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class _Box:
    left: float
    bottom: float
    right: float
    top: float

    def overlap(self, other: "_Box") -> float:
        """Area that both boxes cover."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.top, other.top) - max(self.bottom, other.bottom)
        return max(width, 0.0) * max(height, 0.0)

    def outside(self, other: "_Box") -> float:
        """Area of this box that the other one does not cover."""
        return (self.right - self.left) * (self.top - self.bottom) - self.overlap(other)


def place_labels(figure: Figure, axes: Axes, labels: Sequence[Label]) -> None:
    """Write each name at the first of sixteen places where it covers nothing; earlier ones first.

    The limits of the axes must be settled. A far place gets a line to its point.
    """
    figure.draw_without_rendering()
    frame = _Box(*axes.bbox.extents)
    centres = [axes.transData.transform((label.x, label.y)) for label in labels]
    taken = [box for label in labels for box in _cross(axes, label)]
    for label, (x, y) in zip(labels, centres, strict=True):
        boxes = [_box(label, x, y, offset) for offset in NEAR + FAR]
        costs = [sum(map(box.overlap, taken)) + 4 * box.outside(frame) for box in boxes]
        best = min(range(len(costs)), key=lambda i: (round(costs[i]), i))
        if label.optional and costs[best] > 1:
            continue
        taken.append(boxes[best])
        _write(axes, label, (NEAR + FAR)[best], far=best >= len(NEAR))


def _cross(axes: Axes, label: Label) -> tuple[_Box, _Box]:
    """Room of the marker and its two error bars."""
    x, y = axes.transData.transform((label.x, label.y))
    left, bottom = axes.transData.transform((label.x - label.reach[0], label.y - label.reach[1]))
    right, top = axes.transData.transform((label.x + label.reach[0], label.y + label.reach[1]))
    return (
        _Box(left - MARKER, y - MARKER, right + MARKER, y + MARKER),
        _Box(x - MARKER, bottom - MARKER, x + MARKER, top + MARKER),
    )


def _box(label: Label, x: float, y: float, offset: tuple[int, int]) -> _Box:
    width = CHARACTER * label.size * len(label.text) * (1.06 if label.bold else 1)
    height = LINE * label.size
    centre = x + offset[0] + (offset[0] > 0) * width / 2 - (offset[0] < 0) * width / 2
    middle = y + offset[1]
    return _Box(centre - width / 2, middle - height / 2, centre + width / 2, middle + height / 2)


def _write(axes: Axes, label: Label, offset: tuple[int, int], *, far: bool) -> None:
    across = "left" if offset[0] > 0 else "right" if offset[0] < 0 else "center"
    line = {"arrowstyle": "-", "color": label.colour, "linewidth": 0.6, "shrinkB": 4}
    axes.annotate(
        label.text,
        (label.x, label.y),
        xytext=offset,
        textcoords="offset pixels",
        ha=across,
        va="center",
        color=label.colour,
        fontsize=label.size,
        fontweight="bold" if label.bold else "normal",
        arrowprops=line if far else None,
        annotation_clip=False,
    )
