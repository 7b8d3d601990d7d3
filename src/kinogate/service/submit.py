"""Accepting a task: decide, take the inputs in, one transaction.

No engine and no upstream is touched. A reply to the caller means that the row is committed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from kinogate.domain.catalogue import ModelSpec
from kinogate.domain.errors import (
    CallerError,
    ErrorCode,
    InternalError,
    field_invalid,
    field_missing,
)
from kinogate.domain.money import quote
from kinogate.domain.order import AudioMode, Role
from kinogate.domain.overlays import Overlay
from kinogate.domain.ports import Accepted, Admission, Clock, Ids, NewTask, Principal, TaskStore
from kinogate.domain.request import (
    Field,
    HouseRules,
    MediaInput,
    Submission,
)
from kinogate.domain.task import Plan, Status, Task
from kinogate.net import FetchPolicy, check_url
from kinogate.service.decide import Decision, decide, unsupported, used_media, with_media
from kinogate.service.intake import Intake
from kinogate.service.moderation import Moderation
from kinogate.service.routing import Router
from kinogate.service.simulation import simulated_queue_s

_BILLED_INPUTS = frozenset({Role.REFERENCE_VIDEO, Role.FIRST_CLIP, Role.SOURCE_VIDEO})


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a submit came from.

    Attributes:
        dialect: Name of the dialect.
        idempotency_key: The caller's key, or None.
        digest: SHA-256 over what was sent.
        simulate: The outcome to simulate, or None.
    """

    dialect: str
    idempotency_key: str | None = None
    digest: bytes = b""
    simulate: str | None = None


class Submitter:
    """The use case "make me a clip"."""

    def __init__(
        self,
        *,
        store: TaskStore,
        intake: Intake,
        router: Router,
        admission: Admission,
        clock: Clock,
        ids: Ids,
        fetch_policy: FetchPolicy,
        moderation: Moderation | None = None,
    ) -> None:
        self._store = store
        self._intake = intake
        self._router = router
        self._admission = admission
        self._clock = clock
        self._ids = ids
        self._fetch_policy = fetch_policy
        self._moderation = moderation or Moderation()

    async def submit(
        self,
        principal: Principal,
        submission: Submission,
        house: HouseRules,
        origin: Origin,
    ) -> Accepted:
        """Accept a task.

        Calling again with the same idempotency key and digest answers with the first task.

        Raises:
            CallerError: The request cannot be served.
            AccountError: The account may not submit now.
            InternalError: The store cannot write.
        """
        request = submission.request
        task_id = self._ids.task_id()
        decision = decide(request, house, self._router.catalogue, fresh_seed=self._ids.seed())
        self._require_words(decision.plan)
        if request.notify_hook is not None:
            self._check_hook(request.notify_hook)
        media = used_media(request.media, decision.plan)
        if decision.plan.audio is AudioMode.FILE and not any(
            item.role is Role.AUDIO for item in media
        ):
            raise field_missing(Field.AUDIO_FILE)
        roles = frozenset(item.role for item in media)
        lane, decision = self._routed(decision, roles, principal, task_id)
        hold = _quote(decision.spec, decision.plan, house.overlay, media)
        self._admission.admit(principal, hold, self._clock.now_ms())
        taken = await self._intake.take(
            media, principal.account_id, decision.spec, decision.plan.tier
        )
        plan = with_media(decision.plan, taken.media, taken.size)
        task = self._new_task(
            task_id,
            principal,
            replace(plan, simulate=origin.simulate),
            origin,
            model=request.model or decision.spec.name,
            warnings=(*submission.warnings, *decision.warnings),
            hold_micro=hold,
        )
        return await self._insert(task, origin, lane)

    async def remix(
        self, principal: Principal, source: Task, prompt: str, origin: Origin
    ) -> Accepted:
        """Accept a task that repeats `source` with another prompt: same inputs, size and seed.

        Raises:
            CallerError: FIELD_MISSING, when the prompt is blank; CONTENT_REFUSED.
        """
        if not prompt.strip():
            raise field_missing(Field.PROMPT)
        spec = self._router.catalogue.get(source.plan.model)
        if spec is None:
            raise InternalError(ErrorCode.INTERNAL, "The model of that task is gone.")
        task_id = self._ids.task_id()
        plan = replace(source.plan, prompt=prompt[: spec.prompt_max], simulate=origin.simulate)
        self._require_words(plan)
        roles = frozenset(item.role for item in plan.media)
        lane, decision = self._routed(
            Decision(plan=plan, spec=spec, warnings=()), roles, principal, task_id
        )
        self._admission.admit(principal, source.hold_micro, self._clock.now_ms())
        task = self._new_task(
            task_id,
            principal,
            decision.plan,
            origin,
            model=source.model,
            warnings=decision.warnings,
            hold_micro=source.hold_micro,
        )
        return await self._insert(replace(task, remixed_from=source.id), origin, lane)

    def _routed(
        self, decision: Decision, roles: frozenset[Role], principal: Principal, task_id: str
    ) -> tuple[str, Decision]:
        """The lane for a decision, and the decision as that lane's engine can keep it.

        Raises:
            CallerError: FEATURE_UNSUPPORTED, when no engine takes it.
        """
        plan = decision.plan
        ignored: tuple[str, ...] = ()
        if not plan.safety_filter and self._moderation.filters(plan.safety_filter):
            plan = replace(plan, safety_filter=True)
            ignored = ("safety_filter=false is not allowed on this server and was ignored.",)
        choice = self._router.choose(plan, roles, principal.account_id, task_id)
        if not choice.candidates:
            raise unsupported(choice.refusal or "No engine takes this request.")
        lane = self._router.by_readiness(choice.candidates)[0]
        plan, warnings = self._router.adapted(plan, lane)
        return lane, replace(
            decision, plan=plan, warnings=(*decision.warnings, *warnings, *ignored)
        )

    def _require_words(self, plan: Plan) -> None:
        if self._moderation.filters(plan.safety_filter):
            self._moderation.require_words(plan.prompt)

    async def _insert(self, task: Task, origin: Origin, lane: str) -> Accepted:
        wait_s = simulated_queue_s(origin.simulate)
        accepted = await self._store.submit(
            NewTask(
                task=task,
                lane=lane,
                idempotency_key=origin.idempotency_key,
                digest=origin.digest,
                not_before_ms=task.created_ms + int(wait_s * 1000) if wait_s else None,
            )
        )
        if not accepted.is_replay:
            return accepted
        # A replay repeats the first reply, whatever has become of the task since.
        return replace(accepted, task=as_created(accepted.task))

    def _new_task(
        self,
        task_id: str,
        principal: Principal,
        plan: Plan,
        origin: Origin,
        *,
        model: str,
        warnings: tuple[str, ...],
        hold_micro: int,
    ) -> Task:
        now = self._clock.now_ms()
        return Task(
            id=task_id,
            account_id=principal.account_id,
            key_id=principal.key_id,
            dialect=origin.dialect,
            model=model,
            status=Status.QUEUED,
            plan=plan,
            warnings=warnings,
            hold_micro=hold_micro,
            created_ms=now,
            updated_ms=now,
        )

    def _check_hook(self, url: str) -> None:
        try:
            check_url(url, self._fetch_policy)
        except CallerError as error:
            raise field_invalid(Field.NOTIFY_HOOK, error.message) from error


def as_created(task: Task) -> Task:
    """The task as its first reply showed it."""
    return replace(
        task,
        status=Status.QUEUED,
        progress=0.0,
        outcome=None,
        fault=None,
        engine=None,
        cost_micro=0,
        updated_ms=task.created_ms,
        started_ms=None,
        finished_ms=None,
        expires_ms=None,
    )


def _quote(spec: ModelSpec, plan: Plan, overlay: Overlay, media: tuple[MediaInput, ...]) -> int:
    return quote(
        spec,
        plan.tier,
        plan.duration_s,
        plan.audio is not AudioMode.OFF,
        overlay,
        video_input=any(item.role in _BILLED_INPUTS for item in media),
    )
