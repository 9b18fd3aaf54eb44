"""What the project calls itself, and the images that it brings itself."""

from __future__ import annotations

PROJECT = "orka-ppm"
"""Of Pulumi.yaml: the namespace of the settings, as in `orka-ppm:backend`."""
OWN_IMAGES = ("backend", "frontend", "ops")
"""Those that a stack may build; all others are public ones."""
