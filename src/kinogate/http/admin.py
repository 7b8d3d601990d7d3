"""The handlers of what only admins may do; like those of `edge`, they may raise."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from kinogate.dialects.base import Action, Call, Dialect
from kinogate.domain.ports import Principal
from kinogate.http.calls import respond
from kinogate.http.uploads import Handler
from kinogate.service.operations import Operations


class AdminHandlers:
    """One method for each action."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    def table(self) -> Mapping[Action, Handler]:
        """The handlers, for the edge's table."""
        return {
            Action.ENGINES: self._engines,
            Action.ENGINE_DRAIN: self._drain,
            Action.ENGINE_RESUME: self._resume,
            Action.RELOAD: self._reload,
        }

    async def _engines(
        self, dialect: Dialect, call: Call, principal: Principal, _: Request
    ) -> Response:
        return respond(dialect.render_engines(self._operations.engines(principal), call), call)

    async def _drain(
        self, dialect: Dialect, call: Call, principal: Principal, _: Request
    ) -> Response:
        engine = self._operations.drain(principal, call.params["engine"], is_draining=True)
        return respond(dialect.render_engine(engine, call), call)

    async def _resume(
        self, dialect: Dialect, call: Call, principal: Principal, _: Request
    ) -> Response:
        engine = self._operations.drain(principal, call.params["engine"], is_draining=False)
        return respond(dialect.render_engine(engine, call), call)

    async def _reload(
        self, dialect: Dialect, call: Call, principal: Principal, _: Request
    ) -> Response:
        return respond(dialect.render_reloaded(self._operations.reload(principal), call), call)
