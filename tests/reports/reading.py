"""Reads the sentences of an audit back and holds each of them against the numbers.

Every sentence must be one that is known here, so that a new one cannot be made without a reader.
"""

import re
from collections.abc import Sequence

from tests.reports.coverage_checks import CoverageChecks
from tests.reports.sentence_checks import SLACK, at_least, at_most, value_of
from tests.reports.sentence_patterns import COVERAGE_PATTERNS, NUMBER, PATTERNS

from fairage.auditing.audit_settings import AuditSettings
from fairage.auditing.result import ModelAudit
from fairage.auditing.result_parts import DIFFER, MAE, MEAN_ERROR, TELL, WITHIN, Gap, Verdict
from fairage.reports.audit_captions import (
    age_sentence,
    group_age_sentence,
    group_sentence,
    intersection_sentence,
)
from fairage.reports.audit_coverage import coverage_sentences, kind_sentences
from fairage.reports.audit_rates import check_group_sentence
from fairage.reports.audit_text import findings, headline
from fairage.reports.gap_text import CONFIDENCE, verdict_words
from fairage.reports.verdict_text import bias_sentence
from fairage.tables import AGE_GROUP


def read_audit(model: ModelAudit, settings: AuditSettings) -> set[str]:
    """Read every sentence and cell of a model's audit; return the names of those sentences.

    Raises:
        AssertionError: A sentence is not known, or its numbers do not allow it.
    """
    reader = Reader(model, settings)
    reader.read()
    return reader.names


class Reader(CoverageChecks):
    """One model and the sentences that may be said of it."""

    def read(self) -> None:
        self._verdicts()
        self.read_text("headline", headline(self.model))
        self._first_line()
        self._findings()
        for attribute in self.model.verdicts:
            self.attribute = attribute
            self.read_text(f"groups of {attribute}", group_sentence(self.model, attribute))
            if attribute != AGE_GROUP:
                words = group_age_sentence(self.model, attribute)
                self.read_text(f"age of {attribute}", words)
                if self.model.age_check is not None:
                    words = check_group_sentence(self.model.age_check, attribute)
                    self.read_text(f"check of {attribute}", words)
        self.attribute = ""
        self.read_text("bias", bias_sentence(self.model))
        self.read_text("age", age_sentence(self.model))
        self._cells()
        self._intersections()
        self._intervals()

    def _findings(self) -> None:
        """Read the findings; those on the model's own intervals stand side by side."""
        lines = findings(self.model, self.settings)
        of_intervals = coverage_sentences(self.model.coverage)
        start = lines.index(of_intervals[0]) if of_intervals else len(lines)
        end = start + len(of_intervals)
        assert lines[start:end] == of_intervals
        for line in lines[:start] + lines[end:]:
            self.read_text("finding", line)
        for line in of_intervals:
            self.read_text("finding", line, COVERAGE_PATTERNS)
        self.coverage_is_told()

    def read_text(
        self, place: str, text: str, patterns: Sequence[tuple[re.Pattern[str], str]] = PATTERNS
    ) -> None:
        """Read a text from its start to its end: each part must be a known sentence."""
        rest = text.replace(f" {CONFIDENCE}", "")
        assert "\N{EN DASH}" not in rest, f"{place}: nothing where a number should stand: {text}"
        assert not re.search(r"\b(nan|inf|None)\b(?! of)|\d{16}", rest), f"{place}: {text}"
        while rest:
            for pattern, name in patterns:
                match = pattern.match(rest)
                if match:
                    try:
                        getattr(self, f"check_{name}")(match)
                        self.names.add(name)
                    except AssertionError as error:
                        raise AssertionError(f"{place}: {match[0]!r}: {error}") from error
                    rest = rest[match.end() :].lstrip()
                    break
            else:
                raise AssertionError(f"{place}: not known: {rest!r} of {text!r}")

    # ---- the numbers among themselves

    def _verdicts(self) -> None:
        for name, verdict in self.model.verdicts.items():
            gaps = self.model.gaps.get(name, ())
            bounds = [gap.at_most for gap in gaps]
            inside = bool(gaps) and all(b is not None and b <= verdict.margin for b in bounds)
            differ = [gap for gap in gaps if gap.differs]
            assert set(verdict.differing) == set(differ), name
            if verdict.kind == WITHIN:
                assert inside, name
            elif verdict.kind == DIFFER:
                assert differ, name
                assert not inside, name
            elif verdict.reason != "failures differ":
                assert not differ, name
                assert not inside, name
            self._bias_agrees(name, differ)
        head = {n: v for n, v in self.model.verdicts.items() if n != AGE_GROUP}
        self._joint(head or self.model.verdicts)

    def _bias_agrees(self, name: str, differ: Sequence[Gap]) -> None:
        for measure, biases in ((MAE, self.model.bias), (MEAN_ERROR, self.model.mean_error_bias)):
            bias = biases.get(name)
            if bias is None:
                assert not differ, name
                continue
            some = any(gap.measure == measure for gap in differ)
            assert ((bias.low or 0.0) > 0) == some, f"{name}: bias {bias}, pair differs: {some}"
            gaps = [gap for gap in self.model.gaps[name] if gap.measure == measure]
            least = sum(gap.at_least for gap in gaps) / len(gaps)
            most = sum(gap.at_most or 0.0 for gap in gaps) / len(gaps)
            assert (bias.low or 0.0) >= least - SLACK or not some, name
            assert bias.high is None or bias.high <= most + SLACK, name

    def _joint(self, verdicts: dict[str, Verdict]) -> None:
        joint = self.model.verdict
        kinds = [v.kind for v in verdicts.values() if v.reason != "fewer than two groups"]
        if not kinds:
            assert joint.kind == TELL
        elif DIFFER in kinds:
            assert joint.kind == DIFFER
        else:
            assert joint.kind == (WITHIN if set(kinds) == {WITHIN} else TELL)

    def _first_line(self) -> None:
        """Hold the first line against the verdicts: what must be in it, and what must not."""
        text = headline(self.model)
        verdicts = {n: v for n, v in self.model.verdicts.items() if n != AGE_GROUP}
        if any(v.kind == DIFFER for v in verdicts.values()):
            assert "apart" in text
        if verdicts and all(v.kind == TELL and not v.differing for v in verdicts.values()):
            assert "cannot tell" in text or "nothing to compare" in text
        for v in self.model.verdicts.values():
            assert ("Not judged" in text) or not v.left_out
        uneven = any(v.kind == DIFFER for v in self.model.failures.verdicts.values())
        assert ("There is no estimate for" in text) == uneven

    def _cells(self) -> None:
        for verdict in [*self.model.verdicts.values(), self.model.verdict]:
            self._cell(verdict, verdict_words(verdict), "years", 1.0)
        rates = list(self.model.failures.verdicts.values())
        if self.model.age_check is not None:
            rates += self.model.age_check.verdicts.values()
            rates += self.model.age_check.challenged_verdicts.values()
        for verdict in rates:
            self._cell(verdict, verdict_words(verdict, rate=True), "points", 100.0)

    def _cell(self, verdict: Verdict, words: str, unit: str, scale: float) -> None:
        starts = {DIFFER: "differ by at least ", WITHIN: "no gap above ", TELL: "cannot tell: "}
        assert words.startswith(starts[verdict.kind]), words
        size = re.match(
            rf"(?:differ by at least|no gap above|cannot tell: up to) {NUMBER} {unit}", words
        )
        if verdict.kind == DIFFER:
            assert size
            at_least(value_of(size[1]), scale * verdict.at_least)
        elif size:
            assert verdict.at_most is not None
            at_most(value_of(size[1]), scale * verdict.at_most)

    # ---- cells of two attributes

    def _intersections(self) -> None:
        for crossed in self.model.intersections:
            text, verdict = intersection_sentence(crossed), crossed.verdict
            bounds = re.findall(rf"(at least|at most) {NUMBER} years apart", text)
            for bound, size in bounds:
                assert bound == "at least"
                at_least(value_of(size), verdict.at_least)
            if verdict.kind == DIFFER:
                assert bounds
            else:
                assert bool(bounds) == bool(verdict.differing)
            within = re.search(rf"No gap between these cells is larger than {NUMBER} years\.", text)
            assert bool(within) == (verdict.kind == WITHIN)
            if within:
                at_most(value_of(within[1]), verdict.at_most or 0.0)
            assert ("cannot tell" in text) == (verdict.kind == TELL and verdict.reason == "")
            assert "\N{EN DASH}" not in text
            small = sum(not cell.takes_part for cell in crossed.cells)
            assert ("Hatched" in text) == bool(small)

    # ---- the model's own intervals

    def _intervals(self) -> None:
        coverage = self.model.coverage
        if coverage is None:
            return
        self.coverage_agrees(coverage)
        for attribute in coverage:
            self.attribute = attribute
            words = " ".join(kind_sentences(coverage, attribute))
            self.read_text(f"intervals by {attribute}", words, COVERAGE_PATTERNS)
            self.coverage_is_told()
        self.attribute = ""
