"""Filling the templates: one HTML file with its style inside, nothing from the network."""

from functools import cache
from importlib.metadata import version

from jinja2 import Environment, PackageLoader, StrictUndefined

from fairage.report.glossary import Glossary
from fairage.report.words import attribute_title, count, number, percent, signed, years

__all__ = ["render"]


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


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("fairage.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "attribute": attribute_title,
        "count": count,
        "number": number,
        "percent": percent,
        "signed": signed,
        "years": years,
    }
    return environment
