"""Train, audit and de-bias models that estimate a person's age from a face.

`fairage.audit` and `fairage.compare` are the functions; what is in the package of the same name is
imported with `from`: `from fairage.audit.gaps import score`.
"""

from fairage.audit.auditing import audit
from fairage.audit.comparing import ComparisonResult, compare
from fairage.audit.result import AuditResult
from fairage.audit.settings import AuditSettings

__all__ = ["AuditResult", "AuditSettings", "ComparisonResult", "audit", "compare"]
