"""Loading TensorFlow once, quietly, and with a thread count that is chosen before the first operation."""

from __future__ import annotations

import ctypes
import importlib.util
import logging
import os
import sys
import tempfile
import threading
import warnings
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from vistaql.errors import Code, VistaQLError

if TYPE_CHECKING:
    from collections.abc import Iterator

# TensorFlow reads these when it is loaded. Errors are kept out as well: what fails raises in Python.
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "GLOG_minloglevel": "3", "GRPC_VERBOSITY": "NONE", "KERAS_BACKEND": "tensorflow"}
# TensorFlow turns its oneDNN kernels on by itself only where a CPU has AVX512. Without that they are faster still:
# mobilenet_v2 takes 15 ms of a core an image instead of 21, resnet50 100 instead of 137.
KERNELS = {"TF_ENABLE_ONEDNN_OPTS": "1"}

# What the extension modules of TensorFlow link against, on Linux.
LIBRARIES = ("libtensorflow_framework.so.2", "libtensorflow_cc.so.2")

_importing = threading.Lock()


def import_tensorflow() -> Any:
    """The module `tensorflow`, with `tensorflow.keras` in it; loaded at the first call, which takes seconds.

    What is written to descriptor 2 during the import is held, and shown only if the import fails.
    Raises NO_TENSORFLOW where TensorFlow cannot be loaded.
    """
    with _importing:
        if "tensorflow" not in sys.modules:
            os.environ.update(QUIET | KERNELS)
            try:
                with held_stderr(), warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    _load()
            except (ImportError, OSError, RuntimeError) as failure:
                hint = "Install it with: pip install tensorflow-cpu"
                message = f"TensorFlow cannot be loaded: {failure}"
                raise VistaQLError(Code.NO_TENSORFLOW, message, hint=hint) from failure
        import tensorflow as tf

        return tf


def open_libraries() -> None:
    """Open TensorFlow's shared libraries outside Python's lock, so that the import holds nobody up for long.

    Where they lie or are called differently, nothing happens: the import opens them itself.
    """
    spec = importlib.util.find_spec("tensorflow")
    os.environ.update(QUIET | KERNELS)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for library in LIBRARIES:
            with held_stderr(), suppress(OSError):
                ctypes.CDLL(os.path.join(folder, library))  # noqa: PTH118, a name of a library, not of a file


def _load() -> None:
    import keras
    import tensorflow as tf

    if keras.backend.backend() != "tensorflow":
        message = f"Keras was loaded before with the backend {keras.backend.backend()}, which has no TensorFlow graphs"
        raise RuntimeError(message)
    tf.get_logger().setLevel(logging.CRITICAL)
    logging.getLogger("absl").setLevel(logging.CRITICAL)


def set_threads(intra: int, inter: int = 1, *, asked_for: bool = True) -> None:
    """Choose how many threads one operation has, and how many operations run at a time; before the first one runs.

    Asking again for the same numbers is allowed. Raises THREADS_FIXED where TensorFlow runs with others already,
    unless nobody asked for a number: then those of the program around us are as good, and give the same bits.
    """
    threading_config = import_tensorflow().config.threading
    now = (
        threading_config.get_intra_op_parallelism_threads(),
        threading_config.get_inter_op_parallelism_threads(),
    )
    if now == (intra, inter):
        return
    try:
        threading_config.set_intra_op_parallelism_threads(intra)
        threading_config.set_inter_op_parallelism_threads(inter)
    except RuntimeError as failure:
        if not asked_for:
            return
        raise VistaQLError(
            Code.THREADS_FIXED,
            f"TensorFlow runs in this process with {describe_threads(*now)} already; asked for {intra} x {inter}.",
            hint="Choose the threads before the first statement that runs a CNN, or start a new process.",
        ) from failure


def describe_threads(intra: int, inter: int) -> str:
    """Threads of an operation x operations at a time, where 0 is TensorFlow's own choice.

    >>> describe_threads(2, 1), describe_threads(0, 0)
    ('2 x 1 threads', 'as many threads as it likes')
    """
    return f"{intra} x {inter} threads" if intra or inter else "as many threads as it likes"


class _Hold:
    """Descriptor 2 while it is held: several threads may hold it at once, the last one gives it back."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.depth = 0
        self.saved = -1
        self.file = -1

    def take(self) -> None:
        with self.lock:
            if self.depth == 0:
                self._swap()
            self.depth += 1

    def _swap(self) -> None:
        flush_stderr()
        try:
            self.saved = os.dup(2)
        except OSError:  # a process without a standard error has nothing to hold
            self.saved = -1
            return
        with tempfile.TemporaryFile() as held:
            self.file = os.dup(held.fileno())
        os.dup2(self.file, 2)

    def give_back(self, *, replay: bool) -> None:
        with self.lock:
            self.depth -= 1
            if self.depth or self.saved < 0:
                return
            flush_stderr()
            os.dup2(self.saved, 2)
            if replay:
                os.lseek(self.file, 0, os.SEEK_SET)
                while text := os.read(self.file, 65536):
                    os.write(2, text)
            os.close(self.saved)
            os.close(self.file)


_hold = _Hold()


@contextmanager
def held_stderr() -> Iterator[None]:
    """Keep what native code writes to descriptor 2 off the screen; show it if the block fails.

    A VistaQLError says itself what is wrong, and an interrupt is nobody's failure: nothing is shown for them.
    """
    _hold.take()
    try:
        yield
    except (VistaQLError, KeyboardInterrupt):
        _hold.give_back(replay=False)
        raise
    except BaseException:
        _hold.give_back(replay=True)
        raise
    else:
        _hold.give_back(replay=False)


def flush_stderr() -> None:
    """Write out what Python has kept for standard error, so that it goes where it was meant to."""
    if sys.stderr is not None and not sys.stderr.closed:
        sys.stderr.flush()
