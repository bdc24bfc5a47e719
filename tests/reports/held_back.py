"""Models made by hand whose verdicts heed failures, as those of a real audit do."""

from dataclasses import replace

from fairage.auditing.result import ModelAudit
from fairage.auditing.verdicts import joint_verdict, with_failures
from fairage.tables import AGE_GROUP


def held_back(made: ModelAudit) -> ModelAudit:
    """Return the model with the verdicts that its failures allow."""
    verdicts = {
        name: with_failures(verdict, made.failures.verdicts.get(name))
        for name, verdict in made.verdicts.items()
    }
    head = {name: verdict for name, verdict in verdicts.items() if name != AGE_GROUP}
    joint = joint_verdict(head or verdicts, made.verdict.margin, rows=made.n)
    return replace(made, verdicts=verdicts, verdict=joint)
