"""Who sits for a picture: a person with shape, pose, colours and hair of their own."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fairage.synthetic.drawing.canvas import Colour
from fairage.synthetic.drawing.geometry import Pose, Shape, draw_pose, draw_shape
from fairage.synthetic.drawing.person import (
    Cues,
    Expression,
    Person,
    draw_cues,
    draw_expression,
    ramp,
)

# The tables by group are cues for controlled experiments, no claim about people.
_TONES = {  # lightest and darkest skin of a group
    "caucasian": ((240, 203, 180), (204, 156, 124)),
    "asian": ((237, 203, 168), (194, 148, 108)),
    "afroamerican": ((168, 118, 88), (84, 54, 41)),
}
_IRISES = {
    "caucasian": [(92, 118, 142), (86, 108, 78), (96, 66, 42), (70, 46, 32)],
    "asian": [(52, 34, 26), (66, 42, 28)],
    "afroamerican": [(44, 28, 22), (58, 36, 26)],
}
_HAIRS = {
    "caucasian": [(36, 26, 22), (70, 48, 34), (104, 74, 48), (150, 112, 68), (196, 160, 104),
                  (122, 62, 36)],
    "asian": [(22, 18, 18), (34, 26, 24), (52, 36, 28)],
    "afroamerican": [(18, 15, 15), (30, 22, 20)],
}  # fmt: skip
_HAIR_SHARES = {
    "caucasian": (0.18, 0.30, 0.22, 0.15, 0.10, 0.05),
    "asian": (0.5, 0.4, 0.1),
    "afroamerican": (0.6, 0.4),
}
_GREY = (196, 194, 190)


@dataclass(frozen=True)
class Colours:
    """RGB colours of one person, and how much grey is in the hair (0..1)."""

    skin: Colour
    iris: Colour
    lips: Colour
    hair: Colour
    grey: float
    dark: float
    """How dark the skin is: 0 to 1."""

    def hair_table(self, *, grey: float | None = None) -> NDArray[np.uint8]:
        """Return the colour `(256, 1, 3)` of each value of a hair texture.

        Strands of low value are in shade; those of a value below the share of grey are grey.
        """
        share = self.grey if grey is None else grey
        value = np.linspace(0, 1, 256)[:, None]
        # Neighbouring strands differ: the order in which strands turn grey is scrambled.
        turn = (value * 7.3) % 1
        greyed = np.clip((share - turn) * 4 + 0.5 * share, 0, 1)
        colour = np.array(self.hair) * (1 - greyed) + np.array(_GREY) * greyed
        light = 0.62 + 0.62 * value
        return np.clip(colour * light, 0, 255).astype(np.uint8)[:, None]


def draw_colours(person: Person, cues: Cues, rng: np.random.Generator) -> Colours:
    """Return the colours of one person."""
    light, dark = _TONES[person.ethnicity]
    depth = float(rng.beta(1.6, 1.8))
    skin = mixed(light, dark, depth)
    skin = mixed(skin, (sum(skin) / 3,) * 3, 0.10 * cues.sag)  # old skin is paler
    rosy = 0.06 * (1 - cues.growth)
    skin = mixed(skin, (255, 120, 110), rosy)
    has_makeup = person.gender == "female" and person.age > 15 and rng.random() < 0.5
    red = (178, 62, 66) if has_makeup else (186, 96, 92)
    lips = mixed(skin, red, (0.65 if has_makeup else 0.42) * (1 - 0.35 * cues.lips))
    irises, hairs = _IRISES[person.ethnicity], _HAIRS[person.ethnicity]
    hair: Colour = hairs[rng.choice(len(hairs), p=_HAIR_SHARES[person.ethnicity])]
    hair = mixed(hair, (214, 180, 130), 0.25 * (1 - ramp(person.age, 1, 14)) * (hair[0] > 60))
    dyed = 0.75 if person.gender == "female" and rng.random() < 0.4 else 0.0
    return Colours(
        skin=skin,
        iris=irises[int(rng.integers(len(irises)))],
        lips=lips,
        hair=scaled(hair, float(rng.uniform(0.85, 1.2))),
        grey=cues.grey * (1 - dyed),
        dark=float(np.clip(1.35 - np.mean(skin) / 150, 0, 1)),
    )


def mixed(first: Colour, second: Colour, share: float) -> Colour:
    """Return a colour between two: `share` of the second.

    Examples:
        >>> mixed((0, 0, 0), (100, 200, 50), 0.5)
        (50.0, 100.0, 25.0)
    """
    return tuple(float(a + (b - a) * share) for a, b in zip(first, second, strict=True))


def scaled(colour: Colour, factor: float) -> Colour:
    """Return a colour made lighter or darker, within 0..255.

    Examples:
        >>> scaled((100, 200, 50), 1.5)
        (150.0, 255.0, 75.0)
    """
    return tuple(float(min(255.0, channel * factor)) for channel in colour)


@dataclass(frozen=True)
class HairStyle:
    """Hair, in the units of `pose`.

    Args:
        volume: How far it stands off the head.
        drop: Down to which height it hangs at the sides; 0 where it does not reach the ears.
        recede: How far the hairline has gone back: 0 not at all, 1 a bald top.
        fringe: Hair on the forehead.
        sweep: Slope of the hairline, with the parting; below 0 to the other side.
        curly: Curls instead of strands.
        density: How thick it is: 1 full hair, 0 none.
        beard: How thick the beard is: 0 none, about 0.3 stubble, 1 full.
        moustache: How thick the moustache is.
    """

    volume: float
    drop: float
    recede: float
    fringe: bool
    sweep: float
    curly: bool
    density: float
    beard: float
    moustache: float


_CURLY = {"caucasian": 0.15, "asian": 0.03, "afroamerican": 0.9}
_BEARDS = ((0.0, 0.0), (0.32, 0.32), (0.0, 0.8), (0.85, 0.85))
_BEARD_SHARES = (0.58, 0.22, 0.07, 0.13)


def draw_hairstyle(person: Person, cues: Cues, rng: np.random.Generator) -> HairStyle:
    """Return how one person wears the hair."""
    chance, normal = rng.random(8), rng.standard_normal(3)
    female, baby = person.gender == "female", 1 - ramp(person.age, 0.3, 3.0)
    curly = chance[0] < _CURLY[person.ethnicity]
    recede = _recede(person, cues, chance[1])
    beard, moustache = _BEARDS[int(np.searchsorted(np.cumsum(_BEARD_SHARES), chance[2]))]
    grown = 0.0 if female else ramp(person.age, 16, 22)
    volume = (0.16 if curly else 0.09) + (0.05 if female else 0.0) + 0.025 * normal[0]
    if curly and chance[3] < (0.45 if female else 0.15):
        volume += 0.22
    return HairStyle(
        volume=float(max(0.03, volume * (1 - 0.6 * baby) * (1 - 0.35 * recede))),
        drop=_drop(person, chance[4], float(normal[1])),
        recede=recede,
        fringe=bool(chance[5] < (0.35 if female or person.age < 14 else 0.12) and recede < 0.25),
        sweep=float(0.18 * normal[2]),
        curly=bool(curly),
        density=float(np.clip(1 - 0.75 * baby - 0.35 * cues.thin * chance[6], 0.1, 1)),
        beard=beard * grown,
        moustache=moustache * grown,
    )


def _recede(person: Person, cues: Cues, chance: float) -> float:
    """Return how far the hairline has gone back; most men lose hair, few women."""
    if person.gender == "female":
        return 0.15 * cues.thin
    prone = 0.25 + 0.95 * chance
    return float(min(1.0, prone * cues.thin * 1.15))


def _drop(person: Person, chance: float, normal: float) -> float:
    """Return down to which height the hair hangs; old women wear it shorter."""
    if person.gender == "male":
        return 0.95 + 0.15 * normal if chance > 0.94 and person.age > 12 else 0.0
    short = 0.10 + 0.55 * ramp(person.age, 35, 80) + 0.9 * (1 - ramp(person.age, 1, 5))
    if chance < short:
        return 0.0
    long = ramp(chance, short, 1.0) > 0.45
    return float(np.clip((1.75 if long else 1.05) + 0.2 * normal, 0.6, 2.2))


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
