"""What `fairage audit`, `compare` and `data ...` print for people."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from fairage._text import count, number, signed, visible
from fairage.auditing.interval_coverage import Coverage
from fairage.auditing.result import AuditResult, ModelAudit
from fairage.auditing.result_parts import ALL, MAE, MEAN_ERROR, AgeCheck, Interval, Note, Verdict
from fairage.cli.terminal import Terminal, say
from fairage.reports.audit_coverage import coverage_sentences, coverage_table
from fairage.reports.audit_rates import failure_sentences, reach_sentence
from fairage.reports.audit_text import headline, rows_sentence
from fairage.reports.comparison_text import comparison_lines
from fairage.reports.format import as_cell, as_percent_cell, attribute_words, group_words, with_span
from fairage.reports.gap_text import share_words, verdict_words
from fairage.reports.pair_text import worst_group
from fairage.reports.verdict_text import average_sentence

if TYPE_CHECKING:
    from fairage.auditing.comparison_result import ComparisonResult


_LISTED = 20


def show_dataset(dataset: dict[str, Any]) -> None:
    """Print what is known of one data set."""
    facts = {
        "faces": f"{dataset['faces']:,}" if dataset["faces"] else "",
        "ages": ", ".join(dataset["ages"]),
        "attributes": ", ".join(dataset["attributes"]),
        "splits": ", ".join(dataset["splits"]),
        "terms": dataset["terms"],
        "page": dataset["source"],
        "download": dataset["download"][0] if dataset["download"] else "",
        "to get it": dataset["obtain"],
    }
    rows = [(heading, text) for heading, text in facts.items() if text]
    title = f"{dataset['name']}: {dataset['title']}"
    Terminal().table(("", ""), rows, words=2, whole=(0,), title=title)


def show_prepared(prepared: dict[str, Any]) -> None:
    """Print what `prepare` wrote, and what it left out and why."""
    splits = ", ".join(f"{split} {count:,}" for split, count in prepared["splits"].items())
    say(f"{prepared['rows']:,} faces" + (f": {splits}" if splits else ""))
    for note in prepared["notes"]:
        say(note)
    skipped = prepared["skipped"]
    if skipped:
        say(f"Left out: {len(skipped):,}")
    for each in skipped[:_LISTED]:
        say(f"  {each['name']}: {each['reason']}")
    if len(skipped) > _LISTED:
        say(f"  and {len(skipped) - _LISTED:,} more; --json lists all")
    say(f"Wrote {prepared['out']}")


def show_description(faces: Path, description: dict[str, Any]) -> None:
    """Print the ages of each split and the support of each group."""
    terminal, ages = Terminal(), description["ages"]
    keys = ("mean", "sd", "lowest", "median", "highest")
    rows = [
        (row["split"], f"{row['rows']:,}", *(f"{row[key]:.1f}" for key in keys)) for row in ages
    ]
    terminal.table(("split", "faces", *keys), rows, title=f"Ages in {faces}, years")
    splits = [row["split"] for row in ages]
    headings = ("attribute", "group", *splits, "share", "mean age")
    groups = [_group_row(row, splits, ages[-1]["rows"]) for row in description["groups"]]
    terminal.table(headings, groups, words=2, title="Faces of each group")
    for warning in description["warnings"]:
        terminal.line(warning)


def _group_row(row: dict[str, Any], splits: Sequence[str], total: int) -> list[str]:
    counts = (f"{row['rows'][split]:,}" for split in splits)
    share = f"{row['rows']['all'] / total:.1%}"
    mean = "" if row["mean_age"] is None else f"{row['mean_age']:.1f}"
    return [row["attribute"], row["group"], *counts, share, mean]


HEADINGS = ("", "verdict", "bias", "corrected", "floor", "largest MAE", "mean errors")
FAILURE_HEADINGS = ("", "verdict", "highest rate", "lowest rate")
ARCHIVES = {".gz", ".zip"}
NAMED_COLUMNS = 6


def give_audits(results: Sequence[AuditResult], out: Path | None, *, as_json: bool) -> None:
    """Write page and numbers of each audit where a folder is given, and print the results.

    With several tables each has a folder of its own in `out`, and JSON is one line a table.
    """
    terminal = Terminal()
    for result, folder in zip(results, _folders(results, out), strict=True):
        page = None if folder is None else _write(result, folder, "audit")
        if as_json:
            _print_json(result.to_dict())
        else:
            _show_audit(terminal, result, page)


def give_comparison(result: "ComparisonResult", out: Path | None, *, as_json: bool) -> None:
    """Write page and numbers where a folder is given, and print the result."""
    terminal = Terminal()
    page = None if out is None else _write(result, out, "compare")
    if as_json:
        _print_json(result.to_dict())
    else:
        for line in comparison_lines(result):
            terminal.line(line)
        _show_end(terminal, result.notes, page)


def _show_audit(terminal: Terminal, result: AuditResult, page: Path | None) -> None:
    terminal.line(result.columns.describe())
    terminal.line(_unused(result.columns.unused))
    terminal.line(rows_sentence(result))
    for model in result.models.values():
        _show_model(terminal, model, named=len(result.models) > 1)
    _show_end(terminal, result.notes, page)


def _show_end(terminal: Terminal, notes: Iterable[Note], page: Path | None) -> None:
    """Print what a reader must know, and where the page is."""
    for note in notes:
        terminal.line(f"note: {note.text}")
    if page is not None:
        terminal.line(f"Report: {page}", wrap=False)


def _show_model(terminal: Terminal, model: ModelAudit, *, named: bool) -> None:
    terminal.blank()
    terminal.line(headline(model, named=named), style="bold")
    terminal.blank()
    terminal.line(_title(model))
    terminal.table(HEADINGS, _rows(model), words=2, whole=(2,))
    terminal.line(average_sentence(model))
    if model.failures.overall.value > 0:
        terminal.line("Missing estimates:")
        terminal.table(FAILURE_HEADINGS, _failure_rows(model), words=2)
        for sentence in failure_sentences(model)[-1:]:
            terminal.line(sentence)
    if model.coverage is not None:
        _show_coverage(terminal, model.coverage)
    if model.age_check is not None:
        _show_check(terminal, model.age_check)
    if model.claim is not None:
        terminal.line(model.claim.text)


def _title(model: ModelAudit) -> str:
    mae, mean_error = model.overall[MAE], model.overall[MEAN_ERROR]
    return (
        f"{visible(model.name)}: {count(model.n, 'face')}, MAE {with_span(mae)} years, mean error "
        f"{with_span(mean_error, sign=True)}"
    )


def _rows(model: ModelAudit) -> list[list[str]]:
    return [
        [
            attribute_words(name),
            verdict_words(verdict),
            *_bias(model, name),
            _largest(model, name),
            _mean_errors(model, name),
        ]
        for name, verdict in model.verdicts.items()
    ]


def _bias(model: ModelAudit, attribute: str) -> list[str]:
    bias, floor = model.bias.get(attribute), model.floors.get(attribute)
    corrected = number(model.corrected_bias.get(attribute))
    chance = number(None if floor is None else floor.mean)
    return [_two_lines(*as_cell(bias)), corrected, chance]


def _largest(model: ModelAudit, attribute: str) -> str:
    worst = worst_group(model, attribute)
    if worst is None:
        return number(None)
    return f"{group_words(worst[0])} {number(model.groups[attribute][worst[0]][MAE].value)}"


def _mean_errors(model: ModelAudit, attribute: str) -> str:
    groups = [group for group in model.groups[attribute].values() if group.takes_part]
    values = [group[MEAN_ERROR].value for group in groups]
    if not values:
        return number(None)
    return f"{signed(min(values))} to {signed(max(values))}"


def _failure_rows(model: ModelAudit) -> list[list[str]]:
    failures = model.failures
    return [
        [
            attribute_words(name),
            verdict_words(verdict, rate=True),
            *_extremes(verdict, failures[name]),
        ]
        for name, verdict in failures.verdicts.items()
    ]


def _extremes(verdict: Verdict, rates: Mapping[str, Interval]) -> list[str]:
    judged = [group for _, group in verdict.groups]
    if not judged:
        return [number(None)] * 2
    ends = [pick(judged, key=lambda group: rates[group].value) for pick in (max, min)]
    return [f"{group_words(group)} {share_words(rates[group].value)}" for group in ends]


def _show_coverage(terminal: Terminal, coverage: Coverage) -> None:
    table = coverage_table(coverage, list(coverage), _LISTED)
    rows = [
        [row.name, row.remark, _two_lines(*row.cells[0]), *(text for text, _ in row.cells[1:3])]
        for row in table.rows
    ]
    terminal.line("Intervals of the estimates:")
    headings = ("", "what can be said", "holds the true age", "of", "mean width")
    terminal.table(headings, rows, words=2)
    if table.more:
        terminal.line(f"and {count(table.more, 'more group')}")
    for sentence in coverage_sentences(coverage):
        terminal.line(sentence)


def _show_check(terminal: Terminal, check: AgeCheck) -> None:
    rows = [_check_row(ALL, check.overall.false_positive, check.overall.challenged)]
    for attribute, groups in check.groups.items():
        rows += [
            _check_row(
                f"{attribute_words(attribute)} {group_words(group)}",
                rates.false_positive,
                rates.challenged,
            )
            for group, rates in groups.items()
        ]
    age = f"{check.legal_age:g}"
    terminal.line(f"Age check for {age}, who is estimated at {check.threshold:g} or older passes:")
    headings = ("", f"under {age}, pass", "of", f"of {age} or older, do not", "of")
    terminal.table(headings, rows)
    terminal.line(reach_sentence(check))


def _check_row(name: str, false_positive: Interval, challenged: Interval) -> list[str]:
    wrong, refused = (_beside(*as_percent_cell(rate)) for rate in (false_positive, challenged))
    return [name, wrong, f"{false_positive.n:,}", refused, f"{challenged.n:,}"]


def _two_lines(value: str, inside: str) -> str:
    return f"{value}\n{inside}" if inside else value


def _beside(value: str, inside: str) -> str:
    return f"{value} ({inside})" if inside else value


def _unused(unused: Mapping[str, str]) -> str:
    """Return the columns that are not used, each with why, cut where there are many."""
    if not unused:
        return ""
    columns = [f"{name!r} ({why})" if why else repr(name) for name, why in unused.items()]
    rest = len(columns) - NAMED_COLUMNS
    more = f", and {rest} more" if rest > 0 else ""
    return f"Columns not used: {', '.join(columns[:NAMED_COLUMNS])}{more}."


def _write(result: "AuditResult | ComparisonResult", folder: Path, name: str) -> Path:
    result.save(folder / f"{name}.json")
    return result.save(folder / f"{name}.html")


def _print_json(content: dict[str, Any]) -> None:
    typer.echo(json.dumps(content, allow_nan=False))


def _folders(results: Sequence[AuditResult], out: Path | None) -> list[Path | None]:
    """Return the folder of each result: `out`, or one in it for each of several tables."""
    if out is None or len(results) == 1:
        return [out] * len(results)
    names: list[str] = []
    for result in results:
        name = stem = _stem(result.name)
        number = 2
        while name in names:
            name, number = f"{stem}-{number}", number + 1
        names.append(name)
    return [out / name for name in names]


def _stem(name: str) -> str:
    """Return a table's name without its folder and suffixes; never one that leads elsewhere."""
    path = Path(name)
    if path.suffix.lower() in ARCHIVES:
        path = path.with_suffix("")
    return path.stem if path.stem.strip(".") else "table"
