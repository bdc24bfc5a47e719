"""The audit: what anybody's predictions owe to each group, and whether it is more than chance."""

from fairage.audit.auditing import audit
from fairage.audit.comparing import ComparisonResult, Difference, compare
from fairage.audit.gaps import Score, bias, score
from fairage.audit.groups import GroupMeans, group_means
from fairage.audit.intervals import Estimate
from fairage.audit.resampling import NoiseFloor, average_noise_floor, noise_floor
from fairage.audit.result import AuditResult, AuditWarning, ModelAudit
from fairage.audit.scorers import average_bias_scorer, mae_scorer
from fairage.audit.settings import AuditSettings

__all__ = [
    "AuditResult",
    "AuditSettings",
    "AuditWarning",
    "ComparisonResult",
    "Difference",
    "Estimate",
    "GroupMeans",
    "ModelAudit",
    "NoiseFloor",
    "Score",
    "audit",
    "average_bias_scorer",
    "average_noise_floor",
    "bias",
    "compare",
    "group_means",
    "mae_scorer",
    "noise_floor",
    "score",
]
