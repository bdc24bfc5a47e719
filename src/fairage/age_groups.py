"""Age groups: half-open bins of the true age; an attribute that is derived, never in a file."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairage.exceptions import ConfigError, DataError

MAX_AGE = 120.0
"""Highest age in years."""

METADATA = "fairage.age_groups"
"""Key under which a Parquet file says them."""


@dataclass(frozen=True)
class AgeGroups:
    """Half-open bins `[edges[i], edges[i + 1])` of the age in years; the last one has no end.

    Args:
        edges: Lower edges in years, rising, the first 0.
        names: One name a bin; `"a-b"` and `"a+"` where none are given.

    Examples:
        >>> AgeGroups().assign([19.99, 20, 60]).tolist()
        ['young', 'adult', 'old']
        >>> AgeGroups.from_edges([0, 18, 65]).names
        ('0-18', '18-65', '65+')
    """

    edges: tuple[float, ...] = (0.0, 20.0, 40.0, 60.0)
    names: tuple[str, ...] = ("young", "adult", "senior", "old")

    def __post_init__(self) -> None:
        object.__setattr__(self, "edges", tuple(map(float, self.edges)))
        object.__setattr__(self, "names", tuple(self.names))
        rising = all(a < b for a, b in zip(self.edges, self.edges[1:], strict=False))
        if not self.edges or self.edges[0] != 0 or not rising or self.edges[-1] >= MAX_AGE:
            raise ConfigError(
                f"expected age-group edges that rise from 0 and end below {MAX_AGE:g}, got "
                f"{list(self.edges)}, write for example 0,18,40,65"
            )
        if len(set(self.names)) != len(self.edges):
            raise ConfigError(
                f"expected {len(self.edges)} different age-group names, got {list(self.names)}, "
                "give one name for each lower edge"
            )

    @classmethod
    def parse(cls, text: str) -> "AgeGroups":
        """Return groups for lower edges that are written as text.

        Raises:
            ConfigError: They are no numbers, or do not rise from 0.

        Examples:
            >>> AgeGroups.parse("0,18,65").names
            ('0-18', '18-65', '65+')
        """
        try:
            edges = [float(edge) for edge in text.split(",")]
        except ValueError as error:
            raise ConfigError(
                f"expected age-group edges as numbers such as 0,18,65, got {text!r}, correct them"
            ) from error
        return cls.from_edges(edges)

    @classmethod
    def from_json(cls, text: str) -> "AgeGroups":
        """Return what `to_json` wrote down."""
        try:
            content = json.loads(text)
            return cls(tuple(map(float, content["edges"])), tuple(map(str, content["names"])))
        except (ValueError, TypeError, KeyError, ConfigError) as error:
            raise DataError(
                f"expected age groups with edges and names, got {text!r}, write the table again"
            ) from error

    def to_json(self) -> str:
        """Return the text that `from_json` reads."""
        return json.dumps({"edges": self.edges, "names": self.names})

    @classmethod
    def from_edges(cls, edges: Sequence[float]) -> "AgeGroups":
        """Return groups for these lower edges, named after their limits.

        The default edges have the default names.
        """
        edges = tuple(map(float, edges))
        if edges == cls().edges:
            return cls()
        texts = [repr(edge).removesuffix(".0") for edge in edges]
        upper = [f"-{text}" for text in texts[1:]] + ["+"]
        return cls(edges, tuple(map("".join, zip(texts, upper, strict=False))))

    def codes(self, ages: ArrayLike) -> NDArray[np.int64]:
        """Return the index of each age's group, shape `(n,)`."""
        codes = np.searchsorted(self.edges, np.asarray(ages, dtype=float), side="right") - 1
        return np.asarray(codes, dtype=np.int64)

    def assign(self, ages: ArrayLike) -> NDArray[np.str_]:
        """Return the name of each age's group, shape `(n,)`."""
        return np.array(self.names)[self.codes(ages)]

    def __str__(self) -> str:
        """Return the groups in words.

        Examples:
            >>> print(AgeGroups.from_edges([0, 18]))
            0-18 from 0, 18+ from 18
        """
        pairs = zip(self.names, self.edges, strict=True)
        return ", ".join(f"{name} from {edge:g}" for name, edge in pairs)
