"""The command that publishes a model: `fairage push`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from fairage.cli.options import Json
from fairage.cli.terminal import say


def push(
    bundle: Annotated[
        Path,
        typer.Argument(
            help="Folder of a bundle, as `fairage run` and `fairage export` write them."
        ),
    ],
    name: Annotated[str, typer.Argument(help="`hub:ORG/NAME`; made if it is not there.")],
    private: Annotated[
        bool, typer.Option("--private", help="For you and your organization alone.")
    ] = False,
    message: Annotated[str | None, typer.Option(help="Message of the commit.")] = None,
    revision: Annotated[
        str | None, typer.Option(help="Branch that is there; the main one if unset.")
    ] = None,
    audit: Annotated[
        list[Path] | None,
        typer.Option(
            help="What fairage audit --out wrote of this model: the card gets its results by "
            "group. Give it again for other faces."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Push a model to the Hugging Face hub, with its card, in one commit.

    It needs a token that may write: `hf auth login`, or HF_TOKEN. A push that was interrupted
    publishes nothing, and goes on when the command is given again.

    Example: `fairage push runs/mine/seed-0/bundle hub:me/ages --audit audited --private`
    """
    from fairage.prediction.hub import push as push_bundle

    url = push_bundle(
        bundle, name, private=private, message=message, revision=revision, audits=audit or ()
    )
    if as_json:
        typer.echo(json.dumps({"url": url, "name": name}))
    else:
        say(f"Pushed: {url}", f'Load it with fairage.load("{name}") or predict --model {name}')
