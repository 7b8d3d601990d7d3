"""What users of the `openai` package write; runs with that package and nothing of ours."""

from __future__ import annotations

import base64
import os
import warnings
from pathlib import Path
from typing import Any

import openai
from openai import OpenAI

warnings.simplefilter("ignore", DeprecationWarning)  # every `videos` method carries one
URL, KEY = os.environ["SERVER_URL"], os.environ["SERVER_KEY"]
MODEL, SIZE = "wan2.2-t2v-plus", "832x480"
CLIP: dict[str, Any] = {"model": MODEL, "size": SIZE, "seconds": "5"}


def client(key: str = KEY) -> OpenAI:
    return OpenAI(base_url=f"{URL}/v1", api_key=key)


def create_and_poll(folder: str) -> dict[str, Any]:
    videos = client().videos
    video = videos.create_and_poll(prompt="A sailing boat on a calm sea", **CLIP)
    content = videos.download_content(video.id)
    content.write_to_file(Path(folder) / "clip.mp4")
    thumbnail = videos.download_content(video.id, variant="thumbnail")
    return {
        "video": video.model_dump(),
        "retrieved": videos.retrieve(video.id).model_dump(),
        "type": content.response.headers["content-type"],
        "thumbnail_type": thumbnail.response.headers["content-type"],
        "thumbnail": base64.b64encode(thumbnail.read()).decode(),
    }


def from_a_file(image: str, folder: str) -> dict[str, Any]:
    videos = client().videos
    with Path(image).open("rb") as file:
        video = videos.create_and_poll(
            prompt="The camera moves in slowly", input_reference=file, seconds="2"
        )
    videos.download_content(video.id).write_to_file(Path(folder) / "clip.mp4")
    return video.model_dump()


def queued() -> dict[str, Any]:
    """All that can be done with tasks that do not run: needs a server that is busy."""
    videos = client().videos
    made = [videos.create(prompt=f"A quiet street {number}", **CLIP) for number in range(5)]
    ids = [video.id for video in made]
    first_page = videos.list(limit=2)
    ascending = videos.list(limit=2, order="asc")
    walked = []
    for video in videos.list(limit=2):
        walked.append(video.id)
        if len(walked) == len(ids):
            break
    remixed = videos.remix(ids[0], prompt="A street full of people")
    raw = videos.with_raw_response.retrieve(ids[0])
    deleted = [videos.delete(video_id).model_dump() for video_id in [*ids, remixed.id]]
    return {
        "made": [video.model_dump() for video in made],
        "first_page": [video.id for video in first_page.data],
        "has_more": first_page.has_more,
        "last_id": first_page.last_id,
        "ascending": [video.created_at for video in ascending.data],
        "walked": walked,
        "remixed": remixed.model_dump(),
        "poll_after": raw.headers.get("openai-poll-after-ms"),
        "deleted": deleted,
        "after_delete": failure(lambda: videos.retrieve(ids[0])),
    }


def as_json() -> dict[str, Any]:
    """The one way to send JSON with this SDK."""
    video = client().videos.create(
        prompt="A quiet street",
        extra_headers={"Content-Type": "application/json"},
        extra_body={"seed": 5, "watermark": True},
        **CLIP,
    )
    client().videos.delete(video.id)
    return video.model_dump()


def failure(act: Any) -> dict[str, Any]:
    try:
        act()
    except openai.APIStatusError as error:
        return {
            "class": type(error).__name__,
            "status": error.status_code,
            "code": error.code,
            "param": error.param,
            "type": error.type,
            "message": error.message,
            "request_id": error.request_id,
        }
    return {"class": ""}


def errors() -> dict[str, Any]:
    videos = client().videos
    unknown = "video_8a8e7a0c9d0e4a52a0f564a1a49ab1e2"
    return {
        "bad_size": failure(
            lambda: videos.create(prompt="A cat", model=MODEL, size="833x480")  # type: ignore[arg-type]
        ),
        "bad_seconds": failure(
            lambda: videos.create(prompt="A cat", model=MODEL, seconds="7")  # type: ignore[arg-type]
        ),
        "bad_model": failure(lambda: videos.create(prompt="A cat", model="sora-9")),
        "no_prompt": failure(lambda: videos.create(prompt="", model=MODEL)),
        "bad_key": failure(client("sk-wrong").videos.list),
        "unknown": failure(lambda: videos.retrieve(unknown)),
        "unknown_content": failure(lambda: videos.download_content(unknown)),
        "unknown_delete": failure(lambda: videos.delete(unknown)),
        "edit": failure(
            lambda: client().post("/videos/edits", body={"prompt": "x"}, cast_to=dict[str, object])
        ),
    }


def not_ready() -> dict[str, Any]:
    videos = client().videos
    video = videos.create(prompt="A quiet street", **CLIP)
    found = failure(lambda: videos.download_content(video.id))
    videos.delete(video.id)
    return found
