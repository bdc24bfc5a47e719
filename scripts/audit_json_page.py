"""Write docs/audit-json.md and docs/audit.schema.json from the dataclasses of a result.

Usage: python scripts/audit_json_page.py [--check]

With --check nothing is written; the exit code is 1 if a file is not as the code says.
"""

import argparse
import dataclasses
import inspect
import json
import re
import sys
import types
import typing
from pathlib import Path
from typing import Any

from fairage.age_groups import AgeGroups
from fairage.auditing import comparison_result, result
from fairage.auditing.audit_settings import AuditSettings
from fairage.auditing.columns import Columns
from fairage.auditing.measures import MEASURES, Measure
from fairage.auditing.result import FRAME_PARTS, MEASURE_FACTS, SCHEMA_VERSION
from fairage.auditing.result_parts import GroupAudit
from fairage.auditing.rows import RowReport

DOCS = Path(__file__).parents[1] / "docs"
ROOTS = (result.AuditResult, comparison_result.ComparisonResult)
NAMES = {
    **vars(result),
    **vars(comparison_result),
    "Measure": Measure,
    "Columns": Columns,
    "RowReport": RowReport,
    "AuditSettings": AuditSettings,
    "AgeGroups": AgeGroups,
}
FACTS = {  # classes whose JSON leaves fields out
    GroupAudit: ("n", "n_persons", "mean_age", "takes_part", "reason"),
    Measure: MEASURE_FACTS,
}
HEAD = """# audit.json and compare.json

`fairage audit --out DIR` writes `audit.json`, `fairage compare --out DIR` writes `compare.json`:
the fields of the result in Python, under the same names. `result.to_dict()` gives the same. What is
not a number (NaN) is `null`; an end of an interval that the rows do not bound is `null` too.
[`audit.schema.json`](audit.schema.json) is the JSON Schema of `audit.json`.

This page is made from the code by `python scripts/audit_json_page.py`, and a test holds it.

`schema_version`, now {version}, rises when a name changes or goes.

Tables of the same numbers: `result.to_frame(part)`, part one of {parts}.

## Measures

The keys of `overall` and of each group, in the order of `fairage.MEASURES`; measures of one's own
follow.

| key | title | unit | better | meaning |
|---|---|---|---|---|
"""


def main() -> None:
    """Write or check both files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    check = parser.parse_args().check
    texts = {"audit-json.md": page(), "audit.schema.json": json.dumps(schema(), indent=1) + "\n"}
    stale = [
        name
        for name, text in texts.items()
        if not (DOCS / name).exists() or (DOCS / name).read_text(encoding="utf-8") != text
    ]
    for name in [] if check else stale:
        (DOCS / name).write_text(texts[name], encoding="utf-8")
        print(f"wrote docs/{name}")
    if check and stale:
        sys.exit(f"not as the code says: {stale}; run: python scripts/audit_json_page.py")


def page() -> str:
    """Return docs/audit-json.md."""
    parts = ", ".join(f"`{name}`" for name in FRAME_PARTS)
    lines = [HEAD.format(version=SCHEMA_VERSION, parts=parts).rstrip("\n")]
    lines += [
        f"| `{m.key}` | {m.title} | {m.unit} | {m.better} | {m.meaning} |"
        for m in MEASURES.values()
    ]
    for kind in classes():
        lines += ["", f"## {kind.__name__}", "", summary(kind), ""]
        lines += ["| key | type | what |", "|---|---|---|"]
        described = arguments(kind)
        for name, hint in fields(kind).items():
            shown = type_name(hint).replace("|", "\\|")
            lines.append(f"| `{name}` | {shown} | {described.get(name, '')} |")
        if kind is GroupAudit:
            lines.append("| *measure* | [Interval](#interval) | each measure of the table above |")
    return "\n".join(lines) + "\n"


def classes() -> list[type]:
    """Return the dataclasses of a result, each before those that it holds."""
    found: list[type] = []

    def visit(kind: type) -> None:
        if kind in found:
            return
        found.append(kind)
        for hint in fields(kind).values():
            for part in recipe_parts(hint):
                visit(part)

    for root in ROOTS:
        visit(root)
    return found


def recipe_parts(hint: Any) -> list[type]:  # noqa: ANN401  # any annotation
    """Return the dataclasses within an annotation."""
    if dataclasses.is_dataclass(hint):
        return [typing.cast("type", hint)]
    return [part for inner in typing.get_args(hint) for part in recipe_parts(inner)]


def fields(kind: type) -> dict[str, Any]:
    """Return the keys of a dataclass in JSON, with their types."""
    hints = typing.get_type_hints(kind, localns=NAMES)
    names = [field.name for field in dataclasses.fields(kind)]
    return {name: hints[name] for name in FACTS.get(kind, names)}


def summary(kind: type) -> str:
    """Return the docstring's text up to its arguments, as one paragraph."""
    text = inspect.getdoc(kind) or ""
    return " ".join(re.split(r"\n\s*Args:|\n\s*Examples:", text)[0].split())


def arguments(kind: type) -> dict[str, str]:
    """Return what the docstring says of each field."""
    text = inspect.getdoc(kind) or ""
    if kind in (result.AuditResult, result.ModelAudit):
        return tree_of_result()
    block = re.search(r"Args:\n(.*?)(?:\n\n|\Z)", text, flags=re.DOTALL)
    if block is None:
        return {}
    described: dict[str, str] = {}
    name = ""
    for line in block[1].splitlines():
        if match := re.match(r"    (\w+): (.*)", line):
            name = match[1]
            described[name] = match[2]
        elif name:
            described[name] += f" {line.strip()}"
    return {key: value.replace("|", "\\|") for key, value in described.items()}


def tree_of_result() -> dict[str, str]:
    """Return what the tree in the docstring of `result` says of each field."""
    described = {"name": "Its name.", "n": "Rows with an age and an estimate."}
    described["n_persons"] = "Their persons; null where identities are not known."
    for line in (result.__doc__ or "").splitlines():
        if match := re.match(r"[\s│]*[├└]── ([\w, :>-]+?)\s{2,}(.*)", line):
            names = match[1].partition(":")[0]
            described |= dict.fromkeys(names.replace(",", " ").split(), match[2])
    return described


def type_name(hint: Any) -> str:  # noqa: ANN401  # any annotation
    """Return an annotation in words of JSON."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint):
        name = typing.cast("type", hint).__name__
        return f"[{name}](#{name.lower()})"
    if origin in (typing.Union, types.UnionType):
        return " or ".join(type_name(part) for part in inner)
    if origin is typing.Literal:
        return " or ".join(f'"{value}"' for value in inner)
    if origin is tuple:
        kinds = [type_name(part) for part in inner if part is not Ellipsis]
        return f"list of {' and '.join(dict.fromkeys(kinds))}"
    if hint is dict or origin is dict or str(origin).endswith("Mapping'>"):
        return f"object: name → {type_name(inner[1])}" if inner else "object"
    words = {str: "text", float: "number", int: "integer", bool: "true or false"}
    return "null" if hint is type(None) else words.get(hint, str(hint))


def schema() -> dict[str, Any]:
    """Return the JSON Schema of audit.json."""
    definitions = {kind.__name__: object_schema(kind) for kind in classes()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"audit.json of fairage, schema version {SCHEMA_VERSION}",
        "$ref": f"#/$defs/{ROOTS[0].__name__}",
        "$defs": definitions,
    }


def object_schema(kind: type) -> dict[str, Any]:
    """Return the schema of one dataclass."""
    properties = {name: value_schema(hint) for name, hint in fields(kind).items()}
    own: dict[str, Any] = {"type": "object", "properties": properties}
    own["required"] = list(properties)
    own["additionalProperties"] = {"$ref": "#/$defs/Interval"} if kind is GroupAudit else False
    return own


def value_schema(hint: Any) -> dict[str, Any]:  # noqa: ANN401  # any annotation
    """Return the schema of one value."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint):
        return {"$ref": f"#/$defs/{typing.cast('type', hint).__name__}"}
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [value_schema(part) for part in inner]}
    if origin is typing.Literal:
        return {"enum": list(inner)}
    if origin is tuple:
        kinds = [part for part in inner if part is not Ellipsis]
        items = value_schema(kinds[0]) if len(set(map(str, kinds))) == 1 else {}
        return {"type": "array", "items": items}
    if hint is dict or origin is dict or str(origin).endswith("Mapping'>"):
        return {
            "type": "object",
            "additionalProperties": value_schema(inner[1]) if inner else True,
        }
    simple: dict[Any, Any] = {
        str: {"type": "string"},
        float: {"type": ["number", "null"]},
        int: {"type": "integer"},
        bool: {"type": "boolean"},
        type(None): {"type": "null"},
    }
    return typing.cast("dict[str, Any]", simple.get(hint, {}))


if __name__ == "__main__":
    main()
