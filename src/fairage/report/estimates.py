"""How an estimate with its interval is written in a sentence and in a table's cell."""

import math

from fairage.audit.intervals import Estimate
from fairage.report.words import number, percent, signed

__all__ = ["as_cell", "as_percent_cell", "as_signed_cell", "span", "with_span"]

TO = " to "


def span(estimate: Estimate, digits: int = 2) -> str:
    """Return the 95 % interval; nothing where there is none.

    Examples:
        >>> span(Estimate(3.0, 10, 2.5, 3.5)), span(Estimate(3.0, 1))
        ('2.50 to 3.50', '')
    """
    if estimate.low is None or estimate.high is None:
        return ""
    return f"{number(estimate.low, digits)}{TO}{number(estimate.high, digits)}"


def with_span(estimate: Estimate, digits: int = 2) -> str:
    """Return the number and its interval, for a sentence.

    Examples:
        >>> with_span(Estimate(3.0, 10, 2.5, 3.5))
        '3.00 (2.50 to 3.50)'
    """
    found = span(estimate, digits)
    text = number(estimate.value, digits)
    return f"{text} ({found})" if found else text


def as_cell(estimate: Estimate | None, digits: int = 2) -> tuple[str, str]:
    """Return number and interval, for a table's cell.

    Examples:
        >>> as_cell(Estimate(3.0, 10, 2.5, 3.5)), as_cell(None)
        (('3.00', '2.50 to 3.50'), ('–', ''))
    """
    if estimate is None:
        return number(None), ""
    return number(estimate.value, digits), span(estimate, digits)


def as_signed_cell(estimate: Estimate) -> tuple[str, str]:
    """Return number and interval with their signs.

    Examples:
        >>> as_signed_cell(Estimate(1.0, 10, -0.5, 2.5))
        ('+1.00', '−0.50 to +2.50')
    """
    if estimate.low is None or estimate.high is None:
        return signed(estimate.value), ""
    return signed(estimate.value), f"{signed(estimate.low)}{TO}{signed(estimate.high)}"


def as_percent_cell(estimate: Estimate, digits: int = 1) -> tuple[str, str]:
    """Return a share and its interval as percentages.

    Examples:
        >>> as_percent_cell(Estimate(0.25, 40, 0.14, 0.40))[1]
        '14.0 to 40.0'
    """
    if math.isnan(estimate.value):
        return number(None), ""
    low, high = estimate.low, estimate.high
    inside = (
        "" if low is None or high is None else f"{100 * low:.{digits}f}{TO}{100 * high:.{digits}f}"
    )
    return percent(estimate.value, digits), inside
