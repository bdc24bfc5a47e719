"""Audit results made by hand for tests of pages and sentences: sizes and errors are chosen.

Intervals are plain normal ones and verdicts come from `fairage.auditing.verdicts`, so that the
numbers of a result agree with each other; they are not those of a real audit.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fairage.auditing.audit_settings import AuditSettings
from fairage.auditing.columns import Columns
from fairage.auditing.result import AuditResult, ModelAudit
from fairage.auditing.result_parts import (
    MAE,
    MEAN_ERROR,
    AdjustedGap,
    AgeBand,
    AgeCheck,
    ByAge,
    Cell,
    CheckCurve,
    CheckRates,
    Failures,
    Gap,
    GroupAudit,
    Intersection,
    Interval,
    NoiseFloor,
    Note,
    Ranges,
    Verdict,
)
from fairage.auditing.rows import RowReport
from fairage.auditing.verdicts import joint_verdict, pair_gap, verdict_of
from fairage.tables import AGE_GROUP, UNKNOWN

MIN_ROWS = 30
SPREAD = 2.5  # standard deviation of one error
Z = 1.96


@dataclass(frozen=True)
class Group:
    """What a group of a made-up model is like: its faces, its MAE, its mean error, its failures."""

    n: int
    mae: float
    mean_error: float = 0.0
    failed: int = 0
    age: float = 40.0


GENDER = {"female": Group(520, 3.1, 0.4), "male": Group(480, 4.6, -0.9)}
SKIN = {"dark": Group(210, 4.0, -0.4), "light": Group(780, 3.8, -0.2), UNKNOWN: Group(10, 3.0)}
AGES = {
    "young": Group(200, 2.6, 1.2, age=12),
    "adult": Group(400, 3.6, 0.1, age=30),
    "senior": Group(300, 4.2, -0.8, age=48),
    "old": Group(100, 6.0, -3.2, age=70),
}


def interval(
    value: float, n: int, *, spread: float = SPREAD, persons: int | None = None
) -> Interval:
    """Return a number with a normal interval; without one for a single row."""
    if n < 2 or not math.isfinite(value):
        return Interval(value, None, None, n, persons)
    reach = Z * spread / math.sqrt(n)
    return Interval(value, value - reach, value + reach, n, persons)


def rate(happened: int, n: int) -> Interval:
    """Return a share with Wilson's interval."""
    if n == 0:
        return Interval(math.nan, None, None, 0)
    share, square = happened / n, Z * Z
    middle = (share + square / (2 * n)) / (1 + square / n)
    reach = Z / (1 + square / n) * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
    return Interval(share, max(0.0, middle - reach), min(1.0, middle + reach), n)


def measures(group: Group, persons: int | None = None) -> dict[str, Interval]:
    """Return every measure of a group."""
    n, mae = group.n, group.mae
    mean = interval(mae, n, persons=persons)
    low = None if mean.low is None else max(mean.low, 0.0)
    within = {f"within_{k}": rate(round(n * (1 - math.exp(-k / mae))), n) for k in (1, 3, 5, 10)}
    return {
        MAE: replace(mean, low=low),
        "rmse": interval(1.3 * mae, n, persons=persons),
        MEAN_ERROR: interval(group.mean_error, n, spread=1.4 * SPREAD, persons=persons),
        "median": replace(interval(0.8 * mae, n, persons=persons)),
        "p90": replace(interval(2.2 * mae, n, persons=persons), high=None if n < 30 else 2.6 * mae),
        **within,
    }


def model(
    attributes: Mapping[str, Mapping[str, Group]] | None = None,
    *,
    name: str = "prediction",
    margin: float = 1.0,
    min_rows: int = MIN_ROWS,
    persons: bool = False,
    adjusted: Mapping[str, Sequence[AdjustedGap]] | None = None,
    age_check: AgeCheck | None = None,
    ranges: Ranges | None = None,
    **changes: object,
) -> ModelAudit:
    """Return a model with these attributes; further fields may be replaced by name."""
    attributes = (
        {"gender": GENDER, "skin_tone": SKIN, AGE_GROUP: AGES} if attributes is None else attributes
    )
    groups = {a: _groups(named, min_rows, persons=persons) for a, named in attributes.items()}
    gaps = {a: _gaps(a, groups[a], margin) for a in groups}
    verdicts = {a: _verdict(a, groups[a], gaps[a], margin) for a in groups}
    judged = {a: v for a, v in verdicts.items() if a != AGE_GROUP} or verdicts
    first = next(iter(attributes.values()), {"all": Group(1000, 3.8, -0.2)})
    everyone = _together(list(first.values()))
    n = everyone.n
    bias = {a: _bias(gaps[a], MAE) for a in groups if _bias(gaps[a], MAE) is not None}
    mean_error_bias = {a: b for a in groups if (b := _bias(gaps[a], MEAN_ERROR)) is not None}
    average = _mean([b for b in bias.values() if b is not None])
    made = ModelAudit(
        name=name,
        n=n,
        n_persons=n // 2 if persons else None,
        overall=measures(everyone, n // 2 if persons else None),
        groups=groups,
        bias={a: b for a, b in bias.items() if b is not None},
        corrected_bias={a: max(0.0, b.value - 0.1) for a, b in bias.items() if b is not None},
        floors={a: NoiseFloor(0.15, 0.38) for a in bias},
        spread={a: _spread(groups[a]) for a in bias},
        mean_error_bias=mean_error_bias,
        mean_error_floors={a: NoiseFloor(0.2, 0.5) for a in mean_error_bias},
        average_bias=average,
        average_corrected=None if average is None else max(0.0, average.value - 0.1),
        average_floor=None if average is None else NoiseFloor(0.14, 0.3),
        average_mean_error_bias=_mean(list(mean_error_bias.values())),
        gaps=gaps,
        verdicts=verdicts,
        verdict=joint_verdict(judged, margin, rows=n),
        failures=failures(attributes, min_rows=min_rows),
        by_age=ByAge(_bands(groups), {a: tuple(found) for a, found in (adjusted or {}).items()}),
        intersections=_intersections(groups, margin, min_rows),
        age_check=age_check,
        ranges=ranges,
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # fields by name


def result(*models: ModelAudit, **changes: object) -> AuditResult:
    """Return the result of a table with these models; further fields may be replaced by name."""
    models = models or (model(),)
    first = models[0]
    attributes = tuple(name for name in first.groups if name != AGE_GROUP)
    unused = {"pred_gender": "it is what a model said", "file": "it names the rows"}
    rows = RowReport(
        rows=first.n + 3,
        used=first.n,
        without_age=3,
        reasons_age={"empty": 3},
        unknown={},
        duplicate_images=0,
        decimal_commas=False,
        spellings={},
        persons=first.n_persons,
    )
    made = AuditResult(
        name="faces.csv",
        columns=Columns(
            "age",
            tuple(each.name for each in models),
            attributes,
            identity=None if first.n_persons is None else "person",
            guessed=("age", "attribute"),
            unused=unused,
        ),
        settings=AuditSettings(),
        rows=rows,
        notes=(Note("repeated_images", "3 rows repeat an image."),),
        models={each.name: each for each in models},
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # fields by name


def adjusted_gap(
    crude: float,
    explained: float,
    *,
    reach: float = 0.4,
    attribute: str = "gender",
    names: tuple[str, str] = ("male", "female"),
    measure: str = MAE,
    usable: bool = True,
) -> AdjustedGap:
    """Return a gap of which so many years come from age, each with this half-width."""

    def wide(value: float) -> Interval:
        return Interval(value, value - reach, value + reach, 800)

    bands = tuple((float(low), low + 5.0) for low in range(10, 60, 5))
    share = (0.9, 0.85) if usable else (0.4, 0.85)
    return AdjustedGap(
        attribute,
        *names,
        measure,
        wide(crude),
        wide(crude - explained),
        wide(explained),
        bands,
        share,
        usable,
    )


def failures(
    attributes: Mapping[str, Mapping[str, Group]], *, margin: float = 0.05, min_rows: int = MIN_ROWS
) -> Failures:
    """Return the failures of these groups."""
    rates = {
        a: {name: rate(group.failed, group.n + group.failed) for name, group in named.items()}
        for a, named in attributes.items()
    }
    verdicts = {}
    for a, named in attributes.items():
        taking = [g for g in named if g != UNKNOWN and named[g].n >= min_rows]
        gaps = [_rate_gap(a, x, y, rates[a], margin) for x, y in itertools.combinations(taking, 2)]
        verdicts[a] = verdict_of(a, gaps, margin, groups=taking, rows=1000)
    first = next(iter(attributes.values()), {})
    failed = sum(group.failed for group in first.values())
    n = sum(group.n + group.failed for group in first.values())
    withheld = {a: 4.4 for a in attributes if any(g.failed for g in attributes[a].values())}
    reasons = {"no face": failed} if failed else {}
    return Failures(rate(failed, n or 1), reasons, rates, verdicts, withheld)


def age_check(attributes: Mapping[str, Mapping[str, Group]] | None = None) -> AgeCheck:
    """Return a check for 18 at 25 whose false positive rates rise from group to group."""
    attributes = {"gender": GENDER, "skin_tone": SKIN} if attributes is None else attributes
    groups, verdicts, challenged = {}, {}, {}
    for a, named in attributes.items():
        groups[a] = {
            g: CheckRates(
                rate(2 + 9 * i, 90) if g != UNKNOWN else rate(1, 3), rate(60, 400), g != UNKNOWN
            )
            for i, g in enumerate(named)
        }
        taking = [g for g in named if g != UNKNOWN]
        for place, which in ((verdicts, "false_positive"), (challenged, "challenged")):
            rates = {g: getattr(groups[a][g], which) for g in taking}
            pairs = itertools.combinations(taking, 2)
            gaps = [_rate_gap(a, x, y, rates, 0.05, which) for x, y in pairs]
            place[a] = verdict_of(a, gaps, 0.05, groups=taking, rows=900)
    thresholds = tuple(float(t) for t in range(15, 41))
    curves = {a: _curves(list(named), thresholds) for a, named in attributes.items()}
    curves["all"] = _curves(["all"], thresholds)
    return AgeCheck(
        legal_age=18.0,
        threshold=25.0,
        minors=180,
        adults=810,
        across=4,
        overall=CheckRates(rate(12, 180), rate(120, 810), takes_part=True),
        groups=groups,
        verdicts=verdicts,
        challenged_verdicts=challenged,
        wanted_rate=0.01,
        reached_at=31.4,
        reached_by=("gender", "male"),
        reached_n=90,
        reached_bound=0.06,
        challenged_then=rate(400, 810),
        thresholds=thresholds,
        curves=curves,
    )


def ranges(**changes: object) -> Ranges:
    """Return ranges of the true age."""
    made = Ranges(
        true_ranges=1000,
        predicted_ranges=0,
        open_ranges=12,
        across_age_groups=40,
        across_legal_age=None,
        mae_least=interval(2.1, 1000),
        mae_most=interval(6.0, 1000),
        inside=rate(620, 1000),
        width=None,
        outside=None,
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # fields by name


def _groups(named: Mapping[str, Group], min_rows: int, *, persons: bool) -> dict[str, GroupAudit]:
    made = {}
    for name, group in named.items():
        people = group.n // 2 if persons else None
        units = group.n if people is None else people
        reason = "unknown" if name == UNKNOWN else "too small" if units < min_rows else ""
        made[name] = GroupAudit(
            name, group.n, people, group.age, not reason, reason, measures(group, people)
        )
    return made


def _gaps(attribute: str, groups: Mapping[str, GroupAudit], margin: float) -> tuple[Gap, ...]:
    taking = [group for group in groups.values() if group.takes_part]
    made = []
    for measure in (MAE, MEAN_ERROR):
        for pair in itertools.combinations(taking, 2):
            first, second = sorted(pair, key=lambda g: -g[measure].value)
            a, b = first[measure], second[measure]
            reach = 1.5 * math.hypot(_half(a), _half(b))
            size = a.value - b.value
            gap = Interval(size, size - reach, size + reach, a.n + b.n)
            made.append(pair_gap(attribute, (first.name, second.name), measure, gap, margin))
    return tuple(sorted(made, key=lambda gap: -gap.interval.value))


def _verdict(
    attribute: str, groups: Mapping[str, GroupAudit], gaps: Sequence[Gap], margin: float
) -> Verdict:
    taking = [group.name for group in groups.values() if group.takes_part]
    left = [(attribute, g.name, g.n) for g in groups.values() if not g.takes_part]
    rows = sum(group.n for group in groups.values())
    return verdict_of(attribute, gaps, margin, groups=taking, left_out=left, rows=rows)


def _half(interval: Interval) -> float:
    return (
        0.0 if interval.low is None or interval.high is None else (interval.high - interval.low) / 2
    )


def _bias(gaps: Sequence[Gap], measure: str) -> Interval | None:
    return _mean([gap.interval for gap in gaps if gap.measure == measure])


def _mean(intervals: Sequence[Interval]) -> Interval | None:
    if not intervals:
        return None
    n = len(intervals)
    low = sum(max(i.low or 0.0, 0.0) for i in intervals) / n
    high = sum(i.high or 0.0 for i in intervals) / n
    return Interval(sum(i.value for i in intervals) / n, low, high, max(i.n for i in intervals))


def _spread(groups: Mapping[str, GroupAudit]) -> dict[str, Interval]:
    errors = [group[MAE].value for group in groups.values() if group.takes_part]
    gap, ratio = max(errors) - min(errors), max(errors) / min(errors)
    return {
        "gap": Interval(gap, max(gap - 0.4, 0.0), gap + 0.4),
        "ratio": Interval(ratio, max(ratio - 0.1, 1.0), ratio + 0.1),
        "gini": Interval(0.08, 0.05, 0.11),
    }


def _together(groups: Sequence[Group]) -> Group:
    n = sum(group.n for group in groups)
    mae = sum(group.n * group.mae for group in groups) / n
    return Group(n, mae, sum(group.n * group.mean_error for group in groups) / n)


def _bands(groups: Mapping[str, Mapping[str, GroupAudit]]) -> dict[str, tuple[AgeBand, ...]]:
    made = {"all": _lines({"all": 3.8})}
    for attribute, named in groups.items():
        if attribute != AGE_GROUP:
            made[attribute] = _lines({g.name: g[MAE].value for g in named.values() if g.takes_part})
    return made


def _lines(errors: Mapping[str, float]) -> tuple[AgeBand, ...]:
    bands = []
    for name, error in errors.items():
        for low in range(5, 80, 5):
            size = max(90 - low, 12)
            mae = error * (0.6 + low / 80)
            mean = error * (0.4 - low / 60)
            numbers = (interval(mae, size), interval(mean, size))
            bands.append(AgeBand(name, float(low), low + 5.0, size, *numbers))
    return tuple(bands)


def _intersections(
    groups: Mapping[str, Mapping[str, GroupAudit]], margin: float, min_rows: int
) -> tuple[Intersection, ...]:
    made = []
    for a, b in itertools.combinations(groups, 2):
        cells = []
        for x, y in itertools.product(groups[a].values(), groups[b].values()):
            n = x.n * y.n // 1000
            if n == 0:
                continue
            mae = interval((x[MAE].value + y[MAE].value) / 2, n)
            mean = interval((x[MEAN_ERROR].value + y[MEAN_ERROR].value) / 2, n)
            takes_part = n >= min_rows and x.takes_part and y.takes_part
            cells.append(Cell((x.name, y.name), n, None, takes_part, mae, mean))
        cells.sort(key=lambda cell: (not cell.takes_part, -cell.mae.value))
        taking = [cell for cell in cells if cell.takes_part]
        gaps = []
        for first, second in itertools.combinations(taking, 2):
            size = first.mae.value - second.mae.value
            reach = 1.8 * math.hypot(_half(first.mae), _half(second.mae))
            wide = Interval(size, size - reach, size + reach, first.n + second.n)
            names = (" x ".join(first.groups), " x ".join(second.groups))
            gaps.append(pair_gap(f"{a} x {b}", names, MAE, wide, margin))
        names_of = [" x ".join(cell.groups) for cell in taking]
        verdict = verdict_of(f"{a} x {b}", gaps, margin, groups=names_of, rows=1000)
        made.append(Intersection((a, b), tuple(cells), verdict))
    return tuple(made)


def _rate_gap(
    attribute: str,
    x: str,
    y: str,
    rates: Mapping[str, Interval],
    margin: float,
    measure: str = "failures",
) -> Gap:
    first, second = sorted((x, y), key=lambda g: -rates[g].value)
    a, b = rates[first], rates[second]
    size = a.value - b.value
    low = size - 1.3 * math.hypot(a.value - (a.low or 0.0), (b.high or 1.0) - b.value)
    high = size + 1.3 * math.hypot((a.high or 1.0) - a.value, b.value - (b.low or 0.0))
    return pair_gap(
        attribute, (first, second), measure, Interval(size, low, high, a.n + b.n), margin
    )


def _curves(groups: Sequence[str], thresholds: Sequence[float]) -> tuple[CheckCurve, ...]:
    made = []
    for i, group in enumerate(groups):
        passed = tuple(min(1.0, math.exp(-(t - 14) / (3 + i))) for t in thresholds)
        held = tuple(1 - math.exp(-(t - 14) / 30) for t in thresholds)
        made.append(CheckCurve(group, passed if group != UNKNOWN else (None,) * len(held), held))
    return tuple(made)
