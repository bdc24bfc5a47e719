"""What running recipes takes beside recipes and faces; commands and the library take the same."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fairage.auditing.scoring import MIN_ROWS
from fairage.embeddings import EmbedOptions
from fairage.tables import Faces


@dataclass(frozen=True)
class RunOptions:
    """How recipes are run.

    Args:
        embedding: How faces are embedded, and by which backbones.
        seeds: Runs of each recipe, with the seeds 0, 1, ...
        workers: Processes that train.
        min_rows: Faces (persons, where they are known) that a group must have to take part in
            biases, averages and the choice of an epoch.
        extra_faces: Further faces by name, which stages of recipes train on.
    """

    embedding: EmbedOptions
    seeds: int = 3
    workers: int = 1
    min_rows: int = MIN_ROWS
    extra_faces: Mapping[str, Faces] = field(default_factory=dict)
