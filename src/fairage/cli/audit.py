"""The commands `fairage audit` and `fairage compare`."""

from typing import Annotated, Any

import typer

from fairage.cli.audit_options import (
    CHECK,
    COLUMNS,
    FACES,
    METHOD,
    POINTS,
    Age,
    Attributes,
    BinOptions,
    Edges,
    Identity,
    Image,
    Intervals,
    Join,
    Json,
    Labels,
    Level,
    Margin,
    MinRows,
    Missing,
    Oldest,
    On,
    Out,
    RangeEnd,
    RateMargin,
    Seed,
    Weight,
    attributes_of,
    bins_of,
    check_tables_or_faces,
    column_of,
    ends_of,
    labels_of,
    load_model,
)
from fairage.cli.options import age_groups_of


def audit(
    predictions: Annotated[
        list[str] | None,
        typer.Argument(
            help="Tables of estimates: CSV, Parquet, Excel, JSON; - for standard input.",
            show_default=False,
        ),
    ] = None,
    faces: Annotated[
        str | None,
        typer.Option(
            "--faces",
            metavar="FILE",
            help="Faces table that --model is to estimate, in place of tables of estimates.",
            rich_help_panel=FACES,
        ),
    ] = None,
    age: Age = None,
    prediction: Annotated[
        list[str] | None,
        typer.Option(
            "--prediction",
            metavar="COLUMN",
            help="Column of estimates, or LOW,HIGH. Several are several models.",
            rich_help_panel=COLUMNS,
        ),
    ] = None,
    attribute: Attributes = None,
    identity: Identity = None,
    image: Image = None,
    age_std: Annotated[
        str | None,
        typer.Option(
            "--age-std",
            metavar="COLUMN",
            help="Column of the standard deviation of the raters' ages.",
            rich_help_panel=COLUMNS,
        ),
    ] = None,
    weight: Weight = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="COLUMN|BUNDLE",
            help="Column that says which model a row is of, in a long table; with --faces, the "
            "model: a bundle's folder or hub:ORG/NAME, else the model in the box.",
            rich_help_panel=COLUMNS,
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            "--split",
            metavar="SPLIT",
            help="Split of --faces that is audited, such as test; else all rows.",
            rich_help_panel=FACES,
        ),
    ] = None,
    crops: Annotated[
        bool,
        typer.Option(
            "--crops",
            help="Each picture of --faces is a face crop as in the model's training.",
            rich_help_panel=FACES,
        ),
    ] = False,
    reason: Annotated[
        str | None,
        typer.Option(
            "--reason",
            metavar="COLUMN",
            help="Column that says why there is no estimate.",
            rich_help_panel=COLUMNS,
        ),
    ] = None,
    interval: Intervals = None,
    label: Labels = None,
    bins: BinOptions = None,
    join: Join = None,
    on: On = None,
    missing: Missing = None,
    range_end: RangeEnd = "closed",
    oldest: Oldest = None,
    min_rows: MinRows = 30,
    margin: Margin = 1.0,
    rate_margin: RateMargin = 5.0,
    age_edges: Edges = None,
    claimed_mae: Annotated[
        str | None,
        typer.Option(
            "--claimed-mae", metavar="YEARS", help="Published MAE to check.", rich_help_panel=METHOD
        ),
    ] = None,
    level: Level = None,
    seed: Seed = 0,
    legal_age: Annotated[
        float | None,
        typer.Option(
            "--legal-age",
            metavar="AGE",
            help="Age that a check is about, such as 18.",
            rich_help_panel=CHECK,
        ),
    ] = None,
    challenge: Annotated[
        float | None,
        typer.Option(
            "--challenge",
            metavar="AGE",
            help="Estimated age from which a person passes, such as 25.",
            rich_help_panel=CHECK,
        ),
    ] = None,
    wanted_rate: Annotated[
        float,
        typer.Option(
            "--wanted-rate",
            metavar="SHARE",
            help="Share of those under age who may pass, in the worst group.",
            rich_help_panel=CHECK,
        ),
    ] = 0.01,
    as_json: Json = False,
    out: Out = None,
) -> None:
    """Measure the errors of each group, and what these rows can and cannot tell about the gaps.

    Columns that are not named are guessed from the usual names, and the guess is printed. Writes
    `audit.json` and `audit.html` into the folder of `--out`; of several tables, into a folder each.
    With `--faces` a model estimates first, and `predictions.parquet` stands beside them.

    Example: `fairage audit vendor.csv --age label --prediction pred --attribute gender --out audit`

    Example: `fairage audit --faces faces.parquet --model BUNDLE --split test --out audit`
    """
    from fairage.auditing import audit as run_audit
    from fairage.auditing.audit_settings import AuditSettings
    from fairage.cli.output import give_audits
    from fairage.cli.terminal import working

    settings = AuditSettings(
        min_rows=min_rows,
        margin=margin,
        rate_margin=rate_margin / POINTS,
        seed=seed,
        age_groups=age_groups_of(age_edges),
        legal_age=legal_age,
        challenge=challenge,
        wanted_rate=wanted_rate,
        claimed_mae=claimed_mae,
        level=level,
        missing=tuple(missing or ()),
        range_end=range_end,
        oldest=oldest,
    )
    options: dict[str, Any] = {
        "age": column_of(age),
        "prediction": [ends_of(column) for column in prediction or ()],
        "attributes": attributes_of(attribute),
        "identity": identity,
        "image": image,
        "age_std": age_std,
        "weight": weight,
        "reason": reason,
        "interval": column_of(interval),
        "labels": labels_of(label),
        "bins": bins_of(bins),
        "join": join,
        "on": on,
        "settings": settings,
    }
    check_tables_or_faces(predictions, faces, split=split, crops=crops)
    if faces is not None:
        kept = None if out is None else out / "predictions.parquet"
        own = load_model(model)
        results = [
            run_audit(faces=faces, model=own, split=split, crops=crops, estimates=kept, **options)
        ]
    else:
        with working("auditing"):
            results = [run_audit(table, model=model, **options) for table in predictions or ()]
    give_audits(results, out, as_json=as_json)


def compare(
    a: Annotated[str, typer.Argument(help="Estimates of model A.", show_default=False)],
    b: Annotated[
        str, typer.Argument(help="Estimates of model B on the same images.", show_default=False)
    ],
    age: Age = None,
    prediction_a: Annotated[
        str | None,
        typer.Option(
            "--prediction-a",
            metavar="COLUMN",
            help="Column of estimates in A.",
            rich_help_panel=COLUMNS,
        ),
    ] = None,
    prediction_b: Annotated[
        str | None,
        typer.Option(
            "--prediction-b",
            metavar="COLUMN",
            help="Column of estimates in B.",
            rich_help_panel=COLUMNS,
        ),
    ] = None,
    attribute: Attributes = None,
    identity: Identity = None,
    image: Image = None,
    weight: Weight = None,
    label: Labels = None,
    bins: BinOptions = None,
    join: Join = None,
    on: On = None,
    missing: Missing = None,
    range_end: RangeEnd = "closed",
    oldest: Oldest = None,
    min_rows: MinRows = 30,
    margin: Margin = 1.0,
    rate_margin: RateMargin = 5.0,
    age_edges: Edges = None,
    seed: Seed = 0,
    as_json: Json = False,
    out: Out = None,
) -> None:
    """Compare two models on the same images: what changes from A to B, group by group.

    Writes `compare.json` and `compare.html` into the folder of `--out`.

    Example: `fairage compare before.csv after.csv --out comparison`
    """
    from fairage.auditing import compare as run_compare
    from fairage.auditing.audit_settings import AuditSettings
    from fairage.cli.output import give_comparison
    from fairage.cli.terminal import working

    settings = AuditSettings(
        min_rows=min_rows,
        margin=margin,
        rate_margin=rate_margin / POINTS,
        seed=seed,
        age_groups=age_groups_of(age_edges),
        missing=tuple(missing or ()),
        range_end=range_end,
        oldest=oldest,
    )
    with working("comparing"):
        result = run_compare(
            a,
            b,
            age=column_of(age),
            prediction_a=column_of(prediction_a),
            prediction_b=column_of(prediction_b),
            attributes=attributes_of(attribute),
            identity=identity,
            image=image,
            weight=weight,
            labels=labels_of(label),
            bins=bins_of(bins),
            join=join,
            on=on,
            settings=settings,
        )
    give_comparison(result, out, as_json=as_json)
