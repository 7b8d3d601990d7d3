"""A tiny foreign server: healthy at once, and does on request what such servers do wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar


class Handler(BaseHTTPRequestHandler):
    is_hung: ClassVar[bool] = False

    def do_GET(self) -> None:
        what = self.path.rpartition("/")[2]
        if what == "crash":
            os._exit(3)
        if what == "hang":
            Handler.is_hung = True
        if what == "health" and self.is_hung:
            time.sleep(60)
        answer = {"pid": os.getpid(), "env": dict(os.environ), "args": sys.argv[1:]}
        if what == "family":
            # In a session of its own, and deaf: nothing but a hunt for descendants finds it.
            child = subprocess.Popen(
                ["sh", "-c", "trap '' TERM; sleep 300 & wait; wait"], start_new_session=True
            )
            answer["child"] = child.pid
        if what == "chatter":
            print("x" * 5000, flush=True)
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Silence is what the log's size is measured in."""


def end(_number: int, _frame: object) -> None:
    if folder := os.environ.get("GOODBYE"):
        Path(folder, f"{os.getpid()}").write_text("ended in order")
    os._exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_IGN if "--deaf" in sys.argv else end)
    print("the foreign server starts", flush=True)
    if "--broken" in sys.argv:
        sys.exit(7)
    time.sleep(float(os.environ.get("SLOW_S", "0")))
    port = int(sys.argv[sys.argv.index("--port") + 1])
    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
