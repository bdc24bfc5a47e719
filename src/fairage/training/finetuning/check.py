"""Whether a backbone can be fine-tuned as the settings say, asked before anything is trained."""

from fairage.embeddings import BackboneSpec
from fairage.embeddings.transformers_backbone import load_pooled
from fairage.training.finetuning.blocks import find_blocks
from fairage.training.finetuning.freezing import freeze
from fairage.training.finetuning.network import find_source
from fairage.training.finetuning.settings import FineTuneSettings

__all__ = ["check_finetuning"]


def check_finetuning(backbone: BackboneSpec, settings: FineTuneSettings) -> None:
    """Raise what `finetune` would raise of a backbone and settings, without an image.

    Raises:
        ConfigError: It is not in the layout of transformers, has not so many blocks, or cannot
            checkpoint gradients.
        DataError: Its files are not there or not as they should be.
    """
    model = load_pooled(find_source(backbone).folder).model
    freeze(model, find_blocks(model), settings)
