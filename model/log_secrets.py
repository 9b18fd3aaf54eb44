"""What the aggregator hides in lines: expressions that Ruby and Python read alike, each in one pass.

None looks at anything after what it hides: no line, however long, is gone through again and again.
"""

from __future__ import annotations

# Not every key: `primary_key` and `cache_key` say what went wrong.
_KEYS = "access|account|anon|api|encryption|master|private|routing|secret|service|shared|signing|supabase"
_SECRETS = (
    "(?:authorization|passphrase|password|passwd|secret|token|salt|dsn|check[_-]?email"
    f"|(?:database|webhook)[_-]?url|(?:{_KEYS})[_-]?key)"
)
NAMED = f"{_SECRETS}$"
"""A record's key."""
# `=>` is Ruby's, where a line that was no text became one. A backslash before a quote is one of JSON in JSON.
_NAME = rf"{_SECRETS}\\*[\"']?\s*[:=]+>?(?![:=>])\s*"
QUOTED = (
    # Python marks texts by letters. The quote has as many backslashes as JSON lies in JSON.
    rf"({_NAME}[bru]{{0,2}}(\\*)([\"']))"
    # To the same quote, or to the end of a line that was cut off: what is escaped once more does not end it.
    r"(?:\2\\\2[\\\"']|(?!\2\3)[\s\S])+"
)
"""A value in quotes, after a name."""
ASSIGNED = (
    rf"({_NAME}(?:(?:bearer|basic|splunk|token|apikey)\s+)?)"
    # What is in quotes is hidden already. A backslash before a quote ends the text that all of it stands in.
    r"(?![bru]{0,2}\\*[\"'])(?:[^\s\"',}&\\]|\\(?![\"']))+"
)
"""A value without quotes, after a name."""
LOGIN = r"(://[^/\s:@]*:)[^/\s@]+(?=@)"
"""The password of an address."""
