"""The native dialect, member by member."""

from __future__ import annotations

from typing import Any

import pytest
from field_tables import (
    AUDIO_URL,
    BAD_IMAGES,
    BAD_URLS,
    GOOD_IMAGES,
    IMAGE_URL,
    NO_FLAG,
    NO_INTEGER,
    NO_SIZE,
    NO_TEXT,
    NO_TIER,
    Limit,
    Row,
    check_edge,
    check_row,
    check_wrong,
    edges,
    images,
    parsed,
    rows,
    wrong_values,
)

from harness import Harness
from kinogate.domain.errors import CallerError
from kinogate.domain.order import AudioMode, Role, ShotType
from kinogate.domain.request import GenerationRequest, MediaInput
from kinogate.domain.resolution import Size, Tier
from speakers import SPEAKERS

NATIVE = SPEAKERS["native"]
SOUND = MediaInput(role=Role.AUDIO, text=AUDIO_URL)

TABLE = [
    Row(place=("model",), value="wan2.6-i2v", changes={"model": "wan2.6-i2v"}, wrong=NO_TEXT),
    Row(place=("prompt",), value="b", changes={"prompt": "b"}, wrong=NO_TEXT),
    Row(place=("negative_prompt",), value="x", changes={"negative_prompt": "x"}, wrong=NO_TEXT),
    Row(place=("image",), value="a", changes={"media": images("a")}, wrong=NO_TEXT),
    Row(
        place=("last_frame",),
        value="a",
        changes={"media": (MediaInput(role=Role.LAST_FRAME, text="a"),)},
        wrong=NO_TEXT,
    ),
    Row(
        place=("first_clip",),
        value="a",
        changes={"media": (MediaInput(role=Role.FIRST_CLIP, text="a"),)},
        wrong=NO_TEXT,
    ),
    Row(
        place=("media",),
        value=[
            {"role": "reference_image", "url": "a"},
            {"role": "reference_video", "url": "b"},
        ],
        changes={
            "media": (
                MediaInput(role=Role.REFERENCE_IMAGE, text="a"),
                MediaInput(role=Role.REFERENCE_VIDEO, text="b"),
            )
        },
        wrong=("a", {}, ["a"], [{"role": "picture", "url": "a"}], [{"url": "a"}]),
    ),
    Row(
        place=("size",),
        value="1280*720",
        changes={"size": Size(width=1280, height=720)},
        wrong=NO_SIZE,
    ),
    Row(place=("resolution",), value="480P", changes={"resolution": Tier.P480}, wrong=NO_TIER),
    Row(place=("ratio",), value="16:9", changes={"ratio": "16:9"}, wrong=NO_TEXT),
    Row(place=("duration",), value=10, changes={"duration_s": 10}, wrong=NO_INTEGER),
    Row(place=("fps",), value=24, changes={"fps": 24}, wrong=NO_INTEGER),
    Row(place=("audio",), value=False, changes={"audio": AudioMode.OFF}, wrong=NO_FLAG),
    Row(
        place=("audio_url",),
        value=AUDIO_URL,
        changes={"media": (SOUND,), "audio": AudioMode.FILE},
        wrong=NO_TEXT,
    ),
    Row(place=("prompt_extend",), value=False, changes={"prompt_extend": False}, wrong=NO_FLAG),
    Row(
        place=("shot_type",),
        value="MULTI",
        changes={"shot_type": ShotType.MULTI},
        wrong=("many", "", True),
    ),
    Row(place=("watermark",), value=True, changes={"watermark": True}, wrong=NO_FLAG),
    Row(place=("seed",), value=0, changes={"seed": 0}, wrong=NO_INTEGER),
    Row(place=("template",), value="hug", changes={"template": "hug"}, wrong=NO_TEXT),
    Row(
        place=("function",),
        value="image_reference",
        changes={"function": "image_reference"},
        wrong=NO_TEXT,
    ),
    Row(place=("safety_filter",), value=False, changes={"safety_filter": False}, wrong=NO_FLAG),
    Row(
        place=("notify_hook",),
        value="https://h.example/x",
        changes={"notify_hook": "https://h.example/x"},
        wrong=NO_TEXT,
    ),
    Row(
        place=("metadata",),
        value={"k": "v", "e": ""},
        changes={"metadata": (("k", "v"), ("e", ""))},
        wrong=(
            "x",
            [],
            {"k": 1},
            {"k": None},
            {"k": "v" * 513},
            {"k" * 513: "v"},
            {str(number): "v" for number in range(17)},
        ),
    ),
]
OPTIONAL = [row for row in TABLE if row.name not in ("prompt", "model")]

I2V = {"first_frame": IMAGE_URL}
LIMITS = [
    Limit(
        model="wan2.6-t2v", place=("duration",), good=(2, 15), bad=(1, 16), spelled="duration"
    ),
    Limit(
        model="wan3.0-video", place=("duration",), good=(-1, 2, 30), bad=(0, -2, 1, 31),
        spelled="duration",
    ),
    Limit(
        model="wan2.6-t2v", place=("prompt",), good=("x" * 1500, "\U0001f431" * 1500),
        bad=("x" * 1501, "", " "), spelled="prompt",
    ),
    Limit(
        model="wan2.6-t2v", place=("negative_prompt",), good=("x" * 500,), bad=("x" * 501,),
        spelled="negative_prompt",
    ),
    Limit(
        model="wan2.7-t2v", place=("ratio",), good=("16:9", "3:4"), bad=("21:9", "adaptive", "x"),
        spelled="ratio",
    ),
    Limit(
        model="wan2.6-t2v", place=("resolution",), good=("720P", "1080P"), bad=("480P",),
        spelled="resolution",
    ),
    Limit(
        model="wan2.6-t2v", place=("size",), good=("1280*720",), bad=("832*480",), spelled="size"
    ),
    Limit(
        model="wan2.6-t2v", place=("seed",), good=(0, 2147483647), bad=(-1, 2147483648),
        spelled="seed",
    ),
    Limit(
        model="wan2.6-i2v", place=("image",), good=GOOD_IMAGES, bad=(*BAD_IMAGES, ""),
        spelled="image",
    ),
    Limit(
        model="wan2.6-t2v", place=("audio_url",), good=(AUDIO_URL,), bad=BAD_URLS,
        spelled="audio_url",
    ),
    Limit(
        model="wan2.6-r2v",
        place=("media",),
        good=([{"role": "reference_image", "url": IMAGE_URL}] * 5,),
        bad=([{"role": "reference_image", "url": IMAGE_URL}] * 6,),
        spelled="reference_image",
    ),
    Limit(
        model="no-such-model", place=("seed",), good=(), bad=(1,), spelled="model", code=404
    ),
]  # fmt: skip


@rows(OPTIONAL)
def test_a_value_changes_its_member_and_nothing_else(row: Row) -> None:
    check_row(NATIVE, row)


@wrong_values(TABLE)
def test_a_wrong_value_is_refused_by_name(row: Row, value: object) -> None:
    check_wrong(NATIVE, row, value)


@edges(LIMITS)
def test_limits_hold_at_their_edges(
    server: Harness, limit: Limit, value: object, is_good: bool
) -> None:
    def field_of(body: Any) -> str:
        return str(body["field"])

    check_edge(server, NATIVE, limit, value, is_good=is_good, field_of=field_of)


def test_what_is_absent_stays_absent() -> None:
    expected = GenerationRequest(model="wan2.6-t2v", prompt="a cat")
    assert parsed(NATIVE, NATIVE.body()) == expected


@pytest.mark.parametrize(
    ("switch", "url", "mode"),
    [
        (None, AUDIO_URL, AudioMode.FILE),
        (True, None, AudioMode.AUTO),
        (True, AUDIO_URL, AudioMode.FILE),
        (False, AUDIO_URL, AudioMode.OFF),
    ],
)
def test_audio_resolves_to_one_of_three(switch: object, url: str | None, mode: object) -> None:
    request = parsed(NATIVE, NATIVE.body(audio=switch, audio_url=url))
    assert request.audio is mode
    assert request.media == ((SOUND,) if mode is AudioMode.FILE else ())


def test_sixteen_pairs_of_512_characters_are_the_most_metadata() -> None:
    pairs = {f"{number:0512d}": "v" * 512 for number in range(16)}
    body = NATIVE.body() | {"metadata": pairs}
    assert len(parsed(NATIVE, body).metadata) == 16


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "order=up", "status=done"])
def test_a_wrong_list_call_is_refused_by_name(server: Harness, query: str) -> None:
    reply = server.client.get(f"/kinogate/v1/tasks?{query}", headers=server.auth())
    assert reply.status_code == 400
    assert reply.json()["field"] == query.partition("=")[0]


def test_a_media_item_needs_a_url() -> None:
    body = NATIVE.body() | {"media": [{"role": "first_frame"}]}
    with pytest.raises(CallerError) as caught:
        NATIVE.dialect.parse_create(NATIVE.call(body))
    assert caught.value.field == "media[0].url"
