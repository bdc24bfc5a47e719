"""What a network sees of a face: a view at a size, in photographs and in crops of faces."""

from dataclasses import dataclass
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
