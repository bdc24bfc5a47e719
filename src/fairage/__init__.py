"""Train, audit and de-bias models that estimate a person's age from a face.

    import fairage

    result = fairage.audit("vendor.csv")            # or arrays: audit(y_true, y_pred, groups)
    print(result.verdict.kind, result.bias["gender"])
    result.save("audit.html")

    model = fairage.load()                          # the model in the box, or a bundle's folder
    for face in model.predict("party.jpg"):
        print(face.age, face.low, face.high)

Names are loaded when they are first used, so that `import fairage` costs next to nothing.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from fairage.exceptions import ConfigError, DataError, FairageError, MissingDependencyError

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
    from fairage.embeddings import BackboneSpec, EmbedOptions, embed
    from fairage.experiments import (
        Recipe,
        RunOptions,
        compare_backbones,
        read_recipe,
        run_suite,
    )
    from fairage.experiments.tuning import TuningSettings, tune
    from fairage.faces import FaceDetector, find_detector
    from fairage.faces_file import read_faces
    from fairage.models import load_bundle, make_head
    from fairage.objectives import make_objective
    from fairage.objectives.fairness import make_fairness
    from fairage.prediction import Estimate, Estimates, Model, load
    from fairage.synthetic import synthesize
    from fairage.tables import Faces
    from fairage.training import FairAgeRegressor, TrainingSettings
    from fairage.weighting import make_weighting

_NAMES = {
    "age_groups": "AgeGroups",
    "auditing": "MEASURES AuditResult AuditSettings ComparisonResult Interval Measure ModelAudit "
    "audit compare score",
    "embeddings": "BackboneSpec EmbedOptions embed",
    "experiments": "Recipe RunOptions compare_backbones read_recipe run_suite",
    "experiments.tuning": "TuningSettings tune",
    "models": "load_bundle make_head",
    "objectives": "make_objective",
    "objectives.fairness": "make_fairness",
    "prediction": "Estimate Estimates Model load",
    "synthetic": "synthesize",
    "faces": "FaceDetector find_detector",
    "faces_file": "read_faces",
    "tables": "Faces",
    "training": "FairAgeRegressor TrainingSettings",
    "weighting": "make_weighting",
}
_MODULES = {name: f"fairage.{module}" for module, names in _NAMES.items() for name in names.split()}

__all__ = [
    "MEASURES",
    "AgeGroups",
    "AuditResult",
    "AuditSettings",
    "BackboneSpec",
    "ComparisonResult",
    "ConfigError",
    "DataError",
    "EmbedOptions",
    "Estimate",
    "Estimates",
    "FaceDetector",
    "Faces",
    "FairAgeRegressor",
    "FairageError",
    "Interval",
    "Measure",
    "MissingDependencyError",
    "Model",
    "ModelAudit",
    "Recipe",
    "RunOptions",
    "TrainingSettings",
    "TuningSettings",
    "__version__",
    "audit",
    "compare",
    "compare_backbones",
    "embed",
    "find_detector",
    "load",
    "load_bundle",
    "make_fairness",
    "make_head",
    "make_objective",
    "make_weighting",
    "read_faces",
    "read_recipe",
    "run_suite",
    "score",
    "synthesize",
    "tune",
]

__version__ = version("fairage")


def __getattr__(name: str) -> Any:  # noqa: ANN401  # any public name
    if name not in _MODULES:
        raise AttributeError(f"module 'fairage' has no attribute {name!r}")
    try:
        value = getattr(import_module(_MODULES[name]), name)
    except ModuleNotFoundError as error:
        raise MissingDependencyError.of(error) from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
