"""Every snippet marked `<!-- run -->` and every Python snippet of the README works as printed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kinogate.cli.private_server import PrivateServer, private_server

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs" / "dialects").glob("*.md"))]
pytestmark = [pytest.mark.acceptance, pytest.mark.xdist_group("snippets")]


def shell_snippets() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        text = page.read_text("utf-8")
        found += [
            (page.name, snippet)
            for snippet in re.findall(r"<!-- run -->\n```sh\n(.*?)```", text, re.DOTALL)
        ]
    return found


def python_snippets() -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateServer]:
    with private_server(tmp_path_factory.mktemp("snippets")) as running:
        yield running


@pytest.mark.parametrize(("page", "snippet"), shell_snippets(), ids=lambda text: text[:20])
def test_shell_snippet_is_accepted(page: str, snippet: str, server: PrivateServer) -> None:
    environment = os.environ | {"KINOGATE_URL": server.url, "KINOGATE_KEY": server.key}
    done = subprocess.run(
        ["bash", "-c", snippet], env=environment, capture_output=True, text=True, check=True
    )

    reply = json.loads(done.stdout)
    text = json.dumps(reply)
    assert re.search(r"[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}", text), text


def test_there_is_a_snippet_on_every_dialects_page() -> None:
    assert {page for page, _ in shell_snippets()} == {page.name for page in PAGES}


@pytest.mark.parametrize(("index", "client"), [(0, "dashscope-2.0.2"), (1, "openai-3.51.0")])
def test_python_snippet_runs_with_the_vendors_sdk(
    index: int, client: str, server: PrivateServer, tmp_path: Path
) -> None:
    subprocess.run([sys.executable, str(ROOT / "tools" / "clients.py")], check=True)
    snippet = python_snippets()[index].replace("http://127.0.0.1:8080", server.url)
    environment = os.environ | {
        "PYTHONPATH": str(ROOT / ".clients" / client),
        "DASHSCOPE_API_KEY": server.key,
        "OPENAI_API_KEY": server.key,
        "HOME": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", snippet],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )

    assert done.returncode == 0, done.stderr
    made = list(tmp_path.glob("*.mp4"))
    assert server.url in done.stdout or (made and made[0].read_bytes()[4:8] == b"ftyp")
