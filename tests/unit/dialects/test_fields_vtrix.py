"""The Vtrix dialect, member by member (seed 003; spec §B.2)."""

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
from kinogate.domain.order import AudioMode, Role, ShotType
from kinogate.domain.request import GenerationRequest, MediaInput
from kinogate.domain.resolution import Size, Tier
from speakers import SPEAKERS

VTRIX = SPEAKERS["vtrix"]
SOUND = MediaInput(role=Role.AUDIO, text=AUDIO_URL)
NO_OBJECT = ("x", 5, True)

TABLE = [
    Row(place=("input", "prompt"), value="b", changes={"prompt": "b"}, wrong=NO_TEXT),
    Row(place=("input", "img_url"), value="a", changes={"media": images("a")}, wrong=NO_TEXT),
    Row(
        place=("input", "last_frame_url"),
        value="a",
        changes={"media": (MediaInput(role=Role.LAST_FRAME, text="a"),)},
        wrong=NO_TEXT,
    ),
    Row(
        place=("input", "audio_url"),
        value=AUDIO_URL,
        changes={"media": (SOUND,), "audio": AudioMode.FILE},
        wrong=NO_TEXT,
    ),
    Row(place=("input", "template"), value="hug", changes={"template": "hug"}, wrong=NO_TEXT),
    Row(
        place=("input", "negative_prompt"),
        value="fog",
        changes={"negative_prompt": "fog"},
        wrong=NO_TEXT,
    ),
    Row(
        place=("parameters", "negative_prompt"),
        value="fog",
        changes={"negative_prompt": "fog"},
        wrong=NO_TEXT,
    ),
    Row(
        place=("parameters", "size"),
        value="832x480",
        changes={"size": Size(width=832, height=480)},
        wrong=NO_SIZE,
    ),
    Row(
        place=("parameters", "resolution"),
        value="1080p",
        changes={"resolution": Tier.P1080},
        wrong=NO_TIER,
    ),
    Row(place=("parameters", "duration"), value=15, changes={"duration_s": 15}, wrong=NO_INTEGER),
    Row(
        place=("parameters", "prompt_extend"),
        value=False,
        changes={"prompt_extend": False},
        wrong=NO_FLAG,
    ),
    Row(place=("parameters", "watermark"), value=True, changes={"watermark": True}, wrong=NO_FLAG),
    Row(
        place=("parameters", "audio"),
        value=False,
        changes={"audio": AudioMode.OFF},
        wrong=NO_FLAG,
    ),
    Row(
        place=("parameters", "shot_type"),
        value="multi",
        changes={"shot_type": ShotType.MULTI},
        wrong=("many", "", 5, True, []),
    ),
    Row(place=("parameters", "seed"), value=0, changes={"seed": 0}, wrong=NO_INTEGER),
    Row(place=("moderation",), value=False, changes={"safety_filter": False}, wrong=NO_FLAG),
    Row(place=("parameters",), value={"seed": 3}, changes={"seed": 3}, wrong=(*NO_OBJECT, [])),
    Row(place=("input",), value={"prompt": "b"}, changes={"prompt": "b"}, wrong=NO_OBJECT),
    Row(place=("model",), value="wan26_i2v", changes={"model": "wan26_i2v"}, wrong=NO_TEXT),
]
OPTIONAL = [row for row in TABLE if row.name not in ("input.prompt", "input", "model")]

I2V = {"first_frame": IMAGE_URL}
LIMITS = [
    Limit(
        model="wan26_i2v",
        place=("parameters", "duration"),
        good=(2, 5, 15, "10"),
        bad=(1, 16, 0, -5, -1),
        spelled="parameters.duration",
        extra=I2V,
    ),
    Limit(
        model="wan25_i2v",
        place=("parameters", "duration"),
        good=(5, 10),
        bad=(4, 6, 11),
        spelled="parameters.duration",
        extra=I2V,
    ),
    Limit(
        model="wan26_i2v",
        place=("parameters", "resolution"),
        good=("720P", "1080P", "720p"),
        bad=("480P",),
        spelled="parameters.resolution",
        extra=I2V,
    ),
    Limit(
        model="wan26_t2v",
        place=("parameters", "size"),
        good=("1280*720", "1248*1632"),
        bad=("832*480", "1281*720"),
        spelled="parameters.size",
    ),
    Limit(
        model="wan26_i2v",
        place=("parameters", "seed"),
        good=(0, 2147483647),
        bad=(-1, 2147483648),
        spelled="parameters.seed",
        extra=I2V,
    ),
    Limit(
        model="wan26_i2v",
        place=("input", "img_url"),
        good=GOOD_IMAGES,
        bad=(*BAD_IMAGES, ""),
        spelled="input.img_url",
    ),
    Limit(
        model="wan26_i2v",
        place=("input", "audio_url"),
        good=(AUDIO_URL, ""),
        bad=BAD_URLS,
        spelled="input.audio_url",
        extra=I2V,
    ),
    Limit(
        model="wan26_i2v",
        place=("input", "template"),
        good=("flying", ""),
        bad=("nonsense",),
        spelled="input.template",
        extra=I2V,
    ),
    Limit(
        model="wan26_i2v",
        place=("input", "prompt"),
        good=("", "x" * 1500, "x" * 1501),
        bad=(),
        spelled="input.prompt",
        extra=I2V,
    ),
    Limit(
        model="wan26_t2v", place=("input", "prompt"), good=("x",), bad=("", " "),
        spelled="input.prompt",
    ),
    Limit(
        model="wan26_i2v",
        place=("input", "last_frame_url"),
        good=(),
        bad=(IMAGE_URL,),
        spelled="input.last_frame_url",
        extra=I2V,
    ),
]  # fmt: skip


@rows(OPTIONAL)
def test_a_value_changes_its_member_and_nothing_else(row: Row) -> None:
    check_row(VTRIX, row)


@wrong_values(TABLE)
def test_a_wrong_value_is_refused_by_name(row: Row, value: object) -> None:
    check_wrong(VTRIX, row, value)


@edges(LIMITS)
def test_limits_hold_at_their_edges(
    server: Harness, limit: Limit, value: object, is_good: bool
) -> None:
    def field_of(body: Any) -> str:
        assert body["error"]["code"] == "001027099"
        return str(body["message"]).partition(":")[0]

    check_edge(server, VTRIX, limit, value, is_good=is_good, field_of=field_of)


def test_what_is_absent_stays_absent() -> None:
    expected = GenerationRequest(model="wan2.6-t2v", prompt="a cat")
    assert parsed(VTRIX, VTRIX.body()) == expected


@pytest.mark.parametrize(
    ("body", "missing"),
    [
        ({"input": {"prompt": "a"}}, "model"),
        ({"model": "", "input": {"prompt": "a"}}, "model"),
        ({"model": "wan26_i2v"}, "input"),
        ({"model": "wan26_i2v", "input": None}, "input"),
        ({"model": "wan26_i2v", "input": [{}]}, "input[0].params"),
    ],
)
def test_what_is_required_is_named(body: dict[str, Any], missing: str) -> None:
    with pytest.raises(CallerError) as caught:
        VTRIX.dialect.parse_create(VTRIX.call(body))
    assert caught.value.code is ErrorCode.FIELD_MISSING
    assert caught.value.field == missing


FLAT: dict[str, Any] = {
    "model": "wan26_i2v",
    "input": {"prompt": "p", "img_url": "a", "audio_url": "b"},
    "parameters": {"duration": 7, "seed": 0, "negative_prompt": "n", "shot_type": "multi"},
}


@pytest.mark.parametrize(
    "params",
    [
        {"input": FLAT["input"], "parameters": FLAT["parameters"]},
        {**FLAT["input"], **FLAT["parameters"]},
    ],
    ids=["halved", "flat"],
)
def test_the_list_form_means_the_same(params: dict[str, Any]) -> None:
    body = {"model": "wan26_i2v", "input": [{"params": params}]}
    assert parsed(VTRIX, body) == parsed(VTRIX, FLAT)


@pytest.mark.parametrize("count", [0, 2, 3])
def test_the_list_form_holds_exactly_one_element(count: int) -> None:
    body = {"model": "wan26_i2v", "input": [{"params": {"prompt": "p"}}] * count}
    with pytest.raises(CallerError) as caught:
        VTRIX.dialect.parse_create(VTRIX.call(body))
    assert caught.value.field == "input"


@pytest.mark.parametrize("item", [5, "x", None, [], {"params": 5}, {"params": []}])
def test_an_odd_element_of_the_list_form_is_refused(item: object) -> None:
    body = {"model": "wan26_i2v", "input": [item]}
    with pytest.raises(CallerError) as caught:
        VTRIX.dialect.parse_create(VTRIX.call(body))
    assert caught.value.code is ErrorCode.FIELD_INVALID


def test_a_fault_inside_the_list_form_is_named_by_its_path() -> None:
    body = {"model": "m", "input": [{"params": {"parameters": {"seed": "x"}, "input": {}}}]}
    with pytest.raises(CallerError) as caught:
        VTRIX.dialect.parse_create(VTRIX.call(body))
    assert caught.value.field == "input[0].params.parameters.seed"


def test_unknown_members_are_found_in_every_depth() -> None:
    inner = {"input": {"prompt": "p", "x": 1}, "parameters": {"y": 1}, "z": 1}
    body = {"model": "m", "input": [{"params": inner, "w": 1}], "v": 1}
    assert sorted(VTRIX.dialect.parse_create(VTRIX.call(body)).ignored) == [
        "input[0].params.input.x",
        "input[0].params.parameters.y",
        "input[0].params.z",
        "input[0].w",
        "v",
    ]


@pytest.mark.parametrize(
    ("switch", "url", "mode"),
    [
        (None, None, None),
        (None, AUDIO_URL, AudioMode.FILE),
        (True, None, AudioMode.AUTO),
        (True, AUDIO_URL, AudioMode.FILE),
        (False, None, AudioMode.OFF),
        (False, AUDIO_URL, AudioMode.OFF),
    ],
)
def test_audio_beats_audio_url(switch: object, url: str | None, mode: object) -> None:
    request = parsed(VTRIX, VTRIX.body(audio=switch, audio_url=url))
    assert request.audio is mode
    assert request.media == ((SOUND,) if mode is AudioMode.FILE else ())


@pytest.mark.parametrize(
    "name", ["wan26_i2v", "alibaba_wanx26_i2v", "wan2.6-i2v", "alibaba/wan-v2.6-i2v"]
)
def test_every_spelling_of_the_model_is_kept_and_understood(server: Harness, name: str) -> None:
    body = VTRIX.body(model=name, first_frame=IMAGE_URL)
    reply = server.client.post(VTRIX.create, headers=server.auth(), json=body)
    assert reply.json()["model"] == name
    assert server.last_task().plan.model == "wan2.6-i2v"


def test_prompts_are_cut_at_1500_and_watermarked_as_seed_003_says(server: Harness) -> None:
    body = VTRIX.body(prompt="\u732b" * 1501, watermark=True)
    reply = server.client.post(VTRIX.create, headers=server.auth(), json=body)
    plan = server.last_task().plan
    assert plan.prompt == "\u732b" * 1500
    assert plan.watermark == "AI Generated"
    assert "1501" in reply.headers["x-kinogate-warnings"]
