"""Cron schedules as the CronJob controller reads them: what a field allows, how close two runs are."""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

FIELDS = ("minute", "hour", "day", "month", "weekday")
RANGES = {"minute": (0, 59), "hour": (0, 23), "day": (1, 31), "month": (1, 12), "weekday": (0, 6)}
SUNDAY = {"weekday": ", Sunday is 0"}
# What leaves a field open: where one of day and weekday is open, both have to fit, otherwise either.
OPEN = frozenset({"*", "*/1", "?", "?/1"})
DAY_MINUTES = 24 * 60
FIRST_DAY, YEARS_DAYS = date(2024, 1, 1).toordinal(), 9 * 366


def shortest_period_s(schedule: str) -> int:
    """The shortest time between two runs, in seconds, as if every day were a day of the schedule.

    Raises:
        ValueError: it is not a schedule of five fields; the message names the field.
    """
    times = _times(_fields(schedule))
    gaps = [later - earlier for earlier, later in pairwise(times)]
    return 60 * min([*gaps, times[0] + DAY_MINUTES - times[-1]])


@cache
def longest_gap_s(schedule: str) -> int:
    """The longest time between two runs, in seconds, over years with and without a 29th of February.

    Raises:
        ValueError: it is not a schedule of five fields, or no day is in it.
    """
    found = _fields(schedule)
    times, days = _times(found), _days(schedule, found)
    if len(days) < 2:  # noqa: PLR2004 - a gap has two ends
        message = "the days of this cron schedule hardly ever come; give days that every year has"
        raise ValueError(message)
    over_night = DAY_MINUTES - times[-1] + times[0]
    apart = max((later - earlier - 1) * DAY_MINUTES for earlier, later in pairwise(days))
    return 60 * max([*(later - earlier for earlier, later in pairwise(times)), over_night + apart])


def _fields(schedule: str) -> dict[str, set[int]]:
    parts = schedule.split()
    if len(parts) != len(FIELDS):
        message = "a cron schedule has five fields: minute hour day month weekday"
        raise ValueError(message)
    return {name: _values(name, text) for name, text in zip(FIELDS, parts, strict=True)}


def _times(found: Mapping[str, set[int]]) -> list[int]:
    """The minutes of the day, in order."""
    return sorted(hour * 60 + minute for hour in found["hour"] for minute in found["minute"])


def _days(schedule: str, found: Mapping[str, set[int]]) -> list[int]:
    """The days of nine years, as their numbers: where day and weekday are both named, either is enough."""
    _, _, day_text, _, weekday_text = schedule.split()
    is_open = [not OPEN.isdisjoint(text.split(",")) for text in (day_text, weekday_text)]
    together = all if any(is_open) else any
    return [
        number
        for number in range(FIRST_DAY, FIRST_DAY + YEARS_DAYS)
        if (day := date.fromordinal(number)).month in found["month"]
        and together((day.day in found["day"], day.isoweekday() % 7 in found["weekday"]))
    ]


def _values(name: str, text: str) -> set[int]:
    low, high = RANGES[name]
    found: set[int] = set()
    for item in text.split(","):
        match = re.fullmatch(r"(?:[*?]|([0-9]{1,2})(?:-([0-9]{1,2}))?)(?:/([0-9]{1,2}))?", item)
        step = int(match[3] or 1) if match else 0
        if match is None or step == 0:
            message = (
                f"the {name} of a cron schedule is a number from {low} to {high}, a range 1-5, a list 1,3, "
                "or * and */5"
            )
            raise ValueError(message)
        first = low if match[1] is None else int(match[1])
        last = int(match[2]) if match[2] else (high if match[1] is None or match[3] else first)
        if not low <= first <= last <= high:
            message = (
                f"the {name} of a cron schedule lies between {low} and {high}{SUNDAY.get(name, '')}, "
                "the smaller number first"
            )
            raise ValueError(message)
        found |= set(range(first, last + 1, step))
    return found
