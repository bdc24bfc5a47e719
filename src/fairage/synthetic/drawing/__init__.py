"""Drawing faces, part by part."""

from fairage.synthetic.drawing.person import Person
from fairage.synthetic.drawing.portrait import SIZE, draw_face

__all__ = ["SIZE", "Person", "draw_face"]
