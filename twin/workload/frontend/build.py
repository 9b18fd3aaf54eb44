"""Freezes the public variables into the page's script, as a bundler would; fails when one is missing."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

NAMES = (
    "NEXT_PUBLIC_API_URL",
    "NEXT_PUBLIC_SUPABASE_URL",
    "NEXT_PUBLIC_SUPABASE_ANON_KEY",
    "NEXT_PUBLIC_ENVIRONMENT",
)
MARK = "__PUBLIC_VARIABLES__"

missing = [name for name in NAMES if not os.environ.get(name)]
if missing:
    sys.exit(f"the page cannot be built without {', '.join(missing)}")
folder = Path(__file__).parent / "page"
script = folder / "app.js"
script.write_text(script.read_text().replace(MARK, json.dumps({name: os.environ[name] for name in NAMES})))
