"""Whether these rows bear out a published MAE."""

from fairage.auditing.result_parts import Claim, Interval

__all__ = ["check_claim"]


def check_claim(claimed: float | str | None, mae: Interval) -> Claim | None:
    """Return what these rows say of a published MAE; None where none was given.

    It is reproduced only where the measured MAE, rounded to the digits that the claim is written
    with, is the claim; and it is not reproduced only where no number that rounds to the claim lies
    in the interval.

    Args:
        claimed: The published MAE in years; as text where its last digit is 0, such as "3.40". A
            number has the digits of its shortest form, at least one after the point.
        mae: The measured one.

    Examples:
        >>> check_claim(3.26, Interval(3.4325, 3.29, 3.57, 1977)).kind
        'not reproduced'
        >>> check_claim(2.9999, Interval(3.04, 2.9, 3.2, 1000)).kind
        'within chance'
    """
    if claimed is None:
        return None
    text = claimed.strip() if isinstance(claimed, str) else _shortest(claimed)
    published, digits = float(text), len(text.partition(".")[2])
    rounding = 0.5 * 10.0**-digits + 1e-9
    shown = max(digits, 3)
    lead = f"An MAE of {text} years was published; {_these(mae.n)} {mae.value:.{shown}f}"
    if abs(published - mae.value) <= rounding:
        same = f"{lead}: the same, as far as the claim is written."
        return Claim(published, mae, "reproduced", same)
    if mae.low is None or mae.high is None:
        one = f"{lead}: one row or person alone cannot tell."
        return Claim(published, mae, "within chance", one)
    span = f"({mae.low:.{shown}f} to {mae.high:.{shown}f})"
    if mae.low - rounding <= published <= mae.high + rounding:
        near = f"{lead} {span}: not the same, but other rows of the same kind could give it."
        return Claim(published, mae, "within chance", near)
    side = "larger" if mae.value > published else "smaller"
    return Claim(
        published,
        mae,
        "not reproduced",
        f"{lead} {span}: {side} than published, by more than chance. It is not reproduced.",
    )


def _shortest(claimed: float) -> str:
    text = f"{claimed:.10f}".rstrip("0")
    return f"{text}0" if text.endswith(".") else text


def _these(rows: int) -> str:
    return "this row gives" if rows == 1 else f"these {rows:,} rows give"
