"""Populations of faces whose every true value is known exactly, for `coverage.py`.

A population is a finite list of kinds of faces. Each kind has a share, a mean absolute error, a law
of its absolute errors and the chance that an error is upwards (sign and size are independent), so
that the true value of every measure in every group has a closed form, or is the root of one.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf, ndtr

from fairage.auditing.groups import Floats

__all__ = [
    "CONSTANT",
    "HALF_NORMAL",
    "HEAVY",
    "LAPLACE",
    "LAWS",
    "LOGNORMAL",
    "Kinds",
    "Law",
    "ages",
    "attribute",
    "cross",
    "factor",
    "sampled_shares",
    "true_values",
]

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Law:
    """A law of absolute errors with mean 1.

    Args:
        name: Its name.
        draw: Draws a number of errors.
        below: Share of errors below a value.
        square: Mean of the squared errors.
    """

    name: str
    draw: Callable[[np.random.Generator, int], Floats]
    below: Callable[[Floats], Floats]
    square: float


def _lognormal(spread: float) -> Law:
    shift = spread**2 / 2
    return Law(
        f"exp({spread:g} z)",
        lambda rng, n: np.exp(spread * rng.standard_normal(n) - shift),
        lambda x: np.asarray(ndtr((np.log(np.maximum(x, 1e-300)) + shift) / spread)),
        math.exp(spread**2),
    )


LAWS = (
    Law(
        "half-normal",
        lambda rng, n: np.abs(rng.standard_normal(n)) * math.sqrt(math.pi / 2),
        lambda x: np.asarray(erf(x / math.sqrt(math.pi))),
        math.pi / 2,
    ),
    Law("Laplace", lambda rng, n: rng.exponential(size=n), lambda x: -np.expm1(-x), 2.0),
    _lognormal(0.6),
    _lognormal(1.0),
    Law("constant", lambda _, n: np.ones(n), lambda x: (x >= 1 - 1e-12).astype(float), 1.0),
)
HALF_NORMAL, LAPLACE, LOGNORMAL, HEAVY, CONSTANT = range(5)


@dataclass(frozen=True)
class Kinds:
    """The kinds of faces (or persons) of a population; one number a kind.

    Args:
        shares: Share of the population, shape `(kinds,)`, sums to 1.
        scale: Mean absolute error in years; kinds that are crossed multiply theirs.
        codes: Group of each kind, by attribute.
        up: Chance that an error is upwards; kinds that are crossed add what it differs from 1/2.
        law: Place of the law of absolute errors in `LAWS`.
        drawn: Share of the sample, where that is not the population's: survey weights undo it.
        fails: Chance that there is no estimate.
        age: True age in years; NaN where it does not matter.
    """

    shares: Floats
    scale: Floats
    codes: Mapping[str, Codes] = field(default_factory=dict)
    up: Floats = field(default_factory=lambda: np.array([0.5]))
    law: Codes = field(default_factory=lambda: np.array([HALF_NORMAL]))
    drawn: Floats | None = None
    fails: Floats = field(default_factory=lambda: np.zeros(1))
    age: Floats = field(default_factory=lambda: np.array([np.nan]))

    def __len__(self) -> int:
        return len(self.shares)

    def copied(self, name: str, copies: int) -> "Kinds":
        """Return the kinds with copies of one attribute under other names."""
        extra = {f"{name}{copy}": self.codes[name] for copy in range(1, copies + 1)}
        return replace(self, codes={**self.codes, **extra})


def attribute(
    name: str,
    shares: Sequence[float] | int,
    scale: Sequence[float] | float = 1.0,
    *,
    up: Sequence[float] | float = 0.5,
    law: Sequence[int] | int = HALF_NORMAL,
    drawn: Sequence[float] | None = None,
    fails: Sequence[float] | float = 0.0,
) -> Kinds:
    """Return kinds that are the groups of one attribute; an integer of shares means equal ones."""
    parts = np.full(shares, 1 / shares) if isinstance(shares, int) else np.array(shares, float)
    k = len(parts)
    return Kinds(
        parts / parts.sum(),
        np.broadcast_to(np.asarray(scale, float), k),
        {name: np.arange(k)},
        np.broadcast_to(np.asarray(up, float), k),
        np.broadcast_to(np.asarray(law, np.int64), k),
        None if drawn is None else np.array(drawn, float) / np.sum(drawn),
        np.broadcast_to(np.asarray(fails, float), k),
    )


def factor(
    scale: Sequence[float] | Floats,
    *,
    up: Sequence[float] = (0.5,),
    fails: Sequence[float] = (0.0,),
) -> Kinds:
    """Return kinds that differ in error alone, equally frequent, such as easy and hard persons.

    Every scale is combined with every `up`, and with every `fails`.
    """
    grid = np.stack(np.meshgrid(scale, up, fails, indexing="ij"), -1).reshape(-1, 3)
    k = len(grid)
    return Kinds(np.full(k, 1 / k), grid[:, 0], up=grid[:, 1], fails=grid[:, 2])


def ages(
    years: Sequence[float] | NDArray[np.int64],
    shares: Sequence[float] | Floats,
    growth: float,
    edges: Sequence[float] = (20, 40, 60),
) -> Kinds:
    """Return kinds of whole years of age; the error is 1 at 0 and grows by `growth` a year.

    Args:
        years: The ages.
        shares: Share of each.
        growth: What is added to the factor of the error, a year.
        edges: Edges of the attribute `age_group`.
    """
    own = np.asarray(years, float)
    part = np.asarray(shares, float)
    groups = np.searchsorted(np.asarray(edges, float), own, side="right").astype(np.int64)
    return Kinds(part / part.sum(), 1 + growth * own, {"age_group": groups}, age=own)


def cross(first: Kinds, *others: Kinds) -> Kinds:
    """Return every kind of the first combined with every kind of the others, independently."""
    result = first
    for other in others:
        result = _cross(result, other)
    return result


def _cross(one: Kinds, two: Kinds) -> Kinds:
    size = len(one), len(two)

    def spread(values: np.ndarray, *, of_two: bool) -> np.ndarray:
        own = values[None, :] if of_two else values[:, None]
        return np.broadcast_to(own, size).ravel()

    drawn = None
    if one.drawn is not None or two.drawn is not None:
        drawn = np.outer(sampled_shares(one), sampled_shares(two)).ravel()
    ages_of_two = bool(np.isnan(one.age).all())
    return Kinds(
        np.outer(one.shares, two.shares).ravel(),
        np.outer(one.scale, two.scale).ravel(),
        {name: spread(codes, of_two=False) for name, codes in one.codes.items()}
        | {name: spread(codes, of_two=True) for name, codes in two.codes.items()},
        spread(one.up, of_two=False) + spread(two.up, of_two=True) - 0.5,
        spread(one.law, of_two=False),
        drawn,
        spread(one.fails, of_two=False) + spread(two.fails, of_two=True),
        spread(two.age if ages_of_two else one.age, of_two=ages_of_two),
    )


def sampled_shares(kinds: Kinds) -> Floats:
    """Return the share of each kind among the units that are drawn."""
    return kinds.shares if kinds.drawn is None else kinds.drawn


def true_values(faces: Kinds, which: NDArray[np.bool_]) -> dict[str, float]:
    """Return the true value of each measure over these kinds, of faces that have an estimate."""
    k = len(faces)
    law, up, fails = (np.broadcast_to(x, k)[which] for x in (faces.law, faces.up, faces.fails))
    shares, scale = faces.shares[which], faces.scale[which]
    shares = shares / shares.sum()
    failing = float(shares @ fails)
    shares = shares * (1 - fails) / (1 - failing)
    squares = np.array([own.square for own in LAWS])[law]

    def below(value: float) -> float:
        return sum(
            float(shares[law == own] @ LAWS[own].below(value / scale[law == own]))
            for own in np.unique(law).tolist()
        )

    return {
        "mae": float(shares @ scale),
        "mean_error": float(shares @ (scale * (2 * up - 1))),
        "median": _root(below, 0.5, float(scale.max())),
        "p90": _root(below, 0.9, float(scale.max())),
        "rmse": math.sqrt(float(shares @ (scale**2 * squares))),
        "within_5": below(5.0),
        "fails": failing,
    }


def _root(rising: Callable[[float], float], wanted: float, guess: float) -> float:
    low, high = 0.0, guess
    while rising(high) < wanted:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if rising(middle) >= wanted else (middle, high)
    return high
