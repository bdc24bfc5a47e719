"""What follows a training, also where the trained head is made of several."""

from collections.abc import Sequence
from dataclasses import dataclass

from fairage._random import derive_seed
from fairage.models import AgeHead, Experts, member_heads
from fairage.objectives import Objective
from fairage.training import AfterStep, Rows

__all__ = ["Following"]


@dataclass(frozen=True)
class Following:
    """Steps that follow a training, and what they read.

    Args:
        steps: The steps in order.
        train: Training rows.
        valid: Validation rows.
        objective: What single heads were trained with.
        joint_objective: What experts and their merge were trained with.
    """

    steps: Sequence[AfterStep]
    train: Rows
    valid: Rows
    objective: Objective
    joint_objective: Objective

    def check(self) -> None:
        """Raise what `apply` would raise of rows that do not allow a step."""
        for step in self.steps:
            step.check(self.train, self.valid)

    def apply(self, head: AgeHead, *, seed: int) -> None:
        """Change the head in place.

        Of heads that are averaged, each one's weights are changed, and the ages of the whole
        corrected; experts with a merge that is trained are one head.
        """
        self._apply(head, list(self.steps), seed)

    def _apply(self, head: AgeHead, steps: list[AfterStep], seed: int) -> None:
        merged = isinstance(head.kind, Experts)
        if isinstance(head.kind, Experts) and head.kind.merge == "average":
            of_weights = [step for step in steps if step.of_weights]
            for number, member in enumerate(member_heads(head) if of_weights else ()):
                self._apply(member, of_weights, derive_seed(seed, "member", number))
            steps = [step for step in steps if not step.of_weights]
        objective = self.joint_objective if merged else self.objective
        for step in steps:
            step.apply(head, self.train, self.valid, objective=objective, seed=seed)
