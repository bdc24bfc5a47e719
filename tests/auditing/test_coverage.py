"""A part of the coverage grid with fixed seeds, and the grid itself: truth, limits, running on."""

import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from fairage._random import numpy_rng
from fairage.auditing.groups import Groups, Units
from fairage.auditing.inference import infer
from fairage.auditing.result_parts import Interval

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
TABLES = 40
SUBSET = (
    "600/400/30, equal, lognormal",
    "970 half-normal / 30 lognormal",
    "80 persons of 2 or 20 rows",
    "9 x 30, one off, half-normal",
    "120 persons, 3 rows mislabelled",
    "survey weights, gaps",
    "failures of 5 and 12 %",
    "one attribute twice, gaps",
)


def benchmark(name: str) -> ModuleType:
    if str(BENCHMARKS) not in sys.path:
        sys.path.append(str(BENCHMARKS))
    return importlib.import_module(name)


cells, checks, kinds, promises, rivals, tables, pages = (
    benchmark(f"coverage_{part}")
    for part in ("cells", "checks", "kinds", "promises", "rivals", "tables", "page")
)
CELLS = cells.CELLS


def record_of(name: str, count: int, purpose: str = "test"):
    record = promises.Record()
    for number in range(count):
        table = CELLS[name].design.draw(numpy_rng(number, purpose, name))
        record.add(checks.check(CELLS[name].design, table, number))
    return record


def pooled(records, key: str) -> float:
    sums = [record.sums[key] for record in records if key in record.sums]
    return sum(own[1] for own in sums) / sum(own[0] for own in sums)


@pytest.mark.slow
def test_intervals_hold_the_truth_and_equal_groups_seldom_differ() -> None:
    records = [record_of(name, TABLES) for name in SUBSET]
    for key in ("mae", "mean_error", "median", "within_5", "failures", "gaps", "bias"):
        assert pooled(records, key) >= 0.92, key
        for name, record in zip(SUBSET, records, strict=True):
            if key in record.sums:
                assert promises.figure(record, key)[0] >= 0.8, (name, key)
    assert pooled(records, "mae") <= 0.99
    assert pooled(records, "false_differ") <= 0.085
    assert pooled(records, "false_headline") <= 0.085
    assert pooled(records, "found_less_welch") >= -0.03


def test_intervals_that_are_too_narrow_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def of_twice_the_rows(errors, attributes, *, units, weights, **options):
        twice = {
            name: Groups(groups.names, np.tile(groups.codes, 2), groups.counts * 2)
            for name, groups in attributes.items()
        }
        return infer(np.tile(errors, 2), twice, **options)

    monkeypatch.setattr(checks, "infer", of_twice_the_rows)
    name = "2 x 200, gap 1, half-normal"
    broken = promises.broken({name: record_of(name, 60)})
    assert {"mae", "mean_error", "gaps", "bias"} <= {failure.promise.key for failure in broken}


@pytest.mark.parametrize(
    "name",
    [
        "5000 rows, 3 attributes, one group of 3 %",
        "600/400/60, gaps",
        "equal MAE, mean errors +1.84 and -1.68",
        "60 persons of 2 to 20 rows",
        "hard persons have more rows",
        "expression varies within persons",
        "2000 rows, 2 correlated attributes",
        "survey weights, gaps",
        "survey weights, 400 persons of 1 to 5 rows",
        "82 persons of 1 to 12 rows, errors grow with age",
        "41 % of one group withheld",
        "60 persons of 10 rows, failures",
        "1500 rows, 3 attributes, lognormal",
        "500/200/60, direction differs",
    ],
)
def test_the_truth_is_what_many_tables_give(name: str) -> None:
    design = CELLS[name].design
    batches: dict[tuple[str, int, str], list[float]] = {}
    for batch in range(12):
        drawn = [design.draw(numpy_rng(number, "truth", name, batch)) for number in range(15)]
        for attribute in design.faces.codes:
            for group in range(len(design.truth[attribute]["mae"])):
                for key, value in measured(drawn, attribute, group).items():
                    batches.setdefault((attribute, group, key), []).append(value)
    for (attribute, group, key), values in batches.items():
        error = np.std(values, ddof=1) / np.sqrt(len(values))
        truth = design.truth[attribute][key][group]
        assert abs(np.mean(values) - truth) <= 5 * error + 0.01, (attribute, group, key)


def measured(drawn, attribute: str, group: int) -> dict[str, float]:
    errors, weights, failed = [], [], []
    for table in drawn:
        groups = table.attributes[attribute]
        rows = np.array(groups.names, dtype=int)[groups.codes] == group
        errors.append(table.errors[rows])
        weights.append(np.ones(rows.sum()) if table.weights is None else table.weights[rows])
        everybody = table.everybody[attribute]
        own = np.array(everybody.names, dtype=int)[everybody.codes] == group
        failed.append(table.failed[own])
    values, weight = np.concatenate(errors), np.concatenate(weights)
    absolute = np.abs(values)
    order = np.argsort(absolute)
    below = np.cumsum(weight[order]) / weight.sum()
    quantiles = {
        key: absolute[order][np.searchsorted(below, share)]
        for key, share in (("median", 0.5), ("p90", 0.9))
    }
    return quantiles | {
        "mae": np.average(absolute, weights=weight),
        "mean_error": np.average(values, weights=weight),
        "rmse": np.sqrt(np.average(values**2, weights=weight)),
        "within_5": np.average(absolute <= 5, weights=weight),
        "fails": np.concatenate(failed).mean(),
    }


@pytest.mark.parametrize("law", range(4))
def test_laws_have_mean_one_and_the_square_and_share_that_they_say(law: int) -> None:
    own = kinds.LAWS[law]
    values = own.draw(numpy_rng(0, "law", law), 400_000)
    assert values.mean() == pytest.approx(1, abs=0.02)
    assert (values < 1.3).mean() == pytest.approx(float(own.below(np.array(1.3))), abs=0.005)
    if law < 3:
        assert (values**2).mean() == pytest.approx(own.square, rel=0.05)


def test_the_grid_has_sixty_cells_with_names_of_their_own() -> None:
    every = [
        cell
        for part in ("_issue", "_tried", "_further", "_others", "_beside")
        for cell in getattr(cells, part)()
    ]
    assert len(every) == len(CELLS) >= 60
    designs = [cell.design for cell in every if cell.design is not None]
    assert {len(design.faces.codes) for design in designs} >= {1, 2, 3, 4}
    assert any(design.mislabelled for design in designs)


def test_tables_depend_on_the_cell_and_the_number_alone() -> None:
    design = CELLS[SUBSET[0]].design
    first, again = (design.draw(numpy_rng(3, "coverage", SUBSET[0])) for _ in range(2))
    other = design.draw(numpy_rng(4, "coverage", SUBSET[0]))
    assert (first.errors == again.errors).all()
    assert (first.errors != other.errors).any()


def test_welch_is_the_test_of_scipy_at_the_level_of_sidak() -> None:
    design = CELLS["500/60, gap 1.2, spread with the mean"].design
    table = design.draw(numpy_rng(0, "welch"))
    errors = [table.errors[table.attributes["group"].codes == group] for group in range(2)]
    smallest = min(
        stats.ttest_ind(*sample, equal_var=False).pvalue
        for sample in (errors, [np.abs(own) for own in errors])
    )
    codes = table.attributes["group"].codes
    ours = min(rivals._welch(v, codes, np.ones(2, bool)) for v in (table.errors, abs(table.errors)))
    assert ours == pytest.approx(smallest, rel=1e-6)
    inference = infer(table.errors, table.attributes)
    level = 1 - 0.95 ** (1 / 2)
    finds = rivals.welch_finds(table, inference, ["group"])
    assert finds == {"group": bool(smallest <= level)}


def test_welch_is_not_asked_where_it_does_not_hold() -> None:
    for name in ("survey weights, gaps", "80 persons of 2 or 20 rows"):
        table = CELLS[name].design.draw(numpy_rng(0, "welch"))
        inference = infer(table.errors, table.attributes, units=table.units, weights=table.weights)
        assert rivals.welch_finds(table, inference, list(table.attributes)) is None


def test_widths_are_held_against_the_reference_on_the_same_rows() -> None:
    seen = {}

    def analyse(errors, attributes, unit):
        seen.update(errors=errors, attributes=attributes, unit=unit)
        return {"bias": (0.0, 0.5)}

    name = "600/400/10, gaps"
    table = CELLS[name].design.draw(numpy_rng(0, "widths"))
    inference = infer(table.errors, table.attributes)
    figures = rivals.reference_width(SimpleNamespace(analyse=analyse), table, inference)
    estimate = inference.average_bias
    assert figures == {"width": estimate.high - estimate.low, "reference_width": 0.5}
    assert len(seen["errors"]) == 1000, "the ten rows that take no part are left out"
    assert [codes.max() for codes in seen["attributes"]] == [1]


def test_persons_stay_whole_and_a_mislabelled_row_leaves_its_person() -> None:
    design = CELLS["60 persons of 20 rows, one mislabelled"].design
    table = design.draw(numpy_rng(0, "persons"))
    assert isinstance(table.units, Units)
    assert table.units.count == 60
    codes = table.attributes["group"].codes
    several = [len(np.unique(codes[table.units.codes == person])) for person in range(60)]
    assert sorted(several)[-2:] == [1, 2]


def test_open_ends_hold_everything_beyond() -> None:
    assert checks.holds(Interval(1.0, None, 2.0), -5.0) == 1
    assert checks.holds(Interval(1.0, 0.5, None), 9.0) == 1
    assert checks.holds(Interval(1.0, 0.5, 2.0), 2.1) == 0


def record(**sums: list[float]):
    return promises.Record(500, {"groups": [500, 500, 500], **sums}, [])


def test_limits_are_judged_in_cells_and_on_average() -> None:
    name = SUBSET[0]
    kept = {name: record(mae=[500, 475, 475])}
    assert promises.broken(kept) == []
    low = promises.broken({name: record(mae=[500, 455, 455])})
    assert [failure.cell for failure in low] == [name, "the average over cells"]
    high = promises.broken({name: record(mae=[500, 498, 498])})
    assert {failure.limit for failure in high} == {0.99, 0.98}
    false = promises.broken({name: record(false_differ=[500, 40, 40])})
    assert [failure.limit for failure in false] == [0.065]
    wide = {"970 half-normal / 30 lognormal": record(false_differ=[500, 40, 40])}
    assert promises.broken(wide) == []
    assert "1 of 1 limits" in pages.summary(wide)


def test_cells_beside_the_limits_have_their_own_alone() -> None:
    name = "exp(z): 600/10/30, equal"
    both = record(mae=[500, 400, 400], mae_small=[500, 420, 420])
    assert [failure.promise.key for failure in promises.broken({name: both})] == ["mae_small"]


def test_a_figure_of_few_tables_has_no_limit() -> None:
    name = SUBSET[0]
    assert promises.broken({name: record(mae_small=[100, 0, 0])}) == []
    assert len(promises.broken({name: record(mae_small=[125, 0, 0])})) == 1


def test_a_figure_near_its_limit_is_run_on() -> None:
    cell = CELLS[SUBSET[0]]
    assert promises.at_risk(cell, record(false_differ=[500, 28, 28])) == ["false_differ"]
    assert promises.at_risk(cell, record(false_differ=[500, 5, 5])) == []
    assert promises.at_risk(cell, record(mae=[500, 465, 465])) == ["mae"]


def test_records_of_parts_are_that_of_the_whole() -> None:
    name = "errors that are all 2.7"
    whole, first = record_of(name, 3), record_of(name, 2)
    table = CELLS[name].design.draw(numpy_rng(2, "test", name))
    rest = promises.Record()
    rest.add(checks.check(CELLS[name].design, table, 2))
    first.merge(rest)
    assert first == whole
    assert promises.figure(whole, "false_differ") == (0.0, 0.0)


def test_the_command_writes_the_page_and_goes_on_from_its_file(tmp_path: Path) -> None:
    kept, page = tmp_path / "coverage.json", tmp_path / "coverage.md"
    command = [sys.executable, str(BENCHMARKS / "coverage.py"), "--cells", "all 2.7"]
    command += ["--tables", "2", "--processes", "1", "--json", str(kept), "--out", str(page)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "2 of 2 limits hold in 1 cells" in done.stdout
    assert "| errors that are all 2.7 | 2 |" in page.read_text()
    before = json.loads(kept.read_text())
    assert before["cells"]["errors that are all 2.7"]["tables"] == 2
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.stdout == done.stdout
    assert json.loads(kept.read_text()) == before
