"""What an operator does to a running server: look at engines, drain them, reload."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from kinogate.domain.errors import AccountError, CallerError, ErrorCode
from kinogate.domain.models import EngineStatus, Reloaded
from kinogate.domain.ports import Principal
from kinogate.service.fleet import Fleet, Member

log = structlog.get_logger(__name__)


class Operations:
    """The use cases of keys that may administer the server."""

    def __init__(self, fleet: Fleet, reload: Callable[[], Reloaded]) -> None:
        """Prepare.

        Args:
            fleet: The engines.
            reload: Reads the configuration again; raises a `CallerError` when it cannot be used.
        """
        self._fleet = fleet
        self._reload = reload

    def engines(self, principal: Principal) -> tuple[EngineStatus, ...]:
        """Every engine, in the order of the configuration.

        Raises:
            AccountError: PERMISSION_DENIED.
        """
        _require_admin(principal)
        return tuple(_status(member) for member in self._fleet.members.values())

    def drain(self, principal: Principal, name: str, *, is_draining: bool) -> EngineStatus:
        """Take an engine out for new work, or back in; doing it again changes nothing.

        What runs there goes on. Tasks that no other engine takes wait for it.

        Raises:
            AccountError: PERMISSION_DENIED.
            CallerError: ROUTE_UNKNOWN, when there is no such engine.
        """
        _require_admin(principal)
        member = self._fleet.get(name)
        if member is None:
            raise CallerError(ErrorCode.ROUTE_UNKNOWN, "There is no engine of this name.")
        member.condition.is_draining = is_draining
        log.info("engine drain", engine=name, is_draining=is_draining, key_id=principal.key_id)
        return _status(member)

    def reload(self, principal: Principal) -> Reloaded:
        """Read the configuration file again; a wrong one changes nothing.

        Raises:
            AccountError: PERMISSION_DENIED.
            CallerError: FIELD_INVALID, with what is wrong in the file.
        """
        _require_admin(principal)
        return self._reload()


def _require_admin(principal: Principal) -> None:
    if not principal.is_admin:
        raise AccountError(ErrorCode.PERMISSION_DENIED, "This needs a key with admin rights.")


def _status(member: Member) -> EngineStatus:
    condition = member.condition
    return EngineStatus(
        name=member.name,
        kind=member.section.kind,
        state=member.stand.value,
        capacity=member.engine.capacity,
        running=member.running,
        failures=condition.failures,
        cools_for_s=condition.cools_for_s,
        reason=condition.reason,
    )
