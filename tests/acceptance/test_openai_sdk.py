"""The vendor's own `openai` package against us (spec/dialects.md §D)."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import pytest
from live import LiveServer, busy, run_sdk
from PIL import Image

from factories import a_png
from kinogate.media.probe import probe_video

NOW, BEFORE = "openai-3.51.0", "openai-2.54.0"
BOTH = pytest.mark.parametrize("sdk", [NOW, BEFORE])


@BOTH
def test_a_clip_is_created_polled_and_downloaded(
    sdk: str, live: LiveServer, tmp_path: Path
) -> None:
    found = run_sdk(sdk, "openai_sdk:create_and_poll", live, str(tmp_path))
    video = found["video"]
    assert (video["object"], video["status"], video["progress"]) == ("video", "completed", 100)
    assert (video["seconds"], video["size"], video["error"]) == ("5", "832x480", None)
    assert video["created_at"] <= video["completed_at"] < video["expires_at"]
    assert found["retrieved"]["id"] == video["id"]
    assert video["id"].startswith("video_")
    facts = probe_video(tmp_path / "clip.mp4")
    assert found["type"] == "video/mp4"
    assert (facts.width, facts.height, facts.frame_count, int(facts.fps)) == (832, 480, 150, 30)
    still = Image.open(io.BytesIO(base64.b64decode(found["thumbnail"])))
    assert Image.MIME[str(still.format)] == found["thumbnail_type"]
    assert abs(still.width / still.height - 832 / 480) < 0.02


@BOTH
def test_a_file_becomes_the_first_frame(sdk: str, live: LiveServer, tmp_path: Path) -> None:
    picture = tmp_path / "frame.png"
    picture.write_bytes(a_png(640, 400))
    video = run_sdk(sdk, "openai_sdk:from_a_file", live, str(picture), str(tmp_path))
    assert (video["status"], video["model"], video["seconds"]) == ("completed", "wan2.6-i2v", "2")
    facts = probe_video(tmp_path / "clip.mp4")
    assert f"{facts.width}x{facts.height}" == video["size"]
    assert facts.duration_s == pytest.approx(2.0, abs=0.1)


@BOTH
def test_waiting_tasks_are_listed_remixed_and_deleted(sdk: str, live: LiveServer) -> None:
    with busy(live):
        found = run_sdk(sdk, "openai_sdk:queued", live)
    ids = [video["id"] for video in found["made"]]
    assert {video["status"] for video in found["made"]} == {"queued"}
    assert found["first_page"] == [ids[4], ids[3]]
    assert found["has_more"] is True
    assert found["last_id"] == ids[3]
    assert found["walked"] == ids[::-1]
    assert found["ascending"] == sorted(found["ascending"])
    assert found["remixed"]["remixed_from_video_id"] == ids[0]
    assert found["remixed"]["prompt"] == "A street full of people"
    assert int(found["poll_after"]) > 0
    assert all(item["deleted"] and item["object"] == "video.deleted" for item in found["deleted"])
    assert found["after_delete"]["class"] == "NotFoundError"


@BOTH
def test_a_json_body_is_read_like_a_form(sdk: str, live: LiveServer) -> None:
    video = run_sdk(sdk, "openai_sdk:as_json", live)
    assert (video["status"], video["size"], video["seconds"]) == ("queued", "832x480", "5")


@BOTH
def test_refusals_become_the_sdks_own_errors(sdk: str, live: LiveServer) -> None:
    found = run_sdk(sdk, "openai_sdk:errors", live)
    seen = {name: (it["class"], it["code"], it["param"]) for name, it in found.items()}
    assert seen["bad_size"] == ("BadRequestError", "invalid_value", "size")
    assert seen["bad_seconds"] == ("BadRequestError", "invalid_value", "seconds")
    assert seen["bad_model"] == ("BadRequestError", "model_not_found", "model")
    assert seen["no_prompt"][0::2] == ("BadRequestError", "prompt")
    assert seen["bad_key"][:2] == ("AuthenticationError", "invalid_api_key")
    assert seen["unknown"][:2] == ("NotFoundError", "not_found")
    assert seen["unknown_content"] == seen["unknown_delete"] == seen["unknown"]
    assert seen["edit"][:2] == ("BadRequestError", "unsupported_feature")
    assert all(it["request_id"] and it["type"] and it["message"] for it in found.values())


def test_content_that_is_not_ready_is_not_retried_into_a_timeout(live: LiveServer) -> None:
    with busy(live):
        found = run_sdk(NOW, "openai_sdk:not_ready", live)
    assert (found["class"], found["code"]) == ("NotFoundError", "video_not_ready")
