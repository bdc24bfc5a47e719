"""The first backbone on its way through a recipe's stages: as it came, or as a stage left it."""

from dataclasses import replace
from pathlib import Path

from fairage.exceptions import ConfigError
from fairage.experiments.recipe_model import Recipe
from fairage.experiments.recipe_stages import HEAD, MAIN
from fairage.experiments.rows import Material
from fairage.experiments.spans import Span
from fairage.experiments.tuned_faces import seen_by, tuned_spec
from fairage.models import AgeHead
from fairage.training import History
from fairage.training.finetuning import FineTuned, finetune

__all__ = ["StagedBackbone", "check_scratch"]


class StagedBackbone:
    """The first backbone, and the faces as it sees them by now.

    Args:
        recipe: Its stages are trained in their order.
        material: Rows with the embeddings that there were before any stage.
        seed: Of the run.
        scratch: Keeps a folder for each stage that trains the backbone: checkpoints, with which a
            killed run goes on, then the backbone that the stage ended with.
    """

    def __init__(
        self, recipe: Recipe, material: Material, *, seed: int, scratch: Path | None
    ) -> None:
        self.recipe, self.seed, self.scratch = recipe, seed, scratch
        self.tuned: FineTuned | None = None
        self._first = material

    def train(self, head: AgeHead, span: Span) -> History:
        """Train head and backbone together, both from the weights that they have by now."""
        told = span.backbone
        assert told is not None
        assert self.scratch is not None
        number = [stage.name for stage in self.recipe.stages].index(span.name) + 1
        self.tuned = finetune(
            head,
            told.spec if self.tuned is None else tuned_spec(self.tuned, told.spec),
            told.train,
            told.valid,
            objective=span.objective,
            settings=told.settings,
            seed=self.seed,
            folder=self.scratch / f"stage-{number}",
            fairness=span.fairness,
            selection=span.selection,
            augmentation=told.augmentation,
            resources=told.origin.resources,
            warm=True,
            purpose=span.name,
        )
        return self.tuned.history

    def seen(self, span: Span) -> Span:
        """Return a stage of the head, on rows as the backbone sees them by now."""
        if self.tuned is None or span.stage is None:
            return span
        source, augmented = span.stage.data, span.stage.augmented
        material = self.material(source=source, copies=augmented and source == MAIN)
        taught = material.taught(source, augmented=augmented)
        train = replace(taught.train, weights=span.train.weights)
        return replace(span, train=train, valid=taught.valid)

    def material(self, *, source: str = MAIN, copies: bool) -> Material:
        """Return the rows as the backbone sees them by now.

        Args:
            source: The faces themselves, or extra ones that are wanted beside them.
            copies: Whether augmented copies are wanted as well.
        """
        if self.tuned is None:
            return self._first
        choice = self.recipe.augmentation if copies else None
        data = seen_by(self.tuned, self._first.data, source=source, copies=choice)
        return Material(data, choice, self._first.part)


def check_scratch(recipe: Recipe, scratch: Path | None) -> None:
    """Raise a ConfigError where stages train the backbone and there is no folder for them."""
    if recipe.backbone_stages and scratch is None:
        stage = recipe.backbone_stages[0]
        raise ConfigError(
            f"expected stages that train the {HEAD} on embeddings, got train: {stage.train} in the "
            f"stage {stage.name!r}, write train: {HEAD}, or train the backbone with: fairage run"
        )
