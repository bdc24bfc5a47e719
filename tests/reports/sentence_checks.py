"""What holds the numbers of each sentence of an audit against the result."""

import itertools
import re
from collections.abc import Sequence

from tests.reports.sentence_patterns import NUMBER

from fairage._text import number
from fairage.auditing.audit_settings import AuditSettings
from fairage.auditing.result import ModelAudit
from fairage.auditing.result_parts import (
    ALL,
    DIFFER,
    MAE,
    MEAN_ERROR,
    TELL,
    WITHIN,
    AdjustedGap,
    Gap,
    Interval,
    Verdict,
)
from fairage.reports.format import attribute_words, faces_of, group_words
from fairage.tables import AGE_GROUP

SLACK = 1e-6
COARSEST = 1.0  # limits are written with a digit or more, points from ten on with none


def same(text: str, value: float) -> None:
    """Check that a text is a number as it is written."""
    digits = len(text.partition(".")[2])
    assert abs(value_of(text) - value) <= 0.5 * 10.0**-digits + SLACK, f"{text} for {value}"


def at_least(written: float, limit: float) -> None:
    """Check a lower limit: above 0, never more than the data allow, and not far below."""
    assert 0 < written <= limit + SLACK, f"at least {written} for {limit}"
    assert written > limit - COARSEST


def at_most(written: float, limit: float) -> None:
    """Check an upper limit: never less than the data allow, and not far above."""
    assert written >= limit - SLACK, f"at most {written} for {limit}"
    assert written < limit + COARSEST


def value_of(text: str) -> float:
    return float(text.replace(",", "").replace("\N{MINUS SIGN}", "-"))


class SentenceChecks:
    """One model, and a check for each name in `sentence_patterns`."""

    def __init__(self, model: ModelAudit, settings: AuditSettings) -> None:
        self.model, self.settings = model, settings
        self.faces = {
            faces_of(name, group).lower(): (name, group)
            for name, groups in model.groups.items()
            for group in groups
        } | {"all faces": (ALL, ALL)}
        for name, groups in model.failures.groups.items():
            self.faces |= {faces_of(name, group).lower(): (name, group) for group in groups}
        self.named = {attribute_words(name): name for name in model.verdicts}
        self.attribute = ""
        self.names: set[str] = set()
        self.pair: tuple[Gap, ...] = ()

    def check_nothing(self, _: re.Match[str]) -> None:
        """Read a sentence that says nothing of gaps; its numbers have tests of their own."""

    def _who(self, text: str) -> tuple[str, str]:
        return self.faces[text.lower()]

    def _group(self, text: str) -> dict[str, Interval]:
        attribute, group = self._who(text)
        return self.model.groups[attribute][group].measures

    def _gaps_of(self, first: str, second: str) -> dict[str, Gap]:
        attribute, one = self._who(first)
        other_attribute, other = self._who(second)
        assert attribute == other_attribute
        pair = {one, other}
        return {
            gap.measure: gap
            for gap in self.model.gaps[attribute]
            if {gap.first, gap.second} == pair
        }

    def check_mae(self, match: re.Match[str]) -> None:
        first, larger, second, smaller, *rest = match.groups()
        self._named((first, second), (larger, smaller), MAE, rest)

    def _named(
        self, names: tuple[str, str], values: Sequence[str], measure: str, rest: Sequence[str]
    ) -> None:
        """Check a pair whose first sentence is about `measure`, and what follows of the other."""
        gaps = self._gaps_of(*names)
        gap = gaps[measure]
        self.pair = (gap, *(other for key, other in gaps.items() if key != measure))
        for name, value in zip(names, values, strict=True):
            same(value, self._group(name)[measure].value)
        bound, size, _, other, *more = rest
        assert bound == "at least"
        assert gap.differs
        at_least(value_of(size), gap.at_least)
        if other is None:
            return
        key = MAE if other == "MAE" else MEAN_ERROR
        assert key != measure
        first, second, bound, size, _ = more
        for name, value in zip(names, (first, second), strict=True):
            same(value, self._group(name)[key].value)
        self._bound(gaps[key], bound, size)

    def _bound(self, gap: Gap, bound: str, size: str) -> None:
        assert (bound == "at least") == gap.differs
        if gap.differs:
            at_least(value_of(size), gap.at_least)
        else:
            assert gap.at_most is not None
            at_most(value_of(size), gap.at_most)

    def _sides(self, match: re.Match[str]) -> tuple[Interval, Interval]:
        first, second, one, other, *rest = match.groups()
        self._named((first, second), (one, other), MEAN_ERROR, rest)
        return self._group(first)[MEAN_ERROR], self._group(second)[MEAN_ERROR]

    def check_both_sides(self, match: re.Match[str]) -> None:
        old, young = self._sides(match)
        assert old.low is not None
        assert old.low > 0
        assert young.high is not None
        assert young.high < 0

    def check_too_old(self, match: re.Match[str]) -> None:
        more, less = self._sides(match)
        assert min(more.low or -1, less.low or -1) > 0
        assert more.value >= less.value

    def check_too_young(self, match: re.Match[str]) -> None:
        more, less = self._sides(match)
        assert max(more.high or 1, less.high or 1) < 0
        assert more.value <= less.value

    def check_older(self, match: re.Match[str]) -> None:
        older, younger = self._sides(match)
        assert older.value >= younger.value

    def _attributes(self, text: str) -> list[str]:
        """Return the attributes in a list; those behind "N other attributes" are not named."""
        if text == "age groups":
            return [AGE_GROUP]
        parts = re.split(r", | and | or ", text.removeprefix("the groups of "))
        return [self.named[part.lower()] for part in parts if not part[:1].isdigit()]

    def check_within(self, match: re.Match[str]) -> None:
        verdicts = [self.model.verdicts[name] for name in self._attributes(match[1])]
        assert all(verdict.kind == WITHIN for verdict in verdicts)
        assert bool(match[3]) == any(
            verdict.kind == DIFFER for verdict in self.model.failures.verdicts.values()
        )
        at_most(value_of(match[2]), max(verdict.at_most or 0.0 for verdict in verdicts))

    def check_cannot_tell(self, match: re.Match[str]) -> None:
        verdicts = [self.model.verdicts[name] for name in self._attributes(match[1])]
        assert all(verdict.kind == TELL and not verdict.differing for verdict in verdicts)
        at_most(value_of(match[2]), max(verdict.at_most or 0.0 for verdict in verdicts))
        if match[3]:
            assert value_of(match[3]) == max(verdict.rows_needed or 0 for verdict in verdicts)

    def check_failing(self, match: re.Match[str]) -> None:
        bounds = [self.model.verdicts[name].at_most for name in self._attributes(match[1])]
        assert (match[2] is None) == (None in bounds)
        if match[2]:
            at_most(value_of(match[2]), max(bound or 0.0 for bound in bounds))
        for name in self._attributes(match[1]):
            assert self.model.verdicts[name].kind == TELL
            assert self.model.failures.verdicts[name].kind == DIFFER

    def check_also(self, match: re.Match[str]) -> None:
        parts = re.findall(rf"(?:^|, | and )([^(),]+?) \(by at least {NUMBER} years\)", match[1])
        assert parts
        for words, size in parts:
            verdict = self.model.verdicts[self.named[words]]
            assert verdict.kind == DIFFER
            at_least(value_of(size), verdict.at_least)

    def check_fewer(self, match: re.Match[str]) -> None:
        age = match[1].startswith("Fewer")
        for name in [AGE_GROUP] if age else self._attributes(match[1].lower()):
            groups = self.model.groups[name].values()
            assert sum(group.takes_part for group in groups) < 2

    def check_left_out(self, match: re.Match[str]) -> None:
        verdicts = [self.attribute] if self.attribute else list(self.model.verdicts)
        left = {
            f"{attribute_words(name)} {group_words(group)}": n
            for attribute in verdicts
            for name, group, n in self.model.verdicts[attribute].left_out
        }
        for words, n in re.findall(r"([^,()]+?) \(([\d,]+) faces?\)", match[1]):
            assert left[re.sub(r"^(?:, )?(?:and )?", "", words.strip())] == value_of(n)

    def _adjusted(self, measure: str | None, first: str | None, second: str | None) -> AdjustedGap:
        """Return the adjusted gap of the pair that was named last, or here."""
        if first is not None and second is not None:
            self.pair = tuple(self._gaps_of(first, second).values())
        key = {"MAE": MAE, "mean error": MEAN_ERROR}.get(measure or "", self.pair[0].measure)
        self.pair = tuple(sorted(self.pair, key=lambda gap: gap.measure != key))
        gap = self.pair[0]
        assert gap.differs
        for each in self.model.by_age.adjusted[gap.attribute]:
            if each.measure == key and {each.first, each.second} == {gap.first, gap.second}:
                assert each.first == gap.first or each.crude.value == 0
                return each
        raise AssertionError("no adjusted gap")

    def check_explained(self, match: re.Match[str]) -> None:
        adjusted = self._adjusted(*match.groups()[1:4])
        assert adjusted.usable
        if match[1] == "Part of":
            at_least(value_of(match[5]), min(adjusted.explained.low or 0.0, adjusted.crude.value))
        else:
            at_least(value_of(match[5]), -(adjusted.explained.high or 0.0))

    def check_remains(self, match: re.Match[str]) -> None:
        adjusted = self._adjusted(*match.groups()[:3])
        assert adjusted.usable
        at_least(value_of(match[4]), adjusted.adjusted.low or 0.0)

    def check_turned(self, match: re.Match[str]) -> None:
        adjusted = self._adjusted(*match.groups()[:3])
        assert adjusted.usable
        at_least(value_of(match[4]), -(adjusted.adjusted.high or 0.0))

    def check_not_known(self, match: re.Match[str]) -> None:
        adjusted = self._adjusted(*match.groups()[:3])
        assert adjusted.usable
        assert (adjusted.adjusted.low or 0.0) <= 0 <= (adjusted.adjusted.high or 0.0)

    def check_no_overlap(self, match: re.Match[str]) -> None:
        assert not self._adjusted(*match.groups()[:3]).usable

    def check_no_adjustment(self, match: re.Match[str]) -> None:
        gap = self.pair[0]
        assert not any(
            {each.first, each.second} == {gap.first, gap.second}
            for each in self.model.by_age.adjusted.get(gap.attribute, ())
        )

    def check_hidden(self, match: re.Match[str]) -> None:
        measure = MAE if match[1] == "MAE" else MEAN_ERROR
        gap = self._gaps_of(match[2], match[3])[measure]
        assert not gap.differs, "it is no secret"
        _, larger = self._who(match[2])
        adjusted = next(
            each
            for each in self.model.by_age.adjusted[gap.attribute]
            if each.measure == measure and {each.first, each.second} == {gap.first, gap.second}
        )
        straight = adjusted.first == larger
        low, high = adjusted.adjusted.low or 0.0, adjusted.adjusted.high or 0.0
        assert adjusted.usable
        at_least(value_of(match[4]), low if straight else -high)

    def check_none_usable(self, _: re.Match[str]) -> None:
        assert not any(each.usable for each in self.model.by_age.adjusted.get(self.attribute, ()))

    def check_none_hidden(self, _: re.Match[str]) -> None:
        assert not self.model.verdicts[self.attribute].differing

    def check_one_group(self, _: re.Match[str]) -> None:
        groups = self.model.groups[self.attribute].values()
        assert sum(group.takes_part for group in groups) < 2

    def _is_worst(self, attribute: str, group: str) -> bool:
        others = [
            other
            for other in self.model.groups[attribute].values()
            if other.takes_part and other.name != group
        ]
        gaps = [
            gap
            for gap in self.model.gaps[attribute]
            if gap.measure == MAE and gap.first == group and gap.differs
        ]
        return len(gaps) == len(others) > 0

    def check_worst(self, match: re.Match[str]) -> None:
        attribute, group = self._who(match[1])
        assert self._is_worst(attribute, group)
        same(match[2], self._group(match[1])[MAE].value)

    def check_largest(self, match: re.Match[str]) -> None:
        attribute, group = self._who(match[1])
        own = self._group(match[1])[MAE].value
        assert not self._is_worst(attribute, group)
        judged = [other for other in self.model.groups[attribute].values() if other.takes_part]
        assert own >= max(other[MAE].value for other in judged) - SLACK
        same(match[2], own)

    def check_pairs(self, match: re.Match[str]) -> None:
        counts = []
        for name in [self.attribute] if self.attribute else self.model.verdicts:
            gaps = self.model.gaps.get(name, ())
            pairs = {frozenset((gap.first, gap.second)) for gap in gaps}
            differ = {frozenset((gap.first, gap.second)) for gap in gaps if gap.differs}
            counts.append((len(differ), len(pairs)))
        number_of = 0 if match[1] == "None" else int(match[1])
        assert (number_of, int(match[2])) in counts

    def check_bias(self, match: re.Match[str]) -> None:
        self.attribute_of_bias = self.named[match[1]]
        name = self.attribute_of_bias
        self._interval(match.groups()[1:4], self.model.bias[name])
        same(match[5], self.model.corrected_bias[name])
        same(match[6], self.model.floors[name].mean)
        same(match[7], self.model.floors[name].p975)

    def check_mean_error_bias(self, match: re.Match[str]) -> None:
        self._interval(match.groups(), self.model.mean_error_bias[self.attribute_of_bias])

    def _interval(self, texts: Sequence[str], interval: Interval) -> None:
        for text, value in zip(texts, (interval.value, interval.low, interval.high), strict=True):
            assert value is not None
            same(text, value)

    def check_together(self, _: re.Match[str]) -> None:
        self._unequal(self.attribute_of_bias, MAE)

    def check_together_mean(self, _: re.Match[str]) -> None:
        self._unequal(self.attribute_of_bias, MEAN_ERROR)

    def _unequal(self, name: str, measure: str) -> None:
        biases, floors = self.model.bias, self.model.floors
        if measure == MEAN_ERROR:
            biases, floors = self.model.mean_error_bias, self.model.mean_error_floors
        assert biases[name].value > floors[name].p975
        assert not any(g.differs for g in self.model.gaps[name] if g.measure == measure)

    def check_average(self, match: re.Match[str]) -> None:
        average, floor = self.model.average_bias, self.model.average_floor
        assert average is not None
        assert floor is not None
        self._interval(match.groups()[:3], average)
        same(match[4], self.model.average_corrected or 0.0)
        same(match[6], floor.p975)

    def check_average_together(self, _: re.Match[str]) -> None:
        gaps = itertools.chain.from_iterable(self.model.gaps.values())
        assert not any(gap.differs for gap in gaps if gap.measure == MAE)

    def check_above(self, match: re.Match[str]) -> None:
        for name in self._attributes(match[1]):
            assert (self.model.bias[name].low or 0.0) > 0

    def check_caption_together(self, match: re.Match[str]) -> None:
        for name in self._attributes(match[1]):
            self._unequal(name, MAE)

    def check_not_above(self, match: re.Match[str]) -> None:
        for name in self._attributes(match[1]):
            assert (self.model.bias[name].low or 0.0) == 0
            assert self.model.bias[name].value <= self.model.floors[name].p975

    def check_no_bias(self, _: re.Match[str]) -> None:
        assert not self.model.bias

    # ---- rates

    def check_uneven(self, match: re.Match[str]) -> None:
        self._rate_pair(match.groups(), self.model.failures.verdicts, self.model.failures.groups)

    def _rate_pair(
        self,
        texts: Sequence[str],
        verdicts: dict[str, Verdict],
        rates: dict[str, dict[str, Interval]],
    ) -> None:
        more, first, less, second, size = texts
        (attribute, one), (_, other) = self._who(first), self._who(second)
        gap = next(
            gap for gap in verdicts[attribute].differing if (gap.first, gap.second) == (one, other)
        )
        at_least(value_of(size), 100 * gap.at_least)
        for text, group in ((more, one), (less, other)):
            assert abs(float(text) - 100 * rates[attribute][group].value) <= 0.51

    def _rate_verdict(self, name: str, attribute: str) -> Verdict:
        verdicts = self.model.failures.verdicts
        if "missing" not in name:
            assert self.model.age_check is not None
            checks = self.model.age_check
            verdicts = checks.challenged_verdicts if "do not" in name else checks.verdicts
        return verdicts[self.named.get(attribute, attribute)]

    def check_rate_within(self, match: re.Match[str]) -> None:
        verdict = self._rate_verdict(match[1], match[2])
        assert verdict.kind == WITHIN
        at_most(value_of(match[3]), 100 * (verdict.at_most or 0.0))

    def check_rate_open(self, match: re.Match[str]) -> None:
        verdict = self._rate_verdict(match[1], match[2])
        assert verdict.kind == TELL
        assert not verdict.differing
        at_most(value_of(match[3]), 100 * (verdict.at_most or 0.0))

    def check_rate_fewer(self, match: re.Match[str]) -> None:
        verdict = self._rate_verdict(match[2], match[1])
        assert verdict.kind == TELL
        assert len(verdict.groups) < 2

    def check_check_differs(self, match: re.Match[str]) -> None:
        check = self.model.age_check
        assert check is not None
        passing = match[5] == "pass"
        verdicts = check.verdicts if passing else check.challenged_verdicts
        rates = {
            name: {
                group: each.false_positive if passing else each.challenged
                for group, each in groups.items()
            }
            for name, groups in check.groups.items()
        }
        self._rate_pair((*match.groups()[:4], match[6]), verdicts, rates)

    def check_failure_rate(self, match: re.Match[str]) -> None:
        assert abs(float(match[1]) - 100 * self.model.failures.overall.value) <= 0.051

    def check_withheld(self, match: re.Match[str]) -> None:
        values = self.model.failures.mae_if_withheld.values()
        same(match[1], min(values))
        same(match[2] or match[1], max(values))
        same(match[3], self.model.overall[MAE].value)

    def check_no_threshold(self, _: re.Match[str]) -> None:
        assert self.model.age_check is not None
        assert self.model.age_check.reached_at is None

    def check_threshold(self, match: re.Match[str]) -> None:
        check = self.model.age_check
        assert check is not None
        assert check.reached_at is not None
        assert abs(float(match[1]) - 100 * check.wanted_rate) < SLACK
        assert number(check.reached_at, 1) == match[2]
        assert self._who(match[3]) == check.reached_by

    def check_rests(self, match: re.Match[str]) -> None:
        check = self.model.age_check
        assert check is not None
        assert check.reached_bound is not None
        assert (check.reached_bound > check.wanted_rate) == (match[2] == "could still be up to")
        at_most(float(match[3]), 100 * check.reached_bound)

    def check_bounds(self, match: re.Match[str]) -> None:
        ranges = self.model.ranges
        assert ranges is not None
        assert ranges.mae_least is not None
        at_least(value_of(match[1]), ranges.mae_least.value)
        if match.re.groups > 1:
            assert ranges.mae_most is not None
            at_most(value_of(match[2]), ranges.mae_most.value)
