"""The files that git has or would take."""

from __future__ import annotations

import subprocess

from tests.checkout import CHECKOUT


def files() -> list[str]:
    """Paths from the checkout's root; one that was deleted and not committed yet is none."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout
    return sorted(file for file in listed.split("\0") if file and (CHECKOUT / file).is_file())
