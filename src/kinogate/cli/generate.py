"""`kinogate generate`: a clip from the command line, with or without a server."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kinogate.cli.api import ApiKey, Json, connect
from kinogate.cli.output import Exit, err, print_json, wants_json
from kinogate.cli.tasks import follow_with_bar, progress_bar
from kinogate.domain.errors import CallerError, ErrorCode

if TYPE_CHECKING:
    from kinogate.domain.task import Task

_TEXT_MODEL, _IMAGE_MODEL = "wan2.6-t2v", "wan2.6-i2v"


def generate(
    prompt: Annotated[str, typer.Argument(help="What to show.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The MP4.")] = Path("video.mp4"),
    image: Annotated[Path | None, typer.Option(help="First frame.")] = None,
    model: Annotated[str | None, typer.Option(help="Model name.")] = None,
    duration: Annotated[int | None, typer.Option(help="Seconds.")] = None,
    size: Annotated[str | None, typer.Option(help="W*H.")] = None,
    resolution: Annotated[str | None, typer.Option(help="480P, 720P or 1080P.")] = None,
    seed: Annotated[int | None, typer.Option(help="0–2147483647.")] = None,
    audio: Annotated[bool, typer.Option(help="With sound.")] = True,
    timeout: Annotated[float, typer.Option(min=1, help="Longest wait, seconds.")] = 900,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    url: Annotated[
        str | None,
        typer.Option(envvar="KINOGATE_URL", help="A server; without one it is made here."),
    ] = None,
    key: ApiKey = "",
) -> None:
    """Make a clip and save it."""
    wish: dict[str, object] = {
        "model": model or (_IMAGE_MODEL if image else _TEXT_MODEL),
        "prompt": prompt,
        "duration": duration,
        "size": size,
        "resolution": resolution,
        "seed": seed,
        "audio": None if audio else False,
        "image": _data_uri(image) if image else None,
    }
    body = {name: value for name, value in wish.items() if value is not None}
    if url is None:
        task = asyncio.run(_make_here(body, output))
    else:
        task = _make_there(body, output, url, key, timeout)
    if wants_json(as_json):
        print_json(task)
    if task["status"] != "succeeded":
        err.print(f"[red]failed:[/red] {task['error']}", highlight=False)
        raise typer.Exit(Exit.TASK_FAILED)
    err.print(f"Saved {output}")


def _data_uri(path: Path) -> str:
    import base64  # noqa: PLC0415

    try:
        return "data:;base64," + base64.b64encode(path.read_bytes()).decode()
    except OSError as error:
        raise CallerError(
            ErrorCode.MEDIA_UNREACHABLE, f"Cannot read {path}: {error.strerror}."
        ) from error


def _make_there(body: dict[str, object], output: Path, url: str, key: str, timeout: float) -> Json:
    with connect(url, key) as api:
        task = api.ask("POST", "/tasks", json=body)
        task = follow_with_bar(api, task["id"], timeout)
        if task["video"]:
            api.download(task["video"]["url"], output)
    return task


async def _make_here(body: dict[str, object], output: Path) -> Json:
    """The same services as the server's, over memory and a temporary folder."""
    import msgspec  # noqa: PLC0415 - --help stays quick

    from kinogate.dialects.base import Call  # noqa: PLC0415
    from kinogate.dialects.native import Native  # noqa: PLC0415
    from kinogate.studio import open_studio  # noqa: PLC0415
    from kinogate.telemetry import configure_logging  # noqa: PLC0415

    configure_logging("error")  # standard output is the result's, and the bar tells the rest
    submission = Native().parse_create(
        Call(method="POST", path="/", body=msgspec.json.encode(body))
    )
    with tempfile.TemporaryDirectory(prefix="kinogate-") as folder:
        async with open_studio(Path(folder)) as studio:
            with progress_bar() as bar:
                row = bar.add_task("starting", total=1.0)

                def show(task: Task) -> None:
                    bar.update(row, completed=task.progress, description=task.status.value)

                task = await studio.make(submission, Native.house, show)
            if task.outcome is not None:
                async with studio.result(task) as path:
                    await asyncio.to_thread(shutil.copyfile, path, output)
    return {
        "id": task.id,
        "status": task.status.value,
        "error": task.fault.message if task.fault else None,
        "seed": task.plan.seed,
        "warnings": list(task.notes),
    }
