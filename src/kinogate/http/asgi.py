"""The ASGI application: every dialect's routes, the page, files, health and metrics."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from importlib.resources import files

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route as WebRoute

from kinogate.dialects.base import Dialect, Route
from kinogate.domain.errors import CallerError, ErrorCode, InternalError
from kinogate.http.calls import head_of, request_id_of
from kinogate.http.edge import Edge
from kinogate.http.files import FileEndpoint
from kinogate.http.middleware import Cors, Measure
from kinogate.telemetry import CONTENT_TYPE, Metrics

Endpoint = Callable[[Request], Awaitable[Response]]

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "form-action 'self'"
)
_ASSETS = {"page.js": "text/javascript", "page.css": "text/css"}


def build_asgi(
    *,
    edge: Edge,
    dialects: Sequence[Dialect],
    file_endpoint: FileEndpoint,
    metrics: Metrics,
    is_ready: Callable[[], bool],
    cors_origins: frozenset[str],
) -> Cors:
    """Put the routes together. `dialects` in order: the last one also answers unknown paths."""
    routes = [
        WebRoute("/", _page, methods=["GET"]),
        WebRoute("/assets/{name}", _asset, methods=["GET"]),
        WebRoute("/livez", _live, methods=["GET"]),
        WebRoute("/readyz", _ready(is_ready), methods=["GET"]),
        WebRoute("/metrics", _metrics(metrics), methods=["GET"]),
        WebRoute("/kinogate/v1/openapi.json", _openapi, methods=["GET"]),
        WebRoute("/files/{key:path}", file_endpoint, methods=["GET"]),
    ]
    for dialect in dialects:
        for route in dialect.routes:
            endpoint = _endpoint(edge, dialect, route)
            routes += [
                WebRoute(path, endpoint, methods=[route.method])
                for path in (route.path, f"{route.path}/")
            ]
    app = Starlette(
        routes=routes,
        exception_handlers={
            404: _refuse(edge, dialects, ErrorCode.ROUTE_UNKNOWN, "There is no such path."),
            405: _refuse(
                edge, dialects, ErrorCode.METHOD_NOT_ALLOWED, "This path does not take that method."
            ),
            Exception: _refuse_unforeseen(edge, dialects),
        },
    )
    app.router.redirect_slashes = False
    return Cors(Measure(app, metrics), cors_origins)


def _endpoint(edge: Edge, dialect: Dialect, route: Route) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        request.scope["kinogate.route"] = (dialect.name, route.action.value)
        return await edge.handle(dialect, route, request)

    return endpoint


def dialect_of(path: str, dialects: Sequence[Dialect]) -> Dialect:
    """The dialect with the longest prefix of `path`; the last dialect when none has one."""
    best, length = dialects[-1], 0
    for dialect in dialects:
        for prefix in dialect.prefixes:
            if path.startswith(prefix) and len(prefix) > length:
                best, length = dialect, len(prefix)
    return best


def _refuse(
    edge: Edge, dialects: Sequence[Dialect], code: ErrorCode, message: str
) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handler(request: Request, error: Exception) -> Response:
        dialect = dialect_of(request.url.path, dialects)
        response = edge.refuse(dialect, head_of(request), CallerError(code, message))
        if isinstance(error, HTTPException) and error.headers:
            response.headers.update(error.headers)
        return response

    return handler


def _refuse_unforeseen(
    edge: Edge, dialects: Sequence[Dialect]
) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handler(request: Request, _: Exception) -> Response:
        dialect = dialect_of(request.url.path, dialects)
        error = InternalError(ErrorCode.INTERNAL, "Something went wrong on our side.")
        return edge.refuse(dialect, head_of(request), error)

    return handler


async def _page(_: Request) -> Response:
    html = (files("kinogate.http") / "page" / "index.html").read_text("utf-8")
    return HTMLResponse(html, headers={"content-security-policy": PAGE_POLICY})


async def _asset(request: Request) -> Response:
    name = request.path_params["name"]
    media_type = _ASSETS.get(name)
    if media_type is None:
        raise HTTPException(404)
    data = (files("kinogate.http") / "page" / name).read_bytes()
    return Response(data, media_type=media_type, headers={"cache-control": "no-cache"})


async def _openapi(request: Request) -> Response:
    data = (files("kinogate.http") / "openapi" / "native.json").read_bytes()
    return Response(
        data, media_type="application/json", headers={"x-request-id": request_id_of(request)}
    )


async def _live(_: Request) -> Response:
    return JSONResponse({"status": "alive"})


def _ready(is_ready: Callable[[], bool]) -> Endpoint:
    async def ready(_: Request) -> Response:
        if is_ready():
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "starting"}, status_code=503, headers={"retry-after": "1"})

    return ready


def _metrics(metrics: Metrics) -> Endpoint:
    async def endpoint(_: Request) -> Response:
        return Response(metrics.render(), media_type=CONTENT_TYPE)

    return endpoint
