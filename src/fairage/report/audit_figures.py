"""From the parts of an audit to figures."""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from fairage.audit.result import (
    ALL,
    AgePoint,
    AttributeAudit,
    Intersection,
    ModelAudit,
    PolicyAudit,
    PolicyCurve,
)
from fairage.audit.sample import Floats
from fairage.report.audit_captions import LEAST_FACES
from fairage.report.figures import figure_svg, responsive
from fairage.report.figures.bias_floors import BiasFloor, BiasFloors
from fairage.report.figures.curves import Curves
from fairage.report.figures.group_intervals import GroupInterval, GroupIntervals
from fairage.report.figures.heat_map import HeatMap
from fairage.report.words import attribute_title, attribute_words

__all__ = ["age_figure", "bias_figure", "group_figure", "intersection_figure", "policy_figure"]

MOST_ROWS, MOST_LINES, MOST_CELLS, MOST_SHADES = 20, 7, 10, 3


def bias_figure(model: ModelAudit, key: str) -> Markup:
    """Return the bias of each attribute, and their average, over what chance gives."""
    pairs = [(attribute_title(a.name), a.bias, a.floor) for a in model.attributes]
    pairs.append(("Average", model.average_bias.bias, model.average_bias.floor))
    drawing = BiasFloors(
        [
            BiasFloor(name, bias.value, bias.low, bias.high, floor.mean, floor.p95)
            for name, bias, floor in pairs
        ]
    )
    label = "Bias of each attribute with its interval, over the noise floor"
    return responsive(drawing, drawing.size(720), drawing.size(360), key=key, label=label)


def group_figure(attribute: AttributeAudit, overall: float, key: str) -> Markup:
    """Return the errors of an attribute's groups; of very many the largest groups."""
    largest = sorted(attribute.groups, key=lambda g: -g.errors.n)[:MOST_ROWS]
    groups = [
        GroupInterval(
            group.name,
            group.errors.n,
            group.errors.mae.value,
            group.errors.mae.low,
            group.errors.mae.high,
            faint=not group.ranked,
        )
        for group in attribute.groups
        if group in largest
    ]
    drawing = GroupIntervals(groups, overall)
    label = f"Group errors by {attribute_words(attribute.name)} with intervals"
    return figure_svg(drawing, drawing.size, key=key, label=label)


def age_figure(points: Sequence[AgePoint], name: str, key: str) -> Markup:
    """Return error and signed error along age, a line a group, where there are enough faces.

    Up to three lines have their intervals as a shade; more would hide each other.
    """
    shown = [point for point in points if point.n >= LEAST_FACES]
    groups = _largest({p.group: 0 for p in shown}, shown)
    middles = sorted({_middle(point) for point in shown})
    lines = {group: np.full((2, 3, len(middles)), np.nan) for group in groups}
    for point in shown:
        if point.group in lines:
            ends = [(e.value, e.low, e.high) for e in (point.mae, point.signed)]
            lines[point.group][:, :, middles.index(_middle(point))] = np.array(ends, dtype=float)
    x, xlabel = np.array(middles), "True age in years"
    pair = [
        Curves(x, _values(lines, 0), xlabel, "Error in years", bands=_bands(lines, 0)),
        Curves(
            x,
            _values(lines, 1),
            xlabel,
            "Estimate less truth in years",
            level=0.0,
            bands=_bands(lines, 1),
        ),
    ]
    return _side_by_side(pair, key, [f"Error along age by {name}", f"Signed error by {name}"])


def intersection_scale(model: ModelAudit) -> tuple[float, float]:
    """Return the smallest and the largest error of all ranked cells, for maps to share."""
    errors = [
        cell.mae.value
        for found in model.intersections
        for cell in found.cells
        if cell.rank is not None
    ]
    return (min(errors), max(errors)) if errors else (0.0, 1.0)


def intersection_figure(found: Intersection, model: ModelAudit, minimum: int, key: str) -> Markup:
    """Return the errors where two attributes meet.

    The attribute with fewer groups runs along the top, so that phones can show it.
    """
    orders = [[group.name for group in model.attribute(a).groups] for a in found.attributes]
    turn = len(orders[1]) > len(orders[0])
    sides = [list(order)[:MOST_CELLS] for order in (reversed(orders) if turn else orders)]
    shape = (len(sides[0]), len(sides[1]))
    values, counts = np.full(shape, np.nan), np.zeros(shape, dtype=np.int64)
    for cell in found.cells:
        groups = cell.groups[::-1] if turn else cell.groups
        if groups[0] in sides[0] and groups[1] in sides[1]:
            place = (sides[0].index(groups[0]), sides[1].index(groups[1]))
            values[place], counts[place] = cell.mae.value, cell.n
    drawing = HeatMap(sides[0], sides[1], values, counts, minimum, intersection_scale(model))
    names = " and ".join(map(attribute_words, found.attributes))
    return figure_svg(drawing, drawing.size, key=key, label=f"Errors by {names}, a cell a pair")


def policy_figure(policy: PolicyAudit, attribute: str, key: str) -> Markup:
    """Return who passes and who is challenged along the threshold, a line a group.

    A group with too few people below the legal age has its name but no line among those who pass.
    """
    curves = [c for c in policy.curves if c.attribute == attribute][:MOST_LINES]
    ranked = {g.group for g in policy.groups if g.attribute == attribute and g.ranked}
    passed = dict(_passed(curve, ranked=curve.group in ranked) for curve in curves)
    asked = {_group_name(c.group): _percentages(c.challenged) for c in curves}
    x, xlabel = np.array(policy.thresholds), "Threshold in years"
    vertical = (f"threshold {policy.threshold:g}", policy.threshold)
    below, above = f"Below {policy.legal_age:g} who pass, %", "Of legal age challenged, %"
    pair = [
        Curves(x, passed, xlabel, below, vertical=vertical, limits=(0, _top(passed))),
        Curves(x, asked, xlabel, above, vertical=vertical, limits=(0, _top(asked))),
    ]
    words = attribute_words(attribute)
    return _side_by_side(pair, key, [f"Wrong passes by {words}", f"Challenges by {words}"])


def _passed(curve: PolicyCurve, *, ranked: bool) -> tuple[str, Floats]:
    name, rates = _group_name(curve.group), _percentages(curve.false_positive)
    return (name, rates) if ranked else (f"{name} (too few)", np.full(len(rates), np.nan))


def _percentages(rates: Sequence[float]) -> Floats:
    return 100 * np.array(rates)


def _side_by_side(pair: Sequence[Curves], key: str, labels: Sequence[str]) -> Markup:
    """Two figures that stand beneath each other on a phone."""
    left, right = (
        figure_svg(drawing, drawing.size, key=f"{key}-{i}", label=label)
        for i, (drawing, label) in enumerate(zip(pair, labels, strict=True))
    )
    return Markup('<div class="pair">{}{}</div>').format(left, right)


def _top(lines: dict[str, Floats]) -> float:
    """Return the upper end of an axis of percentages: not much more than is needed."""
    values = np.concatenate([np.zeros(1), *lines.values()])
    return float(min(max(1.1 * np.nanmax(values), 5.0), 100.0))


def _middle(point: AgePoint) -> float:
    return (point.low + point.high) / 2


def _largest(names: dict[str, int], points: Sequence[AgePoint]) -> list[str]:
    """Return the groups with the most faces, in the order of the points."""
    for point in points:
        names[point.group] += point.n
    kept = sorted(names, key=lambda name: -names[name])[:MOST_LINES]
    return [name for name in names if name in kept]


def _values(lines: dict[str, Floats], which: int) -> dict[str, Floats]:
    return {_group_name(name): found[which, 0] for name, found in lines.items()}


def _bands(lines: dict[str, Floats], which: int) -> dict[str, tuple[Floats, Floats]]:
    if len(lines) > MOST_SHADES:
        return {}
    return {_group_name(name): (f[which, 1], f[which, 2]) for name, f in lines.items()}


def _group_name(group: str) -> str:
    return "all faces" if group == ALL else group
