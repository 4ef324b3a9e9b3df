"""What an operator needs, as a vector of quantities; turning it into seconds is somebody else's work."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Resources:
    """Quantities of work, all additive."""

    dense_flops: float = 0.0
    """multiply-adds times two in convolutions and dense layers"""
    depthwise_flops: float = 0.0
    """the same in depthwise convolutions, which run at a fraction of the rate"""
    moved_bytes: float = 0.0
    """bytes of layer outputs written by inference, for layers that compute little"""
    decoded_pixels: float = 0.0
    """pixels of image files decoded, after scaled decoding"""
    opened_images: float = 0.0
    """image files opened, and their headers read"""
    read_bytes: float = 0.0
    """bytes of images and tables read"""
    kept_bytes: float = 0.0
    """bytes of tensors kept between passes, written once and read once, in memory"""
    spilled_bytes: float = 0.0
    """bytes of tensors kept between passes on disk"""
    fit_flops: float = 0.0
    """multiply-adds times two in fitting learners"""
    graphs: float = 0.0
    """parameters of CNN graphs built and frozen, one count a pass"""
    libraries: float = 0.0
    """deep-learning libraries loaded"""

    def __add__(self, other: Resources) -> Resources:
        return Resources(*(getattr(self, item.name) + getattr(other, item.name) for item in fields(self)))


NOTHING = Resources()
