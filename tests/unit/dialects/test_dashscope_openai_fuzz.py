"""Whatever a body holds, parsing it ends in a submission or in an error the dialect can render."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kinogate.dialects.base import Action, Call, Dialect, FormField
from kinogate.dialects.dashscope import DashScope
from kinogate.dialects.openai import OpenAI
from kinogate.domain.errors import KinogateError
from kinogate.domain.request import Submission

DASHSCOPE = DashScope()
OPENAI = OpenAI()

NAMES = st.sampled_from(
    (
        *("model", "prompt", "input", "parameters", "media", "type", "url", "reference_voice"),
        *("img_url", "first_frame_url", "reference_urls", "audio_url", "template", "function"),
        *("size", "resolution", "duration", "seed", "audio", "watermark", "shot_type", "ratio"),
        *("seconds", "input_reference", "image_reference", "image_url", "file_id", "metadata"),
        *("width", "height", "n", "num_frames", "fps", "generate_sound", "last_frame"),
    )
)
WORDS = st.sampled_from(
    ("wan2.6-t2v", "wan3.0-video", "first_frame", "1280*720", "480P", "5", "-1", "true", "{", "")
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), WORDS, st.text(max_size=8)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=6)),
    max_leaves=12,
)
BODIES = st.one_of(
    st.dictionaries(NAMES, VALUES, max_size=8).map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries(
        {"model": WORDS, "input": st.dictionaries(NAMES, VALUES, max_size=8)},
        optional={"parameters": st.dictionaries(NAMES, VALUES, max_size=8)},
    ).map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=40),
)
FORM_NAMES = st.one_of(
    NAMES,
    st.builds("{}[{}]".format, NAMES, NAMES),
    NAMES.map("{}[]".format),
    st.text(alphabet="ab[]", max_size=6),
)
FIELDS = st.one_of(
    st.builds(FormField, name=FORM_NAMES, value=st.one_of(WORDS, st.text(max_size=8))),
    st.builds(FormField, name=FORM_NAMES, filename=WORDS, data=st.binary(max_size=8)),
)


def create_or_refuse(dialect: Dialect, call: Call) -> None:
    try:
        assert isinstance(dialect.parse_create(call), Submission)
    except KinogateError as error:
        reply = dialect.render_error(error, call)
        assert 400 <= reply.status < 500
        assert json.loads(reply.body)


@pytest.mark.parametrize("dialect", [DASHSCOPE, OPENAI], ids=["dashscope", "openai"])
@settings(max_examples=300, deadline=None, derandomize=True)
@given(body=BODIES)
def test_any_body_is_a_submission_or_a_4xx(dialect: Dialect, body: bytes) -> None:
    call = Call(
        method="POST",
        path="/",
        action=Action.CREATE,
        headers={"x-dashscope-async": "enable"},
        body=body,
    )
    create_or_refuse(dialect, call)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(form=st.lists(FIELDS, max_size=8))
def test_any_form_is_a_submission_or_a_4xx(form: list[FormField]) -> None:
    call = Call(method="POST", path="/", action=Action.CREATE, form=tuple(form))
    create_or_refuse(OPENAI, call)
