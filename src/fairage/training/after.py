"""What may follow a training, by name: steps that change the trained head."""

from typing import ClassVar, Protocol

from fairage.models import AgeHead
from fairage.objectives import Objective
from fairage.training.recalibrate import Recalibrate
from fairage.training.refit import LastLayer
from fairage.training.rows import Rows

__all__ = ["AFTER", "AfterStep"]


class AfterStep(Protocol):
    """Changes a trained head in place, from training and validation rows alone.

    `of_weights` says whether it changes weights, as opposed to correcting the ages: of heads that
    are averaged, the weights of each are changed, and the ages of the whole corrected.
    """

    of_weights: ClassVar[bool]

    def check(self, train: Rows, valid: Rows) -> None:
        """Raise what `apply` would raise of rows that do not allow the step."""
        ...

    def apply(
        self, head: AgeHead, train: Rows, valid: Rows, *, objective: Objective, seed: int
    ) -> None:
        """Change the head; `objective` is what it was trained with."""
        ...


AFTER: dict[str, type[AfterStep]] = {"last-layer": LastLayer, "recalibrate": Recalibrate}
