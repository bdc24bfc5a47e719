"""Which column of somebody's table holds what: as told, or guessed from the usual names."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from fairage.audit.reading import Table
from fairage.exceptions import ConfigError, DataError
from fairage.tables import AGE, AGE_GROUP, AGE_STD, IDENTITY, IMAGE, PREDICTION

__all__ = ["Columns", "find_columns"]

AGES = (AGE, "true_age", "age_true", "y_true", "ground_truth", "gt", "gt_age", "target", "label",
        "actual", "actual_age", "apparent_age_avg", "apparent_age", "real_age")  # fmt: skip
PREDICTIONS = (PREDICTION, "predictions", "pred", "preds", "predicted", "predicted_age",
               "age_prediction", "pred_age", "age_pred", "y_pred", "estimate", "estimated_age",
               "age_estimate", "output")  # fmt: skip
IMAGES = (IMAGE, "image_path", "img", "img_path", "file", "filename", "file_name", "path",
          "image_id", "imageid")  # fmt: skip
IDENTITIES = (IDENTITY, "identity_id", "subject", "subject_id", "person", "person_id")
STDS = (AGE_STD, "apparent_age_std", "rater_std")
ATTRIBUTES = ("gender", "sex", "ethnicity", "race", "expression", "emotion", "skin", "skin_tone",
              "skin_type", "fitzpatrick", "monk", "glasses", "country")  # fmt: skip
NEVER = {"split", "seed", "model", "fold", AGE_GROUP}
MOST_GUESSED_GROUPS = 30


@dataclass(frozen=True)
class Columns:
    """The columns of an audit.

    Args:
        age: True ages.
        predictions: Predicted ages, one column a model.
        attributes: Attributes.
        image: Names of the images; None where there are none.
        identity: Who is on the image; None where nobody knows.
        age_std: Standard deviation of the raters' ages; None where there is none.
        guessed: Those of the above that were guessed, as "age", "prediction", ...
    """

    age: str
    predictions: tuple[str, ...]
    attributes: tuple[str, ...]
    image: str | None = None
    identity: str | None = None
    age_std: str | None = None
    guessed: tuple[str, ...] = ()

    @property
    def used(self) -> list[str]:
        """Every column that is read, each once."""
        optional = [name for name in (self.image, self.identity, self.age_std) if name is not None]
        return list(dict.fromkeys([self.age, *self.predictions, *self.attributes, *optional]))

    def told(self) -> str:
        """Return the guesses as one sentence; empty where everything was given.

        Examples:
            >>> Columns("label", ("pred",), (), guessed=("age", "prediction")).told()
            "Columns guessed: age 'label', prediction 'pred'."
        """
        values = {
            "age": [self.age],
            "prediction": self.predictions,
            "attribute": self.attributes,
            "image": [self.image],
            "identity": [self.identity],
            "age std": [self.age_std],
        }
        parts = [f"{kind} {', '.join(map(repr, values[kind])) or 'none'}" for kind in self.guessed]
        return (
            f"Columns guessed: {'; '.join(parts) if len(parts) > 2 else ', '.join(parts)}."
            if parts
            else ""
        )


def find_columns(
    table: Table,
    *,
    age: str | None = None,
    predictions: Sequence[str] = (),
    attributes: Sequence[str] | None = None,
    image: str | None = None,
    identity: str | None = None,
    age_std: str | None = None,
) -> Columns:
    """Return the columns as told; those that are not told are guessed.

    Raises:
        ConfigError: A column that was told is not there.
        DataError: No column, or more than one, looks like the true age or the prediction.

    Examples:
        >>> from fairage.audit.reading import open_frame
        >>> frame = pl.DataFrame({"Label": [30.0], "pred_a": [31.0], "sex": ["f"]})
        >>> find_columns(open_frame(frame)).told()
        "Columns guessed: age 'Label'; prediction 'pred_a'; attribute 'sex'."
    """
    told = [age, *predictions, *(attributes or ()), image, identity, age_std]
    for name in told:
        if name is not None and name not in table.columns and name != AGE_GROUP:
            raise ConfigError.unknown_name("column", name, table.columns)
    left = [name for name in table.columns if name not in told]
    guessed = []
    if age is None:
        age = _the_age(left)
        guessed.append("age")
    if not predictions:
        predictions = _the_predictions([name for name in left if name != age])
        guessed.append("prediction")
    known = {"image": image, "identity": identity, "age std": age_std}
    for kind, names in (("image", IMAGES), ("identity", IDENTITIES), ("age std", STDS)):
        match = next(iter(_named(left, names)), None)
        if known[kind] is None and match is not None and match not in (age, *predictions):
            known[kind] = match
            guessed.append(kind)
    if attributes is None:
        taken = {age, *predictions, *known.values()}
        attributes = _the_attributes(table, [name for name in left if name not in taken])
        guessed.insert(len([k for k in guessed if k in ("age", "prediction")]), "attribute")
    attributes = tuple(dict.fromkeys(name for name in attributes if name != AGE_GROUP))
    return Columns(
        age,
        tuple(dict.fromkeys(predictions)),
        attributes,
        known["image"],
        known["identity"],
        known["age std"],
        tuple(guessed),
    )


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def _named(columns: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return the columns with one of these names, in the names' order."""
    plain = {_plain(column): column for column in reversed(columns)}
    return [plain[name] for name in names if name in plain]


def _the_age(columns: Sequence[str]) -> str:
    found = _named(columns, AGES)
    if not found:
        raise DataError(f"expected a column of true ages, got {list(columns)}, name it with --age")
    if len(found) > 1 and _plain(found[0]) not in (AGE, "true_age", "age_true", "y_true"):
        raise DataError(f"expected one column of true ages, got {found}, choose one with --age")
    return found[0]


def _the_predictions(columns: Sequence[str]) -> list[str]:
    exact = _named(columns, PREDICTIONS)
    if exact:
        return exact[:1]
    found = [
        name
        for name in columns
        if _plain(name).startswith(("pred_", "prediction_", "predicted_"))
        or _plain(name).endswith(("_pred", "_prediction"))
    ]
    if not found:
        raise DataError(
            f"expected a column of predictions, got {list(columns)}, name it with --prediction"
        )
    return found


def _the_attributes(table: Table, columns: Sequence[str]) -> list[str]:
    """Return the columns of text with few different values, and those with an attribute's name."""
    schema = table.schema()
    found = []
    for name in columns:
        if _plain(name) in NEVER or _plain(name) in (*AGES, *PREDICTIONS):
            continue
        kind = schema[name]
        if kind in (pl.Boolean, pl.Enum) or _plain(name) in ATTRIBUTES:
            found.append(name)
        elif kind in (pl.String, pl.Categorical):
            values = table.unique(name).cast(pl.String).drop_nulls()
            numbers = values.cast(pl.Float64, strict=False).is_not_null().all()
            if 0 < len(values) <= MOST_GUESSED_GROUPS and not numbers:
                found.append(name)
    return found
