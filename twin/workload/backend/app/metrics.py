"""Counters of this process in Prometheus' text format: requests by route and status, and how long they took."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter

BUCKETS_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Request counters. Used from one event loop, so it needs no lock."""

    def __init__(self, release: str) -> None:
        """Begin at zero; `release` is shown as a label of its own series."""
        self._release = release
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._buckets: Counter[tuple[str, int]] = Counter()
        self._seconds: Counter[str] = Counter()
        self._counts: Counter[str] = Counter()

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request. `route` is the route's template, or the series would be endless."""
        self._requests[method, route, status] += 1
        self._buckets[route, bisect_left(BUCKETS_SECONDS, seconds)] += 1
        self._seconds[route] += seconds
        self._counts[route] += 1

    def text(self) -> str:
        """Return all series."""
        lines = [
            "# TYPE orka_build_info gauge",
            f'orka_build_info{{release="{_escaped(self._release)}"}} 1',
            "# TYPE http_requests_total counter",
        ]
        lines += [
            f'http_requests_total{{method="{_escaped(method)}",route="{_escaped(route)}",status="{status}"}} {count}'
            for (method, route, status), count in sorted(self._requests.items())
        ]
        lines.append("# TYPE http_request_duration_seconds histogram")
        name = "http_request_duration_seconds"
        for route in sorted(self._counts):
            total = 0
            label = f'route="{_escaped(route)}"'
            for index, bound in enumerate((*BUCKETS_SECONDS, "+Inf")):
                total += self._buckets[route, index]
                lines.append(f'{name}_bucket{{{label},le="{bound}"}} {total}')
            lines.append(f"{name}_sum{{{label}}} {self._seconds[route]:.6f}")
            lines.append(f"{name}_count{{{label}}} {self._counts[route]}")
        return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
