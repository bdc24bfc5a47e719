"""C-Mixup: in training, faces are mixed with faces of about the same age."""

from dataclasses import dataclass

import torch
from torch import Tensor

from fairage.objectives import Targets

__all__ = ["Mixup"]


@dataclass(frozen=True)
class Mixup:
    """Mixes each row of a batch with one drawn from it, which is the likelier the nearer in age.

    A row that has no other near its age draws itself, and stays as it is. A row keeps the larger
    share, so that its weight and its groups stay those of the mixture. Ages count as whole years
    while partners are drawn. Source: Yao, Wang, Zhang, Zou & Finn, C-Mixup: Improving
    Generalization in Regression, NeurIPS 2022.

    Args:
        alpha: Shares are drawn from Beta(alpha, alpha): the higher, the more is mixed.
        years: Standard deviation in years of the Gaussian in the difference of ages by which
            partners are drawn.

    Examples:
        >>> rows, targets = torch.eye(3), Targets(torch.tensor([20.0, 21.0, 80.0]))
        >>> mixed, found = Mixup(alpha=1.0, years=2.0)(rows, targets)
        >>> mixed[2].tolist(), found.ages[2].item()
        ([0.0, 0.0, 1.0], 80.0)
    """

    alpha: float
    years: float

    def __call__(self, rows: Tensor, targets: Targets) -> tuple[Tensor, Targets]:
        """Return the mixtures of rows `(n, dim)` of floats, and their targets, one a row."""
        ages = targets.ages
        shares = torch.distributions.Beta(self.alpha, self.alpha).sample((len(ages),)).to(ages)
        shares = torch.maximum(shares, 1 - shares)
        partners = self._partners(ages)
        mixed = torch.lerp(rows.index_select(0, partners), rows, shares[:, None])
        return mixed, targets.mixed(targets.rows(partners), shares)

    def _partners(self, ages: Tensor) -> Tensor:
        """Draw the year of each row's partner, then one of the rows of that year."""
        years, place, counts = torch.unique(ages.round(), return_inverse=True, return_counts=True)
        near = torch.exp(-(((years[:, None] - years) / self.years) ** 2) / 2) * counts
        drawn = torch.multinomial(near[place], 1).squeeze(1)
        within = torch.rand_like(ages) * counts[drawn]
        first = counts.cumsum(0) - counts
        rank = torch.minimum(within.long(), counts[drawn] - 1)
        by_year: Tensor = place.argsort()
        return by_year[first[drawn] + rank]
