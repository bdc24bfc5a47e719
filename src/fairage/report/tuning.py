"""The report of a search: its trials, the Pareto front, what is chosen and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from fairage.report.figures import OURS, TRIAL, Point, Scatter, Size, responsive
from fairage.report.pages import render
from fairage.report.words import attribute_title, count, joined, number, percent, upper_first, years

__all__ = ["TriedTrial", "Tuned", "front_of_trials", "tuning_html"]


@dataclass(frozen=True)
class TriedTrial:
    """A trial that was trained to its end; its numbers are of the validation faces, in years.

    Args:
        number: Its number; 0 is the recipe as it came.
        mae: Its MAE.
        average_bias: Its average bias.
        biases: The bias of each attribute.
        floor: The average bias that chance alone gives.
        floor_p95: What chance exceeds once in twenty times.
        values: What was drawn, as text, by key.
    """

    number: int
    mae: float
    average_bias: float
    biases: Mapping[str, float] = field(default_factory=dict)
    floor: float = 0.0
    floor_p95: float = 0.0
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """How figures and tables call it."""
        return "the recipe" if self.number == 0 else f"trial {self.number}"


@dataclass(frozen=True)
class Tuned:
    """A search that is told about.

    Args:
        title: Heading of the report.
        trials: Those that were trained to their end; at least one.
        chosen: The trial that the selection rule takes.
        delta: What the rule may give of the lowest MAE, as a share.
        pruned: Trials that were stopped.
        failed: Trials that could not be trained.
        fitted_on_validation: Something of the recipe was fitted to the validation faces.
        facts: What was searched on what.
    """

    title: str
    trials: Sequence[TriedTrial]
    chosen: TriedTrial
    delta: float
    pruned: int
    failed: int
    fitted_on_validation: bool
    facts: Mapping[str, str]


def front_of_trials(trials: Sequence[TriedTrial]) -> list[TriedTrial]:
    """Return the trials that none beats on both MAE and average bias, by rising MAE.

    Examples:
        >>> trials = [TriedTrial(0, 4.0, 0.5), TriedTrial(1, 3.9, 0.7), TriedTrial(2, 4.1, 0.6)]
        >>> [trial.number for trial in front_of_trials(trials)]
        [1, 0]
    """
    front: list[TriedTrial] = []
    for trial in sorted(trials, key=lambda t: (t.mae, t.average_bias, t.number)):
        if not front or trial.average_bias < front[-1].average_bias:
            front.append(trial)
    return front


def tuning_html(tuned: Tuned) -> str:
    """Return the report as one HTML file that needs nothing from the network."""
    front = front_of_trials(tuned.trials)
    keys = list(dict.fromkeys(key for trial in front for key in trial.values))
    attributes = list(tuned.chosen.biases)
    drawn = _scatter(tuned, front)
    titles = [*map(attribute_title, attributes), "Average", "MAE"]
    return render(
        "tuning.html.j2",
        title=tuned.title,
        sentences=_sentences(tuned, front[0]),
        scatter=_scatter_svg(drawn),
        scatter_sentence=_scatter_sentence(tuned, drawn),
        numbers_headings=["Trial", *titles],
        numbers=[_numbers(trial, attributes) for trial in front],
        values_headings=["Trial", *keys],
        values=[_values(trial, keys) for trial in front],
        facts=list(tuned.facts.items()),
    )


def _sentences(tuned: Tuned, accurate: TriedTrial) -> list[str]:
    chosen = tuned.chosen
    told = [
        f"{upper_first(chosen.name)} is chosen: on the validation faces it has an MAE of "
        f"{years(chosen.mae)} and an average bias of {number(chosen.average_bias)}.",
        f"Of {count(len(tuned.trials), 'trial')} it is the fairest of those whose MAE is at most "
        f"{percent(tuned.delta)} above the lowest, {number(accurate.mae)} ({accurate.name}, "
        f"average bias {number(accurate.average_bias)}).",
    ]
    base = next((trial for trial in tuned.trials if trial.number == 0), None)
    if base is not None and base is not chosen:
        told.append(
            f"The recipe as it came has an MAE of {number(base.mae)} and an average bias of "
            f"{number(base.average_bias)}."
        )
    told.append(
        f"Chance alone would give an average bias of {number(chosen.floor)}, and now and then "
        f"{number(chosen.floor_p95)}."
    )
    told.append(
        "These numbers flatter: the same faces chose the epochs and the trials. Measure what is "
        "chosen on the test faces, which the search has not seen."
    )
    if tuned.fitted_on_validation:
        told.append(
            "Steps after the training were fitted to the validation faces too, which flatters even "
            "more."
        )
    return told


def _scatter(tuned: Tuned, front: list[TriedTrial]) -> Scatter:
    named = {t.number: Point(t.name, t.mae, t.average_bias, OURS) for t in [*front, tuned.chosen]}
    behind = [
        Point(t.name, t.mae, t.average_bias, TRIAL) for t in tuned.trials if t.number not in named
    ]
    return Scatter(
        points=[*named.values(), *behind],
        front=[named[trial.number] for trial in front],
        floor=tuned.chosen.floor,
        floor_p95=tuned.chosen.floor_p95,
    )


def _scatter_svg(drawn: Scatter) -> Markup:
    label = "Scatter of validation MAE against average bias, a point a trial"
    return responsive(drawn, Size(760, 440), Size(360, 400), key="trials", label=label)


def _scatter_sentence(tuned: Tuned, drawn: Scatter) -> str:
    n = len(drawn.front)
    told = f"The {count(n, 'trial')} of the front" if n > 1 else "The one trial of the front"
    told += ", and the others. Grey is what chance alone may give, dashed its mean."
    ended = [
        (tuned.pruned, "stopped for lagging behind"),
        (tuned.failed, "not to be trained"),
        (len(drawn.points) - len(drawn.shown), "far out"),
    ]
    missing = joined(f"{count(n, 'trial')} {why}" for n, why in ended if n)
    return f"{told} Not shown: {missing}." if missing else told


def _numbers(trial: TriedTrial, attributes: Sequence[str]) -> dict[str, object]:
    values = [*(trial.biases.get(name) for name in attributes), trial.average_bias, trial.mae]
    return {"name": upper_first(trial.name), "cells": [(number(v), "") for v in values]}


def _values(trial: TriedTrial, keys: Sequence[str]) -> dict[str, object]:
    return {"name": upper_first(trial.name), "cells": [trial.values.get(key, "") for key in keys]}
