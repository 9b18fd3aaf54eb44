"""`make soak` reaches every test that does more under `--soak`."""

from __future__ import annotations

import re

from tests.checkout import CHECKOUT

TESTS = CHECKOUT / "tests"
DOES_MORE = re.compile(r"^from hypothesis import|mark\.soak\(|getoption\(\"--soak\"\)", re.MULTILINE)


def test_what_does_more_in_a_soak_is_run_in_one() -> None:
    makefile = (CHECKOUT / "Makefile").read_text()
    [recipe] = re.findall(r"^soak:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    run = {
        folder
        for line in recipe.splitlines()
        if "--soak" in line
        for folder in re.findall(r"tests/(\w+)", line)
    }
    more = {
        file.relative_to(TESTS).parts[0]
        for file in TESTS.glob("*/**/*.py")
        if ".venv" not in file.parts and DOES_MORE.search(file.read_text())
    }
    assert {"unit", "sql", "twin"} <= more
    assert more <= run
