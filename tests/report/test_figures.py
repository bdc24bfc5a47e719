import numpy as np
import pytest
from matplotlib.figure import Figure

from fairage.audit.groups import GroupMeans
from fairage.report.figures import GroupDots, Point, Scatter, Size, figure_svg
from fairage.report.figures.bias_floors import BiasFloor, BiasFloors
from fairage.report.figures.curves import Curves
from fairage.report.figures.group_intervals import GroupInterval, GroupIntervals
from fairage.report.figures.heat_map import HeatMap
from fairage.report.figures.palette import colour, marker


def drawn(draw: object, size: Size) -> Figure:
    figure = Figure(dpi=72)
    draw(figure, size)  # type: ignore[operator]  # polars and figures type it loosely
    return figure


def test_dots_share_a_row_a_version_and_the_legend_tells_n() -> None:
    groups = [
        GroupMeans(("f", "m"), np.array([1200, 30]), np.array([2.0, 3.0 + i])) for i in range(3)
    ]
    dots = GroupDots(["a", "b", "c"], groups)
    svg = figure_svg(dots, dots.size, key="k", label="l")
    assert ">f (n = 1,200)</text>" in svg
    assert ">m (n = 30)</text>" in svg
    assert dots.size.height < GroupDots(["a"] * 9, groups * 3).size.height


def test_an_axis_of_dots_never_blows_up_a_tiny_gap() -> None:
    groups = GroupMeans(("f", "m"), np.array([5, 5]), np.array([4.0, 4.01]))
    low, high = drawn(GroupDots(["a"], [groups]), Size(300, 200)).axes[0].get_xlim()
    assert high - low == pytest.approx(2.0)


def test_a_group_that_is_too_small_is_faint() -> None:
    rows = [GroupInterval("f", 900, 3, 2.9, 3.1), GroupInterval("m", 3, 4, 1, 9, faint=True)]
    axes = drawn(GroupIntervals(rows, overall=3.0), Size(300, 200)).axes[0]
    assert [line.get_alpha() for line in axes.lines[1:]] == [1.0, 1.0, 0.45, 0.45]
    assert axes.yaxis_inverted()


def test_bias_is_drawn_over_what_chance_gives() -> None:
    rows = [BiasFloor("Gender", 0.5, 0.4, 0.6, 0.1, 0.3), BiasFloor("Age", 2, 1, 3, 0.2, 0.4)]
    figure = drawn(BiasFloors(rows), Size(300, 200))
    axes = figure.axes[0]
    assert [bar.get_width() for bar in axes.patches] == [0.3, 0.4]
    assert axes.get_xlim()[0] == 0
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert sorted(names) == [
        "bias, with 95 % interval",
        "noise floor",
        "what chance alone may give",
    ]


def test_few_points_get_markers_and_many_get_strokes() -> None:
    few, many = np.arange(5.0), np.arange(80.0)
    lines = drawn(Curves(few, {"f": few, "m": few}, "x", "y"), Size(300, 200)).axes[0].lines
    assert [line.get_marker() for line in lines] == ["o", "s"]
    assert [line.get_linestyle() for line in lines] == ["-", "-"]
    lines = drawn(Curves(many, {"f": many, "m": many}, "x", "y"), Size(300, 200)).axes[0].lines
    assert [line.get_marker() for line in lines] == ["None", "None"]
    assert [line.get_linestyle() for line in lines] == ["-", "--"]


def test_curves_show_what_to_measure_by_and_a_legend_where_there_are_two() -> None:
    x = np.arange(5.0)
    one = Curves(x, {"f": x}, "x", "y", level=0.0, vertical=("here", 2.0), limits=(0, 9))
    figure = drawn(one, Size(300, 200))
    assert not figure.legends
    assert [text.get_text() for text in figure.axes[0].texts] == ["here"]
    assert figure.axes[0].get_ylim() == (0, 9)
    assert drawn(Curves(x, {"f": x, "m": x}, "x", "y"), Size(300, 200)).legends


def test_a_line_has_its_interval_as_a_shade() -> None:
    x = np.arange(5.0)
    curves = Curves(x, {"f": x, "m": x}, "x", "y", bands={"f": (x - 1, x + 1)})
    shades = drawn(curves, Size(300, 200)).axes[0].collections
    assert len(shades) == 1
    assert shades[0].get_alpha() < 0.3


def test_small_cells_are_hatched_and_not_ranked() -> None:
    values = np.array([[1.0, 9.0], [2.0, np.nan]])
    cells = HeatMap(
        ["f", "m"], ["a", "b"], values, np.array([[50, 2], [50, 0]]), minimum=10, scale=(1, 2)
    )
    axes = drawn(cells, cells.size).axes[0]
    assert [c.get_hatch() for c in axes.collections] == [None, "////", None, "////"]
    assert "\N{EN DASH}" in [text.get_text() for text in axes.texts]


def test_a_larger_error_has_a_darker_cell() -> None:
    values = np.array([[1.0, 5.0, 9.0, 50.0]])
    cells = HeatMap(["f"], list("abcd"), values, np.full((1, 4), 99), minimum=10, scale=(1, 9))
    faces = [c.get_facecolor()[0] for c in drawn(cells, cells.size).axes[0].collections]
    light = [face[:3].sum() for face in faces]
    assert light[0] > light[1] > light[2] == light[3]


def test_heat_map_without_any_large_cell_can_be_drawn() -> None:
    cells = HeatMap(["f"], ["a"], np.array([[np.nan]]), np.array([[0]]), minimum=10, scale=(1, 2))
    figure_svg(cells, cells.size, key="k", label="l")


def test_points_far_out_leave_the_scatter_but_ours_never() -> None:
    ours, study = Point("a", 4.0, 0.5), Point("b", 20.0, 0.5, "study")
    scatter = Scatter([ours, study, Point("c", 30.0, 9.0)], [ours], 0.2, 0.4)
    assert study in scatter.shown
    scatter = Scatter([ours, study], [ours], 0.2, 0.4)
    assert scatter.shown == [ours]


def test_points_without_any_bias_can_be_drawn() -> None:
    """As of test faces that are all of one group; a warning would be an error here."""
    point = Point("a", 4.0, 0.0)
    drawn(Scatter([point], [point], 0.0, 0.0), Size(600, 400))


def test_in_a_crowd_the_front_has_names_and_others_where_there_is_room() -> None:
    crowd = [Point(f"version {i}", 4 + i / 1000, 0.8 + i / 1000) for i in range(20)]
    axes = drawn(Scatter(crowd, crowd[:1], 0.2, 0.4), Size(600, 400)).axes[0]
    named = [text.get_text() for text in axes.texts]
    assert "version 0" in named
    assert len(named) < len(crowd)
    few = drawn(Scatter(crowd[:8], crowd[:1], 0.2, 0.4), Size(600, 400)).axes[0]
    assert len(few.texts) == 8


def test_colours_and_markers_repeat_out_of_step() -> None:
    assert colour(7) == colour(0)
    assert marker(7) != marker(0)
