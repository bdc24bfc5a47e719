"""Which backbone looks at which part of the face, as the user names it."""

from dataclasses import dataclass

from fairage.exceptions import ConfigError
from fairage.faces.views import view_from_name

__all__ = ["BackboneSpec"]


@dataclass(frozen=True)
class BackboneSpec:
    """A backbone, the view of the face it gets, and whether both mirror images are averaged.

    Args:
        name: Hub name, local folder, ONNX file or folder, or `embedded`.
        view: `whole`, `crop:0.7` for the central 70 % of both sides, `aligned` for the face
            alone, upright, or `aligned:1.3` for 1.3 times as much about it.
        flip: Average the embedding with that of the mirrored image.
    """

    name: str
    view: str = "whole"
    flip: bool = True

    def __post_init__(self) -> None:
        view_from_name(self.view)
        if not self.name:
            raise ConfigError("expected the name of a backbone, got '', name one before the '@'")

    @classmethod
    def parse(cls, text: str, *, view: str = "whole", flip: bool = True) -> "BackboneSpec":
        """Return the backbone of a text `NAME` or `NAME@VIEW`.

        Args:
            text: What the user wrote.
            view: View where the text names none.
            flip: See the class.

        Examples:
            >>> BackboneSpec.parse("models/mobilefacenet@crop:0.7")
            BackboneSpec(name='models/mobilefacenet', view='crop:0.7', flip=True)
            >>> BackboneSpec.parse("microsoft/resnet-50").view
            'whole'
        """
        name, at, tail = text.rpartition("@")
        if not at or "/" in tail:
            return cls(text, view, flip)
        return cls(name, tail, flip)
