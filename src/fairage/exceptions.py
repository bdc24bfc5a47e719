"""Every error that fairage raises on purpose.

FairageError
├── ConfigError             a recipe, an option or a name that is not known
├── DataError               a table, image or folder is not as expected (also a ValueError)
└── MissingDependencyError  an optional package is not installed (also an ImportError)
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Self


class FairageError(Exception):
    """Base of all errors that fairage raises on purpose; its message says what to do."""

    def at(self, where: str) -> Self:
        """Return the same error with where it occurred in front.

        Examples:
            >>> print(DataError("expected two groups, got one, name others").at("gap, seed 0"))
            gap, seed 0: expected two groups, got one, name others
        """
        return type(self)(f"{where}: {self}")


class ConfigError(FairageError):
    """A setting or a name is not one that fairage knows."""

    @classmethod
    def unknown_name(cls, kind: str, got: object, known: Iterable[str]) -> "ConfigError":
        """Return the error for a name that is not among the known ones, with the nearest of them.

        Examples:
            >>> print(ConfigError.unknown_name("weighting", "2bb", ["1a", "2b"]))
            weighting must be one of ['1a', '2b']; got '2bb'. Did you mean '2b'?
        """
        names = sorted(known)
        near = get_close_matches(str(got), names, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        return cls(f"{kind} must be one of {names}; got {got!r}.{hint}")


class DataError(FairageError, ValueError):
    """Data is not as expected; the message names the row and the column where it can."""


class MissingDependencyError(FairageError, ImportError):
    """An optional package is needed and is not installed."""

    @classmethod
    def for_extra(cls, package: str, extra: str) -> "MissingDependencyError":
        """Return the error that names the extra to install for a missing package.

        Examples:
            >>> print(MissingDependencyError.for_extra("torch", "train"))
            expected the package 'torch', got none installed, run: pip install 'fairage[train]'
        """
        return cls(
            f"expected the package {package!r}, got none installed, "
            f"run: pip install 'fairage[{extra}]'"
        )

    @classmethod
    def of(cls, error: ModuleNotFoundError) -> "ModuleNotFoundError | MissingDependencyError":
        """Return the error that names the extra of a package which an import did not find.

        A module that no extra brings is somebody's mistake: the error comes back as it is.
        """
        extra = EXTRAS.get(error.name or "")
        return error if extra is None else cls.for_extra(str(error.name), extra)


EXTRAS = {
    **dict.fromkeys(
        (
            *("PIL", "cv2", "huggingface_hub", "kornia", "onnxruntime", "optuna"),
            *("safetensors", "sklearn", "torch", "transformers"),
        ),
        "train",
    ),
    **dict.fromkeys(("pooch", "tqdm"), "download"),
    "pillow_heif": "heic",
    "fastexcel": "excel",
}
"""The extra that brings a package, by the name that is imported."""
