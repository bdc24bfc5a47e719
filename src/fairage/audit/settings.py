"""What an audit is asked to do."""

from dataclasses import dataclass

from fairage.age_groups import DEFAULT_AGE_GROUPS, AgeGroups
from fairage.exceptions import ConfigError
from fairage.tables import MAX_AGE

__all__ = ["AuditSettings"]


@dataclass(frozen=True)
class AuditSettings:
    """Options of an audit.

    Args:
        replicates: Bootstrap replicates behind every interval.
        permutations: Shuffles behind every noise floor.
        seed: Start of the random numbers.
        age_groups: Groups of the true age.
        min_rows: Groups and cells with fewer rows are listed, not ranked.
        legal_age: Age that a check is about, such as 18; None leaves age assurance out.
        challenge: Estimated age from which a person is not asked for a document, such as 25; the
            legal age where nothing is given.
        wanted_rate: False positive rate that the worst group should have at most, in 0..1.
        claimed_mae: MAE that somebody published for these predictions, in years.

    Examples:
        >>> AuditSettings(replicates=0)
        Traceback (most recent call last):
        fairage.exceptions.ConfigError: expected at least 20 replicates, got 0, ask for 1000
    """

    replicates: int = 1000
    permutations: int = 1000
    seed: int = 0
    age_groups: AgeGroups = DEFAULT_AGE_GROUPS
    min_rows: int = 30
    legal_age: float | None = None
    challenge: float | None = None
    wanted_rate: float = 0.01
    claimed_mae: float | None = None

    def __post_init__(self) -> None:
        for name in ("replicates", "permutations"):
            if getattr(self, name) < 20:
                raise ConfigError(
                    f"expected at least 20 {name}, got {getattr(self, name)}, ask for 1000"
                )
        if self.min_rows < 2:
            raise ConfigError(f"expected min_rows of 2 or more, got {self.min_rows}, ask for 30")
        for name in ("legal_age", "challenge"):
            value = getattr(self, name)
            if value is not None and not 0 < value <= MAX_AGE:
                raise ConfigError(
                    f"expected {name} in years above 0 and up to {MAX_AGE:g}, got {value:g}, "
                    "give one such as 18"
                )
        if self.challenge is not None and self.legal_age is None:
            raise ConfigError(
                f"expected legal_age beside challenge {self.challenge:g}, got none, give both"
            )
        if not 0 < self.wanted_rate < 1:
            raise ConfigError(
                f"expected wanted_rate between 0 and 1, got {self.wanted_rate:g}, ask for 0.01"
            )
        if self.claimed_mae is not None and not self.claimed_mae >= 0:
            raise ConfigError(
                f"expected claimed_mae of 0 years or more, got {self.claimed_mae:g}, correct it"
            )

    @property
    def threshold(self) -> float | None:
        """Estimated age from which a person passes; None without a legal age."""
        return self.legal_age if self.challenge is None else self.challenge
