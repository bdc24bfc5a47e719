"""Simulated comparisons, suites and gaps by age, with what each table says about their promises."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import polars as pl

from coverage_checks import Figures, holds, means_of
from coverage_kinds import LAWS
from coverage_tables import Design
from fairage.auditing.bias_change import infer_bias_changes
from fairage.auditing.bias_interval import bias
from fairage.auditing.by_age import BAND_YEARS, audit_by_age
from fairage.auditing.groups import Floats, groups_of
from fairage.auditing.paired_inference import infer_changes
from fairage.auditing.result_parts import MAE, MEAN_ERROR, AdjustedGap, Interval
from fairage.auditing.suite_runs import SuiteRuns, VersionRuns
from fairage.auditing.suite_statistics import SuiteStatistics, suite_statistics
from fairage.tables import AGE, IMAGE, PREDICTION, SEED

__all__ = ["Special", "comparison", "gaps_by_age", "suite"]

Special = Callable[[np.random.Generator, int], Figures]
EQUAL = 1e-9
HARD = np.array([0.6, 0.8, 1.0, 1.2, 1.4])  # faces that are hard for every model


def comparison(sizes: Sequence[int], a: Sequence[float], b: Sequence[float], law: int) -> Special:
    """Return what compares two models on the same faces; their MAE in each group is given."""
    first, second = np.array(a, float), np.array(b, float)

    def run(rng: np.random.Generator, number: int) -> Figures:
        codes = np.repeat(np.arange(len(sizes)), sizes)
        hard = rng.choice(HARD, len(codes))
        a, b = (
            own[codes] * hard * LAWS[law].draw(rng, len(codes)) * _signs(rng, len(codes))
            for own in (first, second)
        )
        groups = groups_of(tuple(map(str, range(len(sizes)))), codes)
        changed = infer_changes(a, b, {"group": groups}, seed=number)
        changes = {name: change[MAE] for name, change in changed.groups["group"].items()}
        held = [
            holds(interval, float((second - first)[int(name)]))
            for name, interval in changes.items()
        ]
        held += [holds(change[MEAN_ERROR], 0.0) for change in changed.groups["group"].values()]
        overall = float(np.average(second - first, weights=sizes))
        figures = {"changes": min(held), "change_overall": holds(changed.overall[MAE], overall)}
        own = infer_bias_changes(
            np.abs(a), np.abs(b), {"group": groups}, changed.takes_part, seed=number
        ).attributes["group"]
        interval = Interval(own.value, own.low, own.high)
        figures["bias_change"] = holds(interval, bias(second) - bias(first))
        if not np.any(second - first):
            verdict = changed.verdicts["group"]
            said = verdict.improved + verdict.worsened + verdict.moved
            figures["false_change"] = float(bool(said))
        return figures

    return run


def _signs(rng: np.random.Generator, n: int) -> Floats:
    return np.asarray(rng.choice((-1.0, 1.0), n))


def gaps_by_age(design: Design) -> Special:
    """Return what holds gaps at equal ages; ages of the design are middles of bands."""
    faces = design.faces
    cells = {
        (int(group), int(age // BAND_YEARS)): (scale, scale * (2 * up - 1))
        for group, age, scale, up in zip(
            faces.codes["group"],
            faces.age,
            faces.scale,
            np.broadcast_to(faces.up, len(faces)),
            strict=True,
        )
    }

    def run(rng: np.random.Generator, _: int) -> Figures:
        table = design.draw(rng)
        groups = table.attributes["group"]
        takes = {"group": np.ones(len(groups), dtype=bool)}
        by_age = audit_by_age(table.ages, table.errors, {"group": groups}, takes, units=table.units)
        bands = (table.ages // BAND_YEARS).astype(int)
        counts = np.zeros((len(groups), bands.max() + 1))
        np.add.at(counts, (groups.codes, bands), 1)
        values: dict[str, list[float]] = {}
        for gap in by_age.adjusted["group"]:
            for key, interval, true in _true_parts(gap, counts, cells):
                values.setdefault(key, []).append(holds(interval, true))
                if key == "adjusted" and abs(true) < EQUAL:
                    values.setdefault("equal", []).append(values[key][-1])
        figures = {key: min(own) for key, own in values.items()}
        if "equal" in figures:
            figures["false_adjusted"] = 1 - figures.pop("equal")
        return figures

    return run


def _true_parts(
    gap: AdjustedGap, counts: Floats, cells: Mapping[tuple[int, int], tuple[float, float]]
) -> Iterator[tuple[str, Interval, float]]:
    """Yield the parts of a gap with what they are at the ages of this table."""
    place = 0 if gap.measure == MAE else 1
    g, h = int(gap.first), int(gap.second)
    bands = [int(low // BAND_YEARS) for low, _ in gap.bands]
    if not bands:
        return
    first, second = counts[g, bands], counts[h, bands]
    pooled = (first + second) / (first + second).sum()
    one, two = (np.array([cells[i, band][place] for band in bands]) for i in (g, h))
    crude = float(first / first.sum() @ one - second / second.sum() @ two)
    adjusted = float(pooled @ (one - two))
    yield "crude", gap.crude, crude
    yield "adjusted", gap.adjusted, adjusted
    yield "explained", gap.explained, crude - adjusted


def suite(versions: int, seeds: int, faces: int, luck: float) -> Special:
    """Return what holds a suite of equal versions; `luck` is the spread of seeds in each group."""
    codes = np.arange(faces) % 2
    names = np.array(["female", "male"])[codes]
    true_bias = 4 * luck * math.sqrt(2) * math.sqrt(2 / math.pi)

    def frame(rng: np.random.Generator, hard: Floats, seed: int) -> pl.DataFrame:
        scale = 4 * (1 + luck * rng.standard_normal(2))[codes]
        sizes = hard * scale * LAWS[0].draw(rng, faces) * _signs(rng, faces)
        return pl.DataFrame(
            {
                IMAGE: [f"{face}.jpg" for face in range(faces)],
                AGE: np.full(faces, 50.0),
                PREDICTION: 50 + sizes,
                "gender": names,
                SEED: np.full(faces, seed),
            }
        )

    def run(rng: np.random.Generator, _: int) -> Figures:
        hard = rng.choice(HARD, faces)
        runs = tuple(
            VersionRuns(
                str(version),
                f"v{version}",
                f"Version {version}",
                "",
                None,
                tuple(frame(rng, hard, seed) for seed in range(seeds)),
            )
            for version in range(versions)
        )
        return _suite_figures(suite_statistics(SuiteRuns("suite", runs, {})), true_bias)

    return run


def _suite_figures(statistics: SuiteStatistics, true_bias: float) -> Figures:
    pairs: list[tuple[str, float]] = []
    numbers = range(len(statistics.versions))
    resolved = False
    for number, version in enumerate(statistics.versions):
        for key, column, true in (("mae", "mae", 4.0), ("bias", "gender_bias", true_bias)):
            own = version.metrics[column]
            pairs.append((f"suite_{key}", holds(Interval(own.value, own.low, own.high), true)))
            change = statistics.face_set(number).change(column, number)
            if change is not None:
                interval = Interval(change.value, change.low, change.high)
                pairs.append((f"suite_{key}_change", holds(interval, 0.0)))
            comparison = statistics.face_set(number).comparison
            resolved |= any(
                comparison.is_lower(column, number, other) for other in numbers if other != number
            )
    return {**means_of(iter(pairs)), "false_resolved": float(resolved)}
