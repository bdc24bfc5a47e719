"""What the estimator's parameters choose by name, made with their options and checked."""

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
from fairage.weighting import Weighting, make_weighting

NamedPart = str | Mapping[str, Any]
"""A name, or a mapping with the key `name` and the options: `{"name": "gap", "strength": 0.5}`."""


@dataclass(frozen=True)
class SelectedParts:
    """The parts of one training; the head is made from `head` and `head_options`."""

    weighting: Weighting
    objective: Objective
    head: str
    head_options: dict[str, Any]
    fairness: Fairness | None
    selection: Selection
    after: tuple[AfterStep, ...]


def select_parts(
    *,
    weighting: NamedPart,
    objective: NamedPart,
    head: NamedPart,
    fairness: NamedPart | None,
    selection: NamedPart,
    after: NamedPart | Sequence[NamedPart] | None,
) -> SelectedParts:
    """Return the parts, or raise a ConfigError that names what is wrong.

    Examples:
        >>> names = {"weighting": "2b", "objective": "mae", "head": {"name": "linear"}}
        >>> select_parts(**names, fairness=None, selection="fair", after=None).selection
        Selection(rule='fair', delta=0.03, min_rows=None)
    """
    loss = build("objective", OBJECTIVES, *_parted("objective", objective))
    kind: HeadKind = build("head", HEADS, *_parted("head", head))
    check_pair(kind, loss)
    weights, options = _parted("weighting", weighting)
    rule, selection_options = _parted("selection", selection)
    steps = [after] if isinstance(after, str | Mapping) else list(after or ())
    return SelectedParts(
        make_weighting(weights, **options),
        loss,
        *_parted("head", head),
        None if fairness is None else build("fairness", FAIRNESS, *_parted("fairness", fairness)),
        Selection(**{**selection_options, "rule": rule}),
        tuple(build("after", AFTER, *_parted("after", step)) for step in steps),
    )


def _parted(kind: str, part: object) -> tuple[str, dict[str, Any]]:
    """Return the name and the options of a part."""
    if isinstance(part, str):
        return part, {}
    if isinstance(part, Mapping) and isinstance(part.get("name"), str):
        return str(part["name"]), {key: value for key, value in part.items() if key != "name"}
    raise ConfigError(
        f"expected a name or a mapping with the key 'name' as {kind}, got {part!r}, write for "
        f"example {kind}={{'name': ..., ...}}"
    )
