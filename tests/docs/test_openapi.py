"""The OpenAPI document says what the native dialect does."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from factories import a_call, a_view
from kinogate.dialects.base import Action
from kinogate.dialects.native import Native
from kinogate.domain.errors import CallerError, ErrorCode
from kinogate.domain.task import Status

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    text = (files("kinogate.http") / "openapi" / "native.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def test_it_is_the_one_that_the_tool_writes() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "openapi.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_member_it_names_is_read(document: dict[str, Any]) -> None:
    members = document["components"]["schemas"]["Create"]["properties"]
    samples: dict[str, object] = {
        "media": [{"role": "reference_image", "url": "https://example.com/a.png"}],
        "metadata": {"a": "b"},
        "knobs": {"steps": 4},
        "size": "1280*720",
        "resolution": "720P",
        "shot_type": "multi",
    }
    flags = {"audio", "prompt_extend", "watermark", "safety_filter"}
    numbers = {"duration", "fps", "seed"}
    body = {
        name: samples.get(name, True if name in flags else 5 if name in numbers else "a")
        for name in members
    }
    call = a_call(action=Action.CREATE, body=json.dumps({**body, "bogus": 1}).encode())

    assert Native().parse_create(call).ignored == ("bogus",)


@pytest.mark.parametrize("status", list(Status))
def test_a_task_has_what_it_promises(status: Status, document: dict[str, Any]) -> None:
    reply = Native().render_task(a_view(status), a_call(action=Action.GET))

    promised = set(document["components"]["schemas"]["Task"]["required"])
    assert promised <= set(json.loads(reply.body))


def test_a_refusal_has_what_it_promises(document: dict[str, Any]) -> None:
    error = CallerError(ErrorCode.FIELD_INVALID, "No.", field="seed")
    reply = Native().render_error(error, a_call(action=Action.CREATE))

    assert set(document["components"]["schemas"]["Problem"]["required"]) <= set(
        json.loads(reply.body)
    )
