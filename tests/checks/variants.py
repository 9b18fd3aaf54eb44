"""Broken releases as data: how each is broken, which checks must be red for it, and a part of the reason.

What is not named must pass. `verdict` is that of the run: what only degrades a release leaves it passed.
"""

from __future__ import annotations

from tests.checks import variants_of_the_application, variants_of_the_surroundings

VARIANTS = (*variants_of_the_application.VARIANTS, *variants_of_the_surroundings.VARIANTS)
