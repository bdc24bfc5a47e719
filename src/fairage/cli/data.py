"""The commands `fairage data ...`: get, read, describe, check and draw data sets."""

import json
from pathlib import Path
from typing import Annotated

import typer

from fairage._work import worker_processes
from fairage.cli.options import AgeEdges, age_groups_of
from fairage.cli.output import show_dataset, show_description, show_prepared
from fairage.cli.terminal import say
from fairage.exceptions import ConfigError

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
FacesFile = Annotated[Path, typer.Argument(help="Faces table (Parquet, CSV, TSV).")]
Name = Annotated[str, typer.Argument(help="Name of the data set, as `fairage data list` has it.")]

data = typer.Typer(
    name="data",
    help="Get data sets and turn them into faces tables; describe and check the tables.",
    rich_markup_mode="markdown",
)


@data.callback(invoke_without_command=True)
def start(context: typer.Context) -> None:
    """Get data sets and turn them into faces tables; describe and check the tables."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@data.command("list")
def list_datasets(as_json: Json = False) -> None:
    """List the data sets: what they hold, their terms, and where to get them.

    Example: `fairage data list`
    """
    from fairage.datasets import DATASETS

    rows = [
        {
            "name": each.name,
            "title": each.title,
            "faces": each.faces or None,
            "ages": list(each.ages),
            "attributes": list(each.attributes),
            "splits": list(each.splits),
            "terms": each.terms,
            "source": each.source,
            "obtain": each.obtain,
            "download": [url for archive in each.archives for url in archive.urls],
        }
        for each in DATASETS.values()
    ]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    for each in rows:
        show_dataset(each)


@data.command()
def download(
    name: Name,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to download into.")],
    no_checksum: Annotated[
        bool, typer.Option("--no-checksum", help="Accept an archive that differs from the known.")
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the archives after they were unpacked.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Download and unpack a data set; given again, it gets what is missing.

    Example: `fairage data download appa-real ./appa-real`
    """
    from fairage.datasets import download as run_download
    from fairage.datasets import find_dataset

    dataset = find_dataset(name)
    result = run_download(dataset, folder, check=not no_checksum, keep=keep)
    if as_json:
        summary = {"folder": str(result.folder), "archives": result.archives, "files": result.files}
        typer.echo(json.dumps({**summary, "missing": result.missing}, indent=2))
        return
    say(f"{result.files:,} files of {', '.join(result.archives)} in {result.folder}")
    for missing in result.missing:
        say(f"Not there: {missing}")
    say(f"Terms: {dataset.terms} ({dataset.source})")
    say(f"Next: fairage data prepare {name} {result.folder} --out faces.parquet")


@data.command()
def prepare(
    name: Name,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that it lies in.")],
    out: Annotated[Path, typer.Option(help="Faces table to write (.parquet, .csv, .tsv).")],
    age: Annotated[
        str | None, typer.Option(help="Which age is the target: `apparent` or `real`.")
    ] = None,
    shares: Annotated[
        str | None,
        typer.Option(help="Split afresh: shares of train, valid, test, such as 0.7,0.15,0.15."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Start of the random numbers of the split.")] = 0,
    no_split: Annotated[
        bool, typer.Option("--no-split", help="Do not split a data set without splits.")
    ] = False,
    table: Annotated[
        Path | None, typer.Option(help="`folder`: its table; faces.csv and the like if unset.")
    ] = None,
    images: Annotated[
        Path | None, typer.Option(help="`folder`: where image names start from; DIR if unset.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option("--map", help="`folder`: OURS=THEIRS, such as age=AgeInYears. Repeatable."),
    ] = None,
    value: Annotated[
        list[str] | None,
        typer.Option(help="COLUMN.THEIRS=OURS, such as gender.F=female. Repeatable."),
    ] = None,
    identity_column: Annotated[
        str | None, typer.Option(help="`folder`: column of who is on the image.")
    ] = None,
    age_edges: AgeEdges = None,
    as_json: Json = False,
) -> None:
    """Turn a data set's folder into a faces table, and tell what was left out and why.

    A data set without splits gets stratified ones; identities and identical images stay together.

    Example: `fairage data prepare folder ./mine --map age=AgeInYears --map gender=sex --out
    faces.parquet`
    """
    from fairage.datasets import Options, Shares, SplitOptions, prepare_faces
    from fairage.datasets.folder import parse_columns, parse_values

    if no_split and shares is not None:
        raise ConfigError("expected --shares or --no-split, got both, leave one out")
    named = [] if identity_column is None else [f"identity={identity_column}"]
    outcome = prepare_faces(
        name,
        folder,
        out,
        Options(
            age=age or "",
            table=table,
            images=images,
            columns=parse_columns([*(column or []), *named]),
            values=parse_values(value or []),
        ),
        SplitOptions(None if shares is None else Shares.parse(shares), seed, skip=no_split),
        age_groups_of(age_edges),
    )
    summary = {
        "dataset": outcome.dataset,
        "out": str(out),
        "rows": outcome.faces.height,
        "splits": outcome.counts,
        "columns": outcome.faces.columns,
        "skipped": [{"name": each.name, "reason": each.reason} for each in outcome.skipped],
        "notes": list(outcome.notes),
    }
    if as_json:
        typer.echo(json.dumps(summary, indent=2))
    else:
        show_prepared(summary)


@data.command()
def describe(faces: FacesFile, age_edges: AgeEdges = None, as_json: Json = False) -> None:
    """Show the support of every group in every split, and the ages.

    Example: `fairage data describe faces.parquet`
    """
    from fairage.datasets import describe_faces
    from fairage.faces_file import read_faces

    description = describe_faces(read_faces(faces, age_groups_of(age_edges))).to_dict()
    if as_json:
        typer.echo(json.dumps(description, indent=2, allow_nan=False))
    else:
        show_description(faces, description)


@data.command()
def check(
    faces: FacesFile,
    out: Annotated[
        Path | None, typer.Option(help="Write every finding to this table (.csv, .parquet).")
    ] = None,
    fail: Annotated[
        bool, typer.Option("--fail", help="Exit with code 1 if anything was found.")
    ] = False,
    show: Annotated[int, typer.Option(min=0, help="How many findings of a kind are listed.")] = 3,
    as_json: Json = False,
) -> None:
    """Find identical images, leaks between splits, conflicting labels, broken files, small groups.

    Example: `fairage data check faces.parquet --out findings.csv`
    """
    from fairage._tables_io import write_table
    from fairage.auditing.scoring import MIN_ROWS
    from fairage.datasets import check_images
    from fairage.datasets.check_findings import in_words
    from fairage.datasets.table_warnings import table_warnings
    from fairage.faces_file import read_faces

    table = read_faces(faces)
    result = check_images(table)
    warnings = table_warnings(table.frame, min_rows=MIN_ROWS)
    if out is not None:
        write_table(result.to_frame(), out)
    if as_json:
        summary = {**result.to_dict(), "clean": result.clean, "warnings": warnings}
        typer.echo(json.dumps(summary, indent=2))
    else:
        for line in (*in_words(result, show), *warnings):
            say(line)
        if out is not None:
            say(f"Findings: {out}")
    if fail and not result.clean:
        raise typer.Exit(1)


@data.command("synthesize")
def synthesize_faces(
    out: Annotated[Path, typer.Option(help="Folder for images, faces table and truth.")],
    n: Annotated[int, typer.Option("--n", min=1, help="How many faces are drawn.")] = 3000,
    seed: Annotated[int, typer.Option(help="Start of the random numbers.")] = 0,
    bias: Annotated[
        list[str] | None,
        typer.Option(help="Such as ethnicity=asian:cue=0.4,noise=2. Repeatable."),
    ] = None,
    share: Annotated[
        list[str] | None,
        typer.Option(help="Share of a group, such as gender=female:0.9. Repeatable."),
    ] = None,
    balanced: Annotated[
        bool, typer.Option("--balanced", help="Equal groups instead of the challenge's shares.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; one a core if unset.")
    ] = None,
    age_edges: Annotated[
        str | None,
        typer.Option(
            metavar="AGES",
            help="Lower edges of the age groups that the table says, such as 0,18,65; "
            "shares and biases go by young, adult, senior and old all the same.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Draw faces that are nobody's, with a bias of known size, and write their table.

    Example: `fairage data synthesize --out drawn --n 2000 --bias ethnicity=asian:cue=0.4`
    """
    from fairage.synthetic import BALANCED, CHALLENGE, GroupBias, parse_share, synthesize

    population = BALANCED if balanced else CHALLENGE
    for text in share or []:
        population = population.with_share(*parse_share(text))
    biases = tuple(GroupBias.parse(text) for text in bias or [])
    table = synthesize(
        out,
        n=n,
        seed=seed,
        population=population,
        biases=biases,
        age_groups=age_groups_of(age_edges),
        workers=workers or worker_processes(),
    )
    if as_json:
        typer.echo(json.dumps({"faces": str(table), "n": n, "seed": seed}, indent=2))
        return
    say(f"{n:,} drawn faces in {table}")
    for each in biases:
        say(f"Faces of {each.attribute} {each.group} {each.in_words()}.")


@data.command("augment-preview")
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
    age_edges: AgeEdges = None,
    as_json: Json = False,
) -> None:
    """Draw a sheet of training faces (left) and their augmented copies, to look at.

    Example: `fairage data augment-preview faces.parquet --group age_group=old --out sheet.png`
    """
    from fairage.faces.augmentation import make_augmentation
    from fairage.faces.contact_sheet import preview_rows, write_contact_sheet
    from fairage.faces_file import read_faces

    if strength is not None and augmentation == "kit":
        raise ConfigError(
            "expected --strength with --augmentation random, got it with 'kit', leave it out"
        )
    options = {} if strength is None else {"strength": strength}
    chosen = make_augmentation(augmentation, **options)
    shown = preview_rows(
        read_faces(faces, age_groups_of(age_edges)),
        chosen,
        rows=rows,
        copies=copies,
        groups=tuple(group or ()),
        seed=seed,
    )
    write_contact_sheet(out, shown)
    if as_json:
        summary = {"out": str(out), "faces": len(shown), "copies": copies}
        typer.echo(json.dumps({**summary, "augmentation": chosen.to_dict()}, indent=2))
    else:
        say(f"{len(shown)} faces with {copies} copies each in {out}")
