"""`kinogate serve`: one process with everything in it."""

from __future__ import annotations

import asyncio
import ipaddress
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kinogate.cli.output import bad_config
from kinogate.config import BadConfig, Setup, read_file, read_setup
from kinogate.domain.errors import CallerError
from kinogate.settings import Settings, load_settings, reason_of

if TYPE_CHECKING:
    from kinogate.service.keys import MintedKey


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 takes a free one.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Database, files, secrets.")] = None,
    config: Annotated[Path | None, typer.Option(help="A TOML file of settings.")] = None,
    simulate: Annotated[
        bool | None, typer.Option(help="Let the X-Kinogate-Simulate header act.")
    ] = None,
    insecure: Annotated[
        bool | None, typer.Option(help="Serve without keys; loopback only.")
    ] = None,
) -> None:
    """Start the server."""
    settings = settings_of(
        config, host=host, port=port, data_dir=data_dir, simulate=simulate, insecure=insecure
    )
    if settings.insecure and not is_loopback(settings.host):
        raise bad_config("--insecure serves without keys and is refused beyond loopback.")
    setup_of(config)  # what is plainly wrong is said before anything is opened
    try:
        listener = listen(settings.host, settings.port)
    except OSError as error:
        raise bad_config(
            f"cannot listen on {settings.host}:{settings.port}: {error.strerror}"
        ) from error
    settings = settings.model_copy(update={"port": listener.getsockname()[1]})
    run_on_fast_loop(settings, listener, config)


def settings_of(config: Path | None, **flags: object) -> Settings:
    """Settings, or exit 78 with the reason."""
    try:
        return load_settings(config, **flags)
    except (ValueError, OSError) as error:  # pydantic's, TOML's and our own are all ValueErrors
        raise bad_config(reason_of(error)) from error


def setup_of(config: Path | None) -> Setup:
    """Engines, routes and prices, or exit 78 with the reason."""
    try:
        return read_setup(read_file(config))
    except (ValueError, OSError) as error:
        raise bad_config(reason_of(error)) from error


def is_loopback(host: str) -> bool:
    """Whether an address to listen on stays on this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; binding before anything else makes `port=0` known everywhere."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.set_inheritable(False)
    return listener


def run_on_fast_loop(
    settings: Settings, listener: socket.socket, config: Path | None = None
) -> None:
    """Serve until a signal says to stop."""
    import uvloop  # noqa: PLC0415 - only the server needs it

    try:
        uvloop.run(_serve(settings, listener, config))
    except BadConfig as error:
        raise bad_config(str(error)) from error
    finally:
        listener.close()


async def _serve(settings: Settings, listener: socket.socket, path: Path | None) -> None:
    # Imported here so that other commands do not pay for the server's modules.
    import uvicorn  # noqa: PLC0415

    from kinogate.app import first_key, open_server  # noqa: PLC0415
    from kinogate.http.server import GuardedProtocol, QuietServer  # noqa: PLC0415
    from kinogate.procs.allocator import give_back_after_bursts  # noqa: PLC0415
    from kinogate.telemetry import configure_logging  # noqa: PLC0415

    configure_logging(settings.log_level)
    # Until there is something to reload; its default would end us while we start.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    async with open_server(settings, path) as server:
        try:
            minted = await first_key(server)
        except ValueError as error:
            raise bad_config(f"admin_key: {error}") from error
        config = uvicorn.Config(
            server.asgi,
            http=GuardedProtocol,
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=",".join(settings.trusted_proxies) or "127.0.0.1",
            timeout_graceful_shutdown=30,
        )
        _greet(settings, minted)
        giving = asyncio.create_task(give_back_after_bursts())
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, _reload, server.reload)
        try:
            await QuietServer(config).serve(sockets=[listener])
        finally:
            loop.remove_signal_handler(signal.SIGHUP)
            giving.cancel()


def _reload(reload: Callable[[], object]) -> None:
    """Upon SIGHUP; a configuration that cannot be used has been logged, and changes nothing."""
    with suppress(CallerError):
        reload()


def _greet(settings: Settings, minted: MintedKey | None) -> None:
    secret = minted.secret if minted is not None else "$KINOGATE_KEY"
    page = f"{settings.origin}/" + (f"#key={secret}" if minted is not None else "")
    lines = [f"Kinogate is ready at {settings.origin}", "", f"  page  {page}"]
    if minted is not None:
        lines.append(f"  key   {secret}   (shown once; only its hash is kept)")
    else:
        lines.append("  key   made earlier; another one: kinogate keys create --name NAME")
    body = '{"model":"wan2.2-t2v-plus","prompt":"A kitten running in the moonlight"}'
    lines += [
        "",
        "Try it:",
        f"  curl -s {settings.origin}/v2/videos/generations \\",
        f"    -H 'Authorization: Bearer {secret}' -H 'Content-Type: application/json' \\"
        if minted is not None
        else f"    -H \"Authorization: Bearer {secret}\" -H 'Content-Type: application/json' \\",
        f"    -d '{body}'",
    ]
    if settings.simulate:
        lines += [
            "",
            "Simulation is on: the X-Kinogate-Simulate header makes tasks fail on demand.",
        ]
    typer.echo("\n".join(lines))
