"""Every way a call or a task can go wrong, as one tree.

    KinogateError
    ├── CallerError      fix the request: field, what is allowed, what was given
    ├── AccountError     fix the account: key, permission, balance, quota, rate
    ├── UpstreamError    an upstream or the network outside failed; `retriable` says whether to try again
    └── InternalError    ours: engine, store, bug

An error carries a meaning and never an HTTP status: each dialect owns a complete table from
`ErrorCode` to its own reply. Messages are one sentence that a caller may read; they hold no
secrets and no paths of this machine.
"""

from __future__ import annotations

from enum import StrEnum


class ErrorCode(StrEnum):
    """One meaning each. Stored in task rows, so a value is never renamed."""

    # The envelope: what the HTTP request as a whole did wrong.
    REQUEST_MALFORMED = "request_malformed"
    BODY_TOO_LARGE = "body_too_large"
    CONTENT_TYPE_UNSUPPORTED = "content_type_unsupported"
    ROUTE_UNKNOWN = "route_unknown"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    SYNC_UNSUPPORTED = "sync_unsupported"
    # The fields.
    FIELD_MISSING = "field_missing"
    FIELD_INVALID = "field_invalid"
    MODEL_UNKNOWN = "model_unknown"
    FEATURE_UNSUPPORTED = "feature_unsupported"
    IDEMPOTENCY_CONFLICT = "idempotency_conflict"
    # The media.
    MEDIA_URL_INVALID = "media_url_invalid"
    MEDIA_UNREACHABLE = "media_unreachable"
    MEDIA_FORMAT = "media_format"
    MEDIA_TOO_LARGE = "media_too_large"
    MEDIA_DIMENSIONS = "media_dimensions"
    MEDIA_DURATION = "media_duration"
    CONTENT_REFUSED = "content_refused"
    # The task that a call names.
    TASK_UNKNOWN = "task_unknown"
    TASK_NOT_CANCELABLE = "task_not_cancelable"
    RESULT_NOT_READY = "result_not_ready"
    RESULT_FAILED = "result_failed"
    RESULT_EXPIRED = "result_expired"
    # The account.
    KEY_MISSING = "key_missing"
    KEY_INVALID = "key_invalid"
    PERMISSION_DENIED = "permission_denied"
    BALANCE_EMPTY = "balance_empty"
    RATE_LIMITED = "rate_limited"
    QUOTA_EXCEEDED = "quota_exceeded"
    # Outside and inside.
    UPSTREAM_FAILED = "upstream_failed"
    UPSTREAM_REFUSED = "upstream_refused"
    SUBMIT_AMBIGUOUS = "submit_ambiguous"
    RESULT_INVALID = "result_invalid"
    ENGINE_FAILED = "engine_failed"
    TIMED_OUT = "timed_out"
    CANCELED = "canceled"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


class KinogateError(Exception):
    """Base of everything we raise on purpose.

    Attributes:
        code: The meaning.
        message: One sentence for the caller.
        field: The canonical member at fault (`Field` value such as `"duration"`), or None. A
            dialect replaces it by its own spelling (`parameters.duration`, `seconds`).
        retry_after_s: Whole seconds after which a retry makes sense, or None.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        field: str | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
        self.retry_after_s = retry_after_s


class CallerError(KinogateError):
    """The request itself cannot be served; sending it again unchanged will fail again."""


class AccountError(KinogateError):
    """The caller may not do this now: key, permission, balance, quota or rate."""


class UpstreamError(KinogateError):
    """Something outside this server failed.

    Attributes:
        retriable: Whether a further attempt may succeed.
        is_charged: Whether the upstream may charge for what has failed; nobody else is asked then.
        upstream_code: The upstream's own code, kept verbatim.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        field: str | None = None,
        retriable: bool = False,
        is_charged: bool = False,
        upstream_code: str | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(code, message, field=field, retry_after_s=retry_after_s)
        self.retriable = retriable
        self.is_charged = is_charged
        self.upstream_code = upstream_code


class InternalError(KinogateError):
    """Our own fault; the caller can only try again later."""


def field_missing(field: str) -> CallerError:
    """The error for a required member that is absent."""
    return CallerError(ErrorCode.FIELD_MISSING, "This field is required.", field=field)


def field_invalid(field: str, message: str) -> CallerError:
    """The error for a member whose value is not allowed; `message` names what is."""
    return CallerError(ErrorCode.FIELD_INVALID, message, field=field)
