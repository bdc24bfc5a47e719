"""What holds the numbers of each sentence on a model's own intervals against the result."""

import math
import re
from collections.abc import Sequence

from tests.reports.sentence_checks import SLACK, SentenceChecks, at_least, at_most, same, value_of
from tests.reports.sentence_patterns import BY, FACES, UP_TO

from fairage._text import joined
from fairage.auditing.audit_settings import AuditSettings
from fairage.auditing.interval_coverage import (
    ABOVE,
    NEAR,
    SHORT,
    UNSURE,
    Coverage,
    CoverageKind,
    GroupCoverage,
    kind_of,
)
from fairage.auditing.result import ModelAudit
from fairage.auditing.result_parts import Interval
from fairage.reports.audit_coverage import kind_words
from fairage.reports.format import attribute_words, group_words

LISTED = re.compile(rf"{FACES} \((?:(?P<share>[\d.]+)\u202f%|not known), (?:{BY}|{UP_TO})\)")
SMALL = re.compile(r"(?P<group>[^()]+) \((?P<n>[\d,]+) faces?\)")
OTHERS = re.compile(r"(?P<n>[\d,]+) other groups")
CELLS: dict[CoverageKind, str] = {
    SHORT: rf"falls short {BY}",
    ABOVE: rf"more than promised, {BY}",
    NEAR: r"within (?P<margin>[\d.]+) points of the promise",
    UNSURE: rf"cannot tell: {UP_TO}",
}


class CoverageChecks(SentenceChecks):
    """A check for each name in `sentence_patterns.COVERAGE`.

    Sentences that list groups are about those of `attribute`, or about all where it is empty.
    """

    def __init__(self, model: ModelAudit, settings: AuditSettings) -> None:
        super().__init__(model, settings)
        self.kinds: list[CoverageKind] = []
        self.small_told = False

    @property
    def coverage(self) -> Coverage:
        assert self.model.coverage is not None
        return self.model.coverage

    @property
    def level(self) -> float:
        assert self.coverage.level is not None
        return self.coverage.level

    def _in_scope(self) -> dict[tuple[str, str], GroupCoverage]:
        return {
            (name, group): own
            for name, groups in self.coverage.items()
            for group, own in groups.items()
            if self.attribute in ("", name)
        }

    # ---- all rows

    def check_coverage_no_level(self, match: re.Match[str]) -> None:
        self._share(match)
        assert self.coverage.level is None

    def check_coverage_short(self, match: re.Match[str]) -> None:
        self._share(match)
        self._promise(match, SHORT)

    def check_coverage_above(self, match: re.Match[str]) -> None:
        self._share(match)
        self._promise(match, ABOVE)

    def check_coverage_near(self, match: re.Match[str]) -> None:
        self._share(match)
        self._promise(match, NEAR)

    def check_coverage_unsure(self, match: re.Match[str]) -> None:
        self._share(match)
        self._promise(match, UNSURE)

    def check_coverage_no_share(self, match: re.Match[str]) -> None:
        self._no_share(match)
        self._promise(match, UNSURE)

    def check_coverage_no_share_no_level(self, match: re.Match[str]) -> None:
        self._no_share(match)
        assert self.coverage.level is None

    def _share(self, match: re.Match[str]) -> None:
        covered = self._faces(match)
        _percentages(match.group("share", "low", "high"), covered)
        low, high = map(float, match.group("low", "high"))
        assert 0 <= low <= float(match["share"]) <= high <= 100

    def _no_share(self, match: re.Match[str]) -> None:
        assert math.isnan(self._faces(match).value)
        assert self.coverage.overall.undecided == self.coverage.overall.covered.n

    def _faces(self, match: re.Match[str]) -> Interval:
        covered = self.coverage.overall.covered
        assert value_of(match["faces"]) == covered.n
        assert (match["persons"] is None) == (covered.n_persons is None)
        if match["persons"]:
            assert value_of(match["persons"]) == covered.n_persons
        return covered

    def _promise(self, match: re.Match[str], kind: CoverageKind) -> None:
        assert abs(float(match["level"]) - 100 * self.level) < SLACK
        self._limits(match, self.coverage.overall, kind)

    def _limits(self, match: re.Match[str], own: GroupCoverage, kind: CoverageKind) -> None:
        """Check what is written of one group's limits, and that they are of this kind."""
        assert own.kind == kind
        assert own.low is not None
        assert own.high is not None
        assert kind_of(own.low, own.high, self.level, self.coverage.margin) == kind
        written = match.groupdict()
        below, above = 100 * (self.level - own.low), 100 * (own.high - self.level)
        if kind in (SHORT, ABOVE):
            assert written["by"], "how far it is at least is not said"
            at_least(float(written["by"]), -above if kind == SHORT else -below)
        elif written.get("less"):
            assert written.get("by") is None
            at_most(float(written["less"]), below)
            at_most(float(written["more"]), above)
            if kind == NEAR:
                most = max(float(written["less"]), float(written["more"]))
                assert most <= 100 * self.coverage.margin + SLACK, "not within the margin"
        else:
            assert kind == NEAR, "how far it may be at most is not said"
        if written.get("margin"):
            self._margin(match)

    def _margin(self, match: re.Match[str]) -> None:
        assert abs(float(match["margin"]) - 100 * self.coverage.margin) < SLACK

    # ---- widths, and what has no part

    def check_coverage_no_width(self, _: re.Match[str]) -> None:
        overall = self.coverage.overall
        assert overall.open_ends == overall.covered.n

    def check_coverage_width(self, match: re.Match[str]) -> None:
        assert self.coverage.overall.open_ends == 0
        self._mean_width(match)
        same(match["median"], self.coverage.overall.median_width.value)

    def check_coverage_width_of_some(self, match: re.Match[str]) -> None:
        self._open_ends(match)
        same(match["median"], self.coverage.overall.median_width.value)

    def check_coverage_width_without_median(self, match: re.Match[str]) -> None:
        self._open_ends(match)
        assert math.isinf(self.coverage.overall.median_width.value)
        assert 2 * value_of(match["open"]) >= value_of(match["faces"])

    def _open_ends(self, match: re.Match[str]) -> None:
        overall = self.coverage.overall
        assert value_of(match["open"]) == overall.open_ends > 0
        assert value_of(match["faces"]) == overall.covered.n > overall.open_ends
        self._mean_width(match)

    def _mean_width(self, match: re.Match[str]) -> None:
        overall = self.coverage.overall
        assert overall.mean_width.n == overall.covered.n - overall.open_ends
        same(match["mean"], overall.mean_width.value)
        ends = (overall.mean_width.low, overall.mean_width.high)
        for text, end in zip(match.group("low", "high"), ends, strict=True):
            assert (text is None) == (end is None)
            if end is not None:
                same(text, end)

    def check_coverage_without(self, match: re.Match[str]) -> None:
        assert value_of(match["n"]) == self.coverage.overall.without > 0
        assert (match["verb"] == "has") == (match["n"] == "1")

    def check_coverage_undecided(self, match: re.Match[str]) -> None:
        assert value_of(match["n"]) == self.coverage.overall.undecided > 0

    # ---- groups

    def check_coverage_none_short(self, match: re.Match[str]) -> None:
        self._at_once(match)
        self.kinds.append(SHORT)
        assert not any(own.kind == SHORT for own in self._in_scope().values())

    def check_coverage_all_short(self, match: re.Match[str]) -> None:
        self._at_once(match)
        self._list(match, SHORT)

    def check_coverage_all_above(self, match: re.Match[str]) -> None:
        self._list(match, ABOVE)

    def check_coverage_all_near(self, match: re.Match[str]) -> None:
        self._margin(match)
        self._list(match, NEAR)

    def check_coverage_all_unsure(self, match: re.Match[str]) -> None:
        self._list(match, UNSURE)

    def _at_once(self, match: re.Match[str]) -> None:
        groups = [own for each in self.coverage.values() for own in each.values()]
        judged = sum(own.takes_part for own in groups)
        assert judged == (1 if match["judged"] is None else value_of(match["judged"]))
        if match["judged"] is None:
            self.names.add("one group judged")

    def _list(self, match: re.Match[str], kind: CoverageKind) -> None:
        """Check a list of groups: all of this kind and no other, the furthest first."""
        self.kinds.append(kind)
        groups = {key: own for key, own in self._in_scope().items() if own.kind == kind}
        named = []
        parts, others = self._parts(match["groups"], "other groups")
        for part in parts:
            item = LISTED.fullmatch(part)
            assert item, f"no group with its coverage: {part!r}"
            key = self._who(item[1])
            own = groups.pop(key, None)
            assert own, f"{key} is listed twice or is not: {kind}"
            assert (item["share"] is None) == math.isnan(own.covered.value)
            if item["share"]:
                _percentages([item["share"]], own.covered)
            self._limits(item, own, kind)
            named.append(self._reach(own))
        assert named == sorted(named, reverse=True), "the furthest are not first"
        assert others == len(groups), f"not listed: {list(groups)}"
        assert max(map(self._reach, groups.values()), default=0) <= min(named) + SLACK

    def _parts(self, text: str, name: str) -> tuple[Sequence[str], int]:
        """Return the parts of a list that name a group, and how many groups it leaves out."""
        parts = re.split(r"(?<=\)), |(?<=\)) and ", text)
        assert joined(parts) == text
        last = OTHERS.fullmatch(parts[-1])
        if not last:
            return parts, 0
        self.names.add(name)
        assert value_of(last["n"]) > 1
        return parts[:-1], int(value_of(last["n"]))

    def _reach(self, own: GroupCoverage) -> float:
        """Return how far a group is from the promise, at least; at most where it may be kept."""
        assert own.low is not None
        assert own.high is not None
        if own.kind == SHORT:
            return self.level - own.high
        if own.kind == ABOVE:
            return own.low - self.level
        return max(self.level - own.low, own.high - self.level)

    def check_coverage_not_judged(self, match: re.Match[str]) -> None:
        self.small_told = True
        left = {
            f"{attribute_words(name)} {group_words(group)}": own.covered.n
            for (name, group), own in self._in_scope().items()
            if not own.takes_part
        }
        parts, others = self._parts(match["groups"], "other groups not judged")
        for part in parts:
            item = SMALL.fullmatch(part)
            assert item, f"no group with its size: {part!r}"
            assert left.pop(item["group"], None) == value_of(item["n"]), part
        assert others == len(left), f"not listed: {list(left)}"

    def coverage_is_told(self) -> None:
        """Check that each group has been in a sentence since the last call: of its own kind."""
        kinds, told, small = self.kinds, bool(self.kinds), self.small_told
        self.kinds, self.small_told = [], False
        if self.model.coverage is None or self.coverage.level is None or not self.coverage.judged:
            assert not told
            assert not small
            return
        groups = self._in_scope().values()
        wanted = {own.kind for own in groups if own.kind is not None}
        assert len(kinds) == len(set(kinds)), f"said twice: {kinds}"
        assert set(kinds) == (wanted | {SHORT} if wanted else set()), f"{kinds} for {wanted}"
        assert small == any(not own.takes_part for own in groups)

    # ---- the numbers among themselves

    def coverage_agrees(self, coverage: Coverage) -> None:
        """Hold kinds, sizes and limits of all groups against each other, and the cells."""
        assert coverage.margin == self.settings.rate_margin
        judged = [own for groups in coverage.values() for own in groups.values() if own.takes_part]
        assert coverage.judged == len(judged)
        overall = coverage.overall
        self._group_agrees(overall, self.model.n)
        assert coverage.groups.keys() == self.model.groups.keys()
        for name, groups in coverage.items():
            sizes = {group: each.n for group, each in self.model.groups[name].items()}
            assert groups.keys() >= sizes.keys(), f"not all groups of {name}"
            for group, own in groups.items():
                assert group in sizes or own.covered.n + own.without, f"{name}: nobody is {group}"
                self._group_agrees(own, sizes.get(group, 0))
            for key in ("open_ends", "without", "undecided"):
                total = sum(getattr(own, key) for own in groups.values())
                assert total == getattr(overall, key), f"{name}: {key}"

    def _group_agrees(self, own: GroupCoverage, n: int) -> None:
        """Check one group, of which `n` estimates have an error: ranges without an end do not."""
        ranges = self.model.ranges
        more = own.covered.n + own.without - n
        assert 0 <= more <= (0 if ranges is None else ranges.open_ranges)
        assert own.takes_part == (own.low is not None) == (own.high is not None)
        assert (own.kind is None) == (self.coverage.level is None or not own.takes_part)
        if own.low is not None and own.high is not None:
            assert own.covered.low is not None
            assert own.covered.high is not None
            assert own.low <= own.covered.low + SLACK
            assert own.high >= own.covered.high - SLACK
        words = kind_words(own, self.coverage.level, self.coverage.margin)
        if own.kind is None:
            assert words == ""
            return
        match = re.fullmatch(CELLS[own.kind], words)
        assert match, f"{words!r} of a group: {own.kind}"
        self._limits(match, own, own.kind)


def _percentages(texts: Sequence[str], share: Interval) -> None:
    """Check a share, and its limits if they are written, as percentages."""
    for text, value in zip(texts, (share.value, share.low, share.high), strict=False):
        assert value is not None
        same(text, 100 * value)
