"""What the usual names of columns mean: truths, estimates, images, persons, row numbers."""

import re
from collections.abc import Sequence

from fairage._demographics import is_demographic, plain
from fairage.tables import AGE, AGE_STD, IDENTITY, IMAGE, MODEL, PREDICTION

STRONG_AGES = (AGE, "true_age", "age_true", "y_true")
AGES = (*STRONG_AGES, "ground_truth", "gt", "gt_age", "age_gt", "target", "label", "actual",
        "actual_age", "apparent_age_avg", "apparent_age", "real_age")  # fmt: skip
AGE_RANGES = ("age_range", "agerange", "age_bin", "age_bracket", "true_age_range")
PREDICTIONS = (PREDICTION, "predictions", "pred", "preds", "predicted", "predicted_age",
               "age_prediction", "pred_age", "age_pred", "y_pred", "estimate", "estimated_age",
               "age_estimate", "output")  # fmt: skip
IMAGES = (IMAGE, "image_path", "img", "img_path", "file", "filename", "file_name", "path",
          "image_id", "imageid")  # fmt: skip
IDENTITIES = (IDENTITY, "identity_id", "subject", "subject_id", "person", "person_id")
STDS = (AGE_STD, "apparent_age_std", "rater_std")
MODELS = (MODEL, "system", "vendor", "algorithm")
REASONS = ("reason", "failure_reason", "error_message")
WEIGHTS = ("weight", "weights", "sample_weight", "sample_weights", "survey_weight",
           "survey_weights", "sampling_weight", "pweight")  # fmt: skip
LIMITS = ("lower", "upper", "level")
BOOKKEEPING = ("split", "seed", "fold", "face", "n_ratings", "num_ratings", "votes", "batch")

NO_AGE_WORDS = {"score", "scores", "confidence", "conf", "prob", "probability", "logit", "std",
                "sd", "sigma", "var", "variance", "risk", "error", "err", "abs", "loss", "group",
                "class", "bin", "label", "low", "high", "lower", "upper", "min", "max", "rank",
                "id", "level", "reason", "time", "ms"}  # fmt: skip
IDENTIFIER = re.compile(
    r"(?:.*_)?(?:id|ids|uuid|guid|url|uri|hash|md5|sha256|name|index|row)|unnamed.*"
)
LOW, HIGH = ("low", "lower", "min", "from", "lo"), ("high", "upper", "max", "to", "hi")


def named(columns: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return the columns with one of these names, in the names' order, twins side by side.

    Examples:
        >>> named(["Age", "label", "age"], AGES)
        ['Age', 'age', 'label']
    """
    return [column for name in names for column in columns if plain(column) == name]


def looks_like_prediction(name: str) -> bool:
    """Return whether a name is one of estimated ages, such as `pred_a`.

    Examples:
        >>> looks_like_prediction("pred_a"), looks_like_prediction("pred_gender")
        (True, False)
    """
    word = plain(name)
    match = re.fullmatch(
        r"(?:pred|prediction|predicted|estimated|estimate)_(.+)"
        r"|(.+)_(?:pred|prediction|predicted|estimated|estimate)",
        word,
    )
    if match is None:
        return False
    rest = match[1] or match[2]
    return not set(rest.split("_")) & NO_AGE_WORDS and not is_demographic(rest)


def is_identifier(name: str) -> bool:
    """Return whether a name is one of things that tell rows apart, such as `subject_id`."""
    return bool(IDENTIFIER.fullmatch(plain(name)))


def low_high_pairs(columns: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return the pairs of columns that hold both ends of something, by its plain name.

    Examples:
        >>> low_high_pairs(["AgeRange.Low", "AgeRange.High", "min_age", "Low", "High"])
        {'age_range': ('AgeRange.Low', 'AgeRange.High'), '': ('Low', 'High')}
    """
    by_name = {plain(column): column for column in columns}
    pairs = {}
    for word, column in by_name.items():
        for low, high in zip(LOW, HIGH, strict=True):
            if word == low and high in by_name:
                pairs[""] = (column, by_name[high])
            elif word.endswith(f"_{low}") and f"{word[: -len(low)]}{high}" in by_name:
                pairs[word[: -len(low) - 1]] = (column, by_name[f"{word[: -len(low)]}{high}"])
            elif word.startswith(f"{low}_") and f"{high}{word[len(low) :]}" in by_name:
                pairs[word[len(low) + 1 :]] = (column, by_name[f"{high}{word[len(low) :]}"])
    return pairs
