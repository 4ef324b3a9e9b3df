"""The process from which Spark forks its Python workers, with TensorFlow loaded before the first fork.

Each worker would take seconds to load it, and hold its code once more in memory. TensorFlow is loaded and not used:
its threads, which no fork survives, start with its first operation. Linux only; `launch.defaults` names this module.
"""

from __future__ import annotations

import gc

from pyspark.daemon import manager

from vistaql.engines.tensorflow.runtime import import_tensorflow

if __name__ == "__main__":
    import_tensorflow()
    # After each task a worker collects garbage, and would look through all of TensorFlow's objects for it.
    gc.freeze()
    manager()
