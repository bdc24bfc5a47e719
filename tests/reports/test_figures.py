import math
import re
from itertools import combinations
from xml.etree import ElementTree

import numpy as np
import pytest

from fairage.auditing.result_parts import Interval, NoiseFloor
from fairage.reports.figures import (
    BiasFloor,
    BiasFloors,
    Curves,
    GroupDots,
    GroupInterval,
    GroupIntervals,
    HeatMap,
    MapCell,
    Panel,
    Point,
    Scatter,
    Size,
    figure_svg,
)
from fairage.reports.figures.axes import Scale, limits, nice_ticks
from fairage.reports.figures.dots import gap_bar
from fairage.reports.figures.markers import marker
from fairage.reports.figures.scatter import Label, _box, place_labels
from fairage.reports.figures.svg import Drawing, colour

X = np.arange(5.0)


def tree(draw: object, size: Size) -> ElementTree.Element:
    return ElementTree.fromstring(figure_svg(draw, size, label="l"))  # type: ignore[arg-type]  # options by name


def dots(root: ElementTree.Element) -> list[ElementTree.Element]:
    return [path for path in root.iter("path") if path.attrib.get("fill", "none") != "none"]


def lines(root: ElementTree.Element) -> list[ElementTree.Element]:
    return [path for path in root.iter("path") if "fill" not in path.attrib]


def curves_of(root: ElementTree.Element) -> list[ElementTree.Element]:
    return [path for path in root.iter("path") if path.attrib.get("fill") == "none"]


def start(path: ElementTree.Element) -> float:
    match = re.match(r"M([\d.]+)", path.attrib["d"])
    assert match is not None
    return float(match[1])


def texts(root: ElementTree.Element) -> list[str]:
    return [text.text or "" for text in root.iter("text")]


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (0.3, 7.1), (-4.2, 3), (0, 120), (2.98, 3.02), (0, 1e-4), (5, 5)]
)
def test_ticks_are_few_round_and_inside(low: float, high: float) -> None:
    ticks = nice_ticks(low, high)
    assert 1 <= len(ticks) <= 6
    assert all(low - 1e-9 <= tick <= high + 1e-9 for tick in ticks)
    steps = np.diff(ticks)
    assert len(steps) == 0 or np.allclose(steps, steps[0])


def test_an_axis_never_blows_up_a_tiny_gap() -> None:
    scale = limits([4.0, 4.01], least=2.0)
    assert scale.high - scale.low == pytest.approx(2.0)
    assert limits([]).low < limits([]).high
    assert limits([math.nan, None, 1.0]).high >= 1.0


def test_a_scale_runs_from_start_to_end_and_knows_its_inside() -> None:
    scale = Scale(0, 10, 100, 200)
    assert scale(5) == 150
    assert scale.inside(99) == 200


def bias(name: str, value: float, low: float, high: float, p975: float = 0.4) -> BiasFloor:
    return BiasFloor(name, Interval(value, low, high, 100), value - 0.1, NoiseFloor(0.2, p975))


def test_bias_is_drawn_over_what_noise_gives() -> None:
    drawing = BiasFloors([bias("Gender", 0.5, 0.4, 0.6, 0.3), bias("Age", 2, 1, 3, 0.6)])
    root = tree(drawing, drawing.size(700))
    bars = [float(rect.attrib["width"]) for rect in root.iter("rect")][1:]
    assert bars[1] == pytest.approx(2 * bars[0], rel=0.02)
    assert {"Gender", "Age", "noise-corrected", "noise floor"} <= set(texts(root))
    hollow = [c for c in dots(root) if c.attrib["fill"] == "var(--surface)"]
    assert len(hollow) == 1 + 2


def test_bias_without_a_floor_or_an_interval_can_be_drawn() -> None:
    drawing = BiasFloors([BiasFloor("Gender", Interval(0.0), None, None)])
    root = tree(drawing, drawing.size(300))
    assert "noise floor" not in texts(root)
    assert "nan" not in ElementTree.tostring(root, encoding="unicode")


def rows() -> list[GroupInterval]:
    return [
        GroupInterval("f", 1200, [Interval(3, 2.9, 3.1), Interval(0.5, 0.2, 0.8)]),
        GroupInterval("m", 3, [Interval(4, 1, 9), Interval(-2, -5, 1)], faint=True),
        GroupInterval("x", 0, [Interval(math.nan), Interval(math.nan)], faint=True),
    ]


def test_groups_have_a_row_in_each_panel_and_their_number_of_faces() -> None:
    drawing = GroupIntervals(rows(), [Panel("MAE", 3.0), Panel("Mean error", -0.2, sign=True)])
    root = tree(drawing, drawing.size(900))
    assert len(dots(root)) == 4
    assert texts(root).count("n = 1,200") == 1
    left, right = sorted({start(dot) > 450 for dot in dots(root)})
    assert (left, right) == (False, True)
    assert {"MAE", "Mean error", "+0", "0"} & set(texts(root)) >= {"MAE", "Mean error", "0"}


def test_on_a_phone_the_panels_stand_in_a_column() -> None:
    drawing = GroupIntervals(rows(), [Panel("MAE"), Panel("Mean error", sign=True)])
    size = drawing.size(350, narrow=True)
    root = tree(drawing, size)
    assert size.height == 2 * drawing.size(900).height
    assert texts(root).count("n = 1,200") == 2


def test_a_group_that_takes_no_part_is_pale() -> None:
    drawing = GroupIntervals(rows(), [Panel("MAE"), Panel("Mean error", sign=True)])
    marks = dots(tree(drawing, drawing.size(900)))
    assert [mark.attrib.get("opacity") for mark in marks] == [None, "0.4", None, "0.4"]


def test_an_end_that_nothing_bounds_is_dotted_to_the_edge() -> None:
    open_end = [GroupInterval("f", 9, [Interval(3, 2.5, None)])]
    drawing = GroupIntervals(open_end, [Panel("P90")])
    dotted = [
        line
        for line in lines(tree(drawing, drawing.size(500)))
        if line.attrib.get("stroke-dasharray") == "1 4"
    ]
    assert len(dotted) == 1


def test_dots_share_a_row_a_version_and_the_legend_has_the_faces() -> None:
    drawing = GroupDots(["a", "b"], [{"f": 2.0, "m": 3.0}, {"f": 2.0}], {"f": 1200, "m": 30})
    root = tree(drawing, drawing.size(400))
    assert {"f (n = 1,200)", "m (n = 30)", "a", "b"} <= set(texts(root))
    colours = [dot.attrib["fill"] for dot in dots(root)]
    assert (colours.count(colour(0)), colours.count(colour(1))) == (1 + 2, 1 + 1)


def test_a_gap_bar_holds_margin_zero_and_limits() -> None:
    root = ElementTree.fromstring(gap_bar(Interval(1.0, 0.2, 50.0), 1.0, (-2.0, 6.0)))
    (band,) = root.iter("rect")
    assert float(band.attrib["width"]) == pytest.approx(2 / 8 * 192, abs=0.2)
    ends = [
        float(line.attrib["d"].split("H")[1]) for line in lines(root) if "H" in line.attrib["d"]
    ]
    assert ends == [196.0]


def test_few_points_get_markers_and_many_get_strokes() -> None:
    few, many = np.arange(5.0), np.arange(80.0)
    root = tree(Curves(few, {"f": few, "m": few}, "x", "y"), Size(420, 300))
    assert [dot.attrib["d"].count("M") for dot in dots(root)] == [1, 1, 5, 5]
    assert all("stroke-dasharray" not in path.attrib for path in curves_of(root))
    root = tree(Curves(many, {"f": many, "m": many}, "x", "y"), Size(420, 300))
    assert not dots(root)
    assert [path.attrib.get("stroke-dasharray", "") for path in curves_of(root)] == ["", "7 4"]


def test_curves_show_what_to_measure_by_and_a_legend_where_there_are_two() -> None:
    one = Curves(X, {"f": X}, "x", "y", sign=True, vertical=("here", 2.0), ends=(-1, 9))
    words = texts(tree(one, one.size))
    assert "here" in words
    assert "f" not in words
    two = Curves(X, {"f": X, "m": X}, "x", "y")
    assert {"f", "m"} <= set(texts(tree(two, two.size)))
    assert two.size.height > one.size.height


def test_a_shade_is_broken_where_the_interval_is_not_known() -> None:
    low, high = X - 1.0, X + 1.0
    low[2] = math.nan
    curves = Curves(X, {"f": X, "m": X}, "x", "y", bands={"m": (low, high)})
    shades = [p for p in tree(curves, curves.size).iter("polygon") if "opacity" in p.attrib]
    assert len(shades) == 2
    assert {shade.attrib["fill"] for shade in shades} == {colour(1)}


def test_curves_without_a_number_can_be_drawn() -> None:
    nothing = np.full(5, math.nan)
    curves = Curves(X, {"f": nothing, "m": nothing}, "x", "y", bands={"f": (nothing, nothing)})
    assert "nan" not in figure_svg(curves, curves.size, label="l")
    empty = Curves(np.zeros(0), {}, "x", "y")
    assert "nan" not in figure_svg(empty, empty.size, label="l")


def test_a_larger_error_has_a_darker_cell_and_a_small_cell_none() -> None:
    values = [MapCell(v, 99, True) for v in (1.0, 5.0, 9.0, 50.0)]
    heat_map = HeatMap(["f"], list("abcd"), [values], (1.0, 9.0))
    assert [heat_map.look(cell) for cell in values] == ["heat-0", "heat-4", "heat-7", "heat-7"]
    assert heat_map.look(MapCell(9.0, 2, False)) == "hatched"
    assert heat_map.look(MapCell(math.nan, 50, True)) == "hatched"
    assert heat_map.look(None) == "hatched"
    assert HeatMap(["f"], ["a"], [values[:1]], (2.0, 2.0)).look(values[0]) == "heat-0"


def test_points_far_out_leave_the_scatter_but_ours_never() -> None:
    ours, study = Point("a", 4.0, 0.5), Point("b", 20.0, 0.5, "study")
    scatter = Scatter([ours, study, Point("c", 30.0, 9.0)], [ours], 0.2, 0.4)
    assert study in scatter.shown
    scatter = Scatter([ours, study], [ours], 0.2, 0.4)
    assert scatter.shown == [ours]


def test_points_without_any_bias_can_be_drawn() -> None:
    """As of test faces that are all of one group."""
    point = Point("a", 4.0, 0.0)
    svg = figure_svg(Scatter([point], [point], 0.0, 0.0), Size(600, 400), label="l")
    assert "nan" not in svg


def test_intervals_of_a_point_are_drawn_where_they_are_known() -> None:
    near = Point("a", 4.0, 0.5, mae_ends=(3.8, 4.2), bias_ends=(0.3, 0.9))
    bare = Point("b", 4.5, 0.6)
    root = tree(Scatter([near, bare], [], None, None), Size(600, 400))
    bars = [line for line in lines(root) if line.attrib["stroke"] == colour(0)]
    assert len(bars) == 2
    assert "what noise alone may give" not in texts(root)


def test_in_a_crowd_the_front_has_names_and_others_where_there_is_room() -> None:
    crowd = [Point(f"version {i}", 4 + i / 1000, 0.8 + i / 1000) for i in range(20)]
    words = texts(tree(Scatter(crowd, crowd[:1], 0.2, 0.4), Size(600, 400)))
    named = [word for word in words if word.startswith("version")]
    assert "version 0" in named
    assert len(named) < len(crowd)
    few = texts(tree(Scatter(crowd[:8], crowd[:1], 0.2, 0.4), Size(600, 400)))
    assert sum(word.startswith("version") for word in few) == 8


def test_labels_of_close_points_do_not_cover_each_other() -> None:
    labels = [Label(200 + 4 * i, 150, f"version {i}", size=10) for i in range(6)]
    drawing = Drawing()
    place_labels(drawing, labels, (0, 0, 400, 300))
    root = ElementTree.fromstring(drawing.svg(Size(400, 300), "l"))
    placed = list(root.iter("text"))
    assert len(placed) == 6
    boxes = []
    for text in placed:
        x, y = float(text.attrib["x"]), float(text.attrib["y"])
        shift = {"start": 1, "end": -1, "middle": 0}[text.attrib.get("text-anchor", "start")]
        boxes.append(_box(Label(x - 9 * shift, y - 3.6, text.text or "", size=10), (9 * shift, 0)))
    assert not any(a.overlap(b) > 1 for a, b in combinations(boxes, 2))


def test_an_optional_label_without_room_is_left_out() -> None:
    drawing = Drawing()
    place_labels(drawing, [Label(20, 20, "a very long name", optional=True)], (0, 0, 40, 40))
    assert "a very long name" not in drawing.svg(Size(40, 40), "l")


def test_colours_and_markers_repeat_out_of_step() -> None:
    assert colour(7) == colour(0)
    assert marker(7) != marker(0)
