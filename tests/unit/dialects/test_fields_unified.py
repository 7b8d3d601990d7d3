"""The unified dialect, member by member (seeds 000 and 001; spec §A.2)."""

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
from kinogate.domain.errors import CallerError, ErrorCode
from kinogate.domain.order import AudioMode, Role
from kinogate.domain.request import GenerationRequest, MediaInput
from kinogate.domain.resolution import Size, Tier
from speakers import SPEAKERS

UNIFIED = SPEAKERS["unified"]
SOUND = MediaInput(role=Role.AUDIO, text=AUDIO_URL)

TABLE = [
    Row(place=("prompt",), value="a dog", changes={"prompt": "a dog"}, wrong=NO_TEXT),
    Row(place=("model",), value="wan2.6-i2v", changes={"model": "wan2.6-i2v"}, wrong=NO_TEXT),
    Row(place=("negative_prompt",), value="fog", changes={"negative_prompt": "fog"}, wrong=NO_TEXT),
    Row(
        place=("images",),
        value=["a", "b"],
        changes={"media": images("a", "b")},
        wrong=("a", [1], {}, True, ["a", None], ["a", "b", "c"]),
    ),
    Row(place=("image_url",), value="a", changes={"media": images("a")}, wrong=NO_TEXT),
    Row(place=("image",), value="a", changes={"media": images("a")}, wrong=NO_TEXT),
    Row(
        place=("audio_url",),
        value=AUDIO_URL,
        changes={"media": (SOUND,), "audio": AudioMode.FILE},
        wrong=NO_TEXT,
    ),
    Row(place=("audio",), value=False, changes={"audio": AudioMode.OFF}, wrong=NO_FLAG),
    Row(place=("duration",), value=10, changes={"duration_s": 10}, wrong=NO_INTEGER),
    Row(place=("seed",), value=0, changes={"seed": 0}, wrong=NO_INTEGER),
    Row(
        place=("size",),
        value="832*480",
        changes={"size": Size(width=832, height=480)},
        wrong=NO_SIZE,
    ),
    Row(place=("resolution",), value="720p", changes={"resolution": Tier.P720}, wrong=NO_TIER),
    Row(place=("aspect_ratio",), value="16:9", changes={"ratio": "16:9"}, wrong=NO_TEXT),
    Row(
        place=("ratio",),
        value="9:16",
        changes={"ratio": "9:16"},
        wrong=NO_TEXT,
        spelled="aspect_ratio",  # an alias's faults are told under the main name
    ),
    Row(place=("prompt_extend",), value="false", changes={"prompt_extend": False}, wrong=NO_FLAG),
    Row(place=("watermark",), value=True, changes={"watermark": True}, wrong=NO_FLAG),
    Row(place=("template",), value="flying", changes={"template": "flying"}, wrong=NO_TEXT),
    Row(
        place=("notify_hook",),
        value="https://a.example/h",
        changes={"notify_hook": "https://a.example/h"},
        wrong=NO_TEXT,
    ),
]
OPTIONAL = [row for row in TABLE if row.name not in ("prompt", "model")]

I2V = {"first_frame": IMAGE_URL}
LIMITS = [
    Limit(
        model="wan2.6-t2v",
        place=("seed",),
        good=(0, 2147483647),
        bad=(-1, 2147483648, -(2**63) + 1),
        spelled="seed",
    ),
    Limit(
        model="wan2.6-t2v", place=("duration",), good=(2, 15), bad=(1, 16, 0, -1), spelled="duration"
    ),
    Limit(
        model="wan2.5-t2v-preview",
        place=("duration",),
        good=(5, 10),
        bad=(4, 6, 9, 11),
        spelled="duration",
    ),
    Limit(
        model="wan2.2-t2v-plus", place=("duration",), good=(5,), bad=(4, 6), spelled="duration"
    ),
    Limit(
        model="wan2.2-t2v-plus",
        place=("size",),
        good=("832*480", "480\u00d7832", "624x624", "1920*1080", "1248*1632"),
        bad=("1280*720", "832*481", "1*1", "16384*16384"),
        spelled="size",
    ),
    Limit(
        model="wanx2.1-t2v-plus",
        place=("size",),
        good=("1280*720", "832*1088"),
        bad=("832*480", "1920*1080"),
        spelled="size",
    ),
    Limit(
        model="wan2.5-i2v-preview",
        place=("resolution",),
        good=("480P", "720P", "1080P"),
        bad=(),
        spelled="resolution",
        extra=I2V,
    ),
    Limit(
        model="wan2.2-i2v-plus",
        place=("resolution",),
        good=("480P", "1080P"),
        bad=("720P",),
        spelled="resolution",
        extra=I2V,
    ),
    Limit(
        model="wan2.6-t2v",
        place=("aspect_ratio",),
        good=("16:9", "1:1", "3:4"),
        bad=("21:9", "2:1", "wide"),
        spelled="aspect_ratio",
    ),
    Limit(
        model="wan2.6-i2v",
        place=("template",),
        good=("flying", "hanfu-1", "hufu-1"),
        bad=("nonsense", "Flying", "flying "),
        spelled="template",
        extra=I2V,
    ),
    Limit(model="wan2.6-t2v", place=("template",), good=(), bad=("flying",), spelled="template"),
    Limit(
        model="wan2.6-t2v", place=("prompt",), good=("a", "x" * 9000), bad=("", "  "),
        spelled="prompt",
    ),
    Limit(
        model="wan2.6-i2v", place=("prompt",), good=("a",), bad=("",), spelled="prompt", extra=I2V
    ),
    Limit(
        model="wan2.6-i2v", place=("images",), good=[[one] for one in GOOD_IMAGES],
        bad=[[one] for one in (*BAD_IMAGES, "")], spelled="images",
    ),
    Limit(
        model="wan2.6-t2v", place=("images",), good=(), bad=([IMAGE_URL],), spelled="images"
    ),
    Limit(
        model="wan2.1-kf2v-plus",
        place=("images",),
        good=([IMAGE_URL], [IMAGE_URL, IMAGE_URL]),
        bad=([],),
        spelled="images",
    ),
    Limit(
        model="wan2.6-i2v", place=("images",), good=(), bad=([IMAGE_URL, IMAGE_URL],),
        spelled="images[1]",
    ),
    Limit(
        model="wan2.5-t2v-preview", place=("audio_url",), good=(AUDIO_URL,), bad=BAD_URLS,
        spelled="audio_url",
    ),
    Limit(
        model="wan2.6-t2v",
        place=("notify_hook",),
        good=("https://hooks.example.com/x",),
        bad=("http://127.0.0.1/x", "ftp://hooks.example.com/x", "x"),
        spelled="notify_hook",
    ),
]  # fmt: skip


@rows(OPTIONAL)
def test_a_value_changes_its_member_and_nothing_else(row: Row) -> None:
    check_row(UNIFIED, row)


@wrong_values(TABLE)
def test_a_wrong_value_is_refused_by_name(row: Row, value: object) -> None:
    check_wrong(UNIFIED, row, value)


@edges(LIMITS)
def test_limits_hold_at_their_edges(
    server: Harness, limit: Limit, value: object, is_good: bool
) -> None:
    def field_of(body: Any) -> str:
        return str(body["error"]["param"])

    check_edge(server, UNIFIED, limit, value, is_good=is_good, field_of=field_of)


def test_what_is_absent_stays_absent() -> None:
    expected = GenerationRequest(model="wan2.6-t2v", prompt="a cat")
    assert parsed(UNIFIED, UNIFIED.body()) == expected


@pytest.mark.parametrize("body", [{"prompt": "a"}, {"prompt": "a", "model": " "}])
def test_the_model_is_required(body: dict[str, Any]) -> None:
    with pytest.raises(CallerError) as caught:
        UNIFIED.dialect.parse_create(UNIFIED.call(body))
    assert caught.value.code is ErrorCode.FIELD_MISSING
    assert caught.value.field == "model"


def test_a_list_of_images_beats_its_aliases() -> None:
    body = UNIFIED.body() | {"images": ["a"], "image_url": "b"}
    assert UNIFIED.dialect.parse_create(UNIFIED.call(body)).request.media == images("a")


@pytest.mark.parametrize(
    ("switch", "url", "mode"),
    [
        (None, None, None),
        (None, AUDIO_URL, AudioMode.FILE),
        (True, None, AudioMode.AUTO),
        (True, AUDIO_URL, AudioMode.FILE),
        (False, None, AudioMode.OFF),
        (False, AUDIO_URL, AudioMode.OFF),
        ("false", AUDIO_URL, AudioMode.OFF),
    ],
)
def test_audio_resolves_to_one_of_three(switch: object, url: str | None, mode: object) -> None:
    request = parsed(UNIFIED, UNIFIED.body(audio=switch, audio_url=url))
    assert request.audio is mode
    assert request.media == ((SOUND,) if mode is AudioMode.FILE else ())


def test_members_of_other_models_are_ignored_by_name() -> None:
    body = UNIFIED.body() | {"videos": [], "hd": True, "private": False}
    assert UNIFIED.dialect.parse_create(UNIFIED.call(body)).ignored == ("videos", "hd", "private")


def test_the_watermark_reads_as_seed_001_says(server: Harness) -> None:
    server.client.post(UNIFIED.create, headers=server.auth(), json=UNIFIED.body(watermark=True))
    assert server.last_task().plan.watermark == "Generated by AI"


def test_an_over_long_prompt_is_cut_and_reported(server: Harness) -> None:
    body = UNIFIED.body(model="wan2.2-t2v-plus", prompt="\U0001f431" * 801)
    reply = server.client.post(UNIFIED.create, headers=server.auth(), json=body)
    assert reply.status_code == 200
    assert server.last_task().plan.prompt == "\U0001f431" * 800
    assert "801" in reply.headers["x-kinogate-warnings"]
