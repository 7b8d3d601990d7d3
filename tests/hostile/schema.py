"""`python tests/hostile/schema.py [--seed S] [--examples N]`: schemathesis on the native API.

It knows the API from its OpenAPI document and looks for replies that the document does not promise.
It is blind below JSON; `tests/hostile` sends the raw bytes. What it gets accepted ends at once,
because every call asks for a simulated failure.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "acceptance"))

from live import LiveServer  # noqa: E402 - found only now
from surroundings import log_faults  # noqa: E402

_CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "ignored_auth",
)


def main() -> int:
    """Run it once; the exit status is its own, or 1 for what the server's log tells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--examples", type=int, default=15, help="for each operation")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(2**31) if options.seed is None else options.seed
    with tempfile.TemporaryDirectory(prefix="kinogate-schema-") as name:
        with LiveServer(Path(name) / "data", log_level="warning") as server:
            command = [
                str(Path(sys.executable).with_name("schemathesis")),
                "run",
                f"{server.url}/kinogate/v1/openapi.json",
                f"--header=Authorization: Bearer {server.key}",
                "--header=X-Kinogate-Simulate: fail",
                "--phases=coverage,fuzzing",
                f"--checks={','.join(_CHECKS)}",
                f"--max-examples={options.examples}",
                f"--seed={seed}",
                "--request-timeout=30",
                "--warnings=off",
                "--no-shrink",
                "--continue-on-failure",
            ]
            done = subprocess.run(command, cwd=name, check=False)
        found = log_faults(server.log, server.key)
    for line in found:
        print(f"  FAULT log: {line}")
    return done.returncode or int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
