"""What an estimator's parameters choose by name, made with their options and checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fairage._registry import build
from fairage.exceptions import ConfigError
from fairage.models import HEADS, HeadKind, check_pair
from fairage.objectives import OBJECTIVES, Objective
from fairage.objectives.fairness import FAIRNESS, Fairness
from fairage.training.postprocess import AFTER, AfterStep
from fairage.training.selection import Selection
from fairage.training.settings import TrainingSettings
from fairage.weighting import Weighting, make_weighting

__all__ = ["Choice", "Chosen", "chosen_parts", "settings_from"]

Choice = str | Mapping[str, Any]
"""A name, or a mapping with the key `name` and the options: `{"name": "gap", "strength": 0.5}`."""

SELECTION: dict[str, type[Selection]] = dict.fromkeys(("loss", "mae", "fair"), Selection)


@dataclass(frozen=True)
class Chosen:
    """The parts of one training; the head is made from `head` and `head_options`."""

    weighting: Weighting
    objective: Objective
    head: str
    head_options: dict[str, Any]
    fairness: Fairness | None
    selection: Selection
    after: tuple[AfterStep, ...]


def chosen_parts(
    *,
    weighting: Choice,
    objective: Choice,
    head: Choice,
    fairness: Choice | None,
    selection: Choice,
    after: Choice | Sequence[Choice] | None,
) -> Chosen:
    """Return the parts, or raise a ConfigError that names what is wrong.

    Examples:
        >>> told = {"weighting": "2b", "objective": "mae", "head": {"name": "linear"}}
        >>> chosen_parts(**told, fairness=None, selection="fair", after=None).selection
        Selection(rule='fair', delta=0.03, min_rows=30)
    """
    loss = build("objective", OBJECTIVES, *_parted("objective", objective))
    kind: HeadKind = build("head", HEADS, *_parted("head", head))
    check_pair(kind, loss)
    weights, options = _parted("weighting", weighting)
    rule, more = _parted("selection", selection)
    steps = [after] if isinstance(after, str | Mapping) else list(after or ())
    return Chosen(
        make_weighting(weights, **options),
        loss,
        *_parted("head", head),
        None if fairness is None else build("fairness", FAIRNESS, *_parted("fairness", fairness)),
        build("selection", SELECTION, rule, {**more, "rule": rule}),
        tuple(build("after", AFTER, *_parted("after", step)) for step in steps),
    )


def settings_from(told: Mapping[str, Any]) -> TrainingSettings:
    """Return how long and how fast to train, or raise a ConfigError for a value out of range.

    Args:
        told: Values of the fields of `TrainingSettings`.
    """
    return build("training", {"settings": TrainingSettings}, "settings", told)


def _parted(kind: str, told: object) -> tuple[str, dict[str, Any]]:
    """Return the name and the options that a choice tells."""
    if isinstance(told, str):
        return told, {}
    if isinstance(told, Mapping) and isinstance(told.get("name"), str):
        return str(told["name"]), {key: value for key, value in told.items() if key != "name"}
    raise ConfigError(
        f"expected a name or a mapping with the key 'name' as {kind}, got {told!r}, write for "
        f"example {kind}={{'name': ..., ...}}"
    )
