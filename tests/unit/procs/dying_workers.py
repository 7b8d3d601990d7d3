"""A worker module whose process does not live long, whatever it is asked."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path

from kinogate.procs.protocol import Method

with Path(os.environ["BIRTHS"]).open("a") as births:
    births.write(f"{os.getpid()}\n")
threading.Timer(0.1, os._exit, [9]).start()

METHODS: Mapping[str, Method] = {}
