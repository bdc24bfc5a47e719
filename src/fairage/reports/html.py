"""Filling the templates: one HTML file with its style inside, nothing from the network.

Whatever a template puts into a page is escaped, and characters that would be obeyed rather than
shown get a sign in their place. Each term is explained where a page first uses it.
"""

import re
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from fairage._text import count, number, percent, signed, visible, years
from fairage.auditing.measures import MEASURES
from fairage.reports.figures.svg import in_full
from fairage.reports.format import attribute_title

LONGEST_WORD = 79
_LONG_WORD = re.compile(rf"\S{{{LONGEST_WORD + 1},}}")


@dataclass(frozen=True)
class Term:
    """A word and its explanation for a reader who has never met it."""

    name: str
    meaning: str


TERMS: dict[str, Term] = {
    "attribute": Term(
        "Attribute",
        "a trait that faces are sorted by, such as gender; its values are its groups. Age groups "
        "are made from the true age.",
    ),
    "group_error": Term("Group error", "the MAE of one group's faces alone."),
    "gap": Term("Gap", "the number of one group less that of another."),
    "bias": Term(
        "Bias of an attribute",
        "how far apart the group errors of an attribute are: the gap between two groups, averaged "
        "over all pairs of groups. 0 means that all groups are served equally well.",
    ),
    "average_bias": Term("Average bias", "the mean of the biases of all attributes."),
    "noise_corrected": Term(
        "Noise-corrected bias",
        "the bias without what noise adds: group errors of few faces are apart even where the "
        "groups are served alike, so that the measured bias is too large as a rule.",
    ),
    "noise_floor": Term(
        "Noise floor",
        "the bias to be expected if all groups had the same true error. Small groups make it "
        "large. Beside it: what noise exceeds once in forty times.",
    ),
    "interval": Term(
        "95 % interval",
        "made so that it holds the true number in 95 of 100 samples of such faces.",
    ),
    "at_once": Term(
        "All at once",
        "limits that hold for all gaps between groups of one model together in 95 of 100 samples, "
        "so that looking at many pairs finds no difference by luck. Verdicts come from them.",
    ),
    "verdict": Term(
        "Verdict",
        "“within the margin”: the limits of every gap lie inside the margin. “Differ”: those of "
        "at least one gap leave 0 out. “Cannot tell”: neither; the data allow both.",
    ),
    "explained": Term(
        "Comes from age",
        "the gap as it is, less the gap that there would be if both groups had the same ages: the "
        "part that comes from who is older. All three are of the same faces.",
    ),
    "cell": Term("Cell", "the faces that share a group of each of two attributes."),
    "failure": Term(
        "No estimate",
        "a face with a true age for which the model gives none. Such faces are in no error, so "
        "that a model may look better by leaving out the hard ones.",
    ),
    "withheld": Term(
        "MAE if withheld faces count",
        "the MAE if each face without an estimate had the error that one face in ten of its group "
        "exceeds (P90).",
    ),
    "coverage": Term(
        "Holds the true age",
        "the share of faces whose true age lies within the interval that the model gives with its "
        "estimate (coverage). Of intervals that promise 90 % it should be 90 %; to a group with "
        "less they promise too much.",
    ),
    "threshold": Term(
        "Threshold",
        "estimated age from which a person passes without showing a document (“challenge 25”).",
    ),
    "false_positive": Term(
        "Passes wrongly", "a person below the legal age who is estimated at the threshold or older."
    ),
    "challenged": Term(
        "Challenged",
        "a person of legal age who is estimated below the threshold and has to show a document.",
    ),
    "difference": Term(
        "Difference", "the second model less the first: below 0, the second is better."
    ),
    "levelling": Term(
        "Levelling",
        "a bias falls either because a worse-served group improves (up) or because a better-served "
        "group gets worse (down).",
    ),
    "seed": Term(
        "Seed",
        "the start of the random numbers. The same version is trained with several, to see how "
        "much of a difference is luck.",
    ),
    "spread": Term("±", "standard deviation over seeds."),
    "baseline": Term(
        "Baseline",
        "the version that others are held against: the one without any mitigation, or else the "
        "first.",
    ),
    "weights": Term(
        "Weights",
        "how much each training face counts; versions give rare groups a larger weight.",
    ),
    "front": Term(
        "Pareto front",
        "the versions that no other one undercuts in both measured MAE and measured average bias.",
    ),
    "trial_front": Term(
        "Pareto front",
        "the trials that no other one undercuts in both measured MAE and measured average bias.",
    ),
}


@dataclass
class Glossary:
    """Hands out each explanation once, so that a page explains a term at its first use.

    The terms are those of `TERMS` and the measures of `MEASURES`.

    Examples:
        >>> glossary = Glossary()
        >>> [term.name for term in glossary.explain("mae", "bias")]
        ['MAE', 'Bias of an attribute']
        >>> glossary.explain("mae")
        []
    """

    used: set[str] = field(default_factory=set)

    def explain(self, *keys: str) -> list[Term]:
        """Return those of the terms that have not been explained yet."""
        new = [key for key in dict.fromkeys(keys) if key not in self.used]
        self.used.update(new)
        return [_term(key) for key in new]


def render(template: str, **context: object) -> str:
    """Return the page that a template makes of this context, with a fresh glossary.

    Args:
        template: File name in the package's `templates`.
        context: Everything that the template names.
    """
    return (
        _environment()
        .get_template(template)
        .render(explain=Glossary().explain, fairage_version=version("fairage"), **context)
    )


def short_name(name: str) -> Markup:
    """Return a name for a page, escaped: a long one is cut and has the whole of it as a title.

    Examples:
        >>> str(short_name("a < b"))
        'a &lt; b'
        >>> str(short_name(90 * "a")).startswith('<span title="aaaa')
        True
    """
    short, whole = visible(name), in_full(name)
    if short == whole:
        return Markup("{}").format(short)
    return Markup('<span title="{}">{}</span>').format(whole, short)


def prose(text: str) -> str:
    """Return a text whose very long words are cut: names that sentences quote.

    Examples:
        >>> len(prose("column " + 5000 * "x" + " is not used"))
        99
    """
    return _LONG_WORD.sub(lambda word: f"{word[0][:LONGEST_WORD]}…", text)


def _term(key: str) -> Term:
    if key in TERMS:
        return TERMS[key]
    measure = MEASURES[key]
    return Term(measure.title, measure.meaning)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("fairage.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_legible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "attribute": attribute_title,
        "count": count,
        "name": short_name,
        "number": number,
        "percent": percent,
        "prose": prose,
        "signed": signed,
        "visible": visible,
        "years": years,
    }
    return environment


def _legible(value: object) -> object:
    """Return what a template puts into a page, hidden characters of texts made visible."""
    return in_full(value) if isinstance(value, str) and not isinstance(value, Markup) else value
