"""Colours of skin, eyes, lips and hair."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairage.datasets.synthetic.drawing.cues import Cues, ramp
from fairage.datasets.synthetic.drawing.person import Person
from fairage.datasets.synthetic.drawing.strokes import Colour

__all__ = ["Colours", "draw_colours", "mixed", "scaled"]

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
    made_up = person.gender == "female" and person.age > 15 and rng.random() < 0.5
    red = (178, 62, 66) if made_up else (186, 96, 92)
    lips = mixed(skin, red, (0.65 if made_up else 0.42) * (1 - 0.35 * cues.lips))
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
