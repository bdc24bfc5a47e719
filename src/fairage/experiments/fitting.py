"""Fitting a recipe: its phases trained in order, models averaged, and what follows a training."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fairage._random import derive_seed, torch_seed
from fairage.exceptions import ConfigError
from fairage.experiments.embedded_faces import seen_by, tuned_backbone
from fairage.experiments.inputs import EmbeddedFaces
from fairage.experiments.phases import (
    RecipePhases,
    TrainingPhase,
    expert_name,
    joint_recipe,
    member_of,
    resolve_phases,
    sole_expert,
)
from fairage.experiments.recipe import HEAD, MAIN, ExpertsChoice, Recipe, recipe_parts
from fairage.experiments.training_data import Index, TrainingData, parts_of_rows
from fairage.models import AgeHead, Experts, make_head, member_heads, merged_head
from fairage.objectives import Objective
from fairage.training import AfterStep, FineTuned, History, Rows, finetune, train_head
from fairage.training.loop import Watch
from fairage.weighting import Weights


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
        head_config: Its name in `HEADS` and its options.
        trainings: What took place, in order.
        data: The faces as the head sees them, with the embeddings of the backbone in the end.
        experts: For an ensemble of experts, each as it was before they were merged.
        tuned: The backbone, where a stage trained it.
    """

    head: AgeHead
    head_config: dict[str, Any]
    trainings: tuple[Trained, ...]
    data: EmbeddedFaces
    experts: Mapping[str, AgeHead] = field(default_factory=dict)
    tuned: FineTuned | None = None

    def expert(self, attribute: str) -> "Fitted":
        """Return the expert of an attribute as the model that it was before the merge."""
        config, name = self.head_config["members"][0], expert_name(attribute)
        trained = tuple(trained for trained in self.trainings if trained.name == name)
        return Fitted(self.experts[attribute], config, trained, self.data)


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
    models: list[Fitted] = []
    for number, part in enumerate(_parts(recipe, data, seed)):
        phases = resolve_phases(recipe, TrainingData(data, recipe.augmentation, part))
        for member in range(recipe.members):
            label = _label(recipe, number, member)
            models.append(_fit_phases(_Trainer(phases, seed, label, watch, scratch)))
    whole = models[0] if len(models) == 1 else _average(models)
    if recipe.after:
        steps = _postprocessing(recipe, TrainingData(whole.data, recipe.augmentation))
        steps.apply(whole.head, seed=seed)
    return whole


def check_fit(recipe: Recipe, data: EmbeddedFaces) -> tuple[str, ...]:
    """Return what the faces do not allow of the recipe; raise what `fit` would raise of them."""
    warnings: list[str] = []
    for part in _parts(recipe, data, 0):
        for phase in resolve_phases(recipe, TrainingData(data, recipe.augmentation, part)):
            warnings += phase.check()
    if recipe.after:
        warnings += _postprocessing(recipe, TrainingData(data, recipe.augmentation)).check()
    return tuple(dict.fromkeys(warnings))


def check_scratch(recipe: Recipe, scratch: Path | None) -> None:
    """Raise a ConfigError where stages train the backbone and there is no folder for them."""
    if recipe.backbone_stages and scratch is None:
        stage = recipe.backbone_stages[0]
        raise ConfigError(
            f"expected stages that train the {HEAD} on embeddings, got train: {stage.train} in the "
            f"stage {stage.name!r}, write train: {HEAD}, or train the backbone with: fairage run"
        )


def _fit_phases(trainer: "_Trainer") -> Fitted:
    """Train the stages in order, then the experts, then what merges them."""
    phases, recipe = trainer.phases, trainer.recipe
    attribute = sole_expert(recipe)
    head = trainer.new_head() if attribute is None else trainer.new_head(attribute)
    trained = []
    for phase in phases.stages:
        trained.append(trainer.train(head, phase))  # noqa: PERF401  # one call less to read through
    data = trainer.data_seen(copies=bool(recipe.after or recipe.experts))
    if recipe.experts is None:
        config = member_of(recipe)
        return Fitted(head, config, tuple(trained), data.data, tuned=trainer.tuned)
    experts = {}
    for attribute, phase in phases.experts.items():
        experts[attribute] = expert = trainer.new_head(attribute)
        if recipe.stages:
            expert.load_state_dict(head.state_dict())
        trained.append(trainer.train(expert, phase))
    whole, config = _merged_experts(recipe, recipe.experts, experts)
    if phases.joint is not None:
        whole.layers[0].requires_grad_(recipe.experts.joint)
        trained.append(trainer.train(whole, phases.joint))
        whole.layers[0].requires_grad_(True)
    return Fitted(whole, config, tuple(trained), data.data, experts, trainer.tuned)


def _merged_experts(
    recipe: Recipe, choice: ExpertsChoice, experts: Mapping[str, AgeHead]
) -> tuple[AgeHead, dict[str, Any]]:
    members = [member_of(recipe)] * len(experts)
    whole = merged_head(list(experts.values()), members, merge=choice.merge)
    return whole, {"name": "experts", "members": members, "merge": choice.merge}


class _Trainer:
    """Trains the phases of one model; the backbone is as it came, or as a stage left it.

    Args:
        phases: What is trained; a stage that trains the backbone has a folder in `scratch`.
        seed: Of the run.
        label: Sets several models of one recipe apart.
        watch: Sees the epochs of every training of a head.
        scratch: Keeps checkpoints and the backbones that stages end with.
    """

    def __init__(
        self,
        phases: RecipePhases,
        seed: int,
        label: str,
        watch: Watch | None,
        scratch: Path | None,
    ) -> None:
        self.phases, self.recipe = phases, phases.recipe
        self.seed, self.label, self.watch, self.scratch = seed, label, watch, scratch
        self.tuned: FineTuned | None = None

    def new_head(self, *purpose: str) -> AgeHead:
        """Return a head with first weights of its own, which standardises by the training rows."""
        choice, data = self.recipe.head, self.phases.data
        with torch_seed(self.seed, self.label + "head", *purpose):
            head = make_head(choice.name, data.dim, choice.options)
        head.standardise_by(data.standardising())
        return head

    def train(self, head: AgeHead, phase: TrainingPhase) -> Trained:
        """Train a head, or head and backbone together, from the weights that they have by now."""
        started = time.monotonic()
        if phase.backbone is not None:
            history = self._train_backbone(head, phase)
        else:
            rows = phase if self.tuned is None else phase.on(self._data_for(phase))
            history = train_head(
                head,
                rows.train,
                rows.valid,
                objective=phase.objective,
                settings=phase.settings,
                seed=self.seed,
                fairness=phase.fairness,
                selection=phase.selection,
                warm=True,
                purpose=self.label + phase.name,
                watch=self.watch,
            )
        seconds = time.monotonic() - started
        return Trained(self.label + phase.name, len(phase.train), phase.weights, history, seconds)

    def data_seen(self, *, copies: bool, source: str = MAIN) -> TrainingData:
        """Return the rows as the backbone sees them by now.

        Args:
            copies: Whether augmented copies are wanted as well.
            source: The faces themselves, or extra ones that are wanted beside them.
        """
        if self.tuned is None:
            return self.phases.data
        choice = self.recipe.augmentation if copies else None
        data = seen_by(self.tuned, self.phases.data.data, source=source, copies=choice)
        return TrainingData(data, choice, self.phases.data.part)

    def _data_for(self, phase: TrainingPhase) -> TrainingData:
        return self.data_seen(copies=phase.augmented and phase.source == MAIN, source=phase.source)

    def _train_backbone(self, head: AgeHead, phase: TrainingPhase) -> History:
        backbone = phase.backbone
        assert backbone is not None
        assert self.scratch is not None, "checked before the first training"
        number = [stage.name for stage in self.recipe.stages].index(phase.name) + 1
        spec = backbone.options.backbones[0]
        self.tuned = finetune(
            head,
            spec if self.tuned is None else tuned_backbone(self.tuned, spec),
            backbone.train,
            backbone.valid,
            objective=phase.objective,
            settings=backbone.settings,
            seed=self.seed,
            folder=self.scratch / f"stage-{number}",
            fairness=phase.fairness,
            selection=phase.selection,
            augmentation=backbone.augmentation,
            options=backbone.options,
            warm=True,
            purpose=phase.name,
        )
        return self.tuned.history


def _parts(recipe: Recipe, data: EmbeddedFaces, seed: int) -> list[Index | None]:
    return parts_of_rows(data, recipe.augmentation, parts=recipe.parts, seed=seed)


def _label(recipe: Recipe, part: int, member: int) -> str:
    """Name one of several models: `part 2, member 1: `; nothing for a single one."""
    names = [f"part {part + 1}"] if recipe.parts > 1 else []
    names += [f"member {member + 1}"] if recipe.members > 1 else []
    return f"{', '.join(names)}: " if names else ""


def _average(models: Sequence[Fitted]) -> Fitted:
    """Average the models, and their experts where they have some."""
    configs = [model.head_config for model in models]
    experts = {
        name: merged_head(
            [model.experts[name] for model in models],
            [config["members"][0] for config in configs],
        )
        for name in models[0].experts
    }
    return Fitted(
        merged_head([model.head for model in models], configs),
        {"name": "experts", "members": configs, "merge": "average"},
        tuple(trained for model in models for trained in model.trainings),
        models[0].data,
        experts,
    )


@dataclass(frozen=True)
class _Postprocessing:
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

    def check(self) -> list[str]:
        """Return what the rows make of the steps; raise what `apply` would raise of them."""
        return [warning for step in self.steps for warning in step.check(self.train, self.valid)]

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


def _postprocessing(recipe: Recipe, data: TrainingData) -> _Postprocessing:
    rows = data.rows_for()
    last = recipe.stages[-1].objective if recipe.stages and not recipe.experts else None
    single = recipe.changed(objective=last or recipe.objective)
    joint = recipe if recipe.experts is None else joint_recipe(recipe, recipe.experts, members=1)
    return _Postprocessing(
        recipe_parts(recipe).after,
        rows.train,
        rows.valid,
        recipe_parts(single).objective,
        recipe_parts(joint).objective,
    )
