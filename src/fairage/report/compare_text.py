"""What changes from one model to another, in plain sentences made from the numbers."""

from fairage.audit.comparing import ComparisonResult, Difference
from fairage.audit.result import ALL
from fairage.report.estimates import span
from fairage.report.words import attribute_words, faces_of, joined, number, years

__all__ = ["compare_findings", "compare_headline", "difference_name", "model_names"]


def model_names(result: ComparisonResult) -> tuple[str, str]:
    """Return how to call the two models; A and B where their names are the same."""
    return (result.a, result.b) if result.a != result.b else ("A", "B")


def compare_headline(result: ComparisonResult) -> str:
    """Return which model is more accurate and which is fairer, and whether that is chance."""
    mae, bias = result.difference("mae"), result.difference("average_bias")
    accuracy = _side(result, mae, "more accurate", "equally accurate")
    fairness = _side(result, bias, "fairer", "equally fair")
    return f"{accuracy} {fairness}"


def compare_findings(result: ComparisonResult) -> list[str]:
    """Return whose error changes beyond chance, and how each bias that changed was levelled."""
    a, b = model_names(result)
    groups = [d for d in result.differences if d.group != ALL]
    better = [faces_of(d.attribute, d.group) for d in groups if d.resolved and d.change.value < 0]
    worse = [faces_of(d.attribute, d.group) for d in groups if d.resolved and d.change.value > 0]
    found = [
        f"{b} serves {joined(names)} {word} than {a}, beyond chance."
        for names, word in ((better, "better"), (worse, "worse"))
        if names
    ]
    if not found:
        found.append("No group's error changes by more than chance may give.")
    changed = [told.text for told in result.levelling if told.resolved]
    found += changed
    if not changed:
        found.append("No attribute's bias changes by more than chance may give.")
    return found


def difference_name(difference: Difference) -> str:
    """Return what a difference is of, for a table or a figure.

    Examples:
        >>> from fairage.audit.intervals import Estimate
        >>> told = ("gender", "all", "bias", 1.0, 2.0, Estimate(1.0, 9), False)
        >>> difference_name(Difference(*told))
        'Bias by gender'
    """
    if difference.measure == "bias":
        return f"Bias by {attribute_words(difference.attribute)}"
    if difference.group != ALL:
        return difference.group
    return "MAE" if difference.measure == "mae" else "Average bias"


def _side(result: ComparisonResult, found: Difference, word: str, alike: str) -> str:
    """Name the better one where the interval leaves 0 out."""
    first, second = model_names(result)
    name = "MAE" if found.measure == "mae" else "average bias"
    a, b = number(found.a), number(found.b)
    if not found.resolved:
        return f"{first} and {second} are {alike} as far as these faces tell ({name} {a} and {b})."
    best, other = (second, first) if found.change.value < 0 else (first, second)
    return (
        f"{best} is {word} than {other}: {name} {a} for {first}, {b} for {second}, a "
        f"change of {years(found.change.value)} ({span(found.change)})."
    )
