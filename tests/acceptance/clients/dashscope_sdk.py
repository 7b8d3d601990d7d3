"""What users of the `dashscope` package write; runs with that package and nothing of ours.

Every function returns plain values of what the SDK gave back.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

import dashscope
from dashscope import VideoSynthesis

URL, KEY = os.environ["SERVER_URL"], os.environ["SERVER_KEY"]
MODEL, SIZE = "wan2.2-t2v-plus", "832*480"

dashscope.base_http_api_url = f"{URL}/api/v1"
dashscope.api_key = KEY


def plain(reply: Any) -> dict[str, Any]:
    """A reply's members, as the SDK read them."""
    return {
        "status": int(reply.status_code),
        "request_id": reply.request_id,
        "code": reply.code,
        "message": reply.message,
        "output": dict(reply.output or {}),
        "usage": dict(reply.usage or {}),
    }


def async_call_fetch_wait() -> dict[str, Any]:
    created = VideoSynthesis.async_call(
        model=MODEL, prompt="A kitten running in the moonlight", size=SIZE, seed=7
    )
    fetched = VideoSynthesis.fetch(created)
    ended = VideoSynthesis.wait(created)
    again = VideoSynthesis.fetch(created.output.task_id)
    return {
        "created": plain(created),
        "fetched": plain(fetched),
        "ended": plain(ended),
        "again": plain(again),
    }


def call(model: str, image: str = "") -> dict[str, Any]:
    shape = {"img_url": image, "resolution": "480P"} if image else {"size": SIZE}
    if not image and model != MODEL:
        shape = {"size": "1280*720"}
    reply = VideoSynthesis.call(
        model=model,
        prompt="A lighthouse by the sea, waves and gulls",
        negative_prompt="blur",
        prompt_extend=False,
        watermark=True,
        **shape,
    )
    return plain(reply)


def listing() -> dict[str, Any]:
    first = VideoSynthesis.list(page_no=1, page_size=2)
    succeeded = VideoSynthesis.list(status="SUCCEEDED", model_name=MODEL, page_size=5)
    return {"first": dict(first.output), "succeeded": dict(succeeded.output)}


def cancel_pending() -> dict[str, Any]:
    created = VideoSynthesis.async_call(model=MODEL, prompt="A quiet street", size=SIZE)
    pending = VideoSynthesis.fetch(created)
    canceled = VideoSynthesis.cancel(created)
    after = VideoSynthesis.fetch(created)
    again = VideoSynthesis.cancel(created)
    return {
        "pending": plain(pending),
        "canceled": {"status": int(canceled.status_code), "code": canceled.code},
        "after": plain(after),
        "again": {"status": int(again.status_code), "code": again.code},
    }


def errors() -> dict[str, Any]:
    prompt = "A cat"
    unknown_id = "8a8e7a0c-9d0e-4a52-a0f5-64a1a49ab1e2"
    return {
        "bad_key": plain(
            VideoSynthesis.async_call(model=MODEL, prompt=prompt, size=SIZE, api_key="sk-wrong")
        ),
        "bad_size": plain(VideoSynthesis.async_call(model=MODEL, prompt=prompt, size="833*480")),
        "bad_model": plain(VideoSynthesis.async_call(model="wan9.9-t2v", prompt=prompt)),
        "no_prompt": plain(VideoSynthesis.async_call(model=MODEL, prompt=None, size=SIZE)),
        "no_image": plain(VideoSynthesis.async_call(model="wan2.5-i2v-preview", prompt=prompt)),
        "unknown_task": plain(VideoSynthesis.fetch(unknown_id)),
        "failed_create_of_call": failed_create_of_call(),
    }


def failed_create_of_call() -> dict[str, str]:
    try:
        reply = VideoSynthesis.call(model=MODEL, prompt="A cat", size="833*480")
    except Exception as error:  # noqa: BLE001 - whatever the SDK raises is the finding
        return {"raised": type(error).__name__, "text": str(error)}
    return {"raised": "", "text": str(reply)}


def aio() -> dict[str, Any]:
    from dashscope.aigc.video_synthesis import AioVideoSynthesis

    async def main() -> dict[str, Any]:
        created = await AioVideoSynthesis.async_call(
            model=MODEL, prompt="Snow falls on a village at night", size=SIZE, seed=3
        )
        fetched = await AioVideoSynthesis.fetch(created)
        ended = await AioVideoSynthesis.wait(created)
        listed = await AioVideoSynthesis.list(page_size=1)
        too_late = await AioVideoSynthesis.cancel(created)
        return {
            "created": plain(created),
            "fetched": plain(fetched),
            "ended": plain(ended),
            "listed": dict(listed.output),
            "too_late": {"status": int(too_late.status_code), "code": too_late.code},
        }

    return asyncio.run(main())


def job(found: Any) -> dict[str, Any]:
    """A `Job` of the 2.x client as plain values."""
    return {
        "task_id": found.task_id,
        "status": str(found.status),
        "request_id": found.request_id,
        "video_url": found.video_url,
    }


def client_generate(image: str) -> dict[str, Any]:
    client = dashscope.Client(api_key=KEY, base_url=f"{URL}/api/v1")
    done = client.videos.generate(
        model="wan2.5-i2v-preview",
        prompt="The camera moves in slowly",
        image_url=image,
        resolution="480P",
        duration=5,
    )
    return job(done)


def client_jobs() -> dict[str, Any]:
    client = dashscope.Client(api_key=KEY, base_url=f"{URL}/api/v1")
    created = client.videos.jobs.create(model=MODEL, prompt="A quiet street", size=SIZE)
    fetched = client.videos.jobs.fetch(created.task_id)
    listed = client.videos.jobs.list(page_size=1)
    client.videos.jobs.cancel(created.task_id)
    after = client.videos.jobs.fetch(created.task_id)
    return {
        "created": job(created),
        "fetched": job(fetched),
        "listed": [job(item) for item in listed.tasks],
        "total": listed.total,
        "after": job(after),
    }


def client_errors() -> dict[str, Any]:
    found = {}
    good = {"model": MODEL, "prompt": "A cat", "size": SIZE}
    for name, key, changes in (
        ("bad_key", "sk-wrong", {}),
        ("bad_size", KEY, {"size": "833*480"}),
        ("bad_model", KEY, {"model": "wan9.9-t2v"}),
    ):
        client = dashscope.Client(api_key=key, base_url=f"{URL}/api/v1", max_retries=0)
        try:
            client.videos.jobs.create(**(good | changes))
        except Exception as error:  # noqa: BLE001 - whatever the SDK raises is the finding
            found[name] = {
                "raised": type(error).__name__,
                "status": getattr(error, "status_code", None),
                "code": getattr(error, "code", None),
                "text": str(error),
            }
    return found


def upload_classic(model: str, image: str, audio: str) -> dict[str, Any]:
    reply = VideoSynthesis.call(
        model=model,
        prompt="The camera moves in slowly",
        img_url=image,
        audio_url=audio,
        resolution="480P",
        duration=5,
        prompt_extend=False,
    )
    return plain(reply)


def upload_client(model: str, image: str, audio: str) -> dict[str, Any]:
    client = dashscope.Client(api_key=KEY, base_url=f"{URL}/api/v1")
    done = client.videos.generate(
        model=model,
        prompt="The camera moves in slowly",
        image_url=image,
        extra_input={"audio_url": audio},
        resolution="480P",
        duration=5,
    )
    return job(done)


def upload_aio(first: str, last: str) -> dict[str, Any]:
    """Two files of one name, through the asyncio class."""
    from dashscope.aigc.video_synthesis import AioVideoSynthesis

    async def main() -> dict[str, Any]:
        created = await AioVideoSynthesis.async_call(
            model="wan2.2-kf2v-flash",
            prompt="It turns into another",
            first_frame_url=first,
            last_frame_url=last,
            resolution="480P",
        )
        return plain(created)

    return asyncio.run(main())
