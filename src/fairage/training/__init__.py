"""Training: heads on cached embeddings. Torch."""

from fairage.training.after import AFTER, AfterStep
from fairage.training.estimator import FairAgeRegressor
from fairage.training.loop import train_head
from fairage.training.rows import Rows
from fairage.training.selection import Epoch, History, Selection, fairest
from fairage.training.settings import TrainingSettings

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
