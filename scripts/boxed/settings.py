"""How the network of the model in the box is trained."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cycle:
    """A part of the training in which the learning rate falls from its highest value to 0.

    Args:
        phases: Side of the pictures and number of epochs, one phase after another.
        rate: Highest learning rate; it falls by half a cosine.
        power: Weights of faces are (faces of the range) ** -power.
        mixed: Share of the batches whose faces are blends of two, with the loss of both.
    """

    phases: tuple[tuple[int, int], ...]
    rate: float
    power: float
    mixed: float = 0.0

    @property
    def sides(self) -> list[int]:
        """Side of the pictures in each epoch."""
        return [side for side, epochs in self.phases for _ in range(epochs)]


@dataclass(frozen=True)
class Settings:
    """How the network is trained.

    Args:
        cycles: One after another; each but the first begins with the averaged weights of the one
            before.
        batch: Faces a step.
        warm_up: Steps at the start of a cycle in which the learning rate rises.
        decay: Weight decay of weights; that of norms and biases is 0.
        average: Share of the averaged weights that a step keeps.
        clip: Largest norm of the gradients.
        blend: Blends are drawn from the beta distribution with this value for both parameters.
        seed: Settles all random numbers.
    """

    cycles: tuple[Cycle, ...] = (
        Cycle(((48, 12), (64, 20), (80, 8)), rate=0.12, power=0.25),
        Cycle(((64, 10), (80, 12)), rate=0.05, power=0.5, mixed=0.5),
    )
    batch: int = 128
    warm_up: int = 400
    decay: float = 5e-4
    average: float = 0.998
    clip: float = 5.0
    blend: float = 0.4
    seed: int = 0

    @property
    def side(self) -> int:
        """Side of the pictures at the end of the training."""
        return self.cycles[-1].sides[-1]
