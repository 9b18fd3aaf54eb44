"""The commands that README.md shows."""

from __future__ import annotations

import re

from tests.checkout import CHECKOUT

BLOCK = re.compile(r"```bash\n(.*?)```", re.DOTALL)


def commands(heading: str, block: int = 1) -> list[str]:
    """The commands of a block below a heading, the first unless told, without their comments."""
    section = (CHECKOUT / "README.md").read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    blocks = BLOCK.findall(section)
    assert len(blocks) >= block, f"README.md has no block {block} of commands below {heading}"
    return [line.partition(" #")[0].strip() for line in blocks[block - 1].splitlines() if line.strip()]
