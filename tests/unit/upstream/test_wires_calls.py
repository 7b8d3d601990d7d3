"""The calls beside create: looking, canceling, listing, probing, uploading; names and words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from round_trip import WIRES, an_order, body_of, given

from kinogate.domain.catalogue import CATALOGUE
from kinogate.domain.order import InputFile, Mode, Role
from kinogate.engines.upstream.answers import Complaint, retry_after_s, share_of
from kinogate.engines.upstream.dashscope import REGIONS, DashscopeWire
from kinogate.engines.upstream.mulerouter import MulerouterWire
from kinogate.engines.upstream.unified import UnifiedWire
from kinogate.engines.upstream.vtrix import VtrixWire
from kinogate.engines.upstream.wire import Answer, Ask, Part, Phase, UploadingWire, Wire
from kinogate.engines.upstream.words import MESSAGE_MAX, phase_of, shortened

NOON = 1_767_268_800_000  # 2026-01-01T12:00:00Z, 20:00 in Beijing


# --- looking, canceling, listing, probing


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("dashscope", "/tasks/a%2Fb"),
        ("mulerouter", "/vendors/alibaba/v1/wan2.6-t2v/generation/a%2Fb"),
        ("vtrix", "/model/v1/generation/task/a%2Fb"),
        ("unified", "/v2/videos/generations/a%2Fb"),
        ("openai", "/v1/videos/a%2Fb"),
        ("sglang", "/v1/videos/a%2Fb"),
        ("vllm-omni", "/v1/videos/a%2Fb"),
    ],
)
def test_a_look_asks_for_one_task_and_its_id_cannot_leave_its_place(name: str, path: str) -> None:
    assert WIRES[name].poll("a/b", "wan2.6-t2v") == Ask(method="GET", path=path)


@pytest.mark.parametrize(
    ("name", "ask"),
    [
        ("dashscope", Ask(method="POST", path="/tasks/t1/cancel")),
        ("mulerouter", None),
        ("vtrix", None),
        ("unified", None),
        ("openai", Ask(method="DELETE", path="/v1/videos/t1")),
        ("sglang", None),  # its DELETE forgets the record and lets the work go on
        ("vllm-omni", Ask(method="DELETE", path="/v1/videos/t1")),
    ],
)
def test_work_is_stopped_where_there_is_a_call_that_stops_it(name: str, ask: Ask | None) -> None:
    assert WIRES[name].cancel("t1") == ask


def test_dashscope_lists_by_whole_seconds_of_beijing() -> None:
    ask = DashscopeWire().listing(NOON + 1, NOON + 90_001)

    assert ask == Ask(
        method="GET",
        path="/tasks",
        query=(
            ("start_time", "20260101200000"),
            ("end_time", "20260101200131"),
            ("page_no", "1"),
            ("page_size", "100"),
        ),
    )


def test_dashscope_lists_at_most_a_day() -> None:
    ask = DashscopeWire().listing(NOON - 3 * 86_400_000, NOON)

    assert ask is not None
    assert dict(ask.query)["start_time"] == "20251231200002"


@pytest.mark.parametrize("name", ["openai", "sglang", "vllm-omni"])
def test_openai_lists_the_newest_hundred(name: str) -> None:
    ask = Ask(method="GET", path="/v1/videos", query=(("limit", "100"), ("order", "desc")))

    assert WIRES[name].listing(NOON, NOON + 1) == ask


@pytest.mark.parametrize("name", ["mulerouter", "vtrix", "unified"])
def test_others_list_nothing(name: str) -> None:
    assert WIRES[name].listing(NOON, NOON + 1) is None
    assert WIRES[name].read_listing(Answer(status=200), NOON) == ()


@pytest.mark.parametrize("name", WIRES)
def test_a_probe_is_a_call_that_starts_nothing(name: str) -> None:
    ask = WIRES[name].probe()

    assert ask is not None
    assert ask.method == "GET"
    assert ask.has_key


# --- uploading


def test_dashscope_asks_for_leave_with_the_model_it_is_for() -> None:
    ask = DashscopeWire({"wan2.1-i2v-plus": "wanx2.1-i2v-plus"}).policy("wan2.1-i2v-plus")

    assert ask == Ask(
        method="GET",
        path="/uploads",
        query=(("action", "getPolicy"), ("model", "wanx2.1-i2v-plus")),
    )


def test_dashscope_sends_the_form_of_an_object_store_in_its_order_and_without_the_key() -> None:
    wire: UploadingWire = DashscopeWire()
    policy = {
        "policy": "eyJleHA",
        "signature": "c2ln",
        "upload_dir": "dashscope-instant/acct/2026-01-01/u1",
        "upload_host": "https://dashscope-file.oss.example.com",
        "oss_access_key_id": "LTAI",
        "x_oss_object_acl": "private",
        "x_oss_forbid_overwrite": "true",
    }

    upload = wire.upload(policy, Path("/scratch/input-0"), "image/jpeg")

    key = "dashscope-instant/acct/2026-01-01/u1/input-0.jpg"
    assert upload.text == f"oss://{key}"
    assert upload.ask == Ask(
        method="POST",
        path="https://dashscope-file.oss.example.com",
        parts=(
            Part(name="OSSAccessKeyId", value="LTAI"),
            Part(name="Signature", value="c2ln"),
            Part(name="policy", value="eyJleHA"),
            Part(name="key", value=key),
            Part(name="x-oss-object-acl", value="private"),
            Part(name="x-oss-forbid-overwrite", value="true"),
            Part(name="success_action_status", value="200"),
            Part(name="x-oss-content-type", value="image/jpeg"),
            Part(
                name="file",
                file=Path("/scratch/input-0"),
                filename="input-0.jpg",
                content_type="image/jpeg",
            ),
        ),
        has_key=False,
    )


def test_the_resolve_header_goes_out_only_with_uploads() -> None:
    wire = DashscopeWire()
    frame = given(wire, InputFile(role=Role.FIRST_FRAME, path="/in/0-first_frame"))
    order = an_order(mode=Mode.I2V, model="wan2.6-i2v")
    linked = replace(frame, text="https://gateway.example.com/0")

    assert ("X-DashScope-OssResourceResolve", "enable") in wire.create(order, (frame,)).headers
    assert wire.create(order, (linked,)).headers == (("X-DashScope-Async", "enable"),)


def test_regions_are_whole_base_urls() -> None:
    assert set(REGIONS) == {"cn-beijing", "ap-southeast-1", "us-east-1", "cn-hongkong"}
    assert all(url.endswith(".aliyuncs.com/api/v1") for url in REGIONS.values())
    assert DashscopeWire().regions is REGIONS


# --- names


@pytest.mark.parametrize(
    ("model", "spelled"),
    [
        ("wan2.6-i2v", "wan26_i2v"),
        ("wan2.6-i2v-flash", "wan26_i2v_flash"),
        ("wan2.5-t2v-preview", "wan25_t2v"),
        ("wan2.2-i2v-flash", "wan22_i2v_flash"),
        ("wan2.1-kf2v-plus", "wan21_kf2v_plus"),
        ("something-else", "something-else"),
    ],
)
def test_vtrix_spells_models_its_own_way(model: str, spelled: str) -> None:
    assert VtrixWire().spelled(model) == spelled


@pytest.mark.parametrize("spec", CATALOGUE.all(), ids=lambda spec: str(spec.name))
def test_our_own_server_knows_every_model_as_vtrix_spells_it(spec: Any) -> None:
    assert CATALOGUE.resolve(VtrixWire().spelled(spec.name)) == spec


@pytest.mark.parametrize(
    ("wire", "model"),
    [
        (DashscopeWire({"wan2.6-t2v": "wan2.6-t2v-us"}), "wan2.6-t2v-us"),
        (VtrixWire({"wan2.6-t2v": "wan2.6-t2v-us"}), "wan2.6-t2v-us"),
        (UnifiedWire({"wan2.6-t2v": "wan2.6-t2v-us"}), "wan2.6-t2v-us"),
    ],
)
def test_the_operators_spelling_goes_out(wire: Wire, model: str) -> None:
    assert body_of(wire.create(an_order(), ()))["model"] == model


def test_the_operators_spelling_goes_into_mulerouters_path() -> None:
    wire = MulerouterWire({"wan2.6-t2v": "wan2.6 spark/x"})

    assert wire.create(an_order(), ()).path == ("/vendors/alibaba/v1/wan2.6%20spark%2Fx/generation")


def test_a_model_that_mulerouter_does_not_list_can_be_named_by_the_operator() -> None:
    spec = CATALOGUE.resolve("wan2.6-i2v-flash")

    assert MulerouterWire().modes(spec) == frozenset()
    assert MulerouterWire({spec.name: "wan2.6-i2v-flash"}).modes(spec) == {Mode.I2V}


# --- status words, messages, numbers


@pytest.mark.parametrize(
    ("phase", "words"),
    [
        (
            Phase.QUEUED,
            "NOT_START SUBMITTED QUEUED PENDING in_queue queued pending SUSPENDED starting created",
        ),
        (Phase.RUNNING, "IN_PROGRESS PROCESSING running processing"),
        (Phase.SUCCEEDED, "SUCCESS SUCCEEDED COMPLETED done completed succeeded"),
        (Phase.FAILED, "FAILURE FAILED ERROR failed error"),
        (Phase.CANCELED, "CANCELED CANCELLED cancelled deleted"),
    ],
)
def test_every_word_of_the_table_is_known_in_any_case(phase: Phase, words: str) -> None:
    for word in words.split():
        for spelling in (word, word.upper(), word.lower(), word.title()):
            assert phase_of(spelling) == (phase, None)


@pytest.mark.parametrize("word", ["FAIL", "reviewing", "", None, 3])
def test_any_other_word_means_running_and_is_told(word: object) -> None:
    phase, unknown = phase_of(word)

    assert phase is Phase.RUNNING
    assert unknown


def test_a_repeated_sentence_is_one_short_line_without_secrets() -> None:
    said = shortened(
        "no\n access  for sk-abc123 with Bearer eyJ.x.y to https://h.example.com/a?sig=1&k=2 " * 9
    )

    assert len(said) <= MESSAGE_MAX
    assert "\n" not in said
    assert not any(part in said for part in ("abc123", "eyJ", "sig=1"))
    assert "https://h.example.com/a" in said


def test_a_complaint_without_words_still_makes_a_sentence() -> None:
    assert Complaint().text == "no reason given"
    assert Complaint(code="X").text == "X"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "3"}, 3),
        ({"retry-after": "0.2"}, 1),
        ({"retry-after-ms": "1500"}, 2),
        ({"retry-after": "999999"}, 3600),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_in_seconds(headers: dict[str, str], seconds: int | None) -> None:
    assert retry_after_s(Answer(status=429, headers=headers)) == seconds


@pytest.mark.parametrize(
    ("value", "whole", "share"),
    [
        ("37%", 100, 0.37),
        (37, 100, 0.37),
        (1.4, 1, 1.0),
        (-3, 100, 0.0),
        ("nan", 100, None),
        ("", 100, None),
        (True, 1, None),
        (None, 1, None),
        ([1], 1, None),
    ],
)
def test_a_share_done_stays_between_nothing_and_all(
    value: object, whole: float, share: float | None
) -> None:
    assert share_of(value, whole) == share
