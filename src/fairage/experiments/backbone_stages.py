"""A stage that trains the backbone: what it reads beside ages and groups, and what must hold."""

from dataclasses import dataclass

from fairage.embeddings import BackboneSpec
from fairage.exceptions import ConfigError
from fairage.experiments.data import EmbeddedFaces
from fairage.experiments.origin import Origin
from fairage.experiments.recipe_stages import HEAD, Stage
from fairage.faces.augmentation import Augmentation
from fairage.training import Rows
from fairage.training.finetuning import FineTuneSettings, ImageRows

__all__ = ["BackboneTraining", "image_rows", "trainable"]

TRANSFORMERS = "transformers"


@dataclass(frozen=True)
class BackboneTraining:
    """What a training of the first backbone has beside that of a head.

    Args:
        origin: Of the faces; its first backbone, as it was before any training, is trained.
        train: Training rows with their images and weights.
        valid: Validation rows with their images.
        settings: What trains, how fast, how long.
        augmentation: Changes each training picture anew in each epoch.
    """

    origin: Origin
    train: ImageRows
    valid: ImageRows
    settings: FineTuneSettings
    augmentation: Augmentation | None

    @property
    def spec(self) -> BackboneSpec:
        """The backbone before any training."""
        return self.origin.backbones[0]


def trainable(stage: Stage, faces: EmbeddedFaces) -> Origin:
    """Return the origin of faces on which a stage can train the backbone.

    It is the first backbone that is trained: the head sees its embedding first.

    Raises:
        ConfigError: It cannot be trained, or the images of these faces are not at hand.
    """
    if faces.origin is None:
        raise ConfigError(
            f"expected faces with their images for the stage {stage.name!r}, which trains the "
            f"backbone ({stage.train}), got embeddings alone, write train: {HEAD}"
        )
    first = faces.backbones[0]
    if first["kind"] != TRANSFORMERS:
        raise ConfigError(
            f"expected as first backbone one in the layout of {TRANSFORMERS} (config.json and "
            f"model.safetensors), which the stage {stage.name!r} trains ({stage.train}), got "
            f"{first['name']!r} of kind {first['kind']!r}, name such a one first and others after "
            f"it, or write train: {HEAD}"
        )
    return faces.origin


def image_rows(rows: Rows, faces: EmbeddedFaces) -> ImageRows:
    """Return the rows of these faces with images in the place of the first backbone's embeddings.

    Embeddings `(n, dim)` of further backbones stand beside the images.
    """
    beside = rows.embeddings[:, int(faces.backbones[0]["dim"]) :]
    return ImageRows(
        faces.images, rows.targets, rows.weights, rows.groups, beside if beside.shape[1] else None
    )
