"""What fails on Spark, in one line: which image, which worker, and what to do about it."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from vistaql.errors import Code, VistaQLError, told_in

if TYPE_CHECKING:
    import pyarrow as pa

    Batches = Iterator[pa.RecordBatch]
    Kernel = Callable[[Batches], Batches]

EXCEPTION = re.compile(r"^(?:: |Caused by: )?(?:[a-z]\w*\.)*(\w*(?:Error|Exception|Interrupt)\b.*)$", re.MULTILINE)
"""a line that names an exception of Python or Java; its package is left out"""
BATCHES_AHEAD = 8
"""batches that may be on their way in the kernel when it fails"""
CAUSES = (
    (
        re.compile(r"Python worker exited unexpectedly|worker (?:crashed|died)|EOFException", re.IGNORECASE),
        "a Python worker died on every try",
        "Give workers more room: SET workers = 1; or SET threads = 1; or a larger spark.executor.memoryOverhead.",
    ),
    (
        re.compile(r"ExecutorLostFailure|executor (?:lost|exited)|Lost executor", re.IGNORECASE),
        "an executor was lost on every try",
        "Look into the executor's log; where it was killed for its memory, set spark.executor.memoryOverhead higher.",
    ),
    (
        re.compile(r"OutOfMemoryError"),
        "Java ran out of memory",
        "SET persistence = disk; or more SET partitions = n; or a larger spark.executor.memory or spark.driver.memory.",
    ),
    (
        re.compile(r"Answer from Java side is empty|Connection refused|while trying to connect to the Java server"),
        "Spark's Java has ended, perhaps killed for its memory",
        "SET memory_limit lower, or SET workers = 1; the next statement starts Spark again.",
    ),
    (
        re.compile(r"No space left on device"),
        "a disk is full",
        "Make room, or name another folder: SET spark.local.dir = '/path'",
    ),
    (
        re.compile(r"ModuleNotFoundError: No module named '(?:vistaql|pyspark|tensorflow|pyarrow)"),
        "a worker lacks a package that plans need",
        "Install vistaql where executors run, and name its Python: SET spark.pyspark.python = '/path/bin/python'",
    ),
    (
        re.compile(r"PYTHON_VERSION_MISMATCH|different version.*driver", re.IGNORECASE),
        "workers run another version of Python than the driver",
        "SET spark.pyspark.python = '/path/bin/python' to one of the driver's version.",
    ),
)


@contextmanager
def in_words() -> Iterator[None]:
    """Turn what Spark raises into a VistaQLError of one line; Spark's own words stay its cause."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError) as failure:
        raise told(str(failure)) from failure


def told(text: str) -> VistaQLError:
    r"""The error behind Spark's words: one that a worker raised as it is, else the cause in a line.

    >>> print(told("Traceback\nvistaql.errors.VistaQLError: VQL3003: The weights changed.\n  hint: Again.\n\n"))
    VQL3003: The weights changed.
      hint: Again.
    >>> told("Job aborted due to stage failure: ExecutorLostFailure (executor 1 exited)").message
    'A task failed: an executor was lost on every try.'
    >>> told("An error occurred.\n: org.a.SparkException: It was late.\n\tat b\n\t... 3 more").message
    'A task failed: SparkException: It was late.'
    """
    ours = told_in(text)
    if ours:
        return ours
    for pattern, cause, hint in CAUSES:
        if pattern.search(text):
            return VistaQLError(Code.SPARK_TASK, f"A task failed: {cause}.", hint=hint)
    reason = ([*text.strip().splitlines()[:1], *EXCEPTION.findall(text)] or ["Spark gave no reason"])[-1]
    return VistaQLError(
        Code.SPARK_TASK, f"A task failed: {reason.strip()}", hint="Run it again with --verbose for Spark's trace."
    )


def blaming(kernel: Kernel, batches: Batches) -> Batches:
    """Run a kernel in a worker; where it fails, raise SPARK_TASK with the key of the image that makes it fail.

    Images are decoded ahead, so the one to blame is looked for among the last ones. A worker that dies tells nothing.
    """
    recent: deque[pa.RecordBatch] = deque(maxlen=BATCHES_AHEAD)

    def seen() -> Batches:
        for batch in batches:
            recent.append(batch)
            yield batch

    try:
        yield from kernel(seen())
    except VistaQLError:
        raise
    except Exception as failure:
        raise VistaQLError(
            Code.SPARK_TASK,
            f"A task failed at {culprit(kernel, tuple(recent))}: {type(failure).__name__}: {first_line(failure)}",
            hint="Take it out of the image set, or run again with --verbose for the trace.",
        ) from failure


def culprit(kernel: Kernel, recent: tuple[pa.RecordBatch, ...]) -> str:
    """The image that the kernel fails on by itself, in words; the range of keys where it fails on none alone.

    A pass over one image takes as long as one over a batch, so a batch that fails is halved.
    """
    keys = [str(key) for batch in recent for key in batch.column("key").to_pylist()]
    failing = next((batch for batch in recent if fails(kernel, batch)), None)
    while failing is not None:
        keys = [str(key) for key in failing.column("key").to_pylist()]
        if len(keys) == 1:
            return f"the image '{keys[0]}'"
        halves = failing.slice(0, len(keys) // 2), failing.slice(len(keys) // 2)
        failing = next((half for half in halves if fails(kernel, half)), None)
    return f"the images '{keys[0]}' to '{keys[-1]}'" if keys else "the first image"


def fails(kernel: Kernel, batch: pa.RecordBatch) -> bool:
    """Whether a kernel fails on a batch by itself."""
    try:
        for _ in kernel(iter((batch,))):
            pass
    except Exception:  # noqa: BLE001, whatever it is, it is what we look for
        return True
    return False


def first_line(failure: Exception) -> str:
    """What an exception says, on one line."""
    return (str(failure).strip().splitlines() or ["no reason given"])[0]
