"""What a network sees of a face: a view at a size, in photographs and in crops of faces."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from fairage.faces.preprocessing import Preprocessing
from fairage.faces.views import View, view_from_name


@dataclass(frozen=True)
class FaceInput:
    """A picture that a network sees of a face.

    Args:
        name: What the graph calls it.
        photograph: The view of a face in a photograph.
        crop: The view of a picture that shows one face, as those of a data set do.
        preprocessing: The size it is brought to.
    """

    name: str
    photograph: View
    crop: View
    preprocessing: Preprocessing

    @classmethod
    def from_dict(cls, about: dict[str, Any]) -> "FaceInput":
        """Return the input that `to_dict` describes."""
        photograph, crop = (view_from_name(about[key]) for key in ("photograph", "crop"))
        return cls(about["name"], photograph, crop, Preprocessing.from_dict(about["preprocessing"]))

    def to_dict(self) -> dict[str, Any]:
        """Return what describes it, ready for JSON."""
        kept = ("height", "width", "resize", "resample")
        settings = {key: getattr(self.preprocessing, key) for key in kept}
        names = {"photograph": self.photograph.name, "crop": self.crop.name}
        return {"name": self.name, **names, "preprocessing": settings}


def distinct_inputs(inputs: Sequence[FaceInput]) -> tuple[tuple[FaceInput, ...], list[int]]:
    """Return one input for each view at a size, and which of them each of the inputs is.

    Args:
        inputs: One a backbone; those that see the same are to share one.

    Examples:
        >>> from fairage.faces.views import Whole
        >>> one = FaceInput("a", Whole(), Whole(), Preprocessing(112, 112))
        >>> other = FaceInput("b", Whole(), Whole(), Preprocessing(224, 224))
        >>> distinct, places = distinct_inputs([one, other, one])
        >>> [each.name for each in distinct], places
        (['face0', 'face1'], [0, 1, 0])
    """
    keys = [str({**each.to_dict(), "name": ""}) for each in inputs]
    first = dict(zip(reversed(keys), reversed(inputs), strict=True))
    order = list(dict.fromkeys(keys))
    distinct = (replace(first[key], name=f"face{place}") for place, key in enumerate(order))
    return tuple(distinct), [order.index(key) for key in keys]
