"""Write docs/results/boxed.md from what scripts/measure_boxed.py measured.

Usage: python scripts/boxed_page.py MEASURES.json [--out docs/results/boxed.md]

What stands in the page below the line PASTED, from other scripts that it names, stays as it is.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from audit_markdown import by_group, table
from boxed.refit import LEAST, LIMITS
from fairage._card_results import decision_section

HEAD = """\
# The model in the box

What `fairage.load()` gives: a network of 2.8 million weights (5.6 MB, half precision), trained from
random weights on 31,954 faces of FairFace's training part (Kärkkäinen and Joo, 2021, CC BY 4.0),
whose ages are ranges that people judged: 62 epochs at 48 to 80 pixels in two cycles, whose weights
are averaged. 4,000 other faces of that part chose how much rare ranges weigh in its last layer, and
4,000 more calibrate its intervals. The faces of this page chose nothing: every figure of the
estimates stands as it came out, the first time. Intervals were made by the estimate at first, held
0.59 of the faces of 70 and over, and are [made by true age](../methods/intervals.md) since then.

```console
$ python scripts/train_boxed.py FAIRFACE WORK   # resumable; then:
$ python scripts/measure_boxed.py DATA OUT      # DATA holds fairface, appa-real and utkface
$ python scripts/boxed_page.py OUT/measures.json   # this page
$ python scripts/boxed_card.py OUT/measures.json   # the card in src/fairage/prediction/boxed
```

Values in parentheses are 95 % intervals.
"""
DECISIONS = """\
## Decisions

Promises were made on FairFace's judged ages. **Measured against real ages they are broken**: people
take many faces under 18 for older, and so does the model. For a legal age, calibrate on real ages.
"""
PASTED = "<!-- What follows is pasted from the commands that it names. -->"
RANGE_TITLES = ("exact range", "range-balanced", "within one range")
RANGE_KEYS = ("exact", "balanced", "near")


def main() -> None:
    """Read the measures, write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("measures", type=Path)
    parser.add_argument("--out", type=Path, default=Path("docs/results/boxed.md"))
    given = parser.parse_args()
    measures = json.loads(given.measures.read_text(encoding="utf-8"))
    lines = [HEAD, *fairface(measures["fairface"]), *foreign(measures), DECISIONS]
    lines += [line for rule in measures["decisions"] for line in decision_section(rule)]
    before = given.out.read_text(encoding="utf-8") if given.out.is_file() else ""
    pasted = before.partition(PASTED)[2]
    given.out.write_text("\n".join([*lines, PASTED]) + pasted, encoding="utf-8")


def fairface(scores: dict[str, Any]) -> Iterator[str]:
    """Yield the section on FairFace's 5,000 validation faces."""
    yield "## FairFace's validation faces\n"
    yield (
        "Its crops as they are, and the same pictures as photographs: faces found and aligned by "
        "the detector in the box.\n"
    )
    yield from table(
        ("", "faces", *RANGE_TITLES),
        [
            *((way, score["all"]["n"], *shares(score["all"])) for way, score in scores.items()),
            ("limit for crops", "", *(f"at least {least}" for least in LEAST.values())),
        ],
    )
    for way, score in scores.items():
        if score["without"]:
            yield f"Of {score['faces']:,} {way}, {score['without']:,} have no estimate.\n"
    names = list(scores["crops"]["all"]["outside"])
    yield "Mean distance of the estimate outside the range, in years, by range:\n"
    yield from table(
        ("", *names),
        [
            *(
                (way, *(years(score["all"]["outside"][name]) for name in names))
                for way, score in scores.items()
            ),
            ("limit for crops", *(f"at most {limit:g}" for limit in LIMITS)),
        ],
    )
    yield "By group (crops):\n"
    groups = {**scores["crops"]["ethnicity"], **scores["crops"]["gender"]}
    yield from table(
        ("group", "faces", *RANGE_TITLES),
        [(group, score["n"], *shares(score)) for group, score in groups.items()],
    )
    yield (
        "By group and age, against the middle of the ranges (crops). Of an age that is known as a "
        "range an interval surely holds it where it holds the whole range (lower ends of the "
        "shares), and may hold it where it holds a part:\n"
    )
    yield from by_group(scores["crops"]["audit"])


def foreign(measures: dict[str, Any]) -> Iterator[str]:
    """Yield the sections on data that the model has never seen."""
    for name, title in (("appa-real", "APPA-REAL, test"), ("utkface", "UTKFace, all")):
        yield f"## {title}\n"
        for about, model in measures[name].items():
            age, way = about.split(", ")
            kind = {"age": "its target (apparent)" if name == "appa-real" else "its ages"}
            yield f"Against {kind.get(age, 'real age')}, {way}:\n"
            yield from by_group(model)


def shares(score: dict[str, Any]) -> list[str]:
    """Return the three shares of ranges, each with its interval."""
    return ["{:.3f} ({:.3f} to {:.3f})".format(*score[key]) for key in RANGE_KEYS]


def years(values: Sequence[float]) -> str:
    """Return a distance with its interval."""
    return "{:.1f} ({:.1f} to {:.1f})".format(*values)


if __name__ == "__main__":
    main()
