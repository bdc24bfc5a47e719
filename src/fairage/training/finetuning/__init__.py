"""Fine-tuning: a transformers backbone trained together with a head, resumable. Torch."""

from fairage.training.finetuning.check import check_finetuning
from fairage.training.finetuning.engine import finetune
from fairage.training.finetuning.outcome import FineTuned, add_to_bundle
from fairage.training.finetuning.resources import Resources
from fairage.training.finetuning.rows import ImageRows
from fairage.training.finetuning.settings import FineTuneSettings

__all__ = [
    "FineTuneSettings",
    "FineTuned",
    "ImageRows",
    "Resources",
    "add_to_bundle",
    "check_finetuning",
    "finetune",
]
