"""How large the inputs of a plan are: estimated before the relational part has run, exact after it."""

from __future__ import annotations

from dataclasses import dataclass

SPOOLED_BYTES = 64_000_000
"""Vectors of a layer that take no more than this stay in memory in every plan."""
STRIPE_BYTES = 8_000_000
"""Vectors on disk are read in pieces of about this size."""


@dataclass(frozen=True)
class Sizes:
    """Rows and images as far as they are known."""

    images: int
    """images to decode"""
    all_images: int
    """images in the set"""
    rows: int
    """rows to learn from"""
    columns: int
    """numbers a row has from the tables, after encoding"""
    classes: int
    image_pixels: float
    """mean width times height of an image file"""
    image_bytes: float
    """mean size of an image file"""
    table_bytes: int
    exact: bool
    """whether rows and images are counted, not estimated"""
    fit_workers: int = 2
    """fits that run side by side, each with memory of its own"""
    spools: bool = False
    """whether the vectors of a layer lie on disk where they are more than SPOOLED_BYTES"""

    def spooled(self, vectors: int) -> bool:
        """Whether vectors of so many bytes lie on disk."""
        return self.spools and vectors > SPOOLED_BYTES
