"""Install the vendors' own SDKs for the acceptance tests, each version in a folder of its own.

`dashscope` and `openai` are installed with their dependencies into `.clients/NAME-VERSION`; the
tests start a fresh interpreter with only that folder on its path. Installed ones are left alone.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

CLIENTS = ("dashscope==2.0.2", "dashscope==1.27.8", "openai==3.51.0", "openai==2.54.0")
FOLDER = Path(__file__).resolve().parent.parent / ".clients"


def main() -> None:
    """Install what is missing."""
    for requirement in CLIENTS:
        target = FOLDER / requirement.replace("==", "-")
        if (target / ".complete").exists():
            continue
        shutil.rmtree(target, ignore_errors=True)
        print(f"installing {requirement}", flush=True)
        command = [sys.executable, "-m", "pip", "install", "--quiet"]
        command += ["--disable-pip-version-check", "--target", str(target), requirement]
        subprocess.run(command, check=True)
        (target / ".complete").touch()


if __name__ == "__main__":
    main()
