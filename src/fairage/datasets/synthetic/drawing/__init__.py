"""Drawing faces, part by part."""

from fairage.datasets.synthetic.drawing.face import SIZE, draw_face
from fairage.datasets.synthetic.drawing.person import Person

__all__ = ["SIZE", "Person", "draw_face"]
