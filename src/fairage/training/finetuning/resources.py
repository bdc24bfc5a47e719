"""What a fine-tuning may use: device, memory, detector. None of it changes the result."""

from dataclasses import dataclass
from pathlib import Path

from fairage.exceptions import ConfigError

__all__ = ["Resources"]


@dataclass(frozen=True)
class Resources:
    """Where a fine-tuning runs and what it may take.

    Args:
        device: A torch device, or `auto`: the GPU where there is one.
        memory: GiB for decoded pictures; those that do not fit are read anew in every epoch.
        detector: File of the face detector for aligned views; None for what the environment
            variable `FAIRAGE_DETECTOR` names.
        store: Folder of the embedding store, which keeps what the detector finds; None for the
            one that commands use.
        progress: Whether to show a bar on a terminal.
    """

    device: str = "auto"
    memory: float = 4.0
    detector: Path | None = None
    store: Path | None = None
    progress: bool = True

    def __post_init__(self) -> None:
        if not self.memory >= 0:
            raise ConfigError(f"expected memory of 0 GiB or more, got {self.memory}, correct it")
