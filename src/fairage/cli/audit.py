"""The commands `fairage audit` and `fairage compare`."""

from typing import Annotated

import typer

from fairage.cli.audit_options import (
    Age,
    Attributes,
    Edges,
    Identity,
    Image,
    Json,
    Out,
    Replicates,
    Seed,
    shared_settings,
)
from fairage.cli.audit_output import give_audit, give_comparison, working

__all__ = ["audit", "compare"]


def audit(
    predictions: Annotated[
        str, typer.Argument(help="Table of predictions: Parquet, CSV, TSV, or - for stdin.")
    ],
    age: Age = None,
    prediction: Annotated[
        list[str] | None,
        typer.Option("--prediction", help="Column of predictions. Several are several models."),
    ] = None,
    attribute: Attributes = None,
    identity: Identity = None,
    image: Image = None,
    age_std: Annotated[
        str | None, typer.Option("--age-std", help="Column of the std of the raters' ages.")
    ] = None,
    age_edges: Edges = None,
    legal_age: Annotated[
        float | None, typer.Option("--legal-age", help="Age that a check is about, such as 18.")
    ] = None,
    challenge: Annotated[
        float | None,
        typer.Option("--challenge", help="Estimated age from which a person passes, such as 25."),
    ] = None,
    wanted_rate: Annotated[
        float, typer.Option("--wanted-rate", help="False positive rate for the worst group.")
    ] = 0.01,
    claimed_mae: Annotated[
        float | None, typer.Option("--claimed-mae", help="Published MAE to check, in years.")
    ] = None,
    replicates: Replicates = 1000,
    seed: Seed = 0,
    as_json: Json = False,
    out: Out = None,
) -> None:
    """Measure what predictions owe to each group, and whether it is more than chance.

    Columns that are not named are guessed from the usual names, and the guess is printed. Writes
    `audit.json` and `audit.html` into the folder of `--out`.

    Example: `fairage audit vendor.csv --age label --prediction pred --attribute gender --out audit`
    """
    from fairage.audit.auditing import audit as run_audit
    from fairage.audit.settings import AuditSettings

    settings = AuditSettings(
        **shared_settings(age_edges, replicates, seed),
        legal_age=legal_age,
        challenge=challenge,
        wanted_rate=wanted_rate,
        claimed_mae=claimed_mae,
    )
    with working("auditing"):
        result = run_audit(
            predictions,
            age=age,
            prediction=prediction or (),
            attributes=attribute or None,
            identity=identity,
            image=image,
            age_std=age_std,
            settings=settings,
        )
    give_audit(result, out, as_json=as_json)


def compare(
    a: Annotated[str, typer.Argument(help="Predictions of model A.")],
    b: Annotated[str, typer.Argument(help="Predictions of model B on the same images.")],
    age: Age = None,
    prediction_a: Annotated[
        str | None, typer.Option("--prediction-a", help="Column of predictions in A.")
    ] = None,
    prediction_b: Annotated[
        str | None, typer.Option("--prediction-b", help="Column of predictions in B.")
    ] = None,
    attribute: Attributes = None,
    identity: Identity = None,
    image: Image = None,
    age_edges: Edges = None,
    replicates: Replicates = 1000,
    seed: Seed = 0,
    as_json: Json = False,
    out: Out = None,
) -> None:
    """Compare two models on the same images: what changes from A to B, and what of it is chance.

    Writes `compare.json` and `compare.html` into the folder of `--out`.

    Example: `fairage compare before.csv after.csv --out comparison`
    """
    from fairage.audit.comparing import compare as run_compare
    from fairage.audit.settings import AuditSettings

    with working("comparing"):
        result = run_compare(
            a,
            b,
            age=age,
            prediction_a=prediction_a,
            prediction_b=prediction_b,
            attributes=attribute or None,
            identity=identity,
            image=image,
            settings=AuditSettings(**shared_settings(age_edges, replicates, seed)),
        )
    give_comparison(result, out, as_json=as_json)
