import re

from matplotlib.figure import Figure
from matplotlib.text import Text

from fairage.report.figures import Size, figure_svg, responsive
from fairage.report.figures.labels import Label, place_labels
from fairage.report.figures.palette import BAND, INK, VARIABLES, colour, marker

SIZE = Size(300, 200)


def draw(figure: Figure, size: Size) -> None:
    axes = figure.add_subplot()
    axes.plot([1, 2, 3], [3, 1, 2], "o-", color=colour(0), label="a < b & $x$")
    axes.fill_between([1, 3], 0, 1, color=BAND)
    axes.legend()


def test_colours_are_the_page_s_variables() -> None:
    svg = figure_svg(draw, SIZE, key="k", label="A line")
    assert not re.search("|".join(VARIABLES), svg)
    assert "var(--group-0)" in svg
    assert "var(--band)" in svg
    assert "var(--ink)" in svg


def test_nothing_of_a_file_is_left() -> None:
    svg = figure_svg(draw, SIZE, key="k", label="A line")
    for text in ("<?xml", "<!DOCTYPE", "http", "<style", "xlink", "font-family", "<metadata"):
        assert text not in svg


def test_text_stays_text_and_is_not_mathematics() -> None:
    assert ">a &lt; b &amp; $x$</text>" in figure_svg(draw, SIZE, key="k", label="A line")


def test_ids_start_with_the_key_and_are_all_used() -> None:
    svg = figure_svg(draw, SIZE, key="k", label="A line")
    ids = re.findall(r' id="([^"]*)"', svg)
    assert ids
    assert all(name.startswith("k-") and svg.count(name) > 1 for name in ids)


def test_the_label_is_escaped() -> None:
    assert 'aria-label="&lt;&quot;"' in figure_svg(draw, SIZE, key="k", label='<"')


def test_a_figure_is_drawn_for_both_widths() -> None:
    seen: list[Size] = []
    html = responsive(
        lambda figure, size: seen.append(size), SIZE, Size(100, 90), key="k", label="l"
    )
    assert seen == [SIZE, Size(100, 90, narrow=True)]
    assert html.count("<svg") == 2


def test_no_two_of_the_first_groups_look_alike() -> None:
    assert len({(colour(i), marker(i)) for i in range(40)}) == 40


def test_labels_of_close_points_do_not_cover_each_other() -> None:
    figure = Figure(figsize=(5, 4), dpi=72)
    axes = figure.add_subplot()
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    names = [Label(0.5 + 0.01 * i, 0.5, f"version {i}", INK, 10) for i in range(6)]
    place_labels(figure, axes, names)
    figure.draw_without_rendering()
    boxes = [Text.get_window_extent(text) for text in axes.texts]  # without the line
    assert len(boxes) == 6
    pairs = [(a, b) for i, a in enumerate(boxes) for b in boxes[i + 1 :]]
    assert not any(a.overlaps(b) for a, b in pairs)


def test_an_optional_label_without_room_is_left_out() -> None:
    figure = Figure(figsize=(1, 1), dpi=72)
    axes = figure.add_subplot()
    place_labels(figure, axes, [Label(0.5, 0.5, "a very long name", INK, 10, optional=True)])
    assert not axes.texts
