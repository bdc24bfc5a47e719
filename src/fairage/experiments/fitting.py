"""From a recipe to a trained head: its stages, its experts, its parts and members, in order."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairage._random import torch_seed
from fairage.experiments.data import EmbeddedFaces
from fairage.experiments.derived import joint_recipe, member_of, sole_expert
from fairage.experiments.following import Following
from fairage.experiments.recipe_model import Recipe, parts_of
from fairage.experiments.recipe_stages import ExpertsChoice
from fairage.experiments.rows import Material, parts_of_rows
from fairage.experiments.spans import (
    Span,
    check_spans,
    expert_name,
    expert_spans,
    joint_span,
    stage_spans,
)
from fairage.experiments.staged_backbone import StagedBackbone, check_scratch
from fairage.models import AgeHead, make_head, merged_head
from fairage.training import History, train_head
from fairage.training.finetuning import FineTuned
from fairage.training.loop import Watch
from fairage.weighting import Weights

__all__ = ["Fitted", "Trained", "check_fit", "fit"]


@dataclass(frozen=True)
class Trained:
    """One training that took place.

    Args:
        name: Which one.
        rows: Training rows, copies among them.
        weights: Their weights.
        history: Its epochs.
        seconds: How long it took.
    """

    name: str
    rows: int
    weights: Weights
    history: History
    seconds: float


@dataclass(frozen=True)
class Fitted:
    """A trained model.

    Args:
        head: The head.
        told: Its name in `HEADS` and its options.
        trainings: What took place, in order.
        data: The faces as the head sees them, with the embeddings of the backbone in the end.
        experts: For an ensemble of experts, each as it was before they were merged.
        tuned: The backbone, where a stage trained it.
    """

    head: AgeHead
    told: dict[str, Any]
    trainings: tuple[Trained, ...]
    data: EmbeddedFaces
    experts: Mapping[str, AgeHead] = field(default_factory=dict)
    tuned: FineTuned | None = None

    def expert(self, attribute: str) -> "Fitted":
        """Return the expert of an attribute as the model that it was before the merge."""
        told, name = self.told["members"][0], expert_name(attribute)
        trained = tuple(trained for trained in self.trainings if trained.name == name)
        return Fitted(self.experts[attribute], told, trained, self.data)


def fit(
    recipe: Recipe,
    data: EmbeddedFaces,
    *,
    seed: int,
    watch: Watch | None = None,
    scratch: Path | None = None,
) -> Fitted:
    """Train a model as the recipe says, from training and validation rows alone.

    Args:
        recipe: What is trained how.
        data: The faces.
        seed: Settles all random numbers.
        watch: Sees the epochs of every training of a head, and may raise to stop.
        scratch: Folder for stages that train the backbone. It keeps their checkpoints, with which
            a killed call goes on when it is repeated, and the backbone that they end with.

    Raises:
        ConfigError: The loss stopped being a finite number, or a name does not fit the faces.
        DataError: The faces, extra faces or copies do not allow the recipe.
    """
    check_scratch(recipe, scratch)
    found = []
    for number, part in enumerate(_parts(recipe, data, seed)):
        material = Material(data, recipe.augmentation, part)
        for member in range(recipe.members):
            label = _label(recipe, number, member)
            found.append(_Fitting(recipe, material, seed, label, watch, scratch).fit())
    whole = found[0] if len(found) == 1 else _average(found)
    if recipe.after:
        following = _following(recipe, Material(whole.data, recipe.augmentation))
        following.apply(whole.head, seed=seed)
    return whole


def check_fit(recipe: Recipe, data: EmbeddedFaces) -> None:
    """Raise what `fit` would raise of faces that do not allow the recipe, without training."""
    for part in _parts(recipe, data, 0):
        check_spans(recipe, Material(data, recipe.augmentation, part))
    if recipe.after:
        _following(recipe, Material(data, recipe.augmentation)).check()


@dataclass(frozen=True)
class _Fitting:
    """The training of one model of those that are averaged, or of the only one."""

    recipe: Recipe
    material: Material
    seed: int
    label: str
    watch: Watch | None = None
    scratch: Path | None = None

    def fit(self) -> Fitted:
        """Train the stages in order, then the experts, then what merges them."""
        recipe, alone = self.recipe, sole_expert(self.recipe)
        head = self._new_head() if alone is None else self._new_head(alone)
        backbone = StagedBackbone(recipe, self.material, seed=self.seed, scratch=self.scratch)
        trained = [self._train(head, span, backbone) for span in stage_spans(recipe, self.material)]
        material = backbone.material(copies=bool(recipe.after or recipe.experts))
        told = member_of(recipe)
        found = Fitted(head, told, tuple(trained), material.data, tuned=backbone.tuned)
        return found if recipe.experts is None else self._experts(recipe.experts, found, material)

    def _experts(self, told: ExpertsChoice, start: Fitted, material: Material) -> Fitted:
        """Train an expert each attribute, from new heads or the one that the stages left."""
        experts, trained = {}, start.trainings
        for attribute, span in expert_spans(self.recipe, material).items():
            experts[attribute] = head = self._new_head(attribute)
            if self.recipe.stages:
                head.load_state_dict(start.head.state_dict())
            trained += (self._train(head, span),)
        members = [member_of(self.recipe)] * len(experts)
        whole = merged_head(list(experts.values()), members, merge=told.merge)
        joint = joint_span(self.recipe, material, len(experts))
        if joint is not None:
            whole.layers[0].requires_grad_(told.joint)
            trained += (self._train(whole, joint),)
            whole.layers[0].requires_grad_(True)
        head_told = {"name": "experts", "members": members, "merge": told.merge}
        return Fitted(whole, head_told, trained, start.data, experts, start.tuned)

    def _new_head(self, *purpose: str) -> AgeHead:
        with torch_seed(self.seed, self.label + "head", *purpose):
            head = make_head(self.recipe.head.name, self.material.dim, self.recipe.head.options)
        head.standardise_by(self.material.standardising())
        return head

    def _train(self, head: AgeHead, span: Span, backbone: StagedBackbone | None = None) -> Trained:
        started = time.monotonic()
        if backbone is None:
            history = self._train_head(head, span)
        elif span.backbone is None:
            history = self._train_head(head, backbone.seen(span))
        else:
            history = backbone.train(head, span)
        seconds = time.monotonic() - started
        return Trained(self.label + span.name, len(span.train), span.weights, history, seconds)

    def _train_head(self, head: AgeHead, span: Span) -> History:
        return train_head(
            head,
            span.train,
            span.valid,
            objective=span.objective,
            settings=span.settings,
            seed=self.seed,
            fairness=span.fairness,
            selection=span.selection,
            warm=True,
            purpose=self.label + span.name,
            watch=self.watch,
        )


def _parts(recipe: Recipe, data: EmbeddedFaces, seed: int) -> list[NDArray[np.int64] | None]:
    return parts_of_rows(data, recipe.augmentation, parts=recipe.parts, seed=seed)


def _label(recipe: Recipe, part: int, member: int) -> str:
    """Name one of several models: `part 2, member 1: `; nothing for a single one."""
    told = [f"part {part + 1}"] if recipe.parts > 1 else []
    told += [f"member {member + 1}"] if recipe.members > 1 else []
    return f"{', '.join(told)}: " if told else ""


def _average(found: Sequence[Fitted]) -> Fitted:
    """Average the models, and their experts where they have some."""
    members = [one.told for one in found]
    experts = {
        name: merged_head([one.experts[name] for one in found], _alone(members))
        for name in found[0].experts
    }
    return Fitted(
        merged_head([one.head for one in found], members),
        {"name": "experts", "members": members, "merge": "average"},
        tuple(trained for one in found for trained in one.trainings),
        found[0].data,
        experts,
    )


def _alone(members: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what one expert of each model is."""
    return [member["members"][0] for member in members]


def _following(recipe: Recipe, material: Material) -> Following:
    taught = material.taught()
    last = recipe.stages[-1].objective if recipe.stages and not recipe.experts else None
    single = recipe.model_copy(update={"objective": last or recipe.objective})
    joint = recipe if recipe.experts is None else joint_recipe(recipe, recipe.experts, members=1)
    return Following(
        parts_of(recipe).after,
        taught.train,
        taught.valid,
        parts_of(single).objective,
        parts_of(joint).objective,
    )
