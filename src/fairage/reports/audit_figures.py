"""From the parts of an audit to figures."""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from fairage._text import visible
from fairage.auditing.measures import MEASURES
from fairage.auditing.result import ModelAudit
from fairage.auditing.result_parts import (
    ALL,
    MAE,
    MEAN_ERROR,
    AgeBand,
    AgeCheck,
    CheckCurve,
    Intersection,
    Interval,
)
from fairage.reports.figures import (
    BiasFloor,
    BiasFloors,
    Curves,
    GroupInterval,
    GroupIntervals,
    HeatMap,
    MapCell,
    Panel,
    figure_svg,
    responsive,
)
from fairage.reports.format import attribute_title, attribute_words, group_order

WIDE, NARROW = 984.0, 350.0
LEAST_FACES = 10  # an age with fewer has no point
MOST_ROWS, MOST_LINES, MOST_SHADES = 20, 7, 3
MOST_COLUMNS, MOST_MAP_ROWS = 8, 12
Floats = NDArray[np.float64]


def bias_figure(model: ModelAudit, attributes: Sequence[str]) -> Markup:
    """Return the bias of these attributes, and the average, over what noise gives."""
    rows = [
        BiasFloor(
            attribute_title(name),
            model.bias[name],
            model.corrected_bias.get(name),
            model.floors.get(name),
        )
        for name in attributes
        if name in model.bias
    ]
    if model.average_bias is not None:
        corrected, floor = model.average_corrected, model.average_floor
        rows.append(BiasFloor("Average", model.average_bias, corrected, floor, strong=True))
    drawing = BiasFloors(rows)
    label = "Bias of each attribute with its interval, over the noise floor"
    return responsive(drawing, drawing.size(WIDE), drawing.size(NARROW), label=label)


def group_figure(model: ModelAudit, attribute: str) -> Markup:
    """Return MAE and mean error of an attribute's groups; of very many the largest groups."""
    groups = model.groups[attribute]
    largest = sorted(groups.values(), key=lambda group: -group.n)[:MOST_ROWS]
    names = list(groups)
    ordered = [groups[names[i]] for i in group_order(attribute, names)]
    measures = (MAE, MEAN_ERROR)
    rows = [
        GroupInterval(group.name, group.n, [group[m] for m in measures], not group.takes_part)
        for group in ordered
        if group in largest
    ]
    panels = [
        Panel(
            f"{MEASURES[measure].title} in years",
            model.overall[measure].value,
            sign=MEASURES[measure].better == "zero",
        )
        for measure in measures
    ]
    drawing = GroupIntervals(rows, panels)
    label = f"MAE and mean error by {attribute_words(attribute)} with intervals"
    return responsive(drawing, drawing.size(WIDE), drawing.size(NARROW, narrow=True), label=label)


def age_figure(bands: Sequence[AgeBand], name: str) -> Markup:
    """Return error and mean error along age, a line a group, where there are enough faces.

    Up to three lines have their intervals as a shade; more would hide each other.
    """
    points = [band for band in bands if band.n >= LEAST_FACES]
    groups = _largest(points)
    x = sorted({_middle(point) for point in points})
    pair = [
        _along_age(points, groups, x, MAE, "MAE in years"),
        _along_age(points, groups, x, MEAN_ERROR, "Mean error in years"),
    ]
    return _side_by_side(pair, [f"MAE along age by {name}", f"Mean error along age by {name}"])


def map_scale(model: ModelAudit) -> tuple[float, float]:
    """Return the smallest and the largest error of all cells that take part, for maps to share."""
    errors = [
        cell.mae.value
        for intersection in model.intersections
        for cell in intersection.cells
        if cell.takes_part and math.isfinite(cell.mae.value)
    ]
    return (min(errors), max(errors)) if errors else (0.0, 1.0)


def intersection_map(
    intersection: Intersection, model: ModelAudit, scale: tuple[float, float]
) -> HeatMap:
    """Return the errors where two attributes meet, of many groups those with the most faces.

    The attribute with fewer groups runs along the top, so that phones can show it.
    """
    sides = [_groups_of(model, attribute) for attribute in intersection.attributes]
    turned = len(sides[1]) > len(sides[0])
    cells = {
        (cell.groups[::-1] if turned else cell.groups): MapCell(
            cell.mae.value, cell.n, cell.takes_part
        )
        for cell in intersection.cells
    }
    rows, columns = sides[::-1] if turned else sides
    rows, columns = rows[:MOST_MAP_ROWS], columns[:MOST_COLUMNS]
    table = [[cells.get((row, column)) for column in columns] for row in rows]
    return HeatMap(rows, columns, table, scale)


def check_figure(check: AgeCheck, attribute: str) -> Markup:
    """Return who passes and who is challenged along the threshold, a line a group.

    A group with too few people under the legal age has its name but no line among those who pass.
    """
    curves = check.curves[attribute][:MOST_LINES]
    taking = {g for g, rates in check.groups.get(attribute, {}).items() if rates.takes_part}
    passed = dict(_passed(c, takes_part=attribute == ALL or c.group in taking) for c in curves)
    challenged = {c.group: _percentages(c.challenged) for c in curves}
    x, xlabel = np.array(check.thresholds), "Threshold in years"
    vertical = (f"threshold {check.threshold:g}", check.threshold)
    under = f"Under {check.legal_age:g} who pass, %"
    over = f"Of {check.legal_age:g} or older challenged, %"
    pair = [
        Curves(x, passed, xlabel, under, vertical=vertical, ends=(0.0, _top(passed))),
        Curves(x, challenged, xlabel, over, vertical=vertical, ends=(0.0, _top(challenged))),
    ]
    words = attribute_words(attribute)
    return _side_by_side(pair, [f"Wrong passes by {words}", f"Challenges by {words}"])


def _along_age(
    points: Sequence[AgeBand], groups: Sequence[str], x: Sequence[float], measure: str, title: str
) -> Curves:
    intervals: dict[str, list[Interval | None]] = {group: [None] * len(x) for group in groups}
    for point in points:
        if point.group in intervals:
            interval = point.mae if measure == MAE else point.mean_error
            intervals[point.group][x.index(_middle(point))] = interval
    lines, bands = {}, {}
    for group, numbers in intervals.items():
        ends = [(one.value, one.low, one.high) if one else (None,) * 3 for one in numbers]
        lines[group], *edges = (_floats(part) for part in zip(*ends, strict=True))
        bands[group] = (edges[0], edges[1])
    return Curves(
        np.array(x),
        lines,
        "True age in years",
        title,
        sign=measure == MEAN_ERROR,
        bands=bands if len(bands) <= MOST_SHADES else {},
    )


def _groups_of(model: ModelAudit, attribute: str) -> list[str]:
    """Return the groups in the order to show them; of many those with the most faces."""
    groups = model.groups[attribute]
    names = [list(groups)[i] for i in group_order(attribute, list(groups))]
    largest = sorted(names, key=lambda name: -groups[name].n)[:MOST_MAP_ROWS]
    return [name for name in names if name in largest]


def _passed(curve: CheckCurve, *, takes_part: bool) -> tuple[str, Floats]:
    rates = _percentages(curve.false_positive)
    if takes_part:
        return curve.group, rates
    return f"{visible(curve.group)} (too few)", np.full(len(rates), np.nan)


def _percentages(rates: Sequence[float | None]) -> Floats:
    return 100 * _floats(rates)


def _floats(values: Iterable[float | None]) -> Floats:
    return np.array([math.nan if value is None else value for value in values], dtype=float)


def _side_by_side(pair: Sequence[Curves], labels: Sequence[str]) -> Markup:
    """Two figures that stand beneath each other on a phone."""
    left, right = (
        figure_svg(drawing, drawing.size, label=label)
        for drawing, label in zip(pair, labels, strict=True)
    )
    return Markup('<div class="pair">{}{}</div>').format(left, right)


def _top(lines: Mapping[str, Floats]) -> float:
    """Return the upper end of an axis of percentages: not much more than is needed."""
    values = np.concatenate([np.zeros(1), *lines.values()])
    return float(min(max(1.1 * np.nanmax(values), 5.0), 100.0))


def _middle(band: AgeBand) -> float:
    return (band.low + band.high) / 2


def _largest(bands: Sequence[AgeBand]) -> list[str]:
    """Return the groups with the most faces, in the order of the bands."""
    sizes: dict[str, int] = {}
    for band in bands:
        sizes[band.group] = sizes.get(band.group, 0) + band.n
    top = sorted(sizes, key=lambda name: -sizes[name])[:MOST_LINES]
    return [name for name in sizes if name in top]
