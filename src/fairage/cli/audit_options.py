"""Options that `fairage audit` and `fairage compare` share."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fairage.exceptions import ConfigError

__all__ = [
    "Age",
    "Attributes",
    "Edges",
    "Identity",
    "Image",
    "Json",
    "Out",
    "Replicates",
    "Seed",
    "shared_settings",
]

Age = Annotated[str | None, typer.Option("--age", help="Column of true ages.")]
Attributes = Annotated[
    list[str] | None,
    typer.Option("--attribute", help="Column of an attribute. Give it again for several."),
]
Identity = Annotated[str | None, typer.Option("--identity", help="Column of who is on the image.")]
Image = Annotated[str | None, typer.Option("--image", help="Column of the images' names.")]
Edges = Annotated[
    str | None, typer.Option("--age-edges", help="Lower edges of the age groups: 0,18,65.")
]
Replicates = Annotated[
    int, typer.Option("--replicates", min=20, help="Bootstrap replicates and shuffles.")
]
Seed = Annotated[int, typer.Option("--seed", help="Start of the random numbers.")]
Json = Annotated[bool, typer.Option("--json", help="Print the whole result as JSON.")]
Out = Annotated[Path | None, typer.Option("--out", help="Folder for the report and its numbers.")]


def shared_settings(age_edges: str | None, replicates: int, seed: int) -> dict[str, Any]:
    """Return the settings that both commands have."""
    from fairage.age_groups import DEFAULT_AGE_GROUPS, AgeGroups

    groups = DEFAULT_AGE_GROUPS
    if age_edges is not None:
        try:
            groups = AgeGroups.from_edges([float(edge) for edge in age_edges.split(",")])
        except ValueError as error:
            raise ConfigError(
                f"expected --age-edges as numbers such as 0,18,65, got {age_edges!r}, correct them"
            ) from error
    chance = {"replicates": replicates, "permutations": replicates, "seed": seed}
    return {"age_groups": groups, **chance}
