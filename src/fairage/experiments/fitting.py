"""What follows a training, also where the trained head is made of several."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairage._random import derive_seed, torch_seed
from fairage.exceptions import ConfigError
from fairage.experiments.embedded_faces import seen_by, tuned_spec
from fairage.experiments.inputs import EmbeddedFaces
from fairage.experiments.phases import (
    Span,
    check_spans,
    expert_name,
    expert_spans,
    joint_recipe,
    joint_span,
    member_of,
    sole_expert,
    stage_spans,
)
from fairage.experiments.recipe import HEAD, MAIN, ExpertsChoice, Recipe, parts_of
from fairage.experiments.training_data import Material, parts_of_rows
from fairage.models import AgeHead, Experts, make_head, member_heads, merged_head
from fairage.objectives import Objective
from fairage.training import AfterStep, History, Rows, train_head
from fairage.training.finetuning import FineTuned, finetune
from fairage.training.loop import Watch
from fairage.weighting import Weights

__all__ = ["Fitted", "Following", "StagedBackbone", "Trained", "check_fit", "check_scratch", "fit"]


@dataclass(frozen=True)
class Following:
    """Steps that follow a training, and what they read.

    Args:
        steps: The steps in order.
        train: Training rows.
        valid: Validation rows.
        objective: What single heads were trained with.
        joint_objective: What experts and their merge were trained with.
    """

    steps: Sequence[AfterStep]
    train: Rows
    valid: Rows
    objective: Objective
    joint_objective: Objective

    def check(self) -> None:
        """Raise what `apply` would raise of rows that do not allow a step."""
        for step in self.steps:
            step.check(self.train, self.valid)

    def apply(self, head: AgeHead, *, seed: int) -> None:
        """Change the head in place.

        Of heads that are averaged, each one's weights are changed, and the ages of the whole
        corrected; experts with a merge that is trained are one head.
        """
        self._apply(head, list(self.steps), seed)

    def _apply(self, head: AgeHead, steps: list[AfterStep], seed: int) -> None:
        merged = isinstance(head.kind, Experts)
        if isinstance(head.kind, Experts) and head.kind.merge == "average":
            of_weights = [step for step in steps if step.of_weights]
            for number, member in enumerate(member_heads(head) if of_weights else ()):
                self._apply(member, of_weights, derive_seed(seed, "member", number))
            steps = [step for step in steps if not step.of_weights]
        objective = self.joint_objective if merged else self.objective
        for step in steps:
            step.apply(head, self.train, self.valid, objective=objective, seed=seed)


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
