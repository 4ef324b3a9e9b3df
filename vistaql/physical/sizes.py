"""How large the inputs of a plan are: estimated before the relational part has run, exact after it."""

from __future__ import annotations

from dataclasses import dataclass


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
