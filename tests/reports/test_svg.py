import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairage.reports.figures.markers import MARKERS, marker
from fairage.reports.figures.svg import (
    Drawing,
    Size,
    colour,
    figure_svg,
    fitted,
    in_full,
    responsive,
    text_width,
)

SIZE = Size(300, 200)


def draw(drawing: Drawing, size: Size) -> None:
    drawing.line((0, 0), (size.width, 10))
    drawing.path([(1, 1), (2, math.nan), (3, 3), (4, 4)], stroke=colour(0))
    drawing.text(5, 5, "a < b & c")
    for i, shape in enumerate(MARKERS):
        drawing.marker(10, 10 * i, fill=colour(i), shape=shape)


def tree(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def test_a_figure_is_well_formed_and_has_its_label() -> None:
    root = tree(figure_svg(draw, SIZE, label='A "line" <b>'))
    assert root.attrib["aria-label"] == 'A "line" <b>'
    assert root.attrib["role"] == "img"
    assert root.attrib["viewBox"] == "0 0 300 200"
    assert [text.text for text in root.iter("text")] == ["a < b & c"]


def test_figures_have_no_ids_so_that_they_never_get_into_each_other_s_way() -> None:
    svg = figure_svg(draw, SIZE, label="l")
    assert " id=" not in svg
    assert "http" not in svg


def test_colours_are_the_page_s_variables() -> None:
    svg = figure_svg(draw, SIZE, label="l")
    assert not re.search(r"#[0-9a-f]{3}", svg)
    assert "var(--group-0)" in svg


def test_a_path_is_broken_where_there_is_no_number() -> None:
    path = tree(figure_svg(draw, SIZE, label="l")).find("path[@fill='none']")
    assert path is not None
    assert path.attrib["d"] == "M1 1M3 3L4 4"


def test_every_marker_is_closed_and_stands_around_its_point() -> None:
    for shape in MARKERS:
        drawing = Drawing()
        drawing.markers([(50, 60), (math.nan, 1)], fill=colour(0), shape=shape, radius=10)
        (path,) = tree(drawing.svg(SIZE, "l"))
        assert path.attrib["d"].startswith("M50 60m")
        assert path.attrib["d"].endswith("z")
        assert path.attrib["d"].count("M") == 1
        if shape != "circle":
            steps = re.findall(r"[ml](-?[\d.]+) ?(-?[\d.]+)", path.attrib["d"])
            x, y = np.cumsum([[float(a), float(b)] for a, b in steps], axis=0).T
            assert abs(x.min() + x.max()) < 0.5, shape
            assert abs(y.min() + y.max()) < 4, shape
            assert 8 < x.max() < 13, shape


def test_what_is_no_number_is_not_drawn() -> None:
    drawing = Drawing()
    drawing.marker(math.nan, 3, fill=colour(0))
    drawing.path([(math.nan, 1)], stroke=colour(0))
    assert "nan" not in drawing.svg(SIZE, "l")


def test_a_drawing_that_repeats_its_row_is_hidden_from_readers() -> None:
    assert 'aria-hidden="true"' in Drawing().svg(SIZE, "")


def test_a_text_that_is_cut_keeps_the_whole_as_its_title() -> None:
    drawing = Drawing()
    drawing.text(0, 0, "x" * 5000, room=100)
    drawing.text(0, 0, "short", room=100)
    long, short = tree(drawing.svg(SIZE, "l")).iter("text")
    assert text_width(long.text or "") <= 100
    assert long.findtext("title") == "x" * 5000
    assert short.find("title") is None


@given(st.text(max_size=60), st.floats(0, 300))
def test_a_fitted_text_never_needs_more_than_its_room(text: str, room: float) -> None:
    shown = fitted(text, room)
    assert text_width(shown) <= max(room, text_width("…"))


@given(st.text(max_size=60))
def test_any_text_gives_xml_that_can_be_read(text: str) -> None:
    drawing = Drawing()
    drawing.text(1, 1, text)
    root = tree(drawing.svg(SIZE, text or "l"))
    assert root.attrib["aria-label"] == in_full(text or "l")
    assert len(list(root.iter())) - len(list(root.iter("title"))) == 2


@pytest.mark.parametrize("hidden", ["\x00", "\x1b", "\u202e", "\u200b", "\ud800", "\n"])
def test_hidden_characters_get_a_sign(hidden: str) -> None:
    drawing = Drawing()
    drawing.text(1, 1, f"a{hidden}b")
    assert hidden not in drawing.svg(SIZE, f"c{hidden}d")


def test_a_figure_is_drawn_for_both_widths() -> None:
    sizes: list[Size] = []
    html = responsive(lambda drawing, size: sizes.append(size), SIZE, Size(100, 90), label="l")
    assert sizes == [SIZE, Size(100, 90, narrow=True)]
    assert html.count("<svg") == 2


def test_no_two_of_the_first_groups_look_alike() -> None:
    assert len({(colour(i), marker(i)) for i in range(40)}) == 40
