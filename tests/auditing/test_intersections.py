"""Where two attributes meet."""

import numpy as np
import pytest

from fairage.auditing.groups import Groups, Units, groups_of
from fairage.auditing.intersections import audit_intersections
from fairage.auditing.result_parts import DIFFER, TELL, Intersection
from fairage.tables import AGE_GROUP, UNKNOWN


def crossed(
    errors: np.ndarray, attributes: dict[str, Groups], **options: object
) -> tuple[Intersection, ...]:
    settings = {"units": None, "weights": None, "min_rows": 30, "margin": 1.0, "seed": 0}
    return audit_intersections(errors, attributes, **{**settings, **options})  # type: ignore[arg-type]  # options by name


def attributes_of(rng: np.random.Generator, n: int) -> dict[str, Groups]:
    return {
        "gender": groups_of(("f", "m"), rng.integers(0, 2, n)),
        "place": groups_of(("a", "b", "c"), rng.choice(3, n, p=[0.55, 0.4, 0.05])),
    }


def test_cells_have_the_errors_of_their_rows(rng: np.random.Generator) -> None:
    errors, attributes = rng.normal(1, 4, 400), attributes_of(rng, 400)
    (only,) = crossed(errors, attributes)
    assert only.attributes == ("gender", "place")
    assert len(only.cells) == 6
    for cell in only.cells:
        gender, place = attributes["gender"], attributes["place"]
        rows = gender.codes == gender.names.index(cell.groups[0])
        rows &= place.codes == place.names.index(cell.groups[1])
        assert cell.n == cell.mae.n == rows.sum()
        assert cell.n_persons is None
        assert cell.takes_part == (rows.sum() >= 30)
        assert cell.mae.value == pytest.approx(np.abs(errors[rows]).mean())
        assert cell.mean_error.value == pytest.approx(errors[rows].mean())
        assert cell.mae.low is not None
        assert 0 <= cell.mae.low <= cell.mae.value <= (cell.mae.high or 0)


def test_cells_that_take_part_come_first_largest_first(rng: np.random.Generator) -> None:
    (only,) = crossed(rng.normal(0, 4, 400), attributes_of(rng, 400))
    part = [cell.takes_part for cell in only.cells]
    assert part == sorted(part, reverse=True)
    assert not all(part)
    judged = [cell.mae.value for cell in only.cells if cell.takes_part]
    assert judged == sorted(judged, reverse=True)
    assert {" x ".join(cell.groups) for cell in only.cells if not cell.takes_part} == {
        group for _, group, _ in only.verdict.left_out
    }


def test_cells_without_rows_are_not_listed() -> None:
    groups = groups_of(("f", "m"), np.repeat([0, 1], 40))
    (only,) = crossed(np.arange(80.0), {"x": groups, "y": groups})
    assert {cell.groups for cell in only.cells} == {("f", "f"), ("m", "m")}


def test_unknown_is_listed_and_takes_no_part(rng: np.random.Generator) -> None:
    attributes = {
        "gender": groups_of(("f", UNKNOWN), rng.integers(0, 2, 400)),
        "place": groups_of(("a", "b"), rng.integers(0, 2, 400)),
    }
    (only,) = crossed(rng.normal(0, 4, 400), attributes)
    assert {cell.groups[0] for cell in only.cells if cell.takes_part} == {"f"}
    assert len(only.cells) == 4


def test_a_cell_that_is_off_is_found_though_neither_attribute_is() -> None:
    rng = np.random.default_rng(1)
    gender, place = np.tile([0, 1], 400), np.repeat([0, 1], 400)
    scale = np.where((gender == place), 2.0, 6.0)
    attributes = {"gender": groups_of(("f", "m"), gender), "place": groups_of(("a", "b"), place)}
    (only,) = crossed(rng.normal(0, scale), attributes)
    assert only.verdict.kind == DIFFER
    assert only.verdict.attribute == "gender x place"
    assert {only.verdict.differing[0].first} <= {"f x b", "m x a"}
    assert only.verdict.differing[0].interval.n == 400


def test_one_cell_that_takes_part_cannot_be_compared(rng: np.random.Generator) -> None:
    attributes = {
        "x": groups_of(("a", "b"), np.repeat([0, 1], [60, 5])),
        "y": groups_of(("c", "d"), np.repeat([0, 1], [60, 5])),
    }
    (only,) = crossed(rng.normal(0, 4, 65), attributes)
    assert (only.verdict.kind, only.verdict.reason) == (TELL, "fewer than two groups")
    assert only.verdict.left_out == (("x x y", "b x d", 5),)


def test_the_first_five_attributes_and_the_age_group_are_crossed(
    rng: np.random.Generator,
) -> None:
    names = [f"x{i}" for i in range(7)]
    attributes = {name: groups_of(("a", "b"), rng.integers(0, 2, 90)) for name in names}
    attributes = {AGE_GROUP: attributes["x0"], **attributes}
    pairs = [own.attributes for own in crossed(rng.normal(0, 4, 90), attributes)]
    assert len(pairs) == 15
    assert {name for pair in pairs for name in pair} == {*names[:5], AGE_GROUP}
    assert ("x0", AGE_GROUP) in pairs


def test_too_many_cells_are_not_crossed(rng: np.random.Generator) -> None:
    names = [str(i) for i in range(60)]
    attributes = {
        "x": groups_of(names, rng.integers(0, 60, 3000)),
        "y": groups_of(names, rng.integers(0, 60, 3000)),
        "z": groups_of(("all",), np.zeros(3000, dtype=int)),
    }
    pairs = [own.attributes for own in crossed(rng.normal(0, 4, 3000), attributes)]
    assert pairs == [("x", "z"), ("y", "z")]


def test_persons_of_cells_are_counted(rng: np.random.Generator) -> None:
    units = Units(np.repeat(np.arange(100), 4), 100)
    attributes = {
        "x": groups_of(("a", "b"), np.tile([0, 0, 1, 1], 100)),
        "y": groups_of(("c", "d"), np.repeat([0, 1], 200)),
    }
    (only,) = crossed(rng.normal(0, 4, 400), attributes, units=units)
    assert {(cell.n, cell.n_persons) for cell in only.cells} == {(100, 50)}
    assert {cell.mae.n_persons for cell in only.cells} == {50}
    persons = {
        frozenset((gap.first, gap.second)): gap.interval.n_persons
        for gap in only.verdict.differing + ((only.verdict.widest,) if only.verdict.widest else ())
    }
    for pair, count in persons.items():
        same_half = len({name.split(" x ")[1] for name in pair}) == 1
        assert count == (50 if same_half else 100)


def test_few_persons_take_no_part_however_many_rows(rng: np.random.Generator) -> None:
    units = Units(np.repeat(np.arange(20), 20), 20)
    attributes = attributes_of(rng, 400)
    (only,) = crossed(rng.normal(0, 4, 400), attributes, units=units)
    assert not any(cell.takes_part for cell in only.cells)
    assert only.verdict.kind == TELL


def test_one_attribute_is_not_crossed(rng: np.random.Generator) -> None:
    assert crossed(rng.normal(0, 4, 90), {"x": groups_of(("a",), np.zeros(90, dtype=int))}) == ()
