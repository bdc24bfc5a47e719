"""Train, audit and de-bias models that estimate a person's age from a face.

    import fairage

    result = fairage.audit("vendor.csv")            # or arrays: audit(y_true, y_pred, groups)
    print(result.verdict.kind, result.bias["gender"])
    result.save("audit.html")

Names are loaded when they are first used, so that `import fairage` costs next to nothing.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from fairage.exceptions import (
    ConfigError,
    DataError,
    FairageError,
    MissingDependencyError,
    NotFittedError,
)

if TYPE_CHECKING:
    from fairage.age_groups import AgeGroups
    from fairage.auditing import (
        MEASURES,
        AuditResult,
        AuditSettings,
        ComparisonResult,
        Interval,
        Measure,
        ModelAudit,
        audit,
        compare,
        score,
    )
    from fairage.tables import Faces, read_faces

__all__ = [
    "MEASURES",
    "AgeGroups",
    "AuditResult",
    "AuditSettings",
    "ComparisonResult",
    "ConfigError",
    "DataError",
    "Faces",
    "FairageError",
    "Interval",
    "Measure",
    "MissingDependencyError",
    "ModelAudit",
    "NotFittedError",
    "__version__",
    "audit",
    "compare",
    "read_faces",
    "score",
]

__version__ = version("fairage")

_MODULES = {
    "AgeGroups": "fairage.age_groups",
    "Faces": "fairage.tables",
    "read_faces": "fairage.tables",
    **dict.fromkeys(
        (
            "MEASURES",
            "AuditResult",
            "AuditSettings",
            "ComparisonResult",
            "Interval",
            "Measure",
            "ModelAudit",
            "audit",
            "compare",
            "score",
        ),
        "fairage.auditing",
    ),
}


def __getattr__(name: str) -> Any:  # noqa: ANN401  # any public name
    if name not in _MODULES:
        raise AttributeError(f"module 'fairage' has no attribute {name!r}")
    value = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
