"""Measuring this machine: files, memory, digests and fits, each on one thread."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from vistaql.engines.inprocess.tensors import digest_of
from vistaql.learners import LogisticRegression
from vistaql.learners.evaluation import Examples, evaluate
from vistaql.learners.folds import deal
from vistaql.learners.metrics import METRICS

MEGABYTES = 96


@dataclass(frozen=True)
class DataTime:
    """Bytes a second."""

    read: float
    """a file that was written a moment ago"""
    spilled: float
    """written to a file and read from it, each byte counted both times"""
    kept: float
    """copied in memory"""
    hashed: float
    """a digest made"""


def time_data(folder: str) -> DataTime:
    """Write, read, copy and hash some megabytes."""
    numbers = np.random.default_rng(1).random((MEGABYTES, 250_000), dtype=np.float32)
    with tempfile.TemporaryFile(dir=folder) as file:

        def write() -> None:
            file.write(numbers.data)
            file.flush()
            os.fsync(file.fileno())

        written = seconds_of(write)
        into = np.empty_like(numbers)
        file.seek(0)
        read = seconds_of(lambda: file.readinto(into.data))
    copied = min(seconds_of(lambda: np.copyto(into, numbers)) for _ in range(3))
    keys = [str(number) for number in range(MEGABYTES)]
    hashed = seconds_of(lambda: digest_of(keys, numbers))
    size = float(numbers.nbytes)
    return DataTime(size / read, 2 * size / (written + read), size / copied, size / hashed)


@dataclass(frozen=True)
class FitTime:
    """What one training took, and the operations its learner told."""

    seconds: float
    flops: float


# Many more features than rows, as unpooled layers have, which takes most of the time; more, fewer, and few of both.
SHAPES = ((1000, 8000, 10), (500, 1280, 10), (2000, 256, 10), (900, 48, 5))


def time_fits() -> tuple[FitTime, ...]:
    """Fit logistic regression over five folds, one worker, on numbers with some structure."""
    return tuple(time_fit(*shape) for shape in SHAPES)


def time_fit(rows: int, width: int, classes: int) -> FitTime:
    """One training."""
    random = np.random.default_rng(rows)
    codes = random.integers(0, classes, rows)
    causes = random.normal(size=(rows, 60)) + 2 * np.eye(60)[codes]
    features = (causes @ random.normal(size=(60, width)) + random.normal(size=(rows, width))).astype(np.float32)
    keys = tuple(map(str, range(rows)))
    examples = Examples(keys, codes, classes, deal(keys, codes, 5))
    learner = LogisticRegression()
    took = seconds_of(lambda: evaluate(examples, np.maximum(features, 0), learner, METRICS[:1], 1))
    return FitTime(took, 5 * learner.flops(rows * 4 // 5, width, classes))


def seconds_of(work: Callable[[], object]) -> float:
    """Wall-clock seconds of a call."""
    started = perf_counter()
    work()
    return perf_counter() - started
