"""Lines with secrets, and what is left of them: for Python's expressions, and for Ruby's with the filter."""

from __future__ import annotations

import json

from model.secrets import SECRETS

HIDDEN = "[hidden]"
VARIABLES = [spec.variable for spec in SECRETS]
NAMES = [*VARIABLES, *map(str.lower, VARIABLES), "shared_key", "private_key", "service_key", "apiKey"]
OTHER_NAMES = ("primary_key", "cache_key", "tokens", "user", "url", "password_changed_at")
VALUES = (
    "hunter2",
    "two words",
    "one, two",
    "{a}&b",
    'a "b" c',
    "it's",
    "end\\",
    '\\" x',
    "in\nlines",
    "://a:b@c",
)

BY_HAND = (
    ('{"password": "hunter2", "user": "a"}', '{"password": "[hidden]", "user": "a"}'),
    ("Authorization: Bearer eyJhbGciOi.x.y", "Authorization: Bearer [hidden]"),
    ("-H 'Authorization: Splunk hunter2' -k", "-H 'Authorization: Splunk [hidden]' -k"),
    ("api_key=sk-123&page=2", "api_key=[hidden]&page=2"),
    ("token='abc'", "token='[hidden]'"),
    ("token = b'two words' x", "token = b'[hidden]' x"),
    ("connecting to postgresql://app:hunter2@db/x", "connecting to postgresql://app:[hidden]@db/x"),
    (
        r'"{\"password\": \"hunter2\", \"user\": \"a\"}"',
        r'"{\"password\": \"[hidden]\", \"user\": \"a\"}"',
    ),
    (r"password=hunt\er2 x", "password=[hidden] x"),
    ('{"password"=>"hunter2"}', '{"password"=>"[hidden]"}'),
    ('{"password" => "two words", "a" => 1}', '{"password" => "[hidden]", "a" => 1}'),
    ("if token === 'two words':", "if token === '[hidden]':"),
    ('cut off: {"password": "two wor', 'cut off: {"password": "[hidden]'),
    ('{"password": "", "user": "a"}', '{"password": "", "user": "a"}'),
    ("tokens used: 12", "tokens used: 12"),
    ("duplicate key: primary_key=7", "duplicate key: primary_key=7"),
    ("user signed in", "user signed in"),
)


def in_quotes(name: str, value: str) -> list[str]:
    """A value as programs show one, JSON in JSON in JSON included."""
    inner = json.dumps({"user": "a", name: value, "more": "b"})
    return [
        inner,
        json.dumps({"log": inner}),
        json.dumps({"log": json.dumps({"log": inner})}),
        f"{name}={json.dumps(value)} user=a",
        f"{name}: {json.dumps(value)}, user: a",
    ]


def lines() -> list[tuple[str, str]]:
    """Each line, and what is to be shown of it."""
    plain = [(f"user=a {name}=hunter2 more=b", f"user=a {name}={HIDDEN} more=b") for name in NAMES]
    quoted = [
        pair
        for name in NAMES
        for value in VALUES
        for pair in zip(in_quotes(name, value), in_quotes(name, HIDDEN), strict=True)
    ]
    return [*BY_HAND, *plain, *quoted]


def long_lines(length: int) -> list[str]:
    """What would make an expression begin again and again."""
    parts = (
        "token",
        "token=",
        "token: ",
        "token \\",
        'token="',
        'token="\\',
        'token:\\\\\\"',
        "://a:",
        " ",
        "\\",
        "=",
    )
    return [f"{first}{more * (length // len(more))}" for first in ("token", 'token="', "") for more in parts]
