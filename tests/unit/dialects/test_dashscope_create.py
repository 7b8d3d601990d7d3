"""DashScope create calls: headers, paths, bodies of every published form."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from kinogate.dialects.base import Action, Call, FormField
from kinogate.dialects.dashscope import DashScope
from kinogate.domain.errors import CallerError, ErrorCode
from kinogate.domain.order import AudioMode, Role, ShotType
from kinogate.domain.request import GenerationRequest, MediaInput, Submission
from kinogate.domain.resolution import Size, Tier

DIALECT = DashScope()
SYNTHESIS = "/api/v1/services/aigc/video-generation/video-synthesis"
SECOND = "/api/v1/services/aigc/image2video/video-synthesis"
URL = "https://media.example.com/a.png"
CLIP = "https://media.example.com/a.mp4"
SONG = "https://media.example.com/a.mp3"


def a_call(body: object, *, path: str = SYNTHESIS, headers: dict[str, str] | None = None) -> Call:
    route = next(r for r in DIALECT.routes if r.path == path and r.method == "POST")
    return Call(
        method="POST",
        path=path,
        action=Action.CREATE,
        options=route.options,
        headers={"x-dashscope-async": "enable", "content-type": "application/json"}
        if headers is None
        else headers,
        body=body if isinstance(body, bytes) else json.dumps(body).encode(),
        request_id="r-1",
    )


def a_body(
    given: dict[str, object] | None = None,
    parameters: dict[str, object] | None = None,
    model: str = "wan2.5-i2v-preview",
) -> dict[str, object]:
    return {
        "model": model,
        "input": {"prompt": "a cat"} | (given or {}),
        "parameters": parameters or {},
    }


BASE = GenerationRequest(model="wan2.5-i2v-preview", prompt="a cat")


def parsed(given=None, parameters=None) -> GenerationRequest:
    return DIALECT.parse_create(a_call(a_body(given, parameters))).request


def refused(call: Call) -> dict[str, object]:
    with pytest.raises(CallerError) as caught:
        DIALECT.parse_create(call)
    reply = DIALECT.render_error(caught.value, call)
    return {"status": reply.status} | json.loads(reply.body)


def media(role: Role, text: str) -> dict[str, object]:
    return {"media": (MediaInput(role=role, text=text),)}


# Wire member, a valid value, what it changes in the canonical request, a value of a wrong type.
INPUT_ROWS = [
    ("prompt", "a dog", {"prompt": "a dog"}, 5),
    ("prompt", "", {"prompt": ""}, ["a"]),
    ("negative_prompt", "blur", {"negative_prompt": "blur"}, 5),
    ("negative_prompt", "", {"negative_prompt": ""}, {}),
    ("img_url", URL, media(Role.FIRST_FRAME, URL), 5),
    ("img_url", "iVBORw0KGgo=", media(Role.FIRST_FRAME, "iVBORw0KGgo="), []),
    ("img_url", "", media(Role.FIRST_FRAME, ""), 0),
    ("first_frame_url", URL, media(Role.FIRST_FRAME, URL), 5),
    ("head_frame", URL, media(Role.FIRST_FRAME, URL), 5),
    ("image_url", URL, media(Role.FIRST_FRAME, URL), 5),
    ("last_frame_url", URL, media(Role.LAST_FRAME, URL), 5),
    ("tail_frame", URL, media(Role.LAST_FRAME, URL), 5),
    ("first_clip_url", CLIP, media(Role.FIRST_CLIP, CLIP), 5),
    ("last_clip_url", CLIP, media(Role.LAST_CLIP, CLIP), 5),
    ("video_url", CLIP, media(Role.SOURCE_VIDEO, CLIP), 5),
    ("mask_image_url", URL, media(Role.MASK_IMAGE, URL), 5),
    ("mask_video_url", CLIP, media(Role.MASK_VIDEO, CLIP), 5),
    ("audio_url", SONG, {"audio": AudioMode.FILE} | media(Role.AUDIO, SONG), 5),
    ("reference_urls", [URL], media(Role.REFERENCE_IMAGE, URL), [5]),
    ("reference_urls", [CLIP], media(Role.REFERENCE_VIDEO, CLIP), {}),
    ("reference_url", CLIP, media(Role.REFERENCE_VIDEO, CLIP), 5),
    ("reference_video_urls", [URL], media(Role.REFERENCE_VIDEO, URL), 5),
    ("ref_images_url", [URL], media(Role.REFERENCE_IMAGE, URL), [None]),
    ("template", "squish", {"template": "squish"}, 5),
    ("template", "", {}, []),
    ("function", "image_reference", {"function": "image_reference"}, 5),
    ("function", "video-synthesis", {}, True),
    ("extend_prompt", True, {}, None),
    ("media", [], {}, "x"),
]
PARAMETER_ROWS = [
    ("size", "1280*720", {"size": Size(width=1280, height=720)}, 1280),
    ("size", "1280x720", {"size": Size(width=1280, height=720)}, "720P"),
    ("size", "1280×720", {"size": Size(width=1280, height=720)}, ""),
    ("resolution", "480P", {"resolution": Tier.P480}, 480),
    ("resolution", "720p", {"resolution": Tier.P720}, "4K"),
    ("ratio", "16:9", {"ratio": "16:9"}, 1.5),
    ("duration", 10, {"duration_s": 10}, 10.5),
    ("duration", "10", {"duration_s": 10}, "ten"),
    ("duration", 0, {"duration_s": 0}, True),
    ("duration", -1, {"duration_s": -1}, []),
    ("prompt_extend", False, {"prompt_extend": False}, "maybe"),
    ("prompt_extend", "true", {"prompt_extend": True}, 2),
    ("shot_type", "multi", {"shot_type": ShotType.MULTI}, "many"),
    ("shot_type", "single", {"shot_type": ShotType.SINGLE}, 1),
    ("audio", True, {"audio": AudioMode.AUTO}, "on"),
    ("audio", False, {"audio": AudioMode.OFF}, []),
    ("watermark", True, {"watermark": True}, "x"),
    ("watermark", False, {"watermark": False}, {}),
    ("seed", 0, {"seed": 0}, "x"),
    ("seed", 2147483647, {"seed": 2147483647}, 1.5),
    ("seed", -1, {"seed": -1}, True),
]


@pytest.mark.parametrize(("name", "value", "change", "wrong"), INPUT_ROWS)
def test_an_input_member_changes_exactly_its_canonical_member(name, value, change, wrong) -> None:
    assert parsed({name: value}) == replace(BASE, **change)


@pytest.mark.parametrize(("name", "value", "change", "wrong"), PARAMETER_ROWS)
def test_a_parameter_changes_exactly_its_canonical_member(name, value, change, wrong) -> None:
    assert parsed(None, {name: value}) == replace(BASE, **change)


@pytest.mark.parametrize("name", sorted({row[0] for row in INPUT_ROWS} - {"prompt"}))
def test_a_null_input_member_counts_as_absent(name) -> None:
    submission = DIALECT.parse_create(a_call(a_body({name: None})))
    assert submission.request == BASE
    assert submission.ignored == ()


@pytest.mark.parametrize("name", sorted({row[0] for row in PARAMETER_ROWS}))
def test_a_null_parameter_counts_as_absent(name) -> None:
    submission = DIALECT.parse_create(a_call(a_body(None, {name: None})))
    assert submission.request == BASE
    assert submission.ignored == ()


@pytest.mark.parametrize(
    ("name", "wrong"), [(row[0], row[3]) for row in INPUT_ROWS if row[3] is not None]
)
def test_an_input_member_of_a_wrong_type_is_refused_by_its_path(name, wrong) -> None:
    found = refused(a_call(a_body({name: wrong})))
    assert (found["status"], found["code"]) == (400, "InvalidParameter")
    assert str(found["message"]).startswith(f"input.{name}: ")


@pytest.mark.parametrize(("name", "wrong"), [(row[0], row[3]) for row in PARAMETER_ROWS])
def test_a_parameter_of_a_wrong_type_is_refused_by_its_path(name, wrong) -> None:
    found = refused(a_call(a_body(None, {name: wrong})))
    assert (found["status"], found["code"]) == (400, "InvalidParameter")
    assert str(found["message"]).startswith(f"parameters.{name}: ")


def test_the_seed_documents_example_parses() -> None:
    body = {
        "model": "wan2.5-i2v-preview",
        "input": {"prompt": "Example prompt from provider documentation.", "img_url": URL},
        "parameters": {
            "resolution": "480P",
            "prompt_extend": True,
            "duration": 10,
            "audio": True,
        },
    }
    submission = DIALECT.parse_create(a_call(body, path=f"/qwen{SYNTHESIS}"))
    assert submission.request == GenerationRequest(
        model="wan2.5-i2v-preview",
        prompt="Example prompt from provider documentation.",
        media=(MediaInput(role=Role.FIRST_FRAME, text=URL),),
        resolution=Tier.P480,
        prompt_extend=True,
        duration_s=10,
        audio=AudioMode.AUTO,
    )
    assert submission.ignored == ()


def test_parameters_may_be_absent() -> None:
    body = {"model": "wan2.5-i2v-preview", "input": {"prompt": "a cat"}}
    assert DIALECT.parse_create(a_call(body)).request == BASE


def test_unknown_members_are_named_and_change_nothing() -> None:
    body = a_body({"camera": "up"}, {"enable_thinking": True}) | {"extra": 1}
    submission = DIALECT.parse_create(a_call(body))
    assert submission.request == BASE
    assert set(submission.ignored) == {
        "extra",
        "input.camera",
        "parameters.enable_thinking",
    }


def test_audio_false_beats_an_audio_file_and_says_so() -> None:
    submission = DIALECT.parse_create(a_call(a_body({"audio_url": SONG}, {"audio": False})))
    assert submission.request == replace(BASE, audio=AudioMode.OFF)
    assert len(submission.warnings) == 1


def test_an_audio_file_beats_audio_true() -> None:
    request = parsed({"audio_url": SONG}, {"audio": True})
    assert request.audio is AudioMode.FILE
    assert [item.role for item in request.media] == [Role.AUDIO]


@pytest.mark.parametrize(
    ("kind", "role"),
    [
        ("first_frame", Role.FIRST_FRAME),
        ("last_frame", Role.LAST_FRAME),
        ("first_clip", Role.FIRST_CLIP),
        ("reference_image", Role.REFERENCE_IMAGE),
        ("reference_video", Role.REFERENCE_VIDEO),
        ("reference_audio", Role.REFERENCE_AUDIO),
        ("file", Role.DOCUMENT),
        ("link", Role.LINK),
    ],
)
def test_a_media_item_gets_its_role(kind, role) -> None:
    assert parsed({"media": [{"type": kind, "url": URL}]}) == replace(BASE, **media(role, URL))


def test_a_driving_audio_is_the_sound_of_the_clip() -> None:
    request = parsed({"media": [{"type": "driving_audio", "url": SONG}]})
    assert request == replace(BASE, audio=AudioMode.FILE, **media(Role.AUDIO, SONG))


def test_a_video_item_asks_for_an_edit() -> None:
    request = parsed({"media": [{"type": "video", "url": CLIP}]})
    assert request == replace(BASE, edit=True, **media(Role.SOURCE_VIDEO, CLIP))


def test_media_items_keep_their_order_and_a_voice_follows_its_owner() -> None:
    items = [
        {"type": "reference_video", "url": CLIP, "reference_voice": SONG},
        {"type": "reference_image", "url": URL},
    ]
    roles = [item.role for item in parsed({"media": items}).media]
    assert roles == [Role.REFERENCE_VIDEO, Role.VOICE, Role.REFERENCE_IMAGE]


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"url": URL}, "Field required: input.media[0].type"),
        ({"type": "first_frame"}, "Field required: input.media[0].url"),
        ({"type": "photo", "url": URL}, "input.media[0].type: Must be one of"),
        ({"type": "first_frame", "url": 5}, "input.media[0].url: Must be a string."),
        ("text", "input.media: Must be a list of objects."),
    ],
)
def test_a_broken_media_item_is_refused_by_its_path(item, message) -> None:
    found = refused(a_call(a_body({"media": [item]})))
    assert str(found["message"]).startswith(message)


def test_references_of_both_kinds_keep_their_order() -> None:
    urls = [CLIP, URL, "data:video/mp4;base64,AAAA", "data:image/png;base64,AAAA", "http://[bad"]
    roles = [item.role for item in parsed({"reference_urls": urls}).media]
    video, image = Role.REFERENCE_VIDEO, Role.REFERENCE_IMAGE
    assert roles == [video, image, video, image, image]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"img_url": URL, "first_frame_url": CLIP},
            "input.first_frame_url: Contradicts input.img_url, which is also given.",
        ),
        (
            {"media": [{"type": "driving_audio", "url": SONG}], "audio_url": URL},
            "input.audio_url: Contradicts input.media, which is also given.",
        ),
        (
            {"reference_urls": [URL, CLIP], "reference_video_urls": [SONG]},
            "input.reference_video_urls: Contradicts input.reference_urls, which is also given.",
        ),
    ],
)
def test_two_names_for_one_role_must_not_disagree(given, message) -> None:
    assert refused(a_call(a_body(given)))["message"] == message


def test_the_same_input_under_two_names_counts_once() -> None:
    submission = DIALECT.parse_create(a_call(a_body({"img_url": URL, "first_frame_url": URL})))
    assert submission == Submission(request=replace(BASE, **media(Role.FIRST_FRAME, URL)))


@pytest.mark.parametrize("model", ["wan3.0-video", "WAN3.0-video-prime", "alibaba/wan-3.0"])
def test_seed_minus_one_means_draw_one_for_wan30(model) -> None:
    request = DIALECT.parse_create(a_call(a_body(None, {"seed": -1}, model))).request
    assert request.seed is None


@pytest.mark.parametrize("value", [None, "", "disable", "true"])
def test_a_create_without_the_async_header_is_denied(value) -> None:
    headers = {} if value is None else {"x-dashscope-async": value}
    found = refused(a_call(a_body(), headers=headers))
    assert found == {
        "status": 403,
        "code": "AccessDenied",
        "message": "current user api does not support synchronous calls.",
        "request_id": "r-1",
    }


def test_the_comfy_mount_needs_no_async_header() -> None:
    call = a_call(a_body(), path=f"/proxy/wan{SYNTHESIS}", headers={})
    assert DIALECT.parse_create(call).request == BASE


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/json; charset=utf-8"])
def test_a_json_body_is_read_under_any_type_but_a_form(content_type) -> None:
    headers = {"x-dashscope-async": "Enable", "content-type": content_type}
    assert DIALECT.parse_create(a_call(a_body(), headers=headers)).request == BASE


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded"],
)
def test_a_form_is_refused(content_type) -> None:
    headers = {"x-dashscope-async": "enable", "content-type": content_type}
    found = refused(a_call(a_body(), headers=headers))
    assert (found["status"], found["code"]) == (400, "InvalidParameter")
    assert "Content-Type" in str(found["message"])


def test_a_form_that_the_edge_has_parsed_is_refused() -> None:
    call = replace(a_call(b""), form=(FormField(name="model", value="x"),))
    assert refused(call)["code"] == "InvalidParameter"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "BadRequest.EmptyInput"),
        (b"  \n", "BadRequest.EmptyInput"),
        (b"{", "BadRequest.IllegalInput"),
        (b"model=wan", "BadRequest.IllegalInput"),
        (b"\xff\xfe{}", "BadRequest.IllegalInput"),
        (b"[]", "InvalidParameter"),
        (b"[" * 100_000, "InvalidParameter"),
        (b'{"model":"a","model":"b"}', "InvalidParameter"),
        (b'{"model":NaN}', "InvalidParameter"),
        (b'{"seed":' + b"9" * 5000 + b"}", "InvalidParameter"),
        (b'{"model":"\\ud800"}', "InvalidParameter"),
        (b'{"model":"a\\u0000"}', "InvalidParameter"),
        ({"input": {"prompt": "a"}}, "BadRequest.EmptyModel"),
        ({"model": None, "input": {"prompt": "a"}}, "BadRequest.EmptyModel"),
        ({"model": " ", "input": {"prompt": "a"}}, "BadRequest.EmptyModel"),
        ({"model": 5, "input": {"prompt": "a"}}, "InvalidParameter"),
        ({"model": "wan2.6-t2v"}, "BadRequest.EmptyInput"),
        ({"model": "wan2.6-t2v", "input": None}, "BadRequest.EmptyInput"),
        ({"model": "wan2.6-t2v", "input": ""}, "InvalidParameter"),
        ({"model": "wan2.6-t2v", "input": {}, "parameters": []}, "InvalidParameter"),
    ],
)
def test_a_broken_envelope_gets_the_vendors_code(body, code) -> None:
    found = refused(a_call(body))
    assert (found["status"], found["code"]) == (400, code)
    assert found["message"]


@pytest.mark.parametrize(
    "model",
    ["wan2.2-kf2v-flash", "wanx2.1-kf2v-plus", "wan2.2-s2v", "wan2.2-animate-move"],
)
@pytest.mark.parametrize("path", [SYNTHESIS, SECOND])
def test_the_models_of_the_second_path_are_taken_on_both(model, path) -> None:
    request = DIALECT.parse_create(a_call(a_body(model=model), path=path)).request
    assert request == replace(BASE, model=model)


@pytest.mark.parametrize("model", ["wan2.6-t2v", "wan2.5-i2v-preview", "wan3.0-video"])
def test_any_other_model_on_the_second_path_is_a_url_error(model) -> None:
    found = refused(a_call(a_body(model=model), path=SECOND))
    assert (found["status"], found["code"]) == (400, "InvalidParameter")
    assert found["message"] == "url error, please check url\uff01"


def test_an_unknown_model_on_the_second_path_is_left_to_the_services() -> None:
    call = a_call(a_body(model="nobody-1"), path=SECOND)
    assert DIALECT.parse_create(call).request.model == "nobody-1"


@pytest.mark.parametrize(
    ("model", "field", "spelled"),
    [
        ("wan2.5-i2v-preview", "first_frame", "input.img_url"),
        ("wan2.2-kf2v-flash", "first_frame", "input.first_frame_url"),
        ("wan2.2-s2v", "first_frame", "input.image_url"),
        ("wan2.7-i2v", "first_frame", "input.media"),
        ("wan3.0-video", "audio_file", "input.media"),
        ("wan2.7-t2v", "audio_file", "input.audio_url"),
        ("wan2.6-r2v", "media", "input.reference_urls"),
        ("nobody-1", "first_frame", "input.img_url"),
        ("wan2.6-t2v", "prompt", "input.prompt"),
        ("wan2.6-t2v", "duration", "parameters.duration"),
    ],
)
def test_a_missing_member_is_named_as_the_models_body_has_it(model, field, spelled) -> None:
    call = a_call(a_body(model=model))
    error = CallerError(ErrorCode.FIELD_MISSING, "This field is required.", field=field)
    found = json.loads(DIALECT.render_error(error, call).body)
    assert (found["code"], found["message"]) == ("InvalidParameter", f"Field required: {spelled}")
