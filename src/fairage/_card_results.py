"""What the card of a model shows of its results: errors by group, intervals, decisions."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from fairage._text import NOTHING, count, number, percent, promised, shown, visible

_NUMBERS = ("mae", "mean_error")
_COSTS = {
    "referred": "referred, of all",
    "wrong_yes": "wrong yes, of those under",
    "wrong_no": "wrong no, of the others",
}
_COVERAGE = ("covered", "mean_width", "undecided")


def card_audit(model: Mapping[str, Any], faces: str) -> dict[str, Any]:
    """Return the part of an audit that a bundle's config keeps for its card.

    Args:
        model: One of the models of `audit.json`.
        faces: What the faces are called.

    Examples:
        >>> card_audit({"overall": {"mae": {"value": 3.0}, "p90": {}}, "groups": {}}, "my faces")
        {'faces': 'my faces', 'overall': {'mae': {'value': 3.0}}, 'groups': {}}
    """
    audit: dict[str, Any] = {"faces": faces, **_parts(model, _NUMBERS)}
    audit |= {key: model[key] for key in ("bias", "average_bias") if model.get(key) is not None}
    if coverage := model.get("coverage"):
        audit["coverage"] = {"level": coverage["level"], **_parts(coverage, _COVERAGE)}
    return audit


def _parts(content: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return some numbers of all faces and of each group."""

    def chosen(figures: Mapping[str, Any]) -> dict[str, Any]:
        return {name: figures[name] for name in names if name in figures}

    groups = {
        attribute: {group: chosen(figures) for group, figures in own.items()}
        for attribute, own in content["groups"].items()
    }
    return {"overall": chosen(content["overall"]), "groups": groups}


def without_stale_results(config: Mapping[str, Any], *, other_ages: bool) -> dict[str, Any]:
    """Return a bundle's config without what was measured of intervals that it has no more.

    Args:
        config: The bundle's, with the results of the model that it was.
        other_ages: The estimates are others too: nothing that was measured holds.

    Examples:
        >>> config = {"audits": [{"faces": "a", "coverage": {}}], "decisions": [{}]}
        >>> without_stale_results(config, other_ages=False)
        {'audits': [{'faces': 'a'}]}
        >>> without_stale_results(config, other_ages=True)
        {}
    """
    kept = {key: value for key, value in config.items() if key not in ("audits", "decisions")}
    if other_ages:
        training = kept.get("training", {})
        return kept | ({"training": _but(training, "scores")} if training else {})
    audits = [_but(audit, "coverage") for audit in config.get("audits", ())]
    return kept | ({"audits": audits} if audits else {})


def _but(content: Mapping[str, Any], left_out: str) -> dict[str, Any]:
    return {key: value for key, value in content.items() if key != left_out}


def audit_section(audit: Mapping[str, Any]) -> list[str]:
    """Return a table with all faces and each group: faces, MAE, mean error and, if any, coverage.

    Args:
        audit: As `card_audit` gives it.
    """
    rows = [("all", "", audit["overall"])] if "overall" in audit else []
    rows += list(groups_of(audit))
    if not rows:
        return []
    coverage = audit.get("coverage") or {}
    level = coverage.get("level")
    titles = ["attribute", "group", "faces", "MAE", "mean error"]
    if coverage:
        share = "" if level is None else f" ({promised(level)} promised)"
        titles += [f"in the interval{share}", "mean width"]
    about = (
        "Years, with 95 % intervals. MAE: the lower the better. Mean error: estimate minus true "
        "age; above 0 is too old."
    )
    lines = [f"## Results by group: {visible(str(audit['faces']))}", "", about, ""]
    lines += _table(
        titles,
        (
            (
                in_table(attribute),
                in_table(group),
                _faces(figures),
                _figure(figures.get("mae")),
                _figure(figures.get("mean_error")),
                *(_covered(coverage, attribute, group) if coverage else ()),
            )
            for attribute, group, figures in rows
        ),
    )
    bias = audit.get("average_bias")
    average = (
        "Average bias (the mean gap between the MAE of groups that have enough faces, averaged "
        f"over the attributes): {_figure(bias)} years."
    )
    return [*lines, "", *([average, ""] if bias else [])]


def intervals_section(about: Mapping[str, Any]) -> list[str]:
    """Return what the intervals rest on, and what they held of faces that did not calibrate them.

    Args:
        about: `n` (faces), `source`, `level` and `held`: rows of `attribute`, `group`, `covered`
            and `width`.
    """
    if not about:
        return []
    where = f" ({shown(str(about['source']))})" if about.get("source") else ""
    faces = count(about["n"], "face") if "n" in about else "faces"
    lines = [
        "## Intervals",
        "",
        f"The intervals were calibrated on {faces}{where}. Of faces like those "
        f"{promised(about.get('level', 0.9))} are to be of an age in their interval, of the old as "
        "of the young. Of others it may be fewer: calibrate the model on your own faces with "
        "`fairage calibrate`.",
        "",
    ]
    if not about.get("held"):
        return lines
    lines += [
        "What they hold, by group, where each fifth of these faces is left out of the calibration "
        "in turn; mean width in years; with 95 % intervals:",
        "",
    ]
    rows = (
        (
            in_table(each["attribute"]),
            in_table(each["group"]),
            _faces(each["covered"]),
            _share(each["covered"]),
            _figure(each["width"]),
        )
        for each in about["held"]
    )
    return [*lines, *_table(["attribute", "group", "faces", "held", "width"], rows), ""]


def decision_section(rule: Mapping[str, Any]) -> list[str]:
    """Return what answers to a question about the age cost each group.

    Args:
        rule: `title`, `text`, `faces` (what they are called) and `costs`: rows of `attribute`,
            `group`, `referred`, and `wrong_yes` or `wrong_no`, whichever was promised.
    """
    names = [name for name in _COSTS if any(name in each for each in rule["costs"])]
    titles = ["attribute", "group", *(_COSTS[name] for name in names)]
    rows = (
        (in_table(each["attribute"]), in_table(each["group"]), *(_share_of_n(each, names)))
        for each in rule["costs"]
    )
    about = f"{rule['text']} Measured on {rule['faces']}; shares with exact 95 % intervals:"
    return [f"## Decisions: {rule['title']}", "", about, "", *_table(titles, rows), ""]


def groups_of(audit: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield attribute, group and figures of each group of an audit."""
    for attribute, groups in audit.get("groups", {}).items():
        for group, figures in groups.items():
            yield attribute, group, figures


def in_table(name: object) -> str:
    """Return a name that stays within its cell."""
    return visible(str(name)).replace("|", "\\|")


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    return lines + [f"| {' | '.join(cells)} |" for cells in rows]


def _covered(coverage: Mapping[str, Any], attribute: str, group: str) -> tuple[str, str]:
    own = coverage["overall"] if not group else coverage["groups"].get(attribute, {}).get(group)
    if own is None:
        return NOTHING, NOTHING
    share = _share(own["covered"])
    if undecided := own.get("undecided"):
        low, high = (percent(own["covered"][end], 1) for end in ("low", "high"))
        share = f"{low} to {high}; {count(undecided, 'face')} cannot be judged"
    return share, _figure(own["mean_width"])


def _faces(figures: Mapping[str, Any]) -> str:
    n = figures.get("n", (figures.get("mae") or {}).get("n"))
    return NOTHING if n is None else f"{n:,}"


def _figure(figure: Mapping[str, Any] | None) -> str:
    """Return a figure with its interval; an end that is open is said so."""
    if not figure or figure.get("value") is None:
        return NOTHING
    ends: Sequence[float | None] = (figure.get("low"), figure.get("high"))
    if ends == (None, None):
        return number(figure["value"])
    low, high = ("open" if end is None else number(end) for end in ends)
    return f"{number(figure['value'])} ({low} to {high})"


def _share(figure: Mapping[str, Any] | None) -> str:
    """Return a share as a percentage with its interval."""
    if not figure or figure.get("value") is None:
        return NOTHING
    if figure.get("low") is None or figure.get("high") is None:
        return percent(figure["value"], 1)
    value, low, high = (percent(figure[key], 1) for key in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def _share_of_n(row: Mapping[str, Any], names: Sequence[str]) -> Iterator[str]:
    for name in names:
        share = row.get(name)
        yield f"{_share(share)} of {share['n']:,}" if share and share.get("n") else NOTHING
