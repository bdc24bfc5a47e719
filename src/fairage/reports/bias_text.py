"""Sentences about biases: one number for all gaps of an attribute, and what noise alone gives."""

from fairage.auditing.result import ModelAudit
from fairage.auditing.result_parts import MAE, MEAN_ERROR, Interval, NoiseFloor
from fairage.reports.format import attribute_words, number, with_span
from fairage.reports.gap_text import by_attributes

__all__ = ["average_sentence", "bias_sentence", "bias_words"]

TOGETHER = "look unequal, but no single pair can be distinguished"


def average_sentence(model: ModelAudit) -> str:
    """Return the average bias over attributes, and what equal groups would show.

    Nothing where fewer than two attributes have a bias.
    """
    average, floor = model.average_bias, model.average_floor
    if average is None or floor is None or len(model.bias) < 2:
        return ""
    text = (
        f"The average bias over attributes is {with_span(average)} years"
        f"{_corrected(model.average_corrected)}; {_floor(floor)}."
    )
    if average.value > floor.p975 and not any(_pair_differs(model, name) for name in model.bias):
        text += f" Together the groups {TOGETHER}."
    return text


def bias_words(model: ModelAudit, attribute: str) -> str:
    """Return an attribute's bias and that of its mean errors, beside what equal groups would show.

    Nothing where fewer than two groups take part.
    """
    bias, floor = model.bias.get(attribute), model.floors.get(attribute)
    if bias is None or floor is None:
        return ""
    name = attribute_words(attribute)
    sentences = [
        f"The bias by {name} is {with_span(bias)} years"
        f"{_corrected(model.corrected_bias.get(attribute))}; {_floor(floor)}."
    ]
    if _together(model, attribute, MAE):
        sentences.append(f"Together the groups {TOGETHER} by MAE.")
    mean_errors = model.mean_error_bias.get(attribute)
    if mean_errors is not None:
        sentences.append(f"Of mean errors the bias is {with_span(mean_errors)} years.")
    if _together(model, attribute, MEAN_ERROR):
        sentences.append(f"Together the mean errors of the groups {TOGETHER} by them.")
    return " ".join(sentences)


def bias_sentence(model: ModelAudit) -> str:
    """Return which attributes' biases are above 0, and which are such as equal groups may show."""
    above = [name for name in model.bias if _pair_differs(model, name)]
    together = [name for name in model.bias if _together(model, name, MAE)]
    rest = [name for name in model.bias if name not in above and name not in together]
    sentences = []
    if above:
        sentences.append(
            f"Groups of {by_attributes(above)} differ in MAE, so {_biases(above)} above 0."
        )
    if together:
        sentences.append(f"Together the groups of {by_attributes(together)} {TOGETHER}.")
    if rest:
        sentences.append(
            f"By {by_attributes(rest)} the bias is such as equal groups may show: it may be 0."
        )
    return " ".join(sentences) or "Fewer than two groups have enough faces for a bias."


def _biases(names: list[str]) -> str:
    return "this bias is" if len(names) == 1 else "these biases are"


def _pair_differs(model: ModelAudit, attribute: str, measure: str = MAE) -> bool:
    return any(gap.measure == measure for gap in model.verdicts[attribute].differing)


def _together(model: ModelAudit, attribute: str, measure: str) -> bool:
    """Return whether the bias is above its noise floor while no pair differs."""
    biases, floors = (
        (model.bias, model.floors)
        if measure == MAE
        else (model.mean_error_bias, model.mean_error_floors)
    )
    bias: Interval | None = biases.get(attribute)
    floor: NoiseFloor | None = floors.get(attribute)
    if bias is None or floor is None or _pair_differs(model, attribute, measure):
        return False
    return bias.value > floor.p975


def _corrected(corrected: float | None) -> str:
    return "" if corrected is None else f", {number(corrected)} corrected for noise"


def _floor(floor: NoiseFloor) -> str:
    return (
        f"equal groups would show {number(floor.mean)} on average and more than "
        f"{number(floor.p975)} once in forty times"
    )
