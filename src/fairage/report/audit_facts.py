"""What was audited, how: the rows that were used, the settings, and the four numbers to know."""

from dataclasses import dataclass

from fairage.audit.result import AuditResult, ModelAudit
from fairage.report.estimates import span
from fairage.report.words import attribute_words, count, joined, number, years

__all__ = ["Tile", "audit_facts", "rows_sentence", "tiles"]


@dataclass(frozen=True)
class Tile:
    """One of the numbers at the head of a page: its name, its value, and how to read it."""

    name: str
    value: str
    note: str


def tiles(model: ModelAudit) -> list[Tile]:
    """Return error, average bias, gaps beyond chance and the worst group."""
    mae, average = model.errors.mae, model.average_bias
    compared = [a for a in model.attributes if len(a.groups) > 1]
    beyond = [attribute_words(a.name) for a in compared if a.beyond_chance]
    found = [
        Tile("Error on average", years(mae.value), f"95 % interval {span(mae)}".removesuffix(" ")),
        Tile(
            "Average bias",
            years(average.bias.value),
            f"chance alone gives {number(average.floor.mean)}, at most about "
            f"{number(average.floor.p95)}",
        ),
        Tile(
            "Gaps beyond chance",
            f"{len(beyond)} of {len(compared)}",
            f"by {joined(beyond)}" if beyond else "attributes",
        ),
    ]
    if compared:
        attribute = max(compared, key=lambda a: a.group(a.worst).errors.mae.value)
        worst = attribute.group(attribute.worst)
        note = f"{attribute_words(attribute.name)} {worst.name}, {count(worst.errors.n, 'face')}"
        found.append(Tile("Largest group error", years(worst.errors.mae.value), note))
    return found


def rows_sentence(result: AuditResult) -> str:
    """Return how many faces stand behind the numbers, and why others do not."""
    rows = result.rows
    told = f"All numbers rest on {count(rows.used, 'face')}"
    if rows.used == rows.rows:
        return f"{told}."
    reasons = [f"{rows.without_age:,} without a true age"] if rows.without_age else []
    reasons += [
        f"{n:,} without a prediction of {name}" for name, n in rows.without_prediction.items() if n
    ]
    left = rows.rows - rows.used
    return f"{told}; {count(left, 'row')} left out: {joined(reasons)}."


def audit_facts(result: AuditResult) -> list[tuple[str, str]]:
    """Return name and value of everything needed to repeat the audit."""
    columns, settings = result.columns, result.settings
    groups = settings.age_groups
    edges = [
        f"{name} from {number(edge, 0)}"
        for name, edge in zip(groups.names, groups.edges, strict=True)
    ]
    facts = [
        ("Table", f"{result.name}, {count(result.rows.rows, 'row')}"),
        ("True age", columns.age),
        ("Predictions", joined(columns.predictions)),
        ("Attributes", joined(columns.attributes) or "none"),
        ("Age groups", joined(edges)),
        ("Identities", columns.identity or "unknown: each row counts as a person of its own"),
        ("Intervals", f"95 %, {settings.replicates:,} bootstrap replicates"),
        ("Noise floor", f"{settings.permutations:,} shuffles of the labels"),
        ("Seed", str(settings.seed)),
        (
            "Fewest faces",
            f"groups and cells with fewer than {settings.min_rows} are listed, not ranked",
        ),
        ("Software", f"fairage {result.fairage_version}, schema {result.schema_version}"),
    ]
    if columns.guessed:
        facts.insert(1, ("Guessed", columns.told()))
    return facts
