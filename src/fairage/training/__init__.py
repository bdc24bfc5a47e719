"""Training: heads on cached embeddings. Torch."""

from typing import TYPE_CHECKING, Any

from fairage.training.data import Rows
from fairage.training.loop import train_head
from fairage.training.postprocess import AFTER, AfterStep
from fairage.training.selection import Epoch, History, Selection, fairest
from fairage.training.settings import TrainingSettings

if TYPE_CHECKING:
    from fairage.training.estimator import FairAgeRegressor

__all__ = [
    "AFTER",
    "AfterStep",
    "Epoch",
    "FairAgeRegressor",
    "History",
    "Rows",
    "Selection",
    "TrainingSettings",
    "fairest",
    "train_head",
]


if not TYPE_CHECKING:  # or any name would pass for one of this module's

    def __getattr__(name: str) -> Any:  # noqa: ANN401  # whatever it is called
        """Import the estimator when it is asked for: scikit-learn is slow to load."""
        if name != "FairAgeRegressor":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from fairage.training.estimator import FairAgeRegressor

        return FairAgeRegressor
