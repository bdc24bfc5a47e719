"""Options of an audit."""

import math
import re
from dataclasses import dataclass, replace

from fairage.age_groups import MAX_AGE, AgeGroups
from fairage.exceptions import ConfigError

PLAIN = re.compile(r"\d+(\.\d+)?|\.\d+")


@dataclass(frozen=True)
class AuditSettings:
    """Options of an audit; each has a flag of the same name in `fairage audit`.

    Args:
        min_rows: Rows (persons, where identities are known) from which a group takes part in
            biases, noise floors, verdicts, averages and rankings; smaller ones are only listed.
        margin: Largest gap in years that counts as no difference in practice.
        rate_margin: The same for gaps of rates, as a share: 0.05 is five points of a hundred.
        seed: Start of the random numbers.
        age_groups: Groups of the true age; where nothing is given, those that a Parquet file says,
            else young, adult, senior and old, from 0, 20, 40 and 60 years.
        legal_age: Age that an age check is about, such as 18; None leaves the age check out.
        challenge: Estimated age from which a person passes, such as 25; the legal age where
            nothing is given.
        wanted_rate: False positive rate that the worst group should have at most, in 0..1.
        claimed_mae: MAE that somebody published for these predictions, in years; as text where
            its digits count, such as "3.40".
        level: Share of true ages that the model's own intervals promise to hold, such as 0.9,
            where no column says so.
        missing: Further spellings of a missing estimate, beside the usual ones; `"0"` for tables
            that write 0 where there is no estimate.
        range_end: Whether a whole-year range such as "20-29" counts its last year ("closed": it
            ends at 30) or not ("open": it ends at 29).
        oldest: Age in years that closes ranges without an end, such as "70+"; they have no
            mid-point where nothing is given.

    Examples:
        >>> AuditSettings(min_rows=1)
        Traceback (most recent call last):
        fairage.exceptions.ConfigError: expected min_rows of 2 or more, got 1, ask for 30
    """

    min_rows: int = 30
    margin: float = 1.0
    rate_margin: float = 0.05
    seed: int = 0
    age_groups: AgeGroups | None = None
    legal_age: float | None = None
    challenge: float | None = None
    wanted_rate: float = 0.01
    claimed_mae: float | str | None = None
    level: float | None = None
    missing: tuple[str, ...] = ()
    range_end: str = "closed"
    oldest: float | None = None

    def __post_init__(self) -> None:
        if self.min_rows < 2:
            raise ConfigError(f"expected min_rows of 2 or more, got {self.min_rows}, ask for 30")
        if not 0 < self.margin < MAX_AGE:
            raise ConfigError(f"expected a margin in years above 0, got {self.margin:g}, ask for 1")
        for name in ("rate_margin", "wanted_rate"):
            value = getattr(self, name)
            if not 0 < value < 1:
                raise ConfigError(
                    f"expected {name} between 0 and 1, got {value:g}, ask for 0.05 (5 %)"
                )
        if self.level is not None and not 0 < self.level < 1:
            raise ConfigError(
                f"expected level between 0 and 1, got {self.level:g}, write 0.9 for 90 %"
            )
        for name in ("legal_age", "challenge", "oldest"):
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
        if self.claimed_mae is not None and not 0 <= _number(self.claimed_mae) <= MAX_AGE:
            raise ConfigError(
                f"expected claimed_mae in years in 0..{MAX_AGE:g}, got {self.claimed_mae}, "
                "write it as 3.40"
            )
        if self.range_end not in ("closed", "open"):
            raise ConfigError.unknown_name("range_end", self.range_end, ["closed", "open"])

    def with_default_groups(self, age_groups: AgeGroups | None) -> "AuditSettings":
        """Return the same options with these age groups, or the default ones, if there are none."""
        return replace(self, age_groups=self.age_groups or age_groups or AgeGroups())

    @property
    def grouping(self) -> AgeGroups:
        """Groups of the true age."""
        return self.age_groups or AgeGroups()

    @property
    def threshold(self) -> float | None:
        """Estimated age from which a person passes; None without a legal age."""
        return self.legal_age if self.challenge is None else self.challenge


def _number(claim: float | str) -> float:
    """Return the claim in years; NaN for what is not written in plain digits."""
    plain = not isinstance(claim, str) or PLAIN.fullmatch(claim.strip())
    return float(claim) if plain else math.nan
