"""Curves and fills."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fairage.synthetic.drawing.canvas import (
    blank,
    closed,
    fill,
    mirrored,
    multiply,
    open_curve,
    paint,
)
from fairage.synthetic.drawing.geometry import CANVAS, Pose

coordinates = st.floats(-2, 2)
controls = st.lists(st.tuples(coordinates, coordinates), min_size=3, max_size=9).map(np.array)
FRONT = Pose(yaw=0, pitch=0, roll=0, scale=50, x=100, y=90)


@given(points=controls)
def test_a_curve_goes_through_its_control_points(points: np.ndarray) -> None:
    np.testing.assert_allclose(open_curve(points)[::5], points, atol=1e-12)
    np.testing.assert_allclose(closed(points)[::5], points, atol=1e-12)


@given(points=controls)
def test_mirroring_twice_changes_nothing(points: np.ndarray) -> None:
    np.testing.assert_array_equal(mirrored(mirrored(points)), points)


def test_a_face_from_the_front_is_scaled_and_moved_only() -> None:
    points = np.array([(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)])
    np.testing.assert_allclose(FRONT.on_face(points), [(100, 90), (150, 90), (100, 140)])


def test_turning_moves_the_nose_further_than_the_outline() -> None:
    turned = Pose(yaw=0.4, pitch=0, roll=0, scale=50, x=100, y=90)
    nose, edge = turned.on_face(np.array([(0.0, 0.4), (1.1, 0.4)]))
    assert nose[0] - 100 > 10
    assert edge[0] < 155


def test_a_fill_covers_the_same_part_at_any_resolution() -> None:
    square = np.array([(50, 50), (150, 50), (150, 150), (50, 150)], dtype=float)
    shares = []
    for side in (CANVAS, CANVAS // 2):
        image = blank(side)
        fill(image, square, (255,))
        shares.append((image > 0).mean())
    assert abs(shares[0] - shares[1]) < 0.02


def test_paint_hides_where_opaque_and_leaves_the_rest() -> None:
    canvas = np.full((CANVAS, CANVAS, 3), 10, dtype=np.uint8)
    opacity = blank()
    opacity[:100] = 255
    table = np.full((256, 1, 3), 200, dtype=np.uint8)
    paint(canvas, blank(), table, opacity)
    assert (canvas[:100] == 200).all()
    assert (canvas[100:] == 10).all()


def test_light_of_128_changes_nothing_and_64_halves_about() -> None:
    canvas = np.full((CANVAS, CANVAS, 3), 100, dtype=np.uint8)
    everywhere = np.full((CANVAS, CANVAS), 255, dtype=np.uint8)
    multiply(canvas, np.full((CANVAS, CANVAS), 128, dtype=np.uint8), everywhere)
    assert (canvas == 100).all()
    multiply(canvas, np.full((CANVAS, CANVAS), 64, dtype=np.uint8), everywhere)
    assert abs(canvas.mean() - 50) < 2
