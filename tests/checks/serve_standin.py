"""`python -m tests.checks.serve_standin NAME SECRETS PORT`: a stand-in of the twin on a port of loopback."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import uvicorn

from twin import secrets


def main() -> None:
    """Serve until told to stop."""
    name, file, port = sys.argv[1:]
    module = importlib.import_module(f"twin.standins.{name}")
    uvicorn.run(
        module.application(secrets.read(Path(file))), host="127.0.0.1", port=int(port), log_level="error"
    )


if __name__ == "__main__":
    main()
