"""Runs one function of a scenario file and prints what it returns as JSON, on the last line.

This file and its neighbours run in an interpreter that has one vendor's SDK and no package of ours.
"""

from __future__ import annotations

import importlib
import json
import os
import sys


def main() -> None:
    file, function, *arguments = sys.argv[1:]
    sdk = importlib.import_module(os.environ["SDK_NAME"])
    if not str(sdk.__file__).startswith(os.environ["SDK_FOLDER"]):
        raise SystemExit(f"the wrong {sdk.__name__} was imported: {sdk.__file__}")
    found = getattr(importlib.import_module(file), function)(*arguments)
    sys.stdout.write("\n" + json.dumps(found, default=str) + "\n")


if __name__ == "__main__":
    main()
