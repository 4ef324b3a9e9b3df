"""What an operator needs, as a vector of quantities; turning it into seconds is somebody else's work."""

from __future__ import annotations

from dataclasses import dataclass, fields

from vistaql.models.cnn import Cnn


@dataclass(frozen=True)
class Inferred:
    """Layers of a CNN computed for so many images."""

    cnn: Cnn
    layers: tuple[str, ...]
    images: float


@dataclass(frozen=True)
class Fitted:
    """Models fitted: `flops` of all of them, in `pieces` of equal size that can run side by side."""

    flops: float
    pieces: int


@dataclass(frozen=True)
class Traced:
    """A graph built from a CNN of so many layers and parameters, of which so many are in the graph."""

    model_layers: int
    model_parameters: int
    layers: int
    parameters: int


@dataclass(frozen=True)
class Resources:
    """Quantities of work, all additive: tuples are added by joining them."""

    inferred: tuple[Inferred, ...] = ()
    """layers computed by inference"""
    batches: float = 0.0
    """batches handed to and taken from a graph"""
    decoded_pixels: float = 0.0
    """pixels of image files decoded, after scaled decoding"""
    decoded_bytes: float = 0.0
    """bytes of image files decoded: every byte is read by the decoder, at any scale"""
    opened_images: float = 0.0
    """image files opened, and their headers read"""
    listed_images: float = 0.0
    """image files listed and matched with their keys"""
    read_bytes: float = 0.0
    """bytes of images and tables read"""
    kept_bytes: float = 0.0
    """bytes of tensors kept between passes, written to or read from memory"""
    spilled_bytes: float = 0.0
    """bytes of tensors and vectors written to or read from disk"""
    hashed_bytes: float = 0.0
    """bytes of vectors of which a digest is made"""
    hashed_rows: float = 0.0
    """vectors of which a digest is made"""
    fitted: tuple[Fitted, ...] = ()
    """models fitted"""
    traced: tuple[Traced, ...] = ()
    """CNN graphs built and frozen"""
    libraries: float = 0.0
    """deep-learning libraries loaded"""
    queries: float = 0.0
    """queries whose rows are joined"""
    arrow_bytes: float = 0.0
    """bytes handed between processes as Arrow batches"""
    shuffled_bytes: float = 0.0
    """bytes written, sent and read to bring equal keys together"""
    tasks: float = 0.0
    """tasks of a cluster scheduled"""
    contexts: float = 0.0
    """JVMs and contexts of a cluster started"""
    workers: float = 0.0
    """Python workers started, each with its own deep-learning library"""

    def __add__(self, other: Resources) -> Resources:
        return Resources(*(getattr(self, item.name) + getattr(other, item.name) for item in fields(self)))


NOTHING = Resources()
