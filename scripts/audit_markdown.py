"""Numbers of audits as Markdown tables, for the pages of docs/results.

Usage: python scripts/audit_markdown.py AUDIT.json
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any


def main() -> None:
    """Print the table of each model of an audit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("audit", type=Path)
    models = json.loads(parser.parse_args().audit.read_text(encoding="utf-8"))["models"]
    for model in models.values():
        print("\n".join(by_group(model)))


def by_group(model: dict[str, Any]) -> Iterator[str]:
    """Yield a table of all faces and each group: MAE, mean error and, if any, coverage.

    Args:
        model: One of the models of `audit.json`.
    """
    coverage = model.get("coverage") or {}
    covered = coverage.get("groups", {})
    rows = [("all", model["overall"], coverage.get("overall"))]
    rows += [
        (f"{attribute} {group}".replace("_", " "), own, covered.get(attribute, {}).get(group))
        for attribute, groups in model["groups"].items()
        for group, own in groups.items()
    ]
    titles = ["group", "faces", "MAE", "mean error"]
    if coverage:
        level = coverage["level"]
        promised = "" if level is None else f" ({100 * level:g} % promised)"
        titles += [f"holds the true age{promised}", "mean width"]
    yield from table(
        titles,
        [
            (
                group,
                own["mae"]["n"],
                ends(own["mae"]),
                ends(own["mean_error"], sign=True),
                *(_covered(held) if coverage else ()),
            )
            for group, own, held in rows
        ],
    )


def _covered(held: dict[str, Any] | None) -> tuple[str, str]:
    return ("", "") if held is None else (share(held["covered"]), ends(held["mean_width"]))


def table(titles: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    """Yield a Markdown table and an empty line."""
    yield "| " + " | ".join(titles) + " |"
    yield "|---|" + "---:|" * (len(titles) - 1)
    for row in rows:
        cells = (f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row)
        yield "| " + " | ".join(cells) + " |"
    yield ""


def ends(interval: dict[str, Any], *, sign: bool = False) -> str:
    """Return a number of an audit with its interval."""
    form = "+.2f" if sign else ".2f"
    low, high = (interval[end] for end in ("low", "high"))
    if low is None or high is None:
        return format(interval["value"], form)
    return f"{interval['value']:{form}} ({low:{form}} to {high:{form}})"


def share(interval: dict[str, Any]) -> str:
    """Return a share with its interval."""
    return f"{interval['value']:.3f} ({interval['low']:.3f} to {interval['high']:.3f})"


if __name__ == "__main__":
    main()
