"""How the hair is worn, and how much of it is left: by age, gender and ethnicity."""

from dataclasses import dataclass

import numpy as np

from fairage.datasets.synthetic.drawing.cues import Cues, ramp
from fairage.datasets.synthetic.drawing.person import Person

__all__ = ["HairStyle", "draw_hairstyle"]


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
