"""The audit: how far estimates are off in each group, and what the data say of the gaps."""

from fairage.auditing.audit_settings import AuditSettings
from fairage.auditing.auditor import audit
from fairage.auditing.comparison import compare
from fairage.auditing.comparison_result import ComparisonResult
from fairage.auditing.measures import MEASURES, Measure
from fairage.auditing.model_estimates import estimate
from fairage.auditing.result import AuditResult, ModelAudit
from fairage.auditing.result_parts import Interval
from fairage.auditing.scoring import Score, score

__all__ = [
    "MEASURES",
    "AuditResult",
    "AuditSettings",
    "ComparisonResult",
    "Interval",
    "Measure",
    "ModelAudit",
    "Score",
    "audit",
    "compare",
    "estimate",
    "score",
]
