"""What was drawn for a picture, step by step, and doing it to many pictures at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from fairage.faces.augmentation.operations import COLOURS, MOVES, load_kornia, warp

__all__ = ["Step", "apply_steps"]


@dataclass(frozen=True)
class Step:
    """One operation and how much of it; amount 0 changes nothing.

    Args:
        operation: A name of `COLOURS` or `MOVES`.
        amount: How much of it, in the operation's own unit.
    """

    operation: str
    amount: float


def apply_steps(pixels: Tensor, steps: Sequence[Sequence[Step]]) -> Tensor:
    """Return new pixels `(n, 3, height, width)`, each picture changed by its own steps.

    The steps are done in their order, those with the same place together where they are the same
    operation; moves come last, all of them in one warp, so that a picture is resampled once.

    Args:
        pixels: Floats in 0..1, on any device; they stay as they are.
        steps: The steps of each picture.

    Examples:
        >>> grey = torch.full((2, 3, 1, 1), 0.5)
        >>> changed = apply_steps(grey, [[Step("brightness", 0.5)], [Step("brightness", 0.0)]])
        >>> changed[:, 0, 0, 0].tolist()
        [0.75, 0.5]
    """
    load_kornia()
    pixels = pixels.clone()
    moves = torch.zeros(len(steps), len(MOVES))
    with torch.no_grad():
        for place in range(max(map(len, steps), default=0)):
            for operation, rows in _rows_of(place, steps).items():
                amounts = torch.tensor([steps[row][place].amount for row in rows])
                if operation in MOVES:
                    moves[rows, MOVES.index(operation)] += amounts
                else:
                    pixels = _change(pixels, rows, COLOURS[operation], amounts)
        moved = moves.any(dim=1).nonzero().flatten().tolist()
        return _change(pixels, moved, warp, moves[moved]) if moved else pixels


def _rows_of(place: int, steps: Sequence[Sequence[Step]]) -> dict[str, list[int]]:
    """Return which pictures have which operation at this place, those with amount 0 left out."""
    rows: dict[str, list[int]] = {}
    for row, of in enumerate(steps):
        if place < len(of) and of[place].amount:
            rows.setdefault(of[place].operation, []).append(row)
    return rows


def _change(
    pixels: Tensor, rows: list[int], change: Callable[[Tensor, Tensor], Tensor], amounts: Tensor
) -> Tensor:
    """Return the pixels with some rows changed, in place unless it is all of them."""
    if len(rows) == len(pixels):
        return change(pixels, amounts)
    where = torch.tensor(rows, device=pixels.device)
    pixels[where] = change(pixels[where], amounts)
    return pixels
