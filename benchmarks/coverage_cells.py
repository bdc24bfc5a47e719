"""The cells of the coverage grid: what the tables of each are drawn from, for `coverage.py`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from coverage_kinds import (
    CONSTANT,
    HALF_NORMAL,
    HEAVY,
    LAPLACE,
    LOGNORMAL,
    Kinds,
    ages,
    attribute,
    cross,
    factor,
)
from coverage_others import Special, comparison, gaps_by_age, suite
from coverage_tables import Design

__all__ = ["CELLS", "Cell"]

MAE = 4.0
HARD = np.repeat([0.55, 0.7, 0.85, 1.0, 1.2, 1.7], [4, 4, 4, 3, 3, 2])  # persons, mean 1
HARD = HARD / HARD.mean()
LEAN = (0.2, 0.8)  # persons who are estimated too young or too old
DECADES = ages(np.arange(1, 90), np.exp(-(((np.arange(1, 90) - 32) / 20.0) ** 2)), 0.012)
APPA = (391, 1161, 354, 72)
ONE_TO_TWENTY = range(1, 21)


@dataclass(frozen=True)
class Cell:
    """One cell of the grid.

    Args:
        name: What it is; its tables' seeds come from it.
        design: What its tables are drawn from; None for a special one.
        limits: Limits other than the usual ones, by figure.
        only: The figures that have limits here; all where nothing is given.
        min_rows: Units from which a group takes part.
        special: Draws and checks a table that is not an audit's.
    """

    name: str
    design: Design | None
    limits: Mapping[str, float] = field(default_factory=dict)
    only: Sequence[str] | None = None
    min_rows: int = 30
    special: Special | None = None


def _groups(
    sizes: Sequence[int],
    scale: Sequence[float] | float = MAE,
    *,
    law: Sequence[int] | int = HALF_NORMAL,
    up: Sequence[float] | float = 0.5,
) -> Design:
    """Return tables of one attribute with groups of fixed sizes."""
    return Design(attribute("group", sizes, scale, law=law, up=up), sizes)


def _issue() -> Iterator[Cell]:
    """Yield the cases in which the audit before this one failed."""
    for m in (1, 10, 30, 60):
        yield Cell(f"600/400/{m}, gaps", _groups((600, 400, m), (4, 4.4, 5)))
        yield Cell(f"600/400/{m}, equal, lognormal", _groups((600, 400, m), law=LOGNORMAL))
    rising = np.linspace(2.98, 4.02, 20).tolist()
    yield Cell("20 groups of 100, 2.98 to 4.02", _groups((100,) * 20, rising))
    for n in (200, 1000, 5000):
        yield Cell(f"{n} rows, 3 attributes, one group of 3 %", Design(_three(0.0), n))
    growing = cross(factor((MAE * 0.7,)), DECADES)
    for n in (60, 120, 240):
        yield Cell(f"{n} rows, errors grow with age", Design(growing, n))
    aged = Design(cross(growing, factor(HARD, up=LEAN)), 82, sizes=range(1, 13))
    yield Cell("82 persons of 1 to 12 rows, errors grow with age", aged)
    unequal = [HALF_NORMAL, LOGNORMAL], [LOGNORMAL, HALF_NORMAL]
    wide = {"false_differ": 0.09, "false_headline": 0.09}
    yield Cell("970 half-normal / 30 lognormal", _groups((970, 30), law=unequal[0]), wide)
    yield Cell("30 half-normal / 970 lognormal", _groups((30, 970), law=unequal[0]), wide)
    yield Cell("970/30, mean errors, spread 1 : 2", _groups((970, 30), (4, 8)), wide)
    yield Cell("30/970, mean errors, spread 1 : 2", _groups((30, 970), (4, 8)), wide)
    yield Cell("60 persons of 20 rows, one mislabelled", _persons((30, 30), (20,), mislabelled=1))
    yield Cell("80 persons of 2 or 20 rows", _persons((40, 40), (2, 20)))
    yield Cell("20 persons of 20 rows, failures 8 %", _failing((20,), (0.0,), 20))
    yield Cell("80 persons of 20 rows, failures 8 %", _failing((40, 40), (0.0, 0.0), 20))
    four = attribute("ethnicity", (0.7, 0.2, 0.1), MAE).copied("ethnicity", 3)
    yield Cell("one attribute four times, equal", Design(four, 1000))
    four = attribute("ethnicity", (0.7, 0.2, 0.1), (4, 4.4, 5)).copied("ethnicity", 3)
    yield Cell("one attribute four times, gaps", Design(four, 1000))
    yield Cell("7 equal groups of 150", _groups((150,) * 7))
    yield Cell("errors that are all 2.7", _constant(), only=("false_differ", "false_headline"))
    yield Cell("55 yes/no columns, one gap of .9", _many(55, 2000))
    leaning = attribute("gender", 2, MAE, up=(0.73, 0.29))
    yield Cell("equal MAE, mean errors +1.84 and -1.68", Design(leaning, 600))


def _tried() -> Iterator[Cell]:
    """Yield the cases on which the construction of methods.md was tried."""
    for law, name in ((HALF_NORMAL, "half-normal"), (LOGNORMAL, "lognormal")):
        yield Cell(f"2 x 200, equal, {name}", _groups((200, 200), law=law))
        yield Cell(f"2 x 200, gap 1, {name}", _groups((200, 200), (4, 5), law=law))
        yield Cell(
            f"600/400/30, small one off, {name}", _groups((600, 400, 30), (4, 4, 5), law=law)
        )
        spread = np.linspace(3.2, 4.8, 20).tolist()
        yield Cell(f"20 x 100, spread, {name}", _groups((100,) * 20, spread, law=law))
        yield Cell(f"9 x 30, one off, {name}", _groups((30,) * 9, (4,) * 8 + (5.5,), law=law))
        appa = (3.0, 3.4, 4.4, 7.8)
        yield Cell(f"391/1161/354/72, {name}", _groups(APPA, appa, law=law))
    yield Cell("20 x 100, equal", _groups((100,) * 20))
    yield Cell("9 x 30, equal, lognormal", _groups((30,) * 9, law=LOGNORMAL))
    yield Cell("3 x 2000, gaps of .05", _groups((2000,) * 3, (4, 4.05, 4.1)))
    for n in (300, 1000, 5000):
        yield Cell(f"{n} rows, 3 overlapping attributes, gaps", Design(_three(1.0), n))
    heavy = Design(_three(1.0, LOGNORMAL), 1000)
    yield Cell("1000 rows, 3 overlapping, lognormal", heavy)
    twice = attribute("ethnicity", (0.8, 0.14, 0.06), (4, 4.4, 5.2)).copied("ethnicity", 1)
    yield Cell("one attribute twice, gaps", Design(twice, 1500))
    yield Cell("600 rows, 3 attributes, equal but age", Design(_reference(0.0, HALF_NORMAL), 600))
    yield Cell("1500 rows, 3 attributes, lognormal", Design(_reference(1.0, LOGNORMAL), 1500))
    yield Cell("60 persons of 2 to 20 rows", _persons((20,) * 3, range(2, 21)), min_rows=20)
    yield Cell("150 persons of 1 to 20 rows", _persons((50,) * 3, ONE_TO_TWENTY))


def _further() -> Iterator[Cell]:
    """Yield further cells: sizes, laws, persons, attributes, weights."""
    yield Cell("3 x 60, equal, Laplace", _groups((60,) * 3, law=LAPLACE))
    yield Cell("3 x 60, gaps, Laplace", _groups((60,) * 3, (3, 4, 6), law=LAPLACE))
    yield Cell("5 x 200, gaps, Laplace", _groups((200,) * 5, (4, 4, 4, 4.5, 5), law=LAPLACE))
    yield Cell("2 x 100, equal, lognormal", _groups((100, 100), law=LOGNORMAL))
    yield Cell("2 x 1000, gap .3", _groups((1000, 1000), (4, 4.3)))
    yield Cell("2 x 3000, equal, lognormal", _groups((3000, 3000), law=LOGNORMAL))
    yield Cell("2 x 3000, gap .25, Laplace", _groups((3000, 3000), (4, 4.25), law=LAPLACE))
    yield Cell("500/60, gap 1.2, spread with the mean", _groups((500, 60), (4, 5.2)))
    yield Cell("60/500, gap 1.2, lognormal", _groups((60, 500), (4, 5.2), law=LOGNORMAL))
    yield Cell("10 x 30 to 300, gaps", _groups(range(30, 310, 30), np.linspace(3, 5, 10).tolist()))
    yield Cell("4 x 150, all leaning, equal", _groups((150,) * 4, up=0.8, law=LOGNORMAL))
    up = (0.5, 0.5, 0.8)
    yield Cell("500/200/60, direction differs", _groups((500, 200, 60), up=up, law=LAPLACE))
    yield Cell("6000 rows, 4 attributes, gaps", Design(_four(1.0), 6000))
    yield Cell("800 rows, 4 attributes, equal", Design(_four(0.0), 800))
    yield Cell("2000 rows, 2 correlated attributes", Design(_correlated((4, 4.4, 5)), 2000))
    yield Cell("700 rows, 2 correlated attributes, equal", Design(_correlated((4, 4, 4)), 700))
    yield Cell("200 persons of 5 rows, equal", _persons((100, 100), (5,)))
    yield Cell("200 persons of 5 rows, gap 1.2", _persons((100, 100), (5,), (4, 5.2)))
    yield Cell(
        "300 persons of 1 to 20, gaps", _persons((150, 100, 50), ONE_TO_TWENTY, (4, 4.5, 5.5))
    )
    yield Cell("100 persons of 20 rows, lognormal", _persons((60, 40), (20,), law=LOGNORMAL))
    yield Cell("40/200 persons of 1 to 20, equal", _persons((40, 200), ONE_TO_TWENTY))
    yield Cell("hard persons have more rows", _informative())
    smile = attribute("expression", (0.5, 0.3, 0.2), (1.0, 1.0, 1.25))
    yield Cell("expression varies within persons", _persons((60, 60), range(2, 11), within=smile))
    smile = attribute("expression", (0.5, 0.3, 0.2))
    yield Cell("expression varies, equal", _persons((60, 60), range(2, 11), within=smile))
    yield Cell("120 persons, 3 rows mislabelled", _persons((60, 60), (1, 8), mislabelled=3))
    weighted = attribute("region", (0.6, 0.3, 0.1), (4, 4.4, 5), drawn=(0.3, 0.3, 0.4))
    other = attribute("gender", 2, (1.0, 1.15))
    yield Cell("survey weights, gaps", Design(cross(weighted, other), 1200))
    weighted = attribute("region", (0.6, 0.3, 0.1), MAE, law=LOGNORMAL, drawn=(0.3, 0.3, 0.4))
    yield Cell("survey weights, equal", Design(cross(weighted, attribute("gender", 2)), 800))
    weighted = attribute("region", (0.6, 0.3, 0.1), (4, 4.4, 5), drawn=(0.3, 0.3, 0.4))
    people = Design(cross(weighted, factor(HARD, up=LEAN)), 400, sizes=range(1, 6))
    yield Cell("survey weights, 400 persons of 1 to 5 rows", people)
    withheld = attribute("group", (400, 214), (4, 6), fails=(0.02, 0.41))
    yield Cell("41 % of one group withheld", Design(withheld, (400, 214)))
    rare = attribute("group", (60, 1000), MAE, fails=0.02)
    yield Cell("failures of 2 % in 60 and 1000", Design(rare, (60, 1000)))
    some = attribute("group", (300, 200, 100, 60), MAE, fails=(0.05, 0.05, 0.05, 0.12))
    yield Cell("failures of 5 and 12 %", Design(some, (300, 200, 100, 60)))
    yield Cell("60 persons of 10 rows, failures", _failing((30, 30), (0.0, 0.15), 10))


def _others() -> Iterator[Cell]:
    """Yield comparisons of two models, suites, and gaps by age."""
    nine, many, four = (100,) * 9, (40,) * 26, (600, 300, 200, 100)
    for name, run in (
        ("compare: equal models, 9 groups", comparison(nine, (4,) * 9, (4,) * 9, HALF_NORMAL)),
        ("compare: equal models, 26 groups", comparison(many, (4,) * 26, (4,) * 26, LOGNORMAL)),
        ("compare: one of 4 groups better", comparison(four, (4,) * 4, (4, 4, 3.2, 4), LAPLACE)),
        ("compare: bias falls", comparison(four, (3, 4, 5, 6), (3.5, 4, 4.5, 5), HALF_NORMAL)),
        ("suite: 16 equal versions of 3 seeds", suite(16, 3, 400, 0.03)),
        ("suite: 3 equal versions of 5 seeds", suite(3, 5, 1000, 0.02)),
        ("by age: all of a gap from age, 2 x 120", gaps_by_age(_aged((120, 120), 0.0))),
        ("by age: all of a gap from age, 2 x 500", gaps_by_age(_aged((500, 500), 0.0))),
        ("by age: part of a gap from age, 400/150", gaps_by_age(_aged((400, 150), 0.2))),
    ):
        yield Cell(name, None, special=run)


def _beside() -> Iterator[Cell]:
    """Yield the cells of exp(z), which have two limits only."""
    small = {"mae_small": 0.86}
    ten = _groups((600, 10, 30), law=HEAVY)
    yield Cell("exp(z): 600/10/30, equal", ten, small, ("mae_small",))
    law = [HALF_NORMAL, HEAVY]
    false = {"false_differ": 0.11, "false_headline": 0.11}
    yield Cell("exp(z): 970 half-normal / 30", _groups((970, 30), law=law), false, tuple(false))
    yield Cell("exp(z): 30 half-normal / 970", _groups((30, 970), law=law), false, tuple(false))


def _aged(counts: Sequence[int], gap: float) -> Design:
    """Return two groups of which the second is older; ages are the middles of bands of 5 years."""
    years = np.arange(12.5, 85, 5)
    shares = [np.exp(-(((years - middle) / 22) ** 2)) for middle in (32, 50)]
    codes = np.repeat([0, 1], len(years))
    scale = np.tile(2.5 * (1 + 0.02 * years), 2) * np.where(codes == 1, 1 + gap, 1.0)
    both = np.concatenate([own / own.sum() / 2 for own in shares])
    return Design(Kinds(both, scale, {"group": codes}, age=np.tile(years, 2)), counts)


def _three(gap: float, law: int = HALF_NORMAL) -> Kinds:
    """Return gender, ethnicity (85, 12, 3 %) and age groups; errors grow with age always."""
    gender = attribute("gender", 2, (MAE, MAE * (1 + 0.12 * gap)), law=law)
    share = (0.85, 0.12, 0.03)
    return cross(gender, attribute("ethnicity", share, (1, 1 + 0.1 * gap, 1 + 0.25 * gap)), DECADES)


def _reference(gap: float, law: int) -> Kinds:
    """Return the three attributes of the reference construction."""
    gender = attribute("gender", 2, (MAE, MAE * (1 + 0.15 * gap)), law=law)
    share = (0.8, 0.14, 0.06)
    ethnicity = attribute("ethnicity", share, (1, 1 + 0.1 * gap, 1 + 0.3 * gap))
    return cross(
        gender, ethnicity, attribute("age_group", (0.2, 0.52, 0.2, 0.08), (0.7, 1, 1.3, 1.8))
    )


def _four(gap: float) -> Kinds:
    first = attribute("gender", 2, (MAE, MAE * (1 + 0.1 * gap)), up=(0.5, 0.5 + 0.1 * gap))
    second = attribute("ethnicity", (0.7, 0.2, 0.1), (1, 1 + 0.1 * gap, 1 + 0.2 * gap))
    third = attribute("expression", (0.4, 0.3, 0.2, 0.1))
    return cross(first, second, third, attribute("glasses", (0.8, 0.2), (1, 1 + 0.05 * gap)))


def _many(columns: int, rows: int) -> Design:
    """Return tables of independent yes/no columns; the first has a gap of .9 years."""
    return Design(attribute("column", 2, (MAE, MAE + 0.9)), rows, coins=columns - 1)


def _correlated(scale: Sequence[float]) -> Kinds:
    """Return two attributes of three groups; 70 % of the rows are in the same one of both."""
    shares = np.outer((0.6, 0.25, 0.15), np.full(3, 0.1)) + np.diag((0.42, 0.175, 0.105))
    one, two = np.divmod(np.arange(9), 3)
    return Kinds(shares.ravel(), np.array(scale)[one], {"ethnicity": one, "country": two})


def _constant() -> Design:
    return _groups((100, 100, 100), 2.7, law=CONSTANT, up=1.0)


def _persons(
    counts: Sequence[int],
    sizes: Sequence[int],
    scale: Sequence[float] | float = MAE,
    *,
    law: int = HALF_NORMAL,
    within: Kinds | None = None,
    mislabelled: int = 0,
) -> Design:
    """Return tables of persons, some of them hard, each leaning to one side."""
    groups = attribute("group", counts, scale, law=law)
    kinds = cross(groups, factor(HARD, up=LEAN))
    return Design(kinds, counts, sizes=tuple(sizes), within=within, mislabelled=mislabelled)


def _failing(counts: Sequence[int], more: Sequence[float], rows: int) -> Design:
    """Return tables of persons of whom half fail often: 15 %, the others 1 %."""
    groups = attribute("group", counts, MAE, fails=more)
    return Design(cross(groups, factor((1.0,), fails=(0.01, 0.15))), counts, sizes=(rows,))


def _informative() -> Design:
    """Return tables in which hard persons have 2 to 18 rows, easy ones 1 to 3."""
    kinds = cross(attribute("group", (80, 60)), factor((3.0, 5.0), up=LEAN))
    sizes = np.where((kinds.scale > 4)[:, None], (2, 10, 18), (1, 2, 3))
    return Design(kinds, (80, 60), sizes=tuple(map(tuple, sizes.tolist())))


CELLS: dict[str, Cell] = {
    cell.name: cell for part in (_issue, _tried, _further, _others, _beside) for cell in part()
}
"""The cells by name."""
