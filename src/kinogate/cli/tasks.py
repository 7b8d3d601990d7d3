"""`kinogate tasks`: a server's tasks, over the native API."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from kinogate.cli.api import DEFAULT_URL, Api, ApiKey, Json, Url, connect
from kinogate.cli.output import Exit, err, print_json, print_table, text_of, wants_json

app = typer.Typer(no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
TaskId = Annotated[str, typer.Argument(help="The task's id.")]
Timeout = Annotated[float, typer.Option(min=1, help="Longest wait, seconds.")]


@app.command("ls")
def ls(
    status: Annotated[str | None, typer.Option(help="queued,running,succeeded,…")] = None,
    model: Annotated[str | None, typer.Option(help="Only this model.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100)] = 20,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    key: ApiKey = "",
) -> None:
    """List tasks, newest first."""
    query = {"limit": str(limit)}
    query |= {name: value for name, value in (("status", status), ("model", model)) if value}
    with connect(url, key) as api:
        page = api.ask("GET", "/tasks", params=query)
    if wants_json(as_json):
        print_json(page)
        return
    columns = ("id", "status", "progress", "model", "duration", "created_at")
    print_table(columns, [[text_of(task[name]) for name in columns] for task in page["tasks"]])


@app.command("get")
def get(task_id: TaskId, as_json: AsJson = False, url: Url = DEFAULT_URL, key: ApiKey = "") -> None:
    """Show one task."""
    with connect(url, key) as api:
        show_task(api.ask("GET", f"/tasks/{task_id}"), as_json=as_json)


@app.command("watch")
def watch(
    task_id: TaskId,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Save the MP4.")] = None,
    timeout: Timeout = 900,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    key: ApiKey = "",
) -> None:
    """Follow a task to its end; Ctrl-C leaves it running."""
    with connect(url, key) as api:
        task = follow_with_bar(api, task_id, timeout)
        if output is not None and task["video"]:
            api.download(task["video"]["url"], output)
    show_task(task, as_json=as_json)
    if task["status"] != "succeeded":
        raise typer.Exit(Exit.TASK_FAILED)


@app.command("cancel")
def cancel(
    task_id: TaskId, as_json: AsJson = False, url: Url = DEFAULT_URL, key: ApiKey = ""
) -> None:
    """Cancel a queued or running task."""
    with connect(url, key) as api:
        show_task(api.ask("POST", f"/tasks/{task_id}/cancel"), as_json=as_json)


def show_task(task: Json, *, as_json: bool) -> None:
    """A task as JSON or as a table of its members."""
    if wants_json(as_json):
        print_json(task)
        return
    rows = [(name, text_of(value)) for name, value in task.items() if name != "video"]
    rows += [(f"video.{name}", text_of(value)) for name, value in (task["video"] or {}).items()]
    print_table(("member", "value"), [row for row in rows if row[1] not in ("", "[]", "{}")])


def progress_bar() -> Progress:
    """A bar on standard error, silent when that is no terminal."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=err,
        disable=not err.is_terminal,
    )


def follow_with_bar(api: Api, task_id: str, timeout_s: float) -> Json:
    """Follow a task with a bar on standard error."""
    with progress_bar() as bar:
        row = bar.add_task("queued", total=1.0)

        def show(task: Json) -> None:
            bar.update(row, completed=task["progress"], description=task["status"])

        return api.follow(task_id, show, timeout_s)
