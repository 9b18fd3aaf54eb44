"""Where Pulumi starts the pack: `pulumi preview --policy-pack policy`."""

from __future__ import annotations

import sys
from pathlib import Path

# Pulumi runs this folder by its path; as a package its modules find each other, and the tests find them.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from policy.registration import serve

serve()
