"""The page of a search: its trials, the Pareto front, what is chosen and why."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from fairage._text import count, joined, number, percent, years
from fairage.auditing.scoring import MIN_ROWS
from fairage.reports.figures import OURS, TRIAL, Point, Scatter, Size, responsive
from fairage.reports.format import attribute_title, upper_first
from fairage.reports.html import render


@dataclass(frozen=True)
class TrialNumbers:
    """A trial that was trained to its end; its numbers are of the validation faces, in years.

    Args:
        number: Its number; 0 is the recipe as it came.
        mae: Its MAE.
        average_bias: Its average bias; NaN where no attribute has two groups that take part.
        biases: The bias of each attribute that has one.
        noise_floor: The average bias to be expected if all groups had the same true error.
        noise_p975: What noise exceeds once in forty times.
        values: What was drawn, as text, by key.
    """

    number: int
    mae: float
    average_bias: float
    biases: Mapping[str, float] = field(default_factory=dict)
    noise_floor: float = math.nan
    noise_p975: float = math.nan
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """How figures and tables call it."""
        return "the recipe" if self.number == 0 else f"trial {self.number}"

    @property
    def has_bias(self) -> bool:
        """Whether it has an average bias."""
        return not math.isnan(self.average_bias)


@dataclass(frozen=True)
class SearchNumbers:
    """What a page of a search is made from.

    Args:
        title: Heading of the page.
        trials: Those that were trained to their end; at least one.
        chosen: The trial that the selection rule takes.
        delta: What the rule may give of the lowest MAE, as a share.
        pruned: Trials that were stopped.
        failed: Trials that could not be trained.
        fitted_on_validation: Something of the recipe was fitted to the validation faces.
        facts: What was searched on what.
        min_rows: Faces that a group must have to take part.
        warnings: What is wrong with the faces.
    """

    title: str
    trials: Sequence[TrialNumbers]
    chosen: TrialNumbers
    delta: float
    pruned: int
    failed: int
    fitted_on_validation: bool
    facts: Mapping[str, str]
    min_rows: int = MIN_ROWS
    warnings: Sequence[str] = ()

    @property
    def accurate(self) -> TrialNumbers:
        """The trial with the lowest MAE."""
        return min(self.trials, key=lambda trial: (trial.mae, trial.number))


def front_of_trials(trials: Sequence[TrialNumbers]) -> list[TrialNumbers]:
    """Return the trials that none undercuts in both MAE and average bias, by rising MAE.

    Without biases it is the most accurate one.

    Examples:
        >>> trials = [TrialNumbers(0, 4.0, 0.5), TrialNumbers(1, 3.9, 0.7)]
        >>> trials += [TrialNumbers(2, 4.1, 0.6)]
        >>> [trial.number for trial in front_of_trials(trials)]
        [1, 0]
    """
    front: list[TrialNumbers] = []
    for trial in sorted(trials, key=lambda t: (t.mae, _rank(t.average_bias), t.number)):
        if not front or _rank(trial.average_bias) < _rank(front[-1].average_bias):
            front.append(trial)
    return front


def tuning_html(search: SearchNumbers) -> str:
    """Return the page as one HTML file that needs nothing from the network."""
    front = front_of_trials(search.trials)
    keys = list(dict.fromkeys(key for trial in front for key in trial.values))
    attributes = list(search.chosen.biases)
    scatter = _scatter(search, front) if search.chosen.has_bias else None
    titles = [*map(attribute_title, attributes), "Average", "MAE"]
    return render(
        "tuning.html.j2",
        title=search.title,
        sentences=_sentences(search),
        scatter=None if scatter is None else _scatter_svg(scatter),
        scatter_sentence="" if scatter is None else _scatter_sentence(search, scatter),
        numbers_headings=["Trial", *titles],
        numbers=[_numbers(trial, attributes) for trial in front],
        values_headings=["Trial", *keys],
        values=[_values(trial, keys) for trial in front],
        facts=list(search.facts.items()),
        warnings=search.warnings,
    )


def _sentences(search: SearchNumbers) -> list[str]:
    chosen = search.chosen
    sentences = _choice(search) if chosen.has_bias else _choice_by_mae(search)
    base = next((trial for trial in search.trials if trial.number == 0), None)
    if base is not None and base is not chosen:
        sentences.append(f"The recipe as it came has {_measured(base)}.")
    if chosen.has_bias:
        sentences.append(
            f"Noise alone would give {chosen.name} an average bias of "
            f"{number(chosen.noise_floor)}, and more than {number(chosen.noise_p975)} once in "
            "forty times. Differences between trials may be noise too: none of them is tested."
        )
    sentences.append(
        "These numbers flatter: the same faces chose the epochs and the trials. Measure what is "
        "chosen on the test faces, which the search has not seen."
    )
    if search.fitted_on_validation:
        sentences.append(
            "Steps after the training were fitted to the validation faces too, which flatters even "
            "more."
        )
    return sentences


def _choice(search: SearchNumbers) -> list[str]:
    chosen, accurate = search.chosen, search.accurate
    n = len(search.trials)
    sentences = [
        f"{upper_first(chosen.name)} is chosen: on the validation faces it has {_measured(chosen)}."
    ]
    if n == 1:
        return [*sentences, "It is the only trial that was trained to its end."]
    rule = (
        f"Of {count(n, 'trial')} it has the lowest measured average bias among those whose MAE is "
        f"at most {percent(search.delta)} above the lowest"
    )
    if accurate is chosen:
        return [*sentences, f"{rule}, which is its own."]
    lowest = (
        f"{number(accurate.mae)} ({accurate.name}, average bias {number(accurate.average_bias)})"
    )
    return [*sentences, f"{rule}, {lowest}."]


def _choice_by_mae(search: SearchNumbers) -> list[str]:
    return [
        f"{upper_first(search.chosen.name)} is chosen by its MAE alone, "
        f"{years(search.chosen.mae)} on the validation faces.",
        f"No attribute has two groups of {count(search.min_rows, 'validation face')} or more, so "
        "that there is no bias to choose by.",
    ]


def _measured(trial: TrialNumbers) -> str:
    if not trial.has_bias:
        return f"an MAE of {years(trial.mae)}"
    return f"an MAE of {years(trial.mae)} and an average bias of {number(trial.average_bias)}"


def _scatter(search: SearchNumbers, front: list[TrialNumbers]) -> Scatter:
    named = {t.number: Point(t.name, t.mae, t.average_bias, OURS) for t in [*front, search.chosen]}
    behind = [
        Point(t.name, t.mae, t.average_bias, TRIAL)
        for t in search.trials
        if t.number not in named and t.has_bias
    ]
    return Scatter(
        points=[*named.values(), *behind],
        front=[named[trial.number] for trial in front],
        floor=_none_if_nan(search.chosen.noise_floor),
        floor_p975=_none_if_nan(search.chosen.noise_p975),
    )


def _scatter_svg(scatter: Scatter) -> Markup:
    label = "Scatter of validation MAE against average bias, a point a trial"
    return responsive(scatter, Size(760, 440), Size(360, 400), label=label)


def _scatter_sentence(search: SearchNumbers, scatter: Scatter) -> str:
    n, others = len(scatter.front), len(search.trials) - len(scatter.front)
    text = f"The {count(n, 'trial')} of the front" if n > 1 else "The one trial of the front"
    if others:
        text += f", and {count(others, 'other')}"
    text += ", as measured."
    if scatter.floor_p975 is not None:
        text += " Grey is what noise alone may give the chosen one, dashed its mean."
    ended = [
        (search.pruned, "stopped for lagging behind"),
        (search.failed, "not to be trained"),
        (len(scatter.points) - len(scatter.shown), "far out"),
    ]
    missing = joined(f"{count(n, 'trial')} {why}" for n, why in ended if n)
    return f"{text} Not shown: {missing}." if missing else text


def _numbers(trial: TrialNumbers, attributes: Sequence[str]) -> dict[str, object]:
    values = [*(trial.biases.get(name) for name in attributes), trial.average_bias, trial.mae]
    return {"name": upper_first(trial.name), "cells": [(number(v), "") for v in values]}


def _values(trial: TrialNumbers, keys: Sequence[str]) -> dict[str, object]:
    return {"name": upper_first(trial.name), "cells": [trial.values.get(key, "") for key in keys]}


def _rank(bias: float) -> float:
    """Return the bias, larger than any other where there is none."""
    return math.inf if math.isnan(bias) else bias


def _none_if_nan(value: float) -> float | None:
    return None if math.isnan(value) else value
