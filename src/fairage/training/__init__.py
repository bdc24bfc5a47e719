"""Training: heads on cached embeddings, and backbones together with a head. Torch."""

from typing import TYPE_CHECKING, Any

from fairage.training.data import ImageRows, Rows
from fairage.training.finetuning import FineTuned, add_to_bundle, finetune
from fairage.training.head_training import train_head
from fairage.training.postprocess import AFTER, AfterStep
from fairage.training.selection import Epoch, History, Selection, fairest
from fairage.training.trainable_backbone import check_finetuning
from fairage.training.training_settings import BackboneSettings, FineTuneSettings, TrainingSettings

if TYPE_CHECKING:
    from fairage.training.estimator import FairAgeRegressor

__all__ = [
    "AFTER",
    "AfterStep",
    "BackboneSettings",
    "Epoch",
    "FairAgeRegressor",
    "FineTuneSettings",
    "FineTuned",
    "History",
    "ImageRows",
    "Rows",
    "Selection",
    "TrainingSettings",
    "add_to_bundle",
    "check_finetuning",
    "fairest",
    "finetune",
    "train_head",
]


if not TYPE_CHECKING:  # or any name would pass for one of this module's

    def __getattr__(name: str) -> Any:  # noqa: ANN401  # whatever it is called
        """Import the estimator when it is asked for: scikit-learn is slow to load."""
        if name != "FairAgeRegressor":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from fairage.training.estimator import FairAgeRegressor

        return FairAgeRegressor
