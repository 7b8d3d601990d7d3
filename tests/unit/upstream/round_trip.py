"""Takes a literal call of a dialect through the real services to the call that a wire makes of it.

The expected calls lie in `literal/`, typed from the spec by hand; nothing here and nothing else
may write them. Media are never read: an input is known by its place and role, `0-first_frame`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from factories import a_task
from kinogate.dialects import build_dialects
from kinogate.dialects.base import Call, Dialect, FormField
from kinogate.domain.abilities import Abilities, adapt
from kinogate.domain.catalogue import CATALOGUE
from kinogate.domain.order import AudioMode, InputFile, Mode, Order, Role
from kinogate.domain.resolution import Tier
from kinogate.domain.task import Plan, StoredMedia
from kinogate.engines.upstream.dashscope import DashscopeWire
from kinogate.engines.upstream.mulerouter import MulerouterWire
from kinogate.engines.upstream.openai import OpenaiWire
from kinogate.engines.upstream.unified import UnifiedWire
from kinogate.engines.upstream.vtrix import VtrixWire
from kinogate.engines.upstream.wire import Ask, Delivery, Given, Wire
from kinogate.service.aftercare import draws_mark, engine_order
from kinogate.service.decide import decide, used_media, with_media
from kinogate.service.labels import LabelPolicy
from kinogate.service.orders import order_for, order_on
from kinogate.service.prepare import Prepared

LITERAL = Path(__file__).parent / "literal"
FRESH_SEED = 424242
REWRITTEN = ", in soft light"
"""What the gateway's own prompt extension adds in these tests."""

DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect for dialect in build_dialects(dashscope_prefixes=("", "/qwen"))
}
WIRES: dict[str, Wire] = {
    "dashscope": DashscopeWire(),
    "mulerouter": MulerouterWire(),
    "vtrix": VtrixWire(),
    "unified": UnifiedWire(),
    "openai": OpenaiWire(),
    "sglang": OpenaiWire(profile="sglang"),
    "vllm-omni": OpenaiWire(
        {"wan2.2-t2v-plus": "Wan-AI/Wan2.2-T2V-A14B-Diffusers"},
        profile="vllm-omni",
        loras={"film": "/loras/film.safetensors"},
    ),
}


@dataclass(frozen=True, kw_only=True)
class Trip:
    """What became of a call.

    Attributes:
        refused: Why the wire cannot do it, or None.
        ask: What it sends, or None.
        told: The sentences that the caller reads.
        gateway: What the gateway does itself: before the engine (the prompt) or after it.
    """

    refused: str | None = None
    ask: Ask | None = None
    told: tuple[str, ...] = ()
    gateway: tuple[str, ...] = ()


def cases() -> list[str]:
    """Names of the literal files, which begin with the dialect's."""
    return sorted(path.stem for path in LITERAL.glob("*.json"))


def load(case: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((LITERAL / f"{case}.json").read_text("utf-8"))
    return content


def travel(case: str, target: str) -> Trip:
    """From the literal request of a case to the wire `target`."""
    literal = load(case)
    dialect, wire = DIALECTS[case.partition("-")[0]], WIRES[target]
    submission = dialect.parse_create(read_call(literal["request"], dialect))
    decision = decide(submission.request, dialect.house, CATALOGUE, fresh_seed=FRESH_SEED)
    media = used_media(submission.request.media, decision.plan)
    roles = frozenset(item.role for item in media)
    abilities = wire.abilities(decision.plan.model)
    if reason := wire.refuses(decision.plan, roles):
        return Trip(refused=reason)
    plan, warnings = adapt(
        decision.plan, abilities, target, is_seed_given=decision.plan.is_seed_given
    )
    stored = tuple(StoredMedia(role=item.role, blob_key=item.role) for item in media)
    order = prepared_order(with_media(plan, stored, None), abilities, literal)
    sent = engine_order(order, abilities)
    return Trip(
        ask=wire.create(sent, tuple(given(wire, item) for item in sent.inputs)),
        told=(*submission.warnings, *decision.warnings, *warnings),
        gateway=left_to_gateway(plan, order, abilities),
    )


def planned(case: str, target: str) -> Plan:
    """The plan of a case as the wire `target` can keep it."""
    literal = load(case)
    dialect = DIALECTS[case.partition("-")[0]]
    submission = dialect.parse_create(read_call(literal["request"], dialect))
    plan = decide(submission.request, dialect.house, CATALOGUE, fresh_seed=FRESH_SEED).plan
    abilities = WIRES[target].abilities(plan.model)
    return adapt(plan, abilities, target, is_seed_given=plan.is_seed_given)[0]


def prepared_order(plan: Plan, abilities: Abilities, literal: dict[str, Any]) -> Order:
    task = a_task(plan=plan, model=plan.model)
    inputs = tuple(
        InputFile(role=item.role, path=f"/in/{index}-{item.role}")
        for index, item in enumerate(plan.media)
    )
    width, height = literal.get("picture", (1280, 720))
    prepared = Prepared(
        inputs=inputs, picture=(width, height), length_s=literal.get("length_s", 0.0)
    )
    is_rewritten = plan.is_extendable and plan.template is None and bool(plan.prompt)
    prompt = plan.prompt + REWRITTEN if is_rewritten else plan.prompt
    order = order_for(task, prepared, prompt, LabelPolicy())
    return order_on(order, plan, "up", abilities, LabelPolicy())


def left_to_gateway(plan: Plan, order: Order, abilities: Abilities) -> tuple[str, ...]:
    """What the wire is not asked for and the gateway adds."""
    left = []
    if order.prompt != plan.prompt:
        left.append("prompt")
    if order.audio is AudioMode.FILE and not abilities.takes_audio:
        left.append("sound")
    if order.audio is AudioMode.OFF and not abilities.silence:
        left.append("silence")
    if order.watermark is not None and not draws_mark(order, abilities):
        left.append(f"watermark {order.watermark}")
    return tuple(left)


def given(wire: Wire, item: InputFile) -> Given:
    """As `deliver.py` hands it over, with the input's name for its content."""
    file = Path(item.path)
    family = _family(item.role)
    content_type = {"image": "image/png", "audio": "audio/mpeg", "video": "video/mp4"}[family]
    text = {
        Delivery.PARTS: "",
        Delivery.POLICY: f"oss://up/{file.name}",
        Delivery.INLINE: f"data:{content_type};base64,{file.name}"
        if family == "image"
        else f"https://gateway.example.com/{file.name}",
    }[wire.delivery]
    return Given(role=item.role, text=text, file=file, content_type=content_type)


def _family(role: Role) -> str:
    if role in (Role.AUDIO, Role.REFERENCE_AUDIO, Role.VOICE):
        return "audio"
    is_video = role.value.endswith(("_clip", "_video"))
    return "video" if is_video else "image"


def read_call(request: dict[str, Any], dialect: Dialect) -> Call:
    """The literal request as the edge hands it over, key and all."""
    method, _, path = request["call"].partition(" ")
    route, params = next(
        (route, found.groupdict())
        for route in dialect.routes
        if route.method == method
        and (found := re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route.path), path))
    )
    headers = {name.lower(): value for name, value in request.get("headers", {}).items()}
    form = None
    body = b""
    if "form" in request:
        headers["content-type"] = "multipart/form-data; boundary=x"
        form = tuple(form_field(name, value) for name, value in request["form"].items())
    else:
        headers["content-type"] = "application/json"
        body = json.dumps(request["json"], ensure_ascii=False).encode()
    return Call(
        method=method,
        path=path,
        action=route.action,
        params=params,
        options=route.options,
        headers=headers,
        body=body,
        form=form,
        request_id="req-1",
    )


def form_field(name: str, value: str | dict[str, str]) -> FormField:
    if isinstance(value, str):
        return FormField(name=name, value=value)
    return FormField(name=name, filename=value["filename"], data=b"\x89PNG\r\n\x1a\n")


def shown(ask: Ask) -> dict[str, Any]:
    """A call in the form of the literal files."""
    found: dict[str, Any] = {"call": f"{ask.method} {ask.path}"}
    if ask.query:
        found["query"] = dict(ask.query)
    if ask.headers:
        found["headers"] = dict(ask.headers)
    if ask.json is not None:
        found["json"] = json.loads(json.dumps(ask.json))
    if ask.parts:
        assert len({part.name for part in ask.parts}) == len(ask.parts)
        found["form"] = {
            part.name: part.value
            if part.file is None
            else {
                "file": part.file.name,
                "filename": part.filename,
                "content_type": part.content_type,
            }
            for part in ask.parts
        }
    return found


def an_order(**changes: Any) -> Order:
    order = Order(
        task_id="00000000-0000-4000-8000-000000000001",
        mode=Mode.T2V,
        model="wan2.6-t2v",
        prompt="a lighthouse at dusk",
        width=1280,
        height=720,
        fps=30,
        frame_count=150,
        duration_s=5.0,
        tier=Tier.P720,
        seed=7,
    )
    return replace(order, **changes)


def body_of(ask: Ask) -> dict[str, Any]:
    assert ask.json is not None
    return dict(ask.json)
