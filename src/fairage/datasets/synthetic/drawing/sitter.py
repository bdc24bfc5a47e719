"""Everything that is settled about a face before the first stroke."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fairage.datasets.synthetic.drawing.colours import Colours, draw_colours
from fairage.datasets.synthetic.drawing.cues import Cues, draw_cues
from fairage.datasets.synthetic.drawing.expressions import Expression, draw_expression
from fairage.datasets.synthetic.drawing.hairstyle import HairStyle, draw_hairstyle
from fairage.datasets.synthetic.drawing.person import Person
from fairage.datasets.synthetic.drawing.pose import Pose, draw_pose
from fairage.datasets.synthetic.drawing.shape import Shape, draw_shape

__all__ = ["Sitter", "draw_sitter"]


@dataclass(frozen=True)
class Sitter:
    """Who sits for the picture, and how."""

    person: Person
    cues: Cues
    shape: Shape
    colours: Colours
    hairstyle: HairStyle
    expression: Expression
    pose: Pose

    @cached_property
    def hair_table(self) -> NDArray[np.uint8]:
        """Colour of each value of a hair texture, `(256, 1, 3)`."""
        return self.colours.hair_table()

    @property
    def manly(self) -> float:
        """How far a male face has left childhood; 0 for a female one."""
        return self.cues.puberty if self.person.gender == "male" else 0.0

    @property
    def womanly(self) -> float:
        """How far a female face has left childhood; 0 for a male one."""
        return self.cues.puberty if self.person.gender == "female" else 0.0


def draw_sitter(person: Person, rng: np.random.Generator) -> Sitter:
    """Return a sitter; each of its sides has chance of its own.

    So the same generator with another age gives the same person, older.
    """
    own = rng.spawn(6)
    cues = draw_cues(person.age, own[0])
    return Sitter(
        person=person,
        cues=cues,
        shape=draw_shape(person, cues, own[1]),
        colours=draw_colours(person, cues, own[2]),
        hairstyle=draw_hairstyle(person, cues, own[3]),
        expression=draw_expression(person.expression, own[4]),
        pose=draw_pose(own[5]),
    )
