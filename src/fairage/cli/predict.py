"""The commands that use a model: `fairage predict` and `fairage calibrate`."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import polars as pl
import typer

from fairage._model_card import age_sentences
from fairage._text import count, number, promised
from fairage.cli.options import Detector, Json
from fairage.cli.terminal import Terminal, say
from fairage.faces_file import read_faces
from fairage.tables import IMAGE, LEVEL, LOWER, PREDICTION, REASON, UPPER

_SHOWN_ROWS = 100

ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="Folder of a bundle, as `fairage run` and `fairage export` write them, or "
        "`hub:ORG/NAME`; the model in the box if unset.",
    ),
]


def predict(
    images: Annotated[
        list[str],
        typer.Argument(help="Pictures: files, folders, patterns, URLs, or a table of faces."),
    ],
    model: ModelOption = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Write a predictions table (.parquet, .csv, .tsv or .json)."),
    ] = None,
    show: Annotated[
        Path | None, typer.Option(help="Folder for the pictures with boxes and ages drawn on.")
    ] = None,
    crops: Annotated[
        bool,
        typer.Option(
            "--crops", help="Each picture shows one face, framed as in the model's training."
        ),
    ] = False,
    p_over: Annotated[
        list[float] | None,
        typer.Option(help="Add the probability of this age or older. Give it again for several."),
    ] = None,
    level: Annotated[
        float, typer.Option(help="Share of faces whose true age the intervals are to hold.")
    ] = 0.9,
    least_score: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Least score of a face.")
    ] = 0.7,
    least_distance: Annotated[
        float, typer.Option(min=0.0, help="Least distance between the eyes, in pixels.")
    ] = 12.0,
    detector: Detector = None,
    device: Annotated[
        str | None, typer.Option(help="Where bundles with torch run: `cpu`, `cuda`, ...")
    ] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Faces a batch.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Threads that read pictures; one a core if unset.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Estimate the age of every face in pictures.

    A picture without a face is a row with the reason. With --out, a command that was killed goes
    on where it stopped when it is given again.

    Example: `fairage predict photos/ --out ages.parquet --show drawn`
    """
    from fairage.prediction import load
    from fairage.prediction.pictures import pictures_of
    from fairage.prediction.predictions_file import (
        PredictJob,
        check_suffix,
        for_json,
        predict_parts,
        predict_to_file,
    )

    if out is not None:
        check_suffix(out)
    pictures = pictures_of(images[0] if len(images) == 1 else images)
    estimator = load(model, device=device, detector=detector)
    options = {
        "crops": crops,
        "batch_size": batch_size,
        "least_score": least_score,
        "least_distance": least_distance,
        "level": level,
        "workers": workers,
    }
    job = PredictJob(options, tuple(p_over or ()), show)
    if out is None:
        frame = pl.concat(predict_parts(estimator, pictures, job))
    else:
        frame = predict_to_file(estimator, pictures, out, job)
    if as_json:
        content = for_json(frame).to_dicts() if out is None else _summary(frame, out)
        typer.echo(json.dumps(content, allow_nan=False))
    elif out is None:
        _show_table(frame, age_sentences(estimator.config))
    else:
        _show_summary(_summary(frame, out), age_sentences(estimator.config))
    if show is not None and not as_json:
        say(f"Pictures with boxes and ages: {show}")


def calibrate(
    bundle: Annotated[str, typer.Argument(help="Folder of a bundle, `hub:ORG/NAME`, or `boxed`.")],
    faces: Annotated[Path, typer.Argument(help="Faces table (Parquet, CSV, TSV) with true ages.")],
    out: Annotated[Path, typer.Option(help="Folder of the calibrated bundle.")],
    age: Annotated[
        Literal["age", "real_age", "apparent_age"],
        typer.Option(help="Which age the intervals are to hold."),
    ] = "age",
    map_ages: Annotated[
        bool, typer.Option("--map", help="Correct the estimates by a line, too.")
    ] = False,
    split: Annotated[str | None, typer.Option(help="Take the faces of this split alone.")] = None,
    crops: Annotated[
        bool,
        typer.Option(
            "--crops", help="Each picture shows one face, framed as in the model's training."
        ),
    ] = False,
    detector: Detector = None,
    device: Annotated[
        str | None, typer.Option(help="Where bundles with torch run: `cpu`, `cuda`, ...")
    ] = None,
    as_json: Json = False,
) -> None:
    """Fit a model's intervals and decisions to faces such as yours.

    The faces must not be among those that the model was trained on or chosen by. An interval of
    90 % takes 20 faces at least, and 100 for each band of ages; the answer yes to "over 18?" with
    1 % wrong takes 300 faces under 18.

    Example: `fairage calibrate boxed faces.parquet --age real_age --out mine`
    """
    table = read_faces(faces)
    from fairage.prediction import load
    from fairage.prediction.calibrating import calibrate as calibrate_model

    model = load(bundle, device=device, detector=detector)
    done = calibrate_model(
        model,
        table,
        age=age,
        map_ages=map_ages,
        split=split,
        source=faces.name,
        crops=crops,
        progress=True,
    )
    done.model.save(out)
    sentences = [sentence for sentence in done.sentences() if sentence]
    if as_json:
        summary = {"out": str(out), "faces": len(done.rows), "without": done.without}
        typer.echo(json.dumps(summary | {"notes": sentences}, indent=2))
        return
    say(*sentences, *(f"  {n:,} without: {reason}" for reason, n in done.without.items()))
    say(f"Wrote {out}")


def _show_table(frame: pl.DataFrame, about: Sequence[str]) -> None:
    terminal = Terminal()
    chances = [name for name in frame.columns if name.startswith("p_over_")]
    older = (f"{name.removeprefix('p_over_')} or older" for name in chances)
    headings = ("image", "face", "age", "interval", *older)
    rows = frame.head(_SHOWN_ROWS).to_dicts()
    terminal.table(headings, [_cells(row, chances) for row in rows], whole=range(1, len(headings)))
    if frame.height > _SHOWN_ROWS:
        more = frame.height - _SHOWN_ROWS
        terminal.line(f"{more:,} more rows: write all of them with --out ages.parquet")
    level = frame[LEVEL].drop_nulls().first()
    if level is not None:
        share = promised(float(str(level)))
        terminal.line(
            f"Intervals are to hold the true age of {share} of faces such as those that calibrated "
            "the model."
        )
    for sentence in about:
        terminal.line(sentence)


def _cells(row: dict[str, Any], chances: list[str]) -> tuple[str, ...]:
    if row[PREDICTION] is None:
        return (row[IMAGE], "", row[REASON], "", *("" for _ in chances))
    ends = "" if row[LEVEL] is None else f"{_end(row[LOWER], '0')} to {_end(row[UPPER], 'open')}"
    shares = (number(row[name], 2) for name in chances)
    return (row[IMAGE], str(row["face"] + 1), number(row[PREDICTION], 1), ends, *shares)


def _end(value: float, otherwise: str) -> str:
    return number(value, 1) if math.isfinite(value) else otherwise


def _summary(frame: pl.DataFrame, out: Path) -> dict[str, Any]:
    without = frame.filter(pl.col(PREDICTION).is_null())
    reasons = without.group_by(REASON).len().sort("len", REASON, descending=[True, False])
    return {
        "pictures": frame[IMAGE].n_unique(),
        "faces": frame.height - without.height,
        "without_estimate": without.height,
        "reasons": dict(reasons.iter_rows()),
        "out": str(out),
    }


_FIRST_REASONS = 5


def _show_summary(summary: dict[str, Any], about: Sequence[str]) -> None:
    reasons = list(summary["reasons"].items())
    more = len(reasons) - _FIRST_REASONS
    say(
        f"{count(summary['faces'], 'face')} in {count(summary['pictures'], 'picture')} have an age",
        f"{count(summary['without_estimate'], 'picture')} without one:" if reasons else "",
        *(f"  {n:,}: {reason}" for reason, n in reasons[:_FIRST_REASONS]),
        f"  and {more:,} other reasons, in the column {REASON!r}" if more > 0 else "",
        *about,
        f"Wrote {summary['out']}",
    )
