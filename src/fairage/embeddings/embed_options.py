"""How faces are embedded: which backbones see which part of a face, on what machine."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from fairage._registry import default_store
from fairage._settings import Settings
from fairage.exceptions import ConfigError
from fairage.faces.views import view_from_name


@dataclass(frozen=True)
class BackboneSpec:
    """A backbone, the view of the face it gets, and whether both mirror images are averaged.

    Args:
        name: Hub name, local folder, ONNX file or folder, or `embedded`; `model.onnx#OUTPUT` for
            one of several outputs.
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
    def parse(
        cls, text: str, *, view: str = "whole", flip: bool = True, output: str | None = None
    ) -> "BackboneSpec":
        """Return the backbone of a text `NAME` or `NAME@VIEW`.

        Args:
            text: What the user wrote.
            view: View where the text names none.
            flip: See the class.
            output: Output of an ONNX file where the text names none.

        Examples:
            >>> BackboneSpec.parse("models/mobilefacenet@crop:0.7")
            BackboneSpec(name='models/mobilefacenet', view='crop:0.7', flip=True)
            >>> BackboneSpec.parse("vit.onnx#pooler_output@aligned").name
            'vit.onnx#pooler_output'
            >>> BackboneSpec.parse("vit.onnx@aligned", output="pooler_output").name
            'vit.onnx#pooler_output'
            >>> BackboneSpec.parse("microsoft/resnet-50").view
            'whole'
        """
        name, at, tail = text.rpartition("@")
        if not at or "/" in tail:
            name, tail = text, view
        return cls(name if output is None or "#" in name else f"{name}#{output}", tail, flip)


def _parse_backbones(value: object) -> object:
    """Return backbones that are written as text as what they mean, one or several."""
    several = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    return tuple(BackboneSpec.parse(one) if isinstance(one, str) else one for one in several)


Backbones = Annotated[tuple[BackboneSpec, ...], BeforeValidator(_parse_backbones)]
"""Backbones; each may be written as a text `NAME` or `NAME@VIEW`."""


class EmbedOptions(Settings):
    """How faces are embedded; commands and the library take the same options.

    Examples:
        >>> options = EmbedOptions(backbones=["embedded", "models/mobilefacenet@crop:0.7"])
        >>> [backbone.view for backbone in options.backbones]
        ['whole', 'crop:0.7']
    """

    backbones: Backbones = Field(description="Their embeddings are put side by side.")
    store: Path = Field(
        default_factory=default_store,
        description="Folder of the embedding store; made if it is not there.",
    )
    device: str = Field("auto", description="A torch device; auto is the GPU where there is one.")
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto",
        description="auto is bf16 where the machine is fast in it and the backbone, tried on some "
        "of the images, agrees with fp32 in it.",
    )
    batch_size: int | None = Field(
        None, ge=1, description="Images that go through a network at once; unset, what suits it."
    )
    workers: int | None = Field(
        None, ge=1, description="Threads that read images; unset, one a core, at most eight."
    )
    detector: Path | None = Field(
        None,
        description="File of the face detector for aligned views; unset, the one that the "
        "environment variable FAIRAGE_DETECTOR names, else the one that comes with fairage.",
    )
    on_error: Literal["fail", "skip"] = Field(
        "fail", description="Whether an image that cannot be embedded ends the run or is left out."
    )
    progress: bool = Field(True, description="Whether to show a bar on a terminal.")
