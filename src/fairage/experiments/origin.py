"""Where embeddings come from: what it takes to look at the same images again."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from fairage.embeddings import BackboneSpec
from fairage.training.finetuning import Resources

__all__ = ["Origin"]


@dataclass(frozen=True)
class Origin:
    """The images behind the embeddings of a faces table, and what they were embedded with.

    Args:
        root: Folder that the relative paths of images start from.
        backbones: In the order of the embeddings' columns.
        resources: Embedding store, detector, device, memory.

    Examples:
        >>> origin = Origin(Path("faces"), (BackboneSpec("mobilenet"),), Resources(progress=False))
        >>> Origin.from_json(origin.to_json()) == origin
        True
    """

    root: Path
    backbones: tuple[BackboneSpec, ...]
    resources: Resources

    def to_json(self) -> str:
        """Return the text that `from_json` reads."""
        return TypeAdapter(Origin).dump_json(self).decode()

    @classmethod
    def from_json(cls, text: str) -> "Origin":
        """Return what `to_json` wrote down."""
        return TypeAdapter(Origin).validate_json(text)
