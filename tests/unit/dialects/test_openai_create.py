"""OpenAI create calls: forms with brackets, JSON, every observed form of the reference image."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from kinogate.dialects.base import Action, Call, FormField
from kinogate.dialects.openai import OpenAI
from kinogate.dialects.openai_form import fold_form
from kinogate.domain.errors import CallerError, ErrorCode
from kinogate.domain.order import AudioMode, Role, ShotType
from kinogate.domain.request import GenerationRequest, MediaInput, Submission
from kinogate.domain.resolution import Size, Tier

DIALECT = OpenAI()
URL = "https://media.example.com/a.png"
DATA_URI = "data:image/png;base64,iVBORw0KGgo="
SONG = "https://media.example.com/a.mp3"
PNG = b"\x89PNG\r\n\x1a\n"


def a_json_call(body: object) -> Call:
    return Call(
        method="POST",
        path="/v1/videos",
        action=Action.CREATE,
        headers={"content-type": "application/json"},
        body=body if isinstance(body, bytes) else json.dumps(body).encode(),
    )


def a_form_call(*parts: FormField) -> Call:
    return Call(method="POST", path="/v1/videos", action=Action.CREATE, form=parts)


def text(name: str, value: str) -> FormField:
    return FormField(name=name, value=value)


def upload(name: str, data: bytes, filename: str = "upload") -> FormField:
    return FormField(name=name, filename=filename, data=data)


BASE = GenerationRequest(model="", prompt="a cat")


def from_json(**members: object) -> Submission:
    return DIALECT.parse_create(a_json_call({"prompt": "a cat"} | members))


def from_form(*parts: FormField) -> Submission:
    return DIALECT.parse_create(a_form_call(text("prompt", "a cat"), *parts))


def refused(call: Call) -> dict[str, object]:
    with pytest.raises(CallerError) as caught:
        DIALECT.parse_create(call)
    reply = DIALECT.render_error(caught.value, call)
    return {"status": reply.status} | json.loads(reply.body)["error"]


def first(value: str) -> dict[str, object]:
    return {"media": (MediaInput(role=Role.FIRST_FRAME, text=value),)}


# Wire member, a valid value, what it changes in the canonical request, a value of a wrong type.
ROWS = [
    ("model", "wan2.5-t2v-preview", {"model": "wan2.5-t2v-preview"}, 5),
    ("model", "", {}, []),
    ("prompt", "a dog", {"prompt": "a dog"}, 5),
    ("prompt", "", {"prompt": ""}, {}),
    ("negative_prompt", "blur", {"negative_prompt": "blur"}, 5),
    ("negative_prompt", "", {"negative_prompt": ""}, []),
    ("seconds", "5", {"duration_s": 5}, "five"),
    ("seconds", 5, {"duration_s": 5}, 5.5),
    ("seconds", "5.0", {"duration_s": 5}, True),
    ("seconds", 0, {"duration_s": 0}, ""),
    ("size", "1280x720", {"size": Size(width=1280, height=720)}, "720p"),
    ("size", "1280*720", {"size": Size(width=1280, height=720)}, 1280),
    ("size", "1280×720", {"size": Size(width=1280, height=720)}, "0x0"),
    ("size", "", {}, []),
    ("resolution", "720P", {"resolution": Tier.P720}, "720"),
    ("resolution", "1080p", {"resolution": Tier.P1080}, 1080),
    ("ratio", "16:9", {"ratio": "16:9"}, 1.5),
    ("aspect_ratio", "9:16", {"ratio": "9:16"}, 1.5),
    ("fps", 24, {"fps": 24}, "fast"),
    ("audio", True, {"audio": AudioMode.AUTO}, "loud"),
    ("audio", False, {"audio": AudioMode.OFF}, []),
    ("audio", "false", {"audio": AudioMode.OFF}, 2),
    ("generate_sound", True, {"audio": AudioMode.AUTO}, "loud"),
    ("generate_sound", "0", {"audio": AudioMode.OFF}, {}),
    ("prompt_extend", False, {"prompt_extend": False}, "maybe"),
    ("enhance_prompt", "true", {"prompt_extend": True}, "maybe"),
    ("shot_type", "multi", {"shot_type": ShotType.MULTI}, "many"),
    ("watermark", True, {"watermark": True}, "x"),
    ("watermark", "false", {"watermark": False}, []),
    ("seed", 0, {"seed": 0}, "x"),
    ("seed", "42", {"seed": 42}, 1.5),
    ("template", "squish", {"template": "squish"}, 5),
    ("template", "", {}, []),
    ("metadata", {"k": "v"}, {"metadata": (("k", "v"),)}, 5),
    ("metadata", '{"k":"v"}', {"metadata": (("k", "v"),)}, "k=v"),
    ("metadata", {}, {}, {"k": 1}),
    ("n", 1, {}, 2),
    ("n", "1", {}, 0),
    ("num_frames", 81, {}, "x"),
    ("last_frame", URL, {"media": (MediaInput(role=Role.LAST_FRAME, text=URL),)}, 5),
    (
        "audio_url",
        SONG,
        {"audio": AudioMode.FILE, "media": (MediaInput(role=Role.AUDIO, text=SONG),)},
        5,
    ),
    ("input_reference", URL, first(URL), 5),
    ("input_reference", DATA_URI, first(DATA_URI), False),
    ("input_reference", {"image_url": URL}, first(URL), {"image_url": 5}),
    ("input_reference", {"image_url": {"url": URL}}, first(URL), {"image_url": {}}),
    ("input_reference", [URL], first(URL), [URL, URL]),
    ("input_reference", [], {}, {}),
    ("input_reference", f'{{"image_url":"{URL}"}}', first(URL), "{broken"),
    ("image_reference", f'{{"image_url":"{URL}"}}', first(URL), 5),
    ("image_url", URL, first(URL), 5),
    ("img_url", URL, first(URL), 5),
    ("reference_url", URL, first(URL), 5),
]
NAMES = sorted({row[0] for row in ROWS})


@pytest.mark.parametrize(("name", "value", "change", "wrong"), ROWS)
def test_a_member_changes_exactly_its_canonical_member(name, value, change, wrong) -> None:
    assert from_json(**{name: value}).request == replace(BASE, **change)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "prompt"])
def test_a_null_member_counts_as_absent(name) -> None:
    assert from_json(**{name: None}) == Submission(request=BASE)


@pytest.mark.parametrize(("name", "wrong"), [(row[0], row[3]) for row in ROWS])
def test_a_member_of_a_wrong_type_is_refused_by_its_name(name, wrong) -> None:
    found = refused(a_json_call({"prompt": "a cat"} | {name: wrong}))
    assert (found["status"], found["code"]) == (400, "invalid_value")
    assert found["type"] == "invalid_request_error"
    assert str(found["param"]).partition(".")[0] == name


FORM_ROWS = [row for row in ROWS if isinstance(row[1], str) and row[0] != "prompt"]


@pytest.mark.parametrize(("name", "value", "change", "wrong"), FORM_ROWS)
def test_a_form_field_means_what_the_json_member_means(name, value, change, wrong) -> None:
    assert from_form(text(name, value)).request == replace(BASE, **change)


def test_the_sdks_form_parses_in_full() -> None:
    submission = DIALECT.parse_create(
        a_form_call(
            text("prompt", "a cat"),
            text("model", "wan2.5-t2v-preview"),
            text("seconds", "5"),
            text("size", "1280x720"),
            text("negative_prompt", "blur"),
            text("seed", "42"),
            text("prompt_extend", "false"),
            text("metadata[k]", "v"),
        )
    )
    assert submission == Submission(
        request=GenerationRequest(
            model="wan2.5-t2v-preview",
            prompt="a cat",
            duration_s=5,
            size=Size(width=1280, height=720),
            negative_prompt="blur",
            seed=42,
            prompt_extend=False,
            metadata=(("k", "v"),),
        )
    )


REFERENCE_FORMS = [
    (upload("input_reference", PNG), None, PNG),
    (upload("input_reference", PNG, filename=""), None, PNG),
    (upload("input_reference[]", PNG), None, PNG),
    (upload("input_reference[image_url]", PNG), None, PNG),
    (text("input_reference", URL), URL, None),
    (text("input_reference", DATA_URI), DATA_URI, None),
    (text("input_reference[image_url]", URL), URL, None),
    (text("input_reference[]", URL), URL, None),
    (text("image_reference", f'{{"image_url": "{URL}"}}'), URL, None),
    (text("image_reference[image_url]", URL), URL, None),
    (text("image_url", URL), URL, None),
    (upload("image_url", PNG), None, PNG),
]


@pytest.mark.parametrize(("part", "link", "data"), REFERENCE_FORMS)
def test_every_observed_form_of_the_reference_is_the_first_frame(part, link, data) -> None:
    media = (MediaInput(role=Role.FIRST_FRAME, text=link, data=data),)
    assert from_form(part) == Submission(request=replace(BASE, media=media))


def test_a_last_frame_and_a_sound_may_be_uploaded() -> None:
    request = from_form(upload("last_frame", PNG), upload("audio_url", b"ID3")).request
    assert request.media == (
        MediaInput(role=Role.LAST_FRAME, data=PNG),
        MediaInput(role=Role.AUDIO, data=b"ID3"),
    )
    assert request.audio is AudioMode.FILE


def test_a_file_input_left_empty_is_absent() -> None:
    assert from_form(upload("input_reference", b"", filename="")).request == BASE


def test_an_empty_file_is_kept_for_the_services_to_refuse() -> None:
    assert from_form(upload("input_reference", b"")).request.media[0].data == b""


@pytest.mark.parametrize(
    "call",
    [
        a_json_call({"prompt": "a", "input_reference": {"file_id": "f-1"}}),
        a_form_call(text("prompt", "a"), text("input_reference[file_id]", "f-1")),
    ],
)
def test_a_stored_file_is_refused_by_name(call) -> None:
    found = refused(call)
    assert found["status"] == 400
    assert found["param"] == "input_reference.file_id"


def test_two_reference_files_are_refused() -> None:
    call = a_form_call(upload("input_reference", PNG), upload("input_reference", PNG))
    assert refused(call)["param"] == "input_reference"


def test_two_names_for_the_reference_must_not_disagree() -> None:
    call = a_json_call({"prompt": "a", "input_reference": URL, "image_url": f"{URL}?2"})
    found = refused(call)
    assert found["param"] == "image_url"
    assert found["message"] == "image_url: Contradicts input_reference, which is also given."


def test_the_same_reference_under_two_names_counts_once() -> None:
    submission = from_json(input_reference=URL, image_url=URL)
    assert submission == Submission(request=replace(BASE, **first(URL)))


def test_audio_false_beats_an_audio_file_and_says_so() -> None:
    submission = from_json(audio_url=SONG, audio=False)
    assert submission.request == replace(BASE, audio=AudioMode.OFF)
    assert submission.warnings == ("audio_url is not used, because audio is false.",)


def test_an_audio_file_beats_audio_true() -> None:
    assert from_json(audio_url=SONG, audio=True).request.audio is AudioMode.FILE


def test_the_documented_name_beats_its_alias() -> None:
    request = from_json(audio=False, generate_sound=True, prompt_extend=False).request
    assert request.audio is AudioMode.OFF
    assert from_json(prompt_extend=False, enhance_prompt=True).request.prompt_extend is False


def test_width_and_height_are_a_size() -> None:
    assert from_json(width=1280, height="720").request == replace(
        BASE, size=Size(width=1280, height=720)
    )


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"width": 1280}, "height"),
        ({"height": 720}, "width"),
        ({"width": 0, "height": 720}, "width"),
        ({"width": 1280, "height": 720, "size": "720x1280"}, "size"),
        ({"n": 2}, "n"),
        ({"metadata": {str(i): "v" for i in range(17)}}, "metadata"),
        ({"metadata": {"k" * 65: "v"}}, "metadata"),
        ({"metadata": {"k": "v" * 513}}, "metadata"),
    ],
)
def test_what_cannot_be_is_refused_by_name(members, param) -> None:
    assert refused(a_json_call({"prompt": "a"} | members))["param"] == param


def test_metadata_may_have_sixteen_pairs_of_full_length() -> None:
    pairs = {f"{i:064d}": "v" * 512 for i in range(16)}
    assert from_json(metadata=pairs).request.metadata == tuple(pairs.items())


def test_frames_are_adapted_with_a_warning() -> None:
    submission = from_json(num_frames=81)
    assert len(submission.warnings) == 1
    assert submission.ignored == ()


def test_unknown_members_are_named() -> None:
    submission = from_json(user="u-1", true_cfg_scale=4)
    assert submission.request == BASE
    assert set(submission.ignored) == {"user", "true_cfg_scale"}


@pytest.mark.parametrize(
    "call",
    [
        a_json_call(b""),
        a_json_call(b"{"),
        a_json_call(b"[]"),
        a_json_call(b'{"prompt":"a","prompt":"b"}'),
        a_form_call(text("prompt", "a\x00")),
        a_form_call(text("metadata", "x"), text("metadata[k]", "v")),
        a_form_call(text("metadata[k]", "v"), text("metadata", "x")),
    ],
)
def test_a_malformed_body_is_a_400(call) -> None:
    found = refused(call)
    assert (found["status"], found["code"], found["param"]) == (400, "invalid_request", None)


def test_a_scalar_sent_twice_in_a_form_is_refused() -> None:
    call = a_form_call(text("prompt", "a"), text("seconds", "5"), text("seconds", "10"))
    assert refused(call)["param"] == "seconds"


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([text("a", "1")], {"a": "1"}),
        ([text("a", "")], {"a": ""}),
        ([text("a", "1"), text("a", "2")], {"a": ["1", "2"]}),
        ([text("a[]", "1")], {"a": ["1"]}),
        ([text("a[]", "1"), text("a[]", "2")], {"a": ["1", "2"]}),
        ([text("a[b]", "1"), text("a[c]", "2")], {"a": {"b": "1", "c": "2"}}),
        ([text("a[b][]", "1"), text("a[b][]", "2")], {"a": {"b": ["1", "2"]}}),
        ([text("a[b][c]", "1")], {"a[b][c]": "1"}),
        ([text("a[", "1")], {"a[": "1"}),
        ([text("", "1")], {"": "1"}),
        ([upload("a", b"x")], {"a": b"x"}),
    ],
)
def test_a_form_folds_into_the_object_it_spells(parts, expected) -> None:
    assert fold_form(parts) == expected


def test_remix_reads_its_prompt_from_json_and_from_a_form() -> None:
    assert DIALECT.parse_remix(a_json_call({"prompt": "again"})) == "again"
    assert DIALECT.parse_remix(a_form_call(text("prompt", "again"))) == "again"


@pytest.mark.parametrize("body", [{}, {"prompt": None}, {"prompt": " "}])
def test_remix_needs_a_prompt(body) -> None:
    with pytest.raises(CallerError) as caught:
        DIALECT.parse_remix(a_json_call(body))
    assert (caught.value.code, caught.value.field) == (ErrorCode.FIELD_MISSING, "prompt")
