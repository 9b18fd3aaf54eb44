"""Embeddings without a model: the same text gives the same vector, and texts that share words are near.

Feature hashing: every word, and with less weight every three letters of it, adds to one of the dimensions.
"""

from __future__ import annotations

import hashlib
import math
import re

DIMENSIONS = 1536
WORD = re.compile(r"[^\W_]+")
PIECE_LENGTH = 3
PIECE_WEIGHT = 0.25


def embed(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """A vector of length 1; never the zero vector, as that is near nothing."""
    vector = [0.0] * dimensions
    words = WORD.findall(text.lower()) or [text]
    for word in words:
        _add(vector, word, 1.0)
        padded = f"^{word}$"
        for start in range(len(padded) - PIECE_LENGTH + 1):
            _add(vector, f"piece:{padded[start : start + PIECE_LENGTH]}", PIECE_WEIGHT)
    length = math.sqrt(sum(value * value for value in vector))
    if length == 0.0:  # everything cancelled out
        return embed(f"{text} 1", dimensions)
    return [value / length for value in vector]


def _add(vector: list[float], feature: str, weight: float) -> None:
    digest = hashlib.blake2b(feature.encode(), digest_size=8).digest()
    sign = 1.0 if digest[0] & 1 else -1.0
    vector[int.from_bytes(digest[1:], "big") % len(vector)] += sign * weight
