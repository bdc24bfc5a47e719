"""The columns that hold a score in tables: MAE, each bias, the average bias."""

from fairage.audit.gaps import Score
from fairage.tables import AGE_GROUP

__all__ = ["AVERAGE_BIAS", "MAE", "bias_column", "metrics_of"]

MAE, AVERAGE_BIAS = "mae", "average_bias"


def bias_column(attribute: str) -> str:
    """Return the column of an attribute's bias; the derived age group's is `age_bias`.

    Examples:
        >>> bias_column("gender"), bias_column("age_group")
        ('gender_bias', 'age_bias')
    """
    return f"{'age' if attribute == AGE_GROUP else attribute}_bias"


def metrics_of(found: Score) -> dict[str, float]:
    """Return MAE, each bias and average bias of a score, by column."""
    biases = {bias_column(name): value for name, value in found.biases.items()}
    return {MAE: found.mae, **biases, AVERAGE_BIAS: found.average_bias}
