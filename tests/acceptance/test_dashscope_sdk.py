"""The vendor's own `dashscope` package against us (spec/dashscope.md §9, §11)."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import httpx2
import pytest
from live import LiveServer, busy, decoded, run_sdk

from factories import a_png

NOW, BEFORE = "dashscope-2.0.2", "dashscope-1.27.8"


@pytest.fixture(scope="module")
def image() -> str:
    return "data:image/png;base64," + base64.b64encode(a_png(640, 400)).decode()


def download(url: str, folder: Path) -> Any:
    return decoded(httpx2.get(url, trust_env=False).raise_for_status().content, folder)


def test_a_call_is_created_fetched_and_waited_for(live: LiveServer, tmp_path: Path) -> None:
    found = run_sdk(NOW, "dashscope_sdk:async_call_fetch_wait", live)
    assert found["created"]["status"] == 200
    assert found["created"]["output"]["task_status"] == "PENDING"
    assert found["fetched"]["output"]["task_status"] in {"PENDING", "RUNNING"}
    ended = found["ended"]
    assert ended["output"]["task_status"] == "SUCCEEDED"
    assert ended["output"]["orig_prompt"] == "A kitten running in the moonlight"
    assert ended["usage"]["video_count"] == 1
    assert found["again"]["output"]["task_id"] == found["created"]["output"]["task_id"]
    facts = download(ended["output"]["video_url"], tmp_path)
    assert (facts.width, facts.height, facts.frame_count) == (832, 480, 150)


@pytest.mark.parametrize("sdk", [NOW, BEFORE])
def test_call_returns_the_finished_clip(sdk: str, live: LiveServer, tmp_path: Path) -> None:
    found = run_sdk(sdk, "dashscope_sdk:call", live, "wan2.2-t2v-plus")
    assert found["status"] == 200, found
    assert found["usage"] == {"video_count": 1, "video_duration": 5, "video_ratio": "832*480"}
    facts = download(found["output"]["video_url"], tmp_path)
    assert (facts.width, facts.height, facts.fps, facts.has_audio) == (832, 480, 30, False)


@pytest.mark.parametrize("sdk", [NOW, BEFORE])
def test_call_animates_an_inline_picture(
    sdk: str, live: LiveServer, image: str, tmp_path: Path
) -> None:
    found = run_sdk(sdk, "dashscope_sdk:call", live, "wan2.5-i2v-preview", image)
    assert found["status"] == 200, found
    assert found["output"]["task_status"] == "SUCCEEDED", found
    assert found["usage"]["SR"] == 480
    facts = download(found["output"]["video_url"], tmp_path)
    # 832 × 480 pixels at 16:10, each side a multiple of 16
    assert (facts.width, facts.height, facts.frame_count) == (784, 496, 120)
    assert facts.has_audio


def test_the_async_classes_work_with_their_trailing_slashes(
    live: LiveServer, tmp_path: Path
) -> None:
    found = run_sdk(NOW, "dashscope_sdk:aio", live)
    assert found["created"]["output"]["task_status"] == "PENDING"
    assert found["ended"]["output"]["task_status"] == "SUCCEEDED", found
    assert len(found["listed"]["data"]) == 1
    assert found["too_late"] == {"status": 400, "code": "UnsupportedOperation"}
    assert download(found["ended"]["output"]["video_url"], tmp_path).frame_count == 150


def test_the_list_is_paged_and_filtered(live: LiveServer) -> None:
    found = run_sdk(NOW, "dashscope_sdk:listing", live)
    assert found["first"]["page_no"] == 1
    assert len(found["first"]["data"]) <= 2
    assert found["first"]["total"] >= len(found["first"]["data"])
    assert all(row["status"] == "SUCCEEDED" for row in found["succeeded"]["data"])
    assert all(row["model_name"] == "wan2.2-t2v-plus" for row in found["succeeded"]["data"])


def test_a_pending_task_is_canceled_once(live: LiveServer) -> None:
    with busy(live):
        found = run_sdk(NOW, "dashscope_sdk:cancel_pending", live)
    assert found["pending"]["output"]["task_status"] == "PENDING"
    assert found["canceled"]["status"] == 200
    assert found["after"]["output"]["task_status"] == "CANCELED"
    assert found["again"] == {"status": 400, "code": "UnsupportedOperation"}


def test_the_new_client_generates_and_waits(live: LiveServer, image: str, tmp_path: Path) -> None:
    found = run_sdk(NOW, "dashscope_sdk:client_generate", live, image)
    assert found["status"] == "SUCCEEDED"
    assert found["request_id"]
    facts = download(found["video_url"], tmp_path)
    assert (facts.width, facts.height) == (784, 496)


def test_the_new_clients_jobs_can_be_listed_and_canceled(live: LiveServer) -> None:
    with busy(live):
        found = run_sdk(NOW, "dashscope_sdk:client_jobs", live)
    assert found["created"]["status"] == "PENDING"
    assert found["fetched"]["status"] == "PENDING"
    assert [row["task_id"] for row in found["listed"]] == [found["created"]["task_id"]]
    assert found["total"] >= 1
    assert found["after"]["status"] == "CANCELED"


@pytest.mark.parametrize("sdk", [NOW, BEFORE])
def test_refusals_reach_the_classic_api_with_code_and_message(sdk: str, live: LiveServer) -> None:
    found = run_sdk(sdk, "dashscope_sdk:errors", live)
    seen = {name: (reply.get("status"), reply.get("code")) for name, reply in found.items()}
    assert seen["bad_key"] == (401, "InvalidApiKey")
    assert seen["bad_size"] == (400, "InvalidParameter")
    assert seen["bad_model"] == (404, "ModelNotFound")
    assert seen["no_prompt"][0] == 400
    assert seen["no_image"][0] == 400
    assert seen["unknown_task"][0] == 200
    assert found["unknown_task"]["output"]["task_status"] == "UNKNOWN"
    assert "size" in found["bad_size"]["message"]
    assert all(found[name]["message"] for name in ("bad_key", "bad_model", "no_prompt"))
    assert "img_url" in found["no_image"]["message"]
    assert found["failed_create_of_call"]["raised"] == "InvalidTask"


def test_refusals_reach_the_new_client_as_its_exceptions(live: LiveServer) -> None:
    found = run_sdk(NOW, "dashscope_sdk:client_errors", live)
    assert found["bad_key"]["status"] == 401
    assert found["bad_size"]["code"] == "InvalidParameter"
    assert found["bad_model"]["code"] == "ModelNotFound"
