"""The page of the coverage grid: every promise with its limits, then every cell, by measure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from coverage_cells import CELLS
from coverage_kinds import LAWS
from coverage_promises import (
    PROMISES,
    Failure,
    Promise,
    Record,
    average,
    broken,
    figure,
    judged,
    limits,
)

__all__ = ["page", "summary"]

Records = Mapping[str, Record]


@dataclass(frozen=True)
class Section:
    """A table of the page: some figures of every cell that has them."""

    title: str
    text: str
    columns: Mapping[str, str]


INTRODUCTION = """# Do the intervals and verdicts hold?

Simulated tables whose truth is known exactly, audited by the code behind `fairage audit`. Each cell
is one way of drawing tables: at least 500 of them, with seeds from the cell's name; a figure within
two standard errors of its limit was run on to 2,000 tables, and those count. Absolute errors are
half-normal, Laplace or lognormal (exp(.6 z)); their signs are drawn apart from their sizes. Groups
of fewer than 30 rows (persons, where known) are listed, and take no part in gaps, biases and
verdicts. A figure that fewer than a quarter of a cell's tables have is printed without a limit.

```console
$ python benchmarks/coverage.py --reference construction.py --json coverage.json --out coverage.md
```
"""
SECTIONS = (
    Section(
        "Means",
        "Share of the 95 % intervals that hold the true value: mean over the groups of a cell, and "
        "the lowest single group. Groups of 10 to 29 rows have columns of their own.",
        {
            "mae": "MAE",
            "lowest:mae": "lowest group",
            "mae_small": "MAE, 10 to 29 rows",
            "mean_error": "mean error",
            "lowest:mean_error": "lowest group",
            "mean_error_small": "mean error, 10 to 29 rows",
        },
    ),
    Section(
        "Quantiles and rates",
        "The same for the median, the share within 5 years and the share without an estimate.",
        {
            "median": "median",
            "lowest:median": "lowest group",
            "median_small": "10 to 29 rows",
            "within_5": "CS(5)",
            "lowest:within_5": "lowest group",
            "within_5_small": "10 to 29 rows",
            "failures": "failures",
        },
    ),
    Section(
        "RMSE and P90",
        "No limits are promised: few rows say little of heavy tails.",
        {
            "rmse": "RMSE",
            "lowest:rmse": "lowest group",
            "rmse_small": "10 to 29 rows",
            "p90": "P90",
            "lowest:p90": "lowest group",
            "p90_small": "10 to 29 rows",
        },
    ),
    Section(
        "Gaps",
        "Share of tables in which the limits of all gaps hold at once: of one attribute (MAE and "
        "mean errors together), of all attributes, of failure rates. The measures of spread have "
        "no promise of their own.",
        {
            "gaps": "gaps of an attribute",
            "family": "of all attributes",
            "rate_gaps": "of failure rates",
            "spread_gap": "worst-best gap",
            "spread_ratio": "max/min ratio",
            "spread_gini": "Gini",
        },
    ),
    Section(
        "Biases",
        "Share of intervals that hold the true bias, and by how many years the plug-in bias and "
        "the noise-corrected one are off on average.",
        {
            "bias": "bias",
            "average_bias": "average bias",
            "mean_error_bias": "bias of mean errors",
            "average_mean_error_bias": "its average",
            "years:bias_plug_in": "plug-in is off",
            "years:bias_corrected": "corrected is off",
        },
    ),
    Section(
        "False verdicts",
        "Share of tables in which *differ* is said of groups that are equal: of any attribute, in "
        "the headline, by the one quantity (MAE or mean error) that is equal, of failure rates; "
        "and in which *within the margin* is said where a gap is larger than it.",
        {
            "false_differ": "attribute",
            "false_headline": "headline",
            "false_half": "the equal quantity",
            "false_rate_differ": "failure rates",
            "false_within": "within the margin",
        },
    ),
    Section(
        "Comparisons, suites, ages",
        "Share of tables in which the intervals hold: of all changes from one model to another, of "
        "a change of bias, of one training in a suite whose faces and seeds both vary, of gaps at "
        "equal ages; and in which a difference is said that is not there.",
        {
            "changes": "changes at once",
            "change_overall": "overall",
            "bias_change": "of bias",
            "false_change": "false change",
            "suite_mae": "suite: MAE",
            "suite_bias": "bias",
            "suite_mae_change": "change of MAE",
            "suite_bias_change": "of bias",
            "false_resolved": "false *better*",
            "crude": "gaps on the rows used",
            "adjusted": "at equal ages",
            "explained": "explained by age",
            "false_adjusted": "false gap",
        },
    ),
    Section(
        "Power and widths",
        "Share of attributes with gaps that are found, beside Welch's test at the level that Sidak "
        "leaves each pair of the same family; and the median width in years of the interval of the "
        "(average) bias, beside that of the reference construction on the same 100 tables.",
        {
            "found": "found",
            "welch": "Welch",
            "years:width": "width",
            "years:reference_width": "reference",
            "years:width_ratio": "ratio",
        },
    ),
)


def summary(records: Records) -> str:
    """Return the line that says which limits hold, and those that do not."""
    failures = broken(records)
    count = sum(1 for _ in _judged(records))
    lines = [f"{count - len(failures)} of {count} limits hold in {len(records)} cells"]
    return "\n".join([*lines, *(f"  not: {failure}" for failure in failures)])


def _judged(records: Records) -> Iterator[Promise]:
    """Yield the promise of each limit that is held against a figure."""
    for name, record in records.items():
        for promise, least, most in limits(CELLS[name]):
            if judged(record, promise.key) is not None:
                yield from [promise] * sum(limit is not None for limit in (least, most))
    for promise in PROMISES:
        if promise.average is not None and average(records, promise) is not None:
            yield promise


def page(records: Records) -> str:
    """Return the page as Markdown."""
    failures = broken(records)
    parts = [
        INTRODUCTION,
        summary(records).split("\n", 1)[0] + ".\n",
        *_promises(records, failures),
    ]
    usual = {name: record for name, record in records.items() if CELLS[name].only is None}
    wrong = {(failure.promise.key, failure.cell) for failure in failures}
    for section in SECTIONS:
        parts += [f"\n## {section.title}\n", section.text + "\n", *_table(usual, section, wrong)]
    beside = {name: record for name, record in records.items() if name not in usual}
    if beside:
        parts += [
            "\n## Beside the limits\n",
            "Errors as heavy-tailed as exp(z), with two limits (MAE of 10 rows at least 86 %, "
            "false *differ* at most 11 %), and errors that are all equal.\n",
            *_table(beside, _BESIDE, wrong),
        ]
    return "\n".join([*parts, *_cells(records)]) + "\n"


_BESIDE = Section(  # the sections of groups, gaps and verdicts
    "",
    "",
    {
        key: title
        for section in SECTIONS[:6]
        for key, title in section.columns.items()
        if ":" not in key and not key.startswith("spread")
    },
)


def _promises(records: Records, failures: Sequence[Failure]) -> Iterator[str]:
    yield "| figure | limit in every cell | lowest | highest | mean over cells | limit | holds |"
    yield "|---|---|---|---|---|---|---|"
    for promise in PROMISES:
        values = {
            name: own[0]
            for name, record in records.items()
            for wanted, *_ in limits(CELLS[name])
            if wanted is promise
            and CELLS[name].only is None
            and (own := judged(record, promise.key)) is not None
        }
        if not values:
            continue
        bad = [failure for failure in failures if failure.promise is promise]
        mean = average(records, promise)
        cells = [
            promise.title,
            _limit(promise, records),
            _extreme(promise, values, min),
            _extreme(promise, values, max),
            "" if mean is None else _number(promise.key, mean),
            "" if promise.average is None else "94 to 98 %",
            f"**no, {len(bad)} times**" if bad else "yes",
        ]
        yield "| " + " | ".join(cells) + " |"
    if failures:
        yield "\nLimits that are not kept:\n"
        yield from (f"- {failure}" for failure in failures)


def _limit(promise: Promise, records: Records) -> str:
    others = {
        CELLS[name].limits[promise.key]
        for name in records
        if CELLS[name].only is None and promise.key in CELLS[name].limits
    }
    ends = [
        f"{word} {_number(promise.key, limit)}"
        for word, limit in (("at least", promise.least), ("at most", promise.most))
        if limit is not None
    ]
    own = [f"{_number(promise.key, limit)} with 970/30 rows" for limit in sorted(others)]
    return ", ".join([*ends, *own])


def _extreme(promise: Promise, values: Mapping[str, float], pick: Callable[..., str]) -> str:
    name = pick(values, key=lambda cell: values[cell])
    return f"{_number(promise.key, values[name])} ({name})"


def _number(key: str, value: float) -> str:
    if key.startswith("years:") or key == "width_ratio":
        return f"{value:.2f}"
    return f"{100 * value:.1f} %"


def _table(records: Records, section: Section, wrong: set[tuple[str, str]]) -> Iterator[str]:
    rows = {
        name: [_cell(record, key) for key in section.columns] for name, record in records.items()
    }
    kept = [i for i in range(len(section.columns)) if any(row[i] for row in rows.values())]
    keys, titles = list(section.columns), list(section.columns.values())
    yield "| cell | tables | " + " | ".join(titles[i] for i in kept) + " |"
    yield "|---|---:|" + "---:|" * len(kept)
    for name, row in rows.items():
        if any(row[i] for i in kept):
            marked = [
                f"**{row[i]}**" if (keys[i].removeprefix("years:"), name) in wrong else row[i]
                for i in kept
            ]
            yield f"| {name} | {_tables(records[name], keys):,} | " + " | ".join(marked) + " |"


def _tables(record: Record, keys: Sequence[str]) -> int:
    """Return how many tables the figures of a row come from."""
    counts = [int(record.sums[key][0]) for key in keys if key in record.sums]
    return max(counts, default=record.tables)


def _cell(record: Record, key: str) -> str:
    kind, _, plain = key.rpartition(":")
    if kind == "lowest":
        own = [figure(record, name) for name in record.sums if name.startswith(f"{plain}/")]
        values = [value[0] for value in own if value is not None]
        return _number(key, min(values)) if values else ""
    if plain in ("width", "reference_width"):
        widths = np.array(record.widths)
        place = int(plain == "reference_width")
        return _number(key, float(np.median(widths[:, place]))) if len(widths) else ""
    value = figure(record, plain)
    return "" if value is None else _number(key, value[0])


def _cells(records: Records) -> Iterator[str]:
    """Yield what the tables of each cell are drawn from."""
    yield "\n## The cells\n"
    yield "| cell | units | rows of a person | law | true MAE of the groups, in years |"
    yield "|---|---:|---|---|---|"
    for name in records:
        design = CELLS[name].design
        if design is None:
            continue
        count = design.count if isinstance(design.count, int) else sum(design.count)
        laws = ", ".join(LAWS[law].name for law in np.unique(design.faces.law).tolist())
        sizes = "" if design.sizes is None else _span(np.ravel(design.sizes).tolist())
        groups = "; ".join(
            f"{attribute} {_values(own['mae'].tolist())}"
            for attribute, own in design.truth.items()
            if attribute != "all" and not attribute.startswith("coin")
        )
        yield f"| {name} | {count:,} | {sizes} | {laws} | {groups} |"


def _span(sizes: Sequence[int]) -> str:
    low, high = min(sizes), max(sizes)
    if low == high:
        return str(low)
    return f"{low} or {high}" if set(sizes) == {low, high} else f"{low} to {high}"


def _values(means: Sequence[float]) -> str:
    if len(means) > 6:
        return f"{min(means):.2f} to {max(means):.2f} ({len(means)} groups)"
    return ", ".join(f"{mean:.2f}" for mean in means)
