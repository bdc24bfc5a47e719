"""The command `fairage data augment-preview`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from fairage.cli.data_show import say
from fairage.exceptions import ConfigError

__all__ = ["augment_preview"]


def augment_preview(
    faces: Annotated[Path, typer.Argument(help="Faces table (Parquet, CSV, TSV).")],
    out: Annotated[Path, typer.Option(help="Picture to write (.png, .jpg).")],
    augmentation: Annotated[str, typer.Option(help="`kit` or `random`.")] = "kit",
    strength: Annotated[
        float | None, typer.Option(help="`random`: 0 (nothing) to 1 (the strongest).")
    ] = None,
    rows: Annotated[int, typer.Option(min=1, help="How many faces are shown.")] = 6,
    copies: Annotated[int, typer.Option(min=1, help="How many copies of each.")] = 6,
    group: Annotated[
        list[str] | None,
        typer.Option(help="Faces of this group only, such as age_group=old. Repeatable."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Start of the random numbers.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Draw a sheet of training faces (left) and their augmented copies, to look at.

    Example: `fairage data augment-preview faces.parquet --group age_group=old --out sheet.png`
    """
    from fairage.faces.augmentation import make_augmentation, preview_rows
    from fairage.faces.contact_sheet import write_contact_sheet
    from fairage.tables import read_faces

    if strength is not None and augmentation == "kit":
        raise ConfigError(
            "expected --strength with --augmentation random, got it with 'kit', leave it out"
        )
    options = {} if strength is None else {"strength": strength}
    chosen = make_augmentation(augmentation, **options)
    shown = preview_rows(
        read_faces(faces), chosen, rows=rows, copies=copies, groups=tuple(group or ()), seed=seed
    )
    write_contact_sheet(out, shown)
    if as_json:
        told = {"out": str(out), "faces": len(shown), "copies": copies}
        typer.echo(json.dumps({**told, "augmentation": chosen.to_dict()}, indent=2))
    else:
        say(f"{len(shown)} faces with {copies} copies each in {out}")
