"""The MuleRouter dialect, member by member (seed 004; spec §C.2)."""

from __future__ import annotations

import base64
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

from factories import a_png
from harness import Harness
from kinogate.domain.order import AudioMode, Mode, Role, ShotType
from kinogate.domain.request import GenerationRequest, MediaInput
from kinogate.domain.resolution import Size, Tier
from speakers import SPEAKERS

MULE = SPEAKERS["mulerouter"]
SOUND = MediaInput(role=Role.AUDIO, text=AUDIO_URL)
BARE_PNG = base64.b64encode(a_png(400, 400)).decode()

TABLE = [
    Row(place=("prompt",), value="b", changes={"prompt": "b"}, wrong=NO_TEXT),
    Row(place=("image",), value="a", changes={"media": images("a")}, wrong=NO_TEXT),
    Row(
        place=("last_frame",),
        value="a",
        changes={"media": (MediaInput(role=Role.LAST_FRAME, text="a"),)},
        wrong=NO_TEXT,
    ),
    Row(place=("negative_prompt",), value="x", changes={"negative_prompt": "x"}, wrong=NO_TEXT),
    Row(
        place=("size",),
        value="1280*720",
        changes={"size": Size(width=1280, height=720)},
        wrong=NO_SIZE,
    ),
    Row(place=("resolution",), value="480P", changes={"resolution": Tier.P480}, wrong=NO_TIER),
    Row(place=("duration",), value=10, changes={"duration_s": 10}, wrong=NO_INTEGER),
    Row(place=("audio",), value=False, changes={"audio": AudioMode.OFF}, wrong=NO_FLAG),
    Row(
        place=("audio_url",),
        value=AUDIO_URL,
        changes={"media": (SOUND,), "audio": AudioMode.FILE},
        wrong=NO_TEXT,
    ),
    Row(place=("prompt_extend",), value=False, changes={"prompt_extend": False}, wrong=NO_FLAG),
    Row(
        place=("multi_shots",),
        value="multi",
        changes={"shot_type": ShotType.MULTI},
        wrong=("many", "", True, 1),
    ),
    Row(place=("seed",), value=0, changes={"seed": 0}, wrong=NO_INTEGER),
    Row(place=("template",), value="mech1", changes={"template": "mech1"}, wrong=NO_TEXT),
    Row(place=("safety_filter",), value=False, changes={"safety_filter": False}, wrong=NO_FLAG),
    Row(
        place=("function",),
        value="image_reference",
        changes={"function": "image_reference", "prompt_extend": False},
        wrong=NO_TEXT,
    ),
]
OPTIONAL = [row for row in TABLE if row.name != "prompt"]

I2V = {"first_frame": IMAGE_URL}
BOTH = {"first_frame": IMAGE_URL, "last_frame": IMAGE_URL}
LIMITS = [
    Limit(
        model="wan2.5-i2v-preview",
        place=("duration",),
        good=(5, 10, "5"),
        bad=(7, 0, -5, 1_000_000_000, 15),
        spelled="duration",
        extra=I2V,
    ),
    Limit(
        model="wan2.6-t2v", place=("duration",), good=(5, 10, 15), bad=(2, 4, 6, 14, 16),
        spelled="duration",
    ),
    Limit(
        model="wan2.6-t2v", place=("prompt",), good=("x" * 2000, "\U0001f431" * 2000),
        bad=("x" * 2001, "\U0001f431" * 2001, ""), spelled="prompt",
    ),
    Limit(
        model="wan2.2-t2v-plus", place=("prompt",), good=("x" * 800,), bad=("x" * 801,),
        spelled="prompt",
    ),
    Limit(
        model="wan2.5-i2v-preview", place=("prompt",), good=("x",), bad=("", " "),
        spelled="prompt", extra=I2V,
    ),
    Limit(
        model="wan2.6-t2v", place=("negative_prompt",), good=("x" * 500,), bad=("x" * 501,),
        spelled="negative_prompt",
    ),
    Limit(
        model="wan2.6-t2v",
        place=("size",),
        good=("832*480", "1280*720", "1632x1248"),
        bad=("1280*721", "99*99"),
        spelled="size",
    ),
    Limit(
        model="wan2.6-i2v", place=("resolution",), good=("480P", "720P", "1080P"), bad=(),
        spelled="resolution", extra=I2V,
    ),
    Limit(
        model="wan2.2-i2v-flash", place=("resolution",), good=("480P", "720P"), bad=("1080P",),
        spelled="resolution", extra=I2V,
    ),
    Limit(
        model="wan2.6-t2v", place=("seed",), good=(0, 2147483647), bad=(-1, 2147483648),
        spelled="seed",
    ),
    Limit(
        model="wan2.5-i2v-preview", place=("image",), good=(*GOOD_IMAGES, BARE_PNG),
        bad=(*BAD_IMAGES, ""), spelled="image",
    ),
    Limit(
        model="wan2.1-kf2v-plus", place=("last_frame",), good=(IMAGE_URL, BARE_PNG),
        bad=("", None), spelled="last_frame", extra=I2V,
    ),
    Limit(
        model="wan2.1-kf2v-plus", place=("template",), good=("mech1",), bad=("mech9",),
        spelled="template", extra=BOTH,
    ),
    Limit(
        model="wan2.6-t2v", place=("audio_url",), good=(AUDIO_URL,), bad=BAD_URLS,
        spelled="audio_url",
    ),
    Limit(
        model="wan2.1-vace-plus",
        place=("function",),
        good=(),
        bad=("paint",),
        spelled="function",
    ),
    Limit(
        model="wan2.1-vace-plus", place=("function",), good=(), bad=("image_reference",),
        spelled="ref_images_url",
    ),
    Limit(
        model="wan2.1-vace-plus", place=("function",), good=(), bad=("video_extension",),
        spelled="first_clip_url",
    ),
    Limit(
        model="wan2.1-vace-plus", place=("function",), good=(), bad=("video_edit",),
        spelled="video_url",
    ),
]  # fmt: skip


@rows(OPTIONAL)
def test_a_value_changes_its_member_and_nothing_else(row: Row) -> None:
    check_row(MULE, row)


@wrong_values(TABLE)
def test_a_wrong_value_is_refused_by_name(row: Row, value: object) -> None:
    check_wrong(MULE, row, value)


@edges(LIMITS)
def test_limits_hold_at_their_edges(
    server: Harness, limit: Limit, value: object, is_good: bool
) -> None:
    def field_of(body: Any) -> str:
        assert body["error_code"] == 2001
        assert body["detail"].startswith(f"{'.'.join(body['errors'][0]['loc'])}: ")
        assert body["detail"].endswith(body["errors"][0]["msg"])
        return ".".join(body["errors"][0]["loc"])

    check_edge(server, MULE, limit, value, is_good=is_good, field_of=field_of)


def test_what_is_absent_stays_absent() -> None:
    expected = GenerationRequest(model="wan2.6-t2v", prompt="a cat")
    assert parsed(MULE, MULE.body()) == expected


def test_the_path_names_the_model_and_the_body_does_not() -> None:
    body = MULE.body() | {"model": "wan2.2-t2v-plus"}
    submission = MULE.dialect.parse_create(MULE.call(body, model="wan2.5-t2v-preview"))
    assert submission.request.model == "wan2.5-t2v-preview"
    assert submission.ignored == ("model",)


@pytest.mark.parametrize(
    ("switch", "url", "mode"),
    [
        (None, None, None),
        (None, AUDIO_URL, AudioMode.FILE),
        (True, None, AudioMode.AUTO),
        (True, AUDIO_URL, AudioMode.FILE),
        (False, None, AudioMode.OFF),
        (False, AUDIO_URL, AudioMode.FILE),
    ],
)
def test_audio_url_beats_audio(switch: object, url: str | None, mode: object) -> None:
    request = parsed(MULE, MULE.body(audio=switch, audio_url=url))
    assert request.audio is mode
    assert request.media == ((SOUND,) if mode is AudioMode.FILE else ())


def test_vace_members_become_inputs_by_role() -> None:
    body = MULE.body() | {
        "function": "video_repainting",
        "ref_images_url": ["r1", "r2"],
        "video_url": "v",
        "mask_image_url": "m",
        "mask_video_url": "n",
        "first_frame_url": "f",
        "last_frame_url": "l",
        "first_clip_url": "c",
        "last_clip_url": "d",
        "prompt_extend": True,
    }
    request = parsed(MULE, body)
    assert {(item.role, item.text) for item in request.media} == {
        (Role.REFERENCE_IMAGE, "r1"),
        (Role.REFERENCE_IMAGE, "r2"),
        (Role.SOURCE_VIDEO, "v"),
        (Role.MASK_IMAGE, "m"),
        (Role.MASK_VIDEO, "n"),
        (Role.FIRST_FRAME, "f"),
        (Role.LAST_FRAME, "l"),
        (Role.FIRST_CLIP, "c"),
        (Role.LAST_CLIP, "d"),
    }
    assert request.prompt_extend is True


def test_vace_members_mean_nothing_to_other_models() -> None:
    body = MULE.body() | {"video_url": "v", "strength": 0.5}
    submission = MULE.dialect.parse_create(MULE.call(body))
    assert submission.ignored == ("video_url", "strength")
    assert submission.request.media == ()


def test_vace_references_are_accepted_whole(server: Harness) -> None:
    reply = server.client.post(
        "/vendors/alibaba/v1/wan2.1-vace-plus/generation",
        headers=server.auth(),
        json={"prompt": "a", "function": "image_reference", "ref_images_url": [IMAGE_URL] * 3},
    )
    assert reply.status_code == 202
    plan = server.last_task().plan
    assert plan.mode is Mode.R2V
    assert plan.is_extendable is False
    assert [item.role for item in plan.media] == [Role.REFERENCE_IMAGE] * 3


@pytest.mark.parametrize(
    "path",
    [
        "/vendors/alibaba/v1/happy-horse-1-0-t2v/generation",
        "/vendors/carrothub/v1/wan2.7-i2v-spicy/generation",
        "/vendors/alibaba/v1/wan2.6-t2v%20/generation",
        "/vendors/alibaba/v1/" + "x" * 300 + "/generation",
    ],
)
def test_a_model_that_is_not_ours_is_404(server: Harness, path: str) -> None:
    reply = server.client.post(path, headers=server.auth(), json={"prompt": "a"})
    assert reply.status_code == 404
    assert reply.json()["error_code"] == 2002
    assert reply.json()["title"] == "Not Found"


def test_the_seeds_defaults_hold(server: Harness) -> None:
    body = {"prompt": "a", "image": IMAGE_URL}
    path = "/vendors/alibaba/v1/wan2.5-i2v-preview/generation"
    server.client.post(path, headers=server.auth(), json=body)
    plan = server.last_task().plan
    assert (plan.tier, plan.duration_s, plan.fps) == (Tier.P720, 5, 24)
    assert plan.audio is AudioMode.AUTO
    assert plan.safety_filter
    assert plan.is_extendable
