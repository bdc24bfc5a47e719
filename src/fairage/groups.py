"""Which rows of a table a text such as `age_group=old` means."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage.exceptions import ConfigError
from fairage.tables import group_labels

__all__ = ["members"]


def members(frame: pl.DataFrame, text: str) -> NDArray[np.bool_]:
    """Return which rows are in a group, written as `attribute=group`, shape `(n,)`.

    Raises:
        ConfigError: The text is written otherwise, or no row is in the group.
        DataError: The attribute is not known.

    Examples:
        >>> members(pl.DataFrame({"age": [8.0, 70.0]}), "age_group=old").tolist()
        [False, True]
    """
    attribute, separator, group = text.partition("=")
    if not separator:
        raise ConfigError(
            f"expected a group as attribute=group, got {text!r}, write for example age_group=old"
        )
    labels = group_labels(frame, attribute)
    if group not in labels:
        raise ConfigError.unknown_name(f"group of {attribute!r}", group, set(labels.tolist()))
    return np.asarray(labels == group)
