"""Write the OpenAPI document of the native API. `--check` only compares.

Paths come from the dialect's route table, names of models, roles and effects from the code's own
tables; what a member may be is said here once. The server hands the file out at
`/kinogate/v1/openapi.json`.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import kinogate
from kinogate.dialects.base import Action, Route
from kinogate.dialects.native import Native
from kinogate.domain.catalogue import CATALOGUE
from kinogate.domain.knobs import PRESETS, Expert
from kinogate.domain.order import Role, ShotType
from kinogate.domain.task import Status
from kinogate.service.decide import SEED_MAX

TARGET = Path(kinogate.__file__).parent / "http" / "openapi" / "native.json"
Json = dict[str, object]

_MEDIA_TEXT = "An http(s) URL, a data: URI, bare base64, or the URL of an upload."


def _text(about: str = "", **more: object) -> Json:
    return {"type": ["string", "null"], **({"description": about} if about else {}), **more}


def _integer(about: str = "", **more: object) -> Json:
    return {"type": ["integer", "null"], **({"description": about} if about else {}), **more}


def _flag(about: str = "") -> Json:
    return {"type": ["boolean", "null"], **({"description": about} if about else {})}


def _number(about: str, least: float, most: float) -> Json:
    return {
        "type": ["number", "null"],
        "description": about,
        "minimum": least,
        "maximum": most,
    }


def _knobs() -> Json:
    lora = {
        "name": {"type": "string", "description": "As the operator has named it."},
        "weight": _number("1 as trained.", -4, 4),
        "expert": {"enum": [*(expert.value for expert in Expert), None]},
    }
    return {
        "steps": _integer("Denoising steps.", minimum=1, maximum=200),
        "guidance": _number("Of the high-noise expert, or of the only one.", 0, 30),
        "guidance_2": _number("Of the low-noise expert.", 0, 30),
        "flow_shift": {"type": ["number", "null"], "exclusiveMinimum": 0, "maximum": 100},
        "boundary_ratio": _number("Share of the schedule at which the experts change.", 0, 1),
        "preset": {"enum": [*PRESETS, None]},
        "loras": {
            "type": ["array", "null"],
            "maxItems": 8,
            "items": {"type": "object", "properties": lora, "required": ["name"]},
        },
    }


def create_members() -> Json:
    """What a create body may hold; tests compare it with what the dialect reads."""
    return {
        "model": {
            "type": "string",
            "description": "Any spelling of a model's name.",
            "examples": [spec.name for spec in CATALOGUE.all()][:3],
        },
        "prompt": _text("Longer than the model's limit is refused."),
        "negative_prompt": _text(),
        "image": _text(_MEDIA_TEXT),
        "last_frame": _text(_MEDIA_TEXT),
        "first_clip": _text(_MEDIA_TEXT),
        "media": {
            "type": ["array", "null"],
            "items": {
                "type": "object",
                "properties": {
                    "role": {"type": "string", "enum": [role.value for role in Role]},
                    "url": {"type": "string", "description": _MEDIA_TEXT},
                },
                "required": ["role", "url"],
            },
        },
        "size": _text("Width and height, such as 1280*720."),
        "resolution": _text("480P, 720P or 1080P."),
        "ratio": _text("Such as 16:9, where the model knows it."),
        "duration": _integer("Seconds; what the model allows.", minimum=-1),
        "fps": _integer("Reported when it cannot be had."),
        "audio": _flag("false beats audio_url."),
        "audio_url": _text(_MEDIA_TEXT),
        "prompt_extend": _flag(),
        "shot_type": {"enum": [*(shot.value for shot in ShotType), None]},
        "watermark": _flag(),
        "seed": _integer(minimum=0, maximum=SEED_MAX),
        "template": _text("The name of an effect."),
        "function": _text("What a vace model is to do."),
        "knobs": {
            "type": ["object", "null"],
            "description": "Wishes for the sampler; reported where the engine has none.",
            "properties": _knobs(),
        },
        "safety_filter": _flag(),
        "notify_hook": _text("An http(s) URL."),
        "metadata": {
            "type": ["object", "null"],
            "maxProperties": 16,
            "additionalProperties": {"type": "string", "maxLength": 512},
        },
    }


def _schemas() -> Json:
    time = {"type": ["string", "null"], "format": "date-time"}
    task = {
        "id": {"type": "string", "format": "uuid"},
        "status": {"enum": [status.value for status in Status]},
        "progress": {"type": "number", "minimum": 0, "maximum": 1},
        "model": {"type": "string"},
        "mode": {"type": "string"},
        "engine": {"type": ["string", "null"]},
        "prompt": {"type": "string"},
        "warnings": {"type": "array", "items": {"type": "string"}},
        "created_at": time,
        "started_at": time,
        "finished_at": time,
        "expires_at": time,
        "held_usd": {"type": "string"},
        "cost_usd": {"type": "string"},
        "live_url": _text(
            "While it runs, a signed link to a small JPEG of what there is so far, replaced about "
            "once a second; 404 until there is something, and again afterwards. Not every engine "
            "has one."
        ),
        "video": {"type": ["object", "null"]},
        "error": {"type": ["object", "null"]},
    }
    problem = {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "field": {"type": ["string", "null"]},
        "instance": {"type": "string"},
        "request_id": {"type": "string"},
    }
    file = {
        "id": {"type": "string"},
        "status": {"enum": ["ready", "uploading"]},
        "url": {"type": ["string", "null"]},
        "size_bytes": {"type": "integer"},
        "received_bytes": {"type": "integer"},
    }
    return {
        "Create": {"type": "object", "properties": create_members(), "required": ["model"]},
        "Task": _object(task),
        "Problem": _object({name: value for name, value in problem.items() if name != "instance"}),
        "File": _object(file),
        "TaskList": _object(
            {
                "tasks": {"type": "array", "items": _ref("Task")},
                "has_more": {"type": "boolean"},
                "next": {"type": ["string", "null"]},
            }
        ),
        "Deleted": _object({"id": {"type": "string"}, "deleted": {"const": True}}),
        "Model": _object(
            {
                "name": {"type": "string"},
                "modes": {"type": "array"},
                "engines": {"type": "array", "items": _ref("Offer")},
                "prices": {"type": "object", "additionalProperties": _ref("Price")},
            }
        ),
        "Offer": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "modes": {"type": "array", "items": {"type": "string"}},
                "cost_usd_per_s": {
                    "type": "string",
                    "description": "What it costs the operator; shown to admins, where it is known.",
                },
            },
            "required": ["name", "modes"],
        },
        "Price": _object({"audio": {"type": "string"}, "silent": {"type": "string"}}),
        "Engine": _object(
            {
                "name": {"type": "string"},
                "kind": {"type": "string"},
                "state": {"enum": ["ready", "starting", "cooling", "draining"]},
                "capacity": {"type": "integer"},
                "running": {"type": "integer"},
                "failures": {"type": "integer"},
                "cools_for_s": {"type": "number"},
                "last_failure": {"type": ["string", "null"]},
            }
        ),
        "Engines": _object({"engines": {"type": "array", "items": _ref("Engine")}}),
        "Reloaded": _object(
            {
                name: {"type": "array", "items": {"type": "string"}}
                for name in ("engines_changed", "needs_restart", "remarks")
            }
        ),
        "Models": _object({"models": {"type": "array", "items": _ref("Model")}}),
        "Me": _object({"account": {"type": "string"}, "is_admin": {"type": "boolean"}}),
    }


def _object(properties: Json) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _json(name: str, kind: str = "application/json") -> Json:
    return {"description": name, "content": {kind: {"schema": _ref(name)}}}


_ANSWERS: dict[Action, tuple[str, str]] = {
    Action.CREATE: ("201", "Task"),
    Action.LIST: ("200", "TaskList"),
    Action.GET: ("200", "Task"),
    Action.DELETE: ("200", "Deleted"),
    Action.CANCEL: ("200", "Task"),
    Action.FILE_CREATE: ("201", "File"),
    Action.FILE_APPEND: ("200", "File"),
    Action.FILE_GET: ("200", "File"),
    Action.MODELS: ("200", "Models"),
    Action.MODEL: ("200", "Model"),
    Action.ME: ("200", "Me"),
    Action.ENGINES: ("200", "Engines"),
    Action.ENGINE_DRAIN: ("200", "Engine"),
    Action.ENGINE_RESUME: ("200", "Engine"),
    Action.RELOAD: ("200", "Reloaded"),
}
_OTHER: dict[Action, Json] = {
    Action.CONTENT: {
        "description": "The file; 206 for ranges.",
        "content": {"video/mp4": {}, "image/jpeg": {}},
    },
    Action.STREAM: {
        "description": "Server-sent events until the task has ended.",
        "content": {"text/event-stream": {}},
    },
}


def _query(name: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _parameters(route: Route) -> list[Json]:
    found: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"\{(\w+)\}", route.path)
    ]
    if route.action is Action.LIST:
        found += [
            _query("limit", {"type": "integer", "minimum": 1, "maximum": 100}),
            _query("after", {"type": "string"}),
            _query("order", {"enum": ["asc", "desc"]}),
            _query("status", {"enum": [status.value for status in Status]}),
            _query("model", {"type": "string"}),
        ]
    if route.action is Action.CONTENT:
        found.append(_query("variant", {"type": "string"}))
    if route.action is Action.CREATE:
        key = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
        found.append({"name": "Idempotency-Key", "in": "header", "required": False, "schema": key})
    if route.action is Action.FILE_APPEND:
        text = {"type": "string", "pattern": r"^bytes \d+-\d+/\d+$"}
        found.append({"name": "Content-Range", "in": "header", "required": True, "schema": text})
    return found


def _operation(route: Route) -> Json:
    if route.action in _OTHER:
        answers: Json = {"200": _OTHER[route.action]}
    else:
        status, name = _ANSWERS[route.action]
        answers = {status: _json(name)}
    answers["4XX"] = _json("Problem", "application/problem+json")
    answers["503"] = _json("Problem", "application/problem+json")
    words = route.path.removeprefix("/kinogate/v1/").replace("{", "").replace("}", "")
    found: Json = {
        "operationId": f"{route.action.value}_{words.replace('/', '_')}",
        "parameters": _parameters(route),
        "responses": answers,
    }
    if route.action is Action.CREATE:
        found["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _ref("Create")}},
        }
    if route.action in (Action.FILE_CREATE, Action.FILE_APPEND):
        raw = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
        found["requestBody"] = {"required": True, "content": raw}
    return found


def document() -> Json:
    """The whole document, OpenAPI 3.1."""
    paths: dict[str, Json] = {}
    for route in Native.routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Kinogate",
            "version": kinogate.__version__,
            "description": "Every Wan video API through one server: its own dialect.",
        },
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"key": []}],
    }


def main() -> int:
    """Write, or with `--check` report, what differs."""
    text = json.dumps(document(), indent=1, ensure_ascii=False) + "\n"
    if TARGET.exists() and TARGET.read_text("utf-8") == text:
        return 0
    if "--check" in sys.argv:
        print("the OpenAPI document differs from the code: run python tools/openapi.py")
        return 1
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(text, "utf-8")
    print(f"wrote {TARGET.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
