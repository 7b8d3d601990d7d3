"""Write the tables that the documentation takes from the code. `--check` only compares.

`docs/errors.md` and `docs/inputs.md` as a whole; the routes in `docs/dialects/*.md`, the settings in `docs/operate.md` and
the models in `docs/models.md` between their `<!-- table:NAME -->` marks.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from docs_inputs import inputs_page
from kinogate.dialects import build_dialects
from kinogate.dialects.base import Dialect
from kinogate.domain.catalogue import CATALOGUE
from kinogate.domain.errors import ErrorCode
from kinogate.domain.money import usd_text
from kinogate.settings import Settings

DOCS = Path(__file__).resolve().parent.parent / "docs"
_TABLE = re.compile(r"<!-- table:(\w+) -->\n.*?<!-- end -->", re.DOTALL)

_MEANINGS = {
    ErrorCode.REQUEST_MALFORMED: "the body is not what its type says",
    ErrorCode.BODY_TOO_LARGE: "the body is larger than the server takes",
    ErrorCode.CONTENT_TYPE_UNSUPPORTED: "the body is compressed or of a wrong type",
    ErrorCode.ROUTE_UNKNOWN: "no such path",
    ErrorCode.METHOD_NOT_ALLOWED: "the path does not take that method",
    ErrorCode.SYNC_UNSUPPORTED: "the header that asks for asynchronous work is missing",
    ErrorCode.FIELD_MISSING: "a required member is absent",
    ErrorCode.FIELD_INVALID: "a member's value is not allowed",
    ErrorCode.MODEL_UNKNOWN: "no such model",
    ErrorCode.FEATURE_UNSUPPORTED: "the engine or this server cannot do that",
    ErrorCode.IDEMPOTENCY_CONFLICT: "the idempotency key was used for another body",
    ErrorCode.MEDIA_URL_INVALID: "the URL of an input is not allowed",
    ErrorCode.MEDIA_UNREACHABLE: "an input could not be fetched",
    ErrorCode.MEDIA_FORMAT: "an input is of a wrong format, damaged, or transparent",
    ErrorCode.MEDIA_TOO_LARGE: "an input has too many bytes",
    ErrorCode.MEDIA_DIMENSIONS: "an input's sides or ratio are out of range",
    ErrorCode.MEDIA_DURATION: "an input is too short or too long",
    ErrorCode.CONTENT_REFUSED: "moderation refused the content",
    ErrorCode.TASK_UNKNOWN: "no such task of this account",
    ErrorCode.TASK_NOT_CANCELABLE: "the task can no longer be canceled",
    ErrorCode.RESULT_NOT_READY: "the video is not ready yet",
    ErrorCode.RESULT_FAILED: "the task made no video",
    ErrorCode.RESULT_EXPIRED: "the video's time is over",
    ErrorCode.KEY_MISSING: "no key was shown",
    ErrorCode.KEY_INVALID: "the key is not valid",
    ErrorCode.PERMISSION_DENIED: "the key may not do that",
    ErrorCode.BALANCE_EMPTY: "the account's balance does not cover the hold",
    ErrorCode.RATE_LIMITED: "too many requests",
    ErrorCode.QUOTA_EXCEEDED: "the account's quota is used up",
    ErrorCode.UPSTREAM_FAILED: "an upstream failed",
    ErrorCode.UPSTREAM_REFUSED: "an upstream refused the work",
    ErrorCode.SUBMIT_AMBIGUOUS: "the answer of an upstream was lost, so it is not asked again",
    ErrorCode.RESULT_INVALID: "an engine's file is not what was asked for",
    ErrorCode.ENGINE_FAILED: "the engine failed",
    ErrorCode.TIMED_OUT: "the work took too long",
    ErrorCode.CANCELED: "the task was canceled",
    ErrorCode.UNAVAILABLE: "the store cannot be reached or written now",
    ErrorCode.INTERNAL: "a fault of ours",
}


def errors_page(dialects: tuple[Dialect, ...]) -> str:
    """The whole page."""
    names = [dialect.name for dialect in dialects]
    lines = [
        "# Errors",
        "",
        "What goes wrong, and how each dialect says it: HTTP status and the dialect's own code. What",
        "the request alone shows is refused at once; what takes a download or a decode ends the task",
        "as failed, in the code that the dialect uses for tasks, and costs nothing. A failed task is",
        "always a 200 to its query.",
        "",
        "This page is written by `tools/docs_tables.py` from the tables that the server uses.",
        "",
        f"| code | meaning | {' | '.join(names)} |",
        f"|---|---|{'---|' * len(names)}",
    ]
    for code in ErrorCode:
        cells = [
            f"{dialect.errors[code].status} `{dialect.errors[code].code}`" for dialect in dialects
        ]
        lines.append(f"| `{code.value}` | {_MEANINGS[code]} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def settings_table() -> str:
    """Every setting, its variable, default and meaning."""
    lines = ["| setting | variable | default | meaning |", "|---|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = field.default
        if isinstance(default, frozenset | tuple):
            default = ",".join(sorted(default) if isinstance(default, frozenset) else default)
        elif hasattr(default, "get_secret_value"):
            default = default.get_secret_value()
        shown = f"`{default}`" if str(default) else "empty"
        lines.append(f"| `{name}` | `KINOGATE_{name.upper()}` | {shown} | {field.description} |")
    return "\n".join(lines)


def routes_table(dialect: Dialect) -> str:
    """A dialect's routes."""
    lines = ["| method | path | does |", "|---|---|---|"]
    lines += [
        f"| {route.method} | `{route.path}` | {route.action.value.replace('_', ' ')} |"
        for route in dialect.routes
    ]
    return "\n".join(lines)


def models_table() -> str:
    """The catalogue in short."""
    lines = [
        "| model | makes | tiers | seconds | fps | prompt | sound | USD a second | unverified |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for spec in CATALOGUE.all():
        card = spec.price.audio or spec.price.silent
        prices = [card.at(tier) for tier in spec.tiers] if card else []
        shown = " · ".join(usd_text(price) if price is not None else "–" for price in prices)
        lines.append(
            f"| `{spec.name}` | {' '.join(sorted(spec.modes))} | {' '.join(spec.tiers)} | "
            f"{spec.durations.describe() or 'as its input'} | {spec.fps} | {spec.prompt_max} | "
            f"{spec.audio.value} | {shown or 'see its page'} | {len(spec.unverified) or ''} |"
        )
    return "\n".join(lines)


def wanted() -> dict[Path, str]:
    """Every page that has something of ours in it, as it should be."""
    dialects = build_dialects(dashscope_prefixes=("",))
    tables = {f"routes_{dialect.name}": routes_table(dialect) for dialect in dialects}
    tables |= {"settings": settings_table(), "models": models_table()}
    pages = {
        DOCS / "errors.md": errors_page(dialects),
        DOCS / "inputs.md": inputs_page(dialects),
    }
    for path in sorted(DOCS.rglob("*.md")):
        text = path.read_text("utf-8")
        if _TABLE.search(text):
            pages[path] = _TABLE.sub(
                lambda match: f"<!-- table:{match[1]} -->\n{tables[match[1]]}\n<!-- end -->", text
            )
    return pages


def main() -> int:
    """Write, or with `--check` report, what differs."""
    stale = [
        path
        for path, text in wanted().items()
        if not path.exists() or path.read_text("utf-8") != text
    ]
    if "--check" in sys.argv:
        for path in stale:
            print(f"{path.name} differs from the code: run python tools/docs_tables.py")
        return int(bool(stale))
    for path in stale:
        path.write_text(wanted()[path], "utf-8")
        print(f"wrote {path.relative_to(DOCS.parent)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
