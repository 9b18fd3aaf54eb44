"""Kubernetes quantities as numbers."""

from __future__ import annotations

from fractions import Fraction

SUFFIXES = {
    "": Fraction(1),
    "m": Fraction(1, 1000),
    "k": Fraction(1000),
    "M": Fraction(1000**2),
    "G": Fraction(1000**3),
    "Ki": Fraction(1024),
    "Mi": Fraction(1024**2),
    "Gi": Fraction(1024**3),
    "T": Fraction(1000**4),
    "Ti": Fraction(1024**4),
}


def amount(quantity: str) -> Fraction:
    """A Kubernetes quantity as a number: `250m` is a quarter, `1Ki` is 1024."""
    digits = quantity.rstrip("mkKMGTi")
    return Fraction(digits) * SUFFIXES[quantity.removeprefix(digits)]
