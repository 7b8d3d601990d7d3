"""The demo's calls: the seeds' own bodies, with the media's URLs replaced by the demo's.

Bodies of seeds 000, 001, 002 and 004 are the documents' examples word for word; 003 (vtrix),
openai and native have none, theirs come from `examples/`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

import kinogate
from kinogate.cli.demo_fixtures import Fixtures
from kinogate.cli.private_server import PrivateServer
from kinogate.domain.errors import ErrorCode, InternalError

# Wire bodies are JSON as the documents print it.
Body = dict[str, Any]

_IMAGE_MEMBERS = ("img_url", "image")
_MULE = "/vendors/alibaba/v1/wan2.5-i2v-preview/generation"
_DASHSCOPE = "/qwen/api/v1/services/aigc/video-generation/video-synthesis"
_EXAMPLE_PROMPT = "Example prompt from provider documentation."


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the MP4 must be."""

    width: int
    height: int
    fps: int
    seconds: int
    sound: str  # "auto", "file" or "none"
    from_image: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A submitted call."""

    call: DemoCall
    task_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoCall:
    """One example.

    Attributes:
        poll: Path of the query, with `{id}`.
        id_at: Where the create reply holds the id.
        status_at: Where the query reply holds the status.
        url_at: Where the query reply holds the URL.
        done: The dialect's word for success.
        failed: Its words for the other ends.
    """

    dialect: str
    example: str
    path: str
    body: Body
    poll: str
    id_at: tuple[str | int, ...]
    status_at: tuple[str | int, ...]
    url_at: tuple[str | int, ...]
    done: str
    failed: frozenset[str]
    expected: Expected

    def start(self, server: PrivateServer, fixtures: Fixtures) -> Pending:
        """Submit.

        Raises:
            InternalError: The server refused the dialect's own example.
        """
        reply = httpx2.post(
            server.url + self.path,
            json=with_fixtures(self.body, fixtures),
            headers=headers(server, is_create=True),
            trust_env=False,
        )
        if not reply.is_success:
            raise InternalError(
                ErrorCode.INTERNAL, f"{self.dialect} {self.example}: {reply.text[:300]}"
            )
        return Pending(call=self, task_id=str(pick(reply.json(), self.id_at)))


def headers(server: PrivateServer, *, is_create: bool = False) -> Mapping[str, str]:
    """The credentials, and DashScope's own header where it wants it."""
    found = {"authorization": f"Bearer {server.key}"}
    return found | {"x-dashscope-async": "enable"} if is_create else found


def pick(value: Any, path: tuple[str | int, ...]) -> Any:
    """A nested member of a JSON value."""
    for step in path:
        value = value[step]
    return value


def with_fixtures(body: Body, fixtures: Fixtures) -> Body:
    """The body with its media URLs pointing to the demo's fixtures."""

    def swap(name: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: swap(key, item) for key, item in value.items()}
        if name == "audio_url":
            return fixtures.audio_url
        if name in _IMAGE_MEMBERS:
            return fixtures.image_url
        return [fixtures.image_url for _ in value] if name == "images" else value

    found: Body = swap("", body)
    return found


def example(name: str) -> Body:
    """A body of `examples/`: beside the package when installed, at the root in a checkout."""
    package = Path(kinogate.__file__).parent
    for folder in (package / "_examples", package.parents[1] / "examples"):
        if (path := folder / f"{name}.json").exists():
            body: Body = json.loads(path.read_text("utf-8"))
            return body
    raise InternalError(ErrorCode.INTERNAL, f"The example {name} is missing.")


def _unified(name: str, body: Body, expected: Expected) -> DemoCall:
    return DemoCall(
        dialect="unified",
        example=name,
        path="/v2/videos/generations",
        body=body,
        poll="/v2/videos/generations/{id}",
        id_at=("task_id",),
        status_at=("status",),
        url_at=("data", "output"),
        done="SUCCESS",
        failed=frozenset({"FAILURE"}),
        expected=expected,
    )


def _mulerouter(name: str, body: Body, expected: Expected) -> DemoCall:
    return DemoCall(
        dialect="mulerouter",
        example=name,
        path=_MULE,
        body=body,
        poll=_MULE + "/{id}",
        id_at=("task_info", "id"),
        status_at=("task_info", "status"),
        url_at=("videos", 0),
        done="completed",
        failed=frozenset({"failed"}),
        expected=expected,
    )


# The fixture's ratio is 16:10, so the tiers give 784x496, 1200x752 and 1808x1136.
_UNIFIED_I2V = _unified(
    "seed 000",
    {
        "model": "wan2.5-i2v-preview",
        "prompt": _EXAMPLE_PROMPT,
        "images": [
            "https://help-static-aliyun-doc.aliyuncs.com/file-manage-files/zh-CN/20250925/wpimhv/rap.png"
        ],
        "audio_url": "https://help-static-aliyun-doc.aliyuncs.com/file-manage-files/zh-CN/20250925/ozwpvi/rap.mp3",
        "resolution": "480P",
        "prompt_extend": True,
        "duration": 5,
    },
    Expected(width=784, height=496, fps=24, seconds=5, sound="file", from_image=True),
)
_UNIFIED_T2V = _unified(
    "seed 001",
    {"prompt": "dance", "model": "wan2.2-t2v-plus"},
    Expected(width=1920, height=1080, fps=30, seconds=5, sound="none", from_image=False),
)
_DASHSCOPE_I2V = DemoCall(
    dialect="dashscope",
    example="seed 002",
    path=_DASHSCOPE,
    body={
        "model": "wan2.5-i2v-preview",
        "input": {
            "prompt": _EXAMPLE_PROMPT,
            "img_url": "https://help-static-aliyun-doc.aliyuncs.com/file-manage-files/zh-CN/20250925/wpimhv/rap.png",
        },
        "parameters": {
            "resolution": "480P",
            "prompt_extend": True,
            "duration": 10,
            "audio": True,
        },
    },
    poll="/qwen/api/v1/tasks/{id}",
    id_at=("output", "task_id"),
    status_at=("output", "task_status"),
    url_at=("output", "video_url"),
    done="SUCCEEDED",
    failed=frozenset({"FAILED", "CANCELED", "UNKNOWN"}),
    expected=Expected(width=784, height=496, fps=24, seconds=10, sound="auto", from_image=True),
)
_MULE_BASIC = _mulerouter(
    "seed 004 basic",
    {
        "prompt": "The cat starts running forward",
        "image": "https://example.com/cat.jpg",
        "resolution": "720P",
        "duration": 5,
    },
    Expected(width=1200, height=752, fps=24, seconds=5, sound="auto", from_image=True),
)
_MULE_AUDIO = _mulerouter(
    "seed 004 audio",
    {
        "prompt": "Scene becomes dynamic, clouds drifting",
        "image": "https://example.com/landscape.jpg",
        "audio_url": "https://example.com/ambient.mp3",
        "resolution": "1080P",
        "duration": 10,
    },
    Expected(width=1808, height=1136, fps=24, seconds=10, sound="file", from_image=True),
)
_MULE_NEGATIVE = _mulerouter(
    "seed 004 negative",
    {
        "prompt": "Character turns head and smiles",
        "image": "https://example.com/portrait.jpg",
        "negative_prompt": "shaking, distortion",
        "resolution": "720P",
        "duration": 5,
    },
    Expected(width=1200, height=752, fps=24, seconds=5, sound="auto", from_image=True),
)
_VTRIX = DemoCall(
    dialect="vtrix",
    example="seed 003",
    path="/model/v1/generation",
    body=example("vtrix"),
    poll="/model/v1/generation/task/{id}",
    id_at=("id",),
    status_at=("status",),
    url_at=("output", 0, "content", 0, "url"),
    done="completed",
    failed=frozenset({"failed"}),
    expected=Expected(width=1200, height=752, fps=30, seconds=5, sound="none", from_image=True),
)
_OPENAI = DemoCall(
    dialect="openai",
    example="examples/openai",
    path="/v1/videos",
    body=example("openai"),
    poll="/v1/videos/{id}",
    id_at=("id",),
    status_at=("status",),
    url_at=("video_url",),
    done="completed",
    failed=frozenset({"failed"}),
    expected=Expected(width=1280, height=720, fps=30, seconds=4, sound="auto", from_image=False),
)
_NATIVE = DemoCall(
    dialect="native",
    example="examples/native",
    path="/kinogate/v1/tasks",
    body=example("native"),
    poll="/kinogate/v1/tasks/{id}",
    id_at=("id",),
    status_at=("status",),
    url_at=("video", "url"),
    done="succeeded",
    failed=frozenset({"failed", "canceled"}),
    expected=Expected(width=832, height=1088, fps=30, seconds=6, sound="auto", from_image=False),
)
CALLS = (
    _UNIFIED_I2V,
    _UNIFIED_T2V,
    _DASHSCOPE_I2V,
    _VTRIX,
    _MULE_BASIC,
    _MULE_AUDIO,
    _MULE_NEGATIVE,
    _OPENAI,
    _NATIVE,
)
