"""The sentence beneath each figure of an audit, made from the figure's numbers."""

from fairage._text import count, signed, years
from fairage.age_groups import MAX_AGE
from fairage.auditing.result import ModelAudit
from fairage.auditing.result_parts import (
    ALL,
    DIFFER,
    FEWER,
    MAE,
    WITHIN,
    AdjustedGap,
    AgeBand,
    Cell,
    Gap,
    Intersection,
)
from fairage.reports.format import cell_of, faces_of, with_span
from fairage.reports.gap_text import apart, left_out_sentence, size_at_least, size_at_most
from fairage.reports.pair_text import (
    MEASURE_WORDS,
    age_part_sentence,
    leading_gaps,
    pair_sentence,
    pairs_sentence,
    worst_sentence,
)
from fairage.reports.verdict_text import verdict_sentences

LEAST_FACES = 10
CELLS = " x "
NAMED_PAIRS = 3


def group_sentence(model: ModelAudit, attribute: str) -> str:
    """Return what the errors of an attribute's groups show: differences, or what is possible."""
    verdict = model.verdicts[attribute]
    sentences = [pair_sentence(model, gap) for gap in leading_gaps(verdict)]
    if verdict.kind != DIFFER or not sentences:
        sentences = [*verdict_sentences(model, [attribute]), *sentences]
    if verdict.reason != FEWER:
        sentences += [pairs_sentence(model, attribute), worst_sentence(model, attribute)]
    sentences.append(left_out_sentence([verdict]))
    return " ".join(sentence for sentence in sentences if sentence)


def age_sentence(model: ModelAudit) -> str:
    """Return at which ages the measured errors of all faces are smallest and largest.

    Bands with fewer than ten faces are left aside. Nothing is said of differences between bands:
    the verdict on age groups does that.
    """
    bands = [band for band in model.by_age.bands.get(ALL, ()) if band.n >= LEAST_FACES]
    if len(bands) < 2:
        return "Too few ages have ten faces or more."
    small, large = (pick(bands, key=lambda band: band.mae.value) for pick in (min, max))
    old, young = (pick(bands, key=lambda band: band.mean_error.value) for pick in (max, min))
    return (
        f"In bands of five years with ten faces or more, the measured MAE runs from "
        f"{_band_mae(small)} to {_band_mae(large)}, the mean error from {_band_mean(young)} to "
        f"{_band_mean(old)}."
    )


def group_age_sentence(model: ModelAudit, attribute: str) -> str:
    """Return what of an attribute's gaps comes from who is older.

    First the gaps that differ, then those that appear only between people of the same age.
    """
    verdict, adjusted = model.verdicts[attribute], model.by_age.adjusted.get(attribute, ())
    if len(verdict.groups) < 2:
        return "Fewer than two groups have enough faces to be compared at the same age."
    sentences = [age_part_sentence(model, gap, named=True) for gap in leading_gaps(verdict)]
    differing = {(frozenset((gap.first, gap.second)), gap.measure) for gap in verdict.differing}
    hidden = [each for each in adjusted if _appears(each, differing)]
    sentences += [_hidden_sentence(each) for each in hidden[:NAMED_PAIRS]]
    if sentences:
        return " ".join(sentences)
    if not any(each.usable for each in adjusted):
        return "The ages of these groups hardly overlap: they cannot be compared at the same age."
    return "These rows cannot tell whether these groups differ between people of the same age."


def intersection_sentence(intersection: Intersection) -> str:
    """Return what can be said of the cells of two attributes: differences, or what is possible."""
    verdict = intersection.verdict
    small = [cell for cell in intersection.cells if not cell.takes_part]
    sentences = []
    if verdict.kind == DIFFER and verdict.differing:
        sentences = [_cell_gap(intersection, verdict.differing[0])]
    elif verdict.kind == WITHIN and verdict.at_most is not None:
        sentences = [f"No gap between these cells is larger than {size_at_most(verdict.at_most)}."]
        sentences += [_cell_gap(intersection, gap) for gap in verdict.differing[:1]]
    elif verdict.reason == FEWER:
        sentences = ["Fewer than two cells have enough faces: there is nothing to compare."]
    else:
        sentences = [_open_cells(intersection)]
    if small:
        sentences.append(f"Hatched: {count(len(small), 'cell')} with too few faces or unknown.")
    return " ".join(sentences)


def _band_mae(band: AgeBand) -> str:
    return f"{with_span(band.mae, 1)} years {_ages(band)}"


def _band_mean(band: AgeBand) -> str:
    return f"{with_span(band.mean_error, 1, sign=True)} years {_ages(band)}"


def _ages(band: AgeBand) -> str:
    if band.high > MAX_AGE:
        return f"from age {band.low:g} on"
    return f"at ages {band.low:g} to {band.high:g}"


def _appears(adjusted: AdjustedGap, differing: set[tuple[frozenset[str], str]]) -> bool:
    """Return whether a gap shows only between people of the same age."""
    if (frozenset((adjusted.first, adjusted.second)), adjusted.measure) in differing:
        return False
    low, high = adjusted.adjusted.low, adjusted.adjusted.high
    above = low is not None and low > 0
    below = high is not None and high < 0
    return adjusted.usable and (above or below)


def _hidden_sentence(adjusted: AdjustedGap) -> str:
    low, high = adjusted.adjusted.low, adjusted.adjusted.high
    names = [adjusted.first, adjusted.second]
    least = low if low is not None and low > 0 else -(high or 0.0)
    if least != low:
        names.reverse()
    larger, smaller = (faces_of(adjusted.attribute, name) for name in names)
    return (
        f"Between people of the same age the {MEASURE_WORDS[adjusted.measure]} of {larger} is "
        f"larger than that of {smaller} by at least {size_at_least(least)}."
    )


def _cell_gap(intersection: Intersection, gap: Gap) -> str:
    first, second = (_cell(intersection, name) for name in (gap.first, gap.second))
    if first is None or second is None:
        return ""
    names = [cell_of(intersection.attributes, cell.groups) for cell in (first, second)]
    if gap.measure == MAE:
        values = [years(cell.mae.value) for cell in (first, second)]
    else:
        values = [f"{signed(cell.mean_error.value)} years" for cell in (first, second)]
    word = MEASURE_WORDS[gap.measure]
    return f"The {word} of {names[0]} is {values[0]}, that of {names[1]} {values[1]}, {apart(gap)}."


def _cell(intersection: Intersection, name: str) -> Cell | None:
    return next(
        (cell for cell in intersection.cells if CELLS.join(cell.groups) == name),
        None,
    )


def _open_cells(intersection: Intersection) -> str:
    most = intersection.verdict.at_most
    limit = "of any size" if most is None else f"up to {size_at_most(most)}"
    text = f"These rows cannot tell whether these cells differ: gaps {limit} are possible."
    judged = [cell for cell in intersection.cells if cell.takes_part]
    if not judged:
        return text
    largest = max(judged, key=lambda cell: cell.mae.value)
    where = cell_of(intersection.attributes, largest.groups)
    return f"{text} The largest measured MAE is that of {where}, {with_span(largest.mae)} years."
