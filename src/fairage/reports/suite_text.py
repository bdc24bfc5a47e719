"""What a suite shows, in plain sentences, each only as strong as the intervals that it stands on.

That a version is better than another, or the best, is said where the difference leaves 0 out with
all versions and metrics looked at together: see `fairage.auditing.suite_comparison`.
"""

from collections.abc import Sequence

from fairage._text import at_least, count, joined, number, visible, years
from fairage.auditing.scoring import AVERAGE_BIAS, MAE
from fairage.auditing.suite_estimates import MetricEstimate
from fairage.reports.format import (
    attribute_words,
    faces_of,
    group_words,
    span,
    upper_first,
    with_span,
)
from fairage.reports.suite_numbers import (
    SetNumbers,
    SuiteNumbers,
    VersionNumbers,
    difference_interval,
    estimate_interval,
)
from fairage.tables import UNKNOWN

MOST_NAMES = 6
DIFFERENT_FACES = (
    "The versions were measured on different faces: numbers can be held against each other only "
    "within the same faces."
)


def conclusion(numbers: SuiteNumbers) -> list[str]:
    """Return what the suite shows, the most important first."""
    if len(numbers.sets) == 1:
        (own,) = numbers.sets
        sentences = [*_of_set(own, numbers.min_rows), *left_out_sentences(own, numbers.min_rows)]
        if numbers.statistics.runs.has_published_peers:
            sentences.append(_study(own))
        return [sentence for sentence in sentences if sentence]
    sentences = [DIFFERENT_FACES]
    for own in numbers.sets:
        where = set_name(own)
        set_sentences = [
            *_of_set(own, numbers.min_rows),
            *left_out_sentences(own, numbers.min_rows),
        ]
        sentences += [f"{where}: {sentence}" for sentence in set_sentences if sentence]
    return sentences


def set_name(own: SetNumbers) -> str:
    """Return how the faces of some versions are called: by their experiments."""
    names = dict.fromkeys(visible(version.run.experiment) for version in own.versions)
    return upper_first(joined(names))


def these_weights(own: SetNumbers) -> str:
    """Return what one seed means; nothing where every version has several."""
    single = own.one_seed
    if not single:
        return ""
    rule = (
        "another training of the same version may give other numbers, so no version is held better"
    )
    if len(single) == len(own.versions):
        if len(own.versions) == 1:
            return (
                "One seed: the intervals hold for these weights only; another training of the same "
                "version may give other numbers."
            )
        return f"One seed a version: the intervals hold for these weights only; {rule}."
    names = _names(single)
    return (
        f"{upper_first(names)} {_has(single)} one seed: the intervals hold for these weights only, "
        "and no comparison with other versions is decided."
    )


def left_out_sentences(own: SetNumbers, min_rows: int) -> list[str]:
    """Return which groups take no part, and which attributes have no bias."""
    unit = "face" if own.faces.persons is None else "person"
    version = own.baseline
    small, unknown, without = [], [], []
    for attribute, groups in version.statistics.groups.items():
        for name, n, takes in zip(groups.names, groups.counts, groups.takes_part, strict=True):
            if name == UNKNOWN and n:
                unknown.append(f"{count(int(n), 'face')} of unknown {attribute_words(attribute)}")
            elif n and not takes:
                words = f"{attribute_words(attribute)} {group_words(name)}"
                small.append(f"{words} ({count(int(n), 'face')})")
        if version.bias(attribute) is None:
            without.append(attribute_words(attribute))
    sentences = []
    if small:
        limit = count(min_rows, unit)
        sentences.append(f"Too small to take part (fewer than {limit}): {_some(small)}.")
    if unknown:
        sentences.append(f"In no comparison of groups: {_some(unknown)}.")
    if without:
        sentences.append(
            f"No bias of {_some(without, 'or')}: fewer than two groups have "
            f"{count(min_rows, unit)}. The average is over the other attributes."
        )
    return sentences


def _of_set(own: SetNumbers, min_rows: int) -> list[str]:
    if own.baseline.average_bias is None:
        unit = "face" if own.faces.persons is None else "person"
        lead = (
            f"No attribute has two groups of {count(min_rows, unit)} or more: nothing can be said "
            "of how evenly groups are served."
        )
        return [lead, these_weights(own), _mae(own.baseline), *_accuracy(own)]
    if len(own.versions) == 1:
        return [_bias(own.baseline), these_weights(own), _mae(own.baseline), _above_zero(own)]
    return [
        *_fairness(own),
        these_weights(own),
        _bias(own.baseline),
        "" if own.lowest(MAE) is own.baseline else _mae(own.baseline),
        *_accuracy(own),
        *_price(own),
        _above_zero(own),
    ]


def _fairness(own: SetNumbers) -> list[str]:
    """Return which versions are fairer than the baseline, and whether one is the fairest."""
    fairest, below, above = (
        own.lowest(AVERAGE_BIAS),
        own.below(AVERAGE_BIAS),
        own.above(AVERAGE_BIAS),
    )
    sentences = []
    if fairest is not None:
        text = _corrected(fairest.average_bias)
        sentences.append(
            f"{upper_first(fairest.called)} is the fairest of {len(own.versions)} versions: its "
            f"average bias is below that of every other one, all looked at together. {text}"
        )
    elif below:
        sentences.append(
            f"Fairer than {own.baseline.called}, all versions looked at together: {_names(below)}."
        )
    elif len(own.one_seed) == len(own.versions):
        sentences.append(
            f"With one seed nothing can be said of which of {len(own.versions)} versions is fairer."
        )
    else:
        sentences.append(_none_better(own, "fairer"))
    others = [version for version in below if version is not fairest]
    if fairest is not None and others:
        sentences.append(f"Fairer than {own.baseline.called} as well: {_names(others)}.")
    if above:
        sentences.append(f"Less fair than {own.baseline.called}: {_names(above)}.")
    if fairest is None:
        sentences.append(_lowest_measured(own))
    return sentences


def _none_better(own: SetNumbers, word: str) -> str:
    others = own.others
    if len(others) == 1:
        other = upper_first(others[0].called)
        return f"{other} cannot be said to be {word} than {own.baseline.called}."
    return (
        f"None of {len(others)} other versions can be said to be {word} than {own.baseline.called}."
    )


def _lowest_measured(own: SetNumbers) -> str:
    biases = [(v.average_bias.mean, v) for v in own.versions if v.average_bias is not None]
    value, version = min(biases, key=lambda pair: pair[0])
    alike = [v for mean, v in biases if number(mean) == number(value)]
    if len(alike) > 1:
        return ""
    return (
        f"The lowest measured average bias is that of {version.called}, {years(value)}; that is "
        "not enough to call it the fairest."
    )


def _accuracy(own: SetNumbers) -> list[str]:
    """Return which versions are more or less accurate than the baseline."""
    if len(own.versions) == 1:
        return []
    best, below, above = own.lowest(MAE), own.below(MAE), own.above(MAE)
    sentences = []
    if best is not None:
        sentences.append(
            f"{upper_first(best.called)} is the most accurate of {len(own.versions)} versions: its "
            f"MAE is below that of every other one, all looked at together. {_mae(best)}"
        )
    below = [version for version in below if version is not best]
    if below:
        sentences.append(f"More accurate than {own.baseline.called}: {_names(below)}.")
    if above:
        sentences.append(f"Less accurate than {own.baseline.called}: {_names(above)}.")
    if sentences or len(own.one_seed) == len(own.versions):
        return sentences
    return [_none_better(own, "more or less accurate")]


def _price(own: SetNumbers) -> list[str]:
    """Return what the fairest version costs, and whether the hardest group gains."""
    fairest = own.lowest(AVERAGE_BIAS)
    below = own.below(AVERAGE_BIAS)
    version = fairest or (below[0] if below else None)
    if version is None or version is own.baseline:
        return []
    name, baseline = version.called, own.baseline
    sentences = []
    change = own.change(MAE, version)
    if change is not None:
        interval = with_span(difference_interval(change), sign=True)
        sentences.append(f"The MAE of {name} differs from that of {baseline.called} by {interval}.")
    return [*sentences, _hardest_group(own, version)]


def _hardest_group(own: SetNumbers, version: VersionNumbers) -> str:
    """Say whether the baseline's group with the largest error gains."""
    baseline = own.baseline
    hardest = {name: baseline.hardest(name) for name in baseline.statistics.groups}
    groups = {name: group for name, group in hardest.items() if group is not None}
    attribute = max(groups, key=lambda name: groups[name].error)
    group = groups[attribute]
    after = version.group_error(attribute, group.name)
    change = own.faces.comparison.group_difference(
        attribute, group.name, version.number, baseline.number
    )
    if after is None or change is None:
        return ""
    faces = f"{faces_of(attribute, group.name)} (n = {group.n:,})"
    interval = with_span(difference_interval(change), sign=True)
    errors = f"their error is {number(after)} instead of {years(group.error)}, {interval}"
    if change.high < 0:
        return f"{upper_first(faces)}, on which {baseline.called} errs most, gain: {errors}."
    if change.low > 0:
        return (
            f"{upper_first(faces)}, on which {baseline.called} errs most, lose: {errors}. The bias "
            "is lower because others lose more."
        )
    return f"Whether {faces}, on which {baseline.called} errs most, gain cannot be said: {errors}."


def _bias(version: VersionNumbers) -> str:
    """Return the average bias of a version, as measured and without noise."""
    estimate = version.average_bias
    if estimate is None:
        return ""
    return (
        f"The measured average bias of {version.called} is {years(estimate.mean)}. "
        f"{_corrected(estimate)}"
    )


def _corrected(estimate: MetricEstimate | None) -> str:
    if estimate is None:
        return ""
    inside = span(estimate_interval(estimate))
    return f"Without what noise adds it is {years(estimate.value)} (95 % interval {inside})."


def _mae(version: VersionNumbers) -> str:
    inside = span(estimate_interval(version.mae))
    interval = f" (95 % interval {inside})" if inside else ""
    return f"The MAE of {version.called} is {years(version.mae.mean)}{interval}."


def _above_zero(own: SetNumbers) -> str:
    """Say for which attributes the baseline's bias is above 0."""
    baseline = own.baseline
    above, maybe = [], []
    for attribute in baseline.statistics.groups:
        estimate = baseline.bias(attribute)
        if estimate is None:
            continue
        words = attribute_words(attribute)
        if estimate.above_zero:
            above.append(f"{words} (at least {at_least(estimate.low)})")
        else:
            maybe.append(words)
    if not above and not maybe:
        return ""
    weights = " with these weights" if baseline.seeds == 1 else ""
    if not above:
        return f"For {baseline.called}{weights} the bias of {_some(maybe)} may be 0."
    text = f"For {baseline.called}{weights} the bias of {_some(above)} is above 0"
    return f"{text}; that of {_some(maybe)} may be 0." if maybe else f"{text}."


def _study(own: SetNumbers) -> str:
    """Hold the measured numbers beside the study's row with the lowest average bias."""
    rows = [v for v in own.versions if {MAE, AVERAGE_BIAS} <= set(v.run.published or {})]
    if not rows:
        return ""
    best = min(rows, key=lambda v: (v.run.published or {})[AVERAGE_BIAS])
    published = best.run.published or {}
    lower = [
        v
        for v in own.versions
        if v.average_bias is not None
        and v.mae.mean < published[MAE]
        and v.average_bias.mean < published[AVERAGE_BIAS]
    ]
    row = (
        f"The study's fairest row here, {best.name}, has an MAE of {number(published[MAE])} and an "
        f"average bias of {number(published[AVERAGE_BIAS])}, each from one training"
    )
    names = (
        f"both measured numbers are lower for {_names(lower)}"
        if lower
        else ("no version has both measured numbers lower")
    )
    return f"{row}; {names}. It stands here for reference: the study gives no intervals."


def _names(versions: Sequence[VersionNumbers]) -> str:
    return _some([version.called for version in versions])


def _some(parts: Sequence[str], last: str = "and") -> str:
    """Return a list within a sentence; a long one is cut, and says so."""
    if len(parts) <= MOST_NAMES:
        return joined(parts, last)
    return joined([*parts[: MOST_NAMES - 1], f"{len(parts) - MOST_NAMES + 1} more"], last)


def _has(versions: Sequence[VersionNumbers]) -> str:
    return "has" if len(versions) == 1 else "have"
