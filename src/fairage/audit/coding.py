"""Groups of a column as small numbers, the same ones in every batch."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from fairage.audit.groups import Groups, present_groups
from fairage.audit.reading import Table
from fairage.exceptions import DataError
from fairage.tables import UNKNOWN

__all__ = ["MOST_GROUPS", "GroupCoder", "group_texts"]

MOST_GROUPS = 200
NESTED = (pl.List, pl.Struct, pl.Array, pl.Binary, pl.Object)


@dataclass(frozen=True)
class GroupCoder:
    """Numbers the groups of an attribute.

    Args:
        names: Groups in sorted order; a missing value is the group `unknown`.
    """

    names: tuple[str, ...]

    @classmethod
    def of(cls, table: Table, column: str) -> "GroupCoder":
        """Return the coder of a column; nested values are an error."""
        if isinstance(table.schema()[column], NESTED):
            raise DataError(f"column {column!r}: expected groups, got nested values, leave it out")
        return cls(tuple(sorted(group_texts(table.unique(column)).unique())))

    @property
    def too_many(self) -> bool:
        """Whether there are more groups than an attribute can sensibly have."""
        return len(self.names) > MOST_GROUPS

    def codes(self, values: pl.Series) -> NDArray[np.uint8]:
        """Return the number of each value's group, shape `(n,)`; nothing where there are too many.

        Examples:
            >>> GroupCoder(("f", "m", "unknown")).codes(pl.Series(["m", " f", None])).tolist()
            [1, 0, 2]
        """
        if self.too_many:
            return np.empty(0, dtype=np.uint8)
        codes = group_texts(values).cast(pl.Enum(self.names)).to_physical()
        return codes.to_numpy().astype(np.uint8)

    def groups(self, codes: NDArray[np.uint8]) -> Groups:
        """Return the groups of all rows."""
        return present_groups(self.names, codes)


def group_texts(values: pl.Series) -> pl.Series:
    """Return values as trimmed text; a missing one is `unknown`."""
    texts = values.cast(pl.String).str.strip_chars()
    return texts.fill_null(UNKNOWN).replace("", UNKNOWN)
