"""`kinogate verify`: what a file says about itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kinogate.cli.output import Exit, print_json, print_table, text_of, wants_json


def verify(
    file: Annotated[Path, typer.Argument(help="An MP4.", exists=True, dir_okay=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what a video tells about its origin: tags, AIGC label, content credentials (C2PA).

    Exit status 0: the file carries a label or valid credentials. 1: it carries none, or
    credentials that do not hold. 2: it is no MP4.
    """
    from kinogate.domain.errors import CallerError, ErrorCode, InternalError  # noqa: PLC0415
    from kinogate.media.claims import read_claims  # noqa: PLC0415 - loads a decoder

    try:
        claims = read_claims(file)
    except InternalError as error:
        raise CallerError(
            ErrorCode.MEDIA_FORMAT, "This is not a complete, playable MP4.", field=str(file)
        ) from error
    found = claims.as_json()
    if wants_json(as_json):
        print_json(found)
    else:
        rows = [(name, text_of(value)) for name, value in found.items()]
        print_table(("what", "found"), rows)
    if not claims.is_labelled:
        raise typer.Exit(Exit.FAILURE)
