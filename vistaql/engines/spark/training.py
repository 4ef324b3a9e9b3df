"""Training on the cluster: MLlib's logistic regression, which has the objective of ours, over the same folds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from vistaql.aside import awaited
from vistaql.engines.inprocess.fitting import Learnable
from vistaql.engines.spark import summing
from vistaql.engines.spark.frames import Held, beside, from_arrow
from vistaql.engines.spark.vectors import to_rows
from vistaql.errors import Code, VistaQLError
from vistaql.learners.evaluation import Examples, matrix_of
from vistaql.learners.folds import UNUSED, check_folds
from vistaql.learners.logistic_regression import LogisticRegression
from vistaql.learners.metrics import metric_named
from vistaql.physical.engine import FitResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyspark.ml.classification import LogisticRegressionModel
    from pyspark.sql import DataFrame, SparkSession

    from vistaql.engines.spark.engine import FeatureFrame
    from vistaql.learners import Learner
    from vistaql.logical.evaluation import Evaluation
    from vistaql.physical.choices import ClusterChoices

    Batches = Iterator[pa.RecordBatch]

TOLERANCE: Final = 1e-10
"""MLlib stops at a relative change of the objective; one of the coefficients, as ours does, needs far less of it."""

ROWS: Final = "place bigint, code double, tested bigint, numbers array<double>"


@dataclass(frozen=True, eq=False)
class Fitted:
    """The model of one fold, and what it says of the rows it was not fitted on."""

    model: LogisticRegressionModel
    places: np.ndarray
    """int64: numbers of the tested rows"""
    probabilities: np.ndarray
    """float64 [tested rows, classes]"""
    converged: bool


def fit_on_cluster(
    spark: SparkSession,
    rows: Learnable,
    features: FeatureFrame,
    learner: Learner,
    evaluation: Evaluation,
    choices: ClusterChoices,
    *,
    with_columns: bool,
) -> FitResult:
    """Judge a learner on one layer; what leaves the cluster are coefficients and the probabilities of tested rows.

    Raises NOT_FINITE, TOO_FEW_ROWS, and BAD_OPTION_VALUE for a learner that MLlib does not have.
    """
    examples = rows.examples(evaluation)
    check_folds(examples.codes, examples.tested)
    structured = from_arrow(spark, structured_table(examples, with_columns=with_columns))
    joined = beside(features.vectors, structured, choices.join)
    digest = digest_of_finite(joined, features.width, len(examples.codes))
    metrics = [metric for name in evaluation.metrics if (metric := metric_named(name))]
    started = perf_counter()
    folds = fit_folds(joined, examples, features.width, learner, choices, with_columns=with_columns)
    taken = perf_counter() - started
    scores = tuple(
        (
            metric.name,
            tuple(metric.score(examples.codes[fold.places], fold.probabilities) for fold in folds),
        )
        for metric in metrics
    )
    columns = examples.columns.width if with_columns and examples.columns else 0
    return FitResult(scores, columns + features.width, taken, digest, all(fold.converged for fold in folds))


def structured_table(examples: Examples, *, with_columns: bool) -> pa.Table:
    """For each row its key, number, class, the fold in which it is tested, and its encoded columns with their gaps."""
    matrix = matrix_of(examples.columns if with_columns else None, None, len(examples.codes))
    table = np.hstack([matrix.table, matrix.gaps])
    return pa.table({
        "key": pa.array(examples.keys, pa.string()),
        "place": pa.array(np.arange(len(examples.codes)), pa.int64()),
        "code": pa.array(examples.codes.astype(np.float64)),
        "tested": pa.array(examples.tested, pa.int64()),
        "columns": pa.array([row.tobytes() for row in table], pa.binary()),
    })  # fmt: skip


def fit_folds(
    joined: DataFrame, examples: Examples, width: int, learner: Learner, choices: ClusterChoices, *, with_columns: bool
) -> list[Fitted]:
    """Fit every fold, several at a time: a fit is a chain of small jobs, between which the cluster would idle."""
    from pyspark import inheritable_thread_target

    estimator = mllib(learner, examples.classes)
    columns = examples.columns if with_columns else None
    # Where no value is missing all folds read the same rows.
    shared = None if columns is not None and len(columns.gap_columns) else Held.of(
        vectors_of(joined, width, examples, 0, with_columns=with_columns), choices.persistence
    )  # fmt: skip

    def fit(number: int) -> Fitted:
        held = shared or Held.of(
            vectors_of(joined, width, examples, number, with_columns=with_columns), choices.persistence
        )
        return fit_fold(estimator, held.frame, number)

    # The jobs of these threads are of the run as well, so that Ctrl-C finds them.
    inherited = inheritable_thread_target(joined.sparkSession)(fit)
    pool = ThreadPoolExecutor(max(1, min(choices.workers, examples.folds)), thread_name_prefix="fit-on-spark")
    try:
        folds = [awaited(future) for future in [pool.submit(inherited, number) for number in range(examples.folds)]]
    except BaseException as failure:
        # After an interrupt their jobs are cancelled, which ends them. To interrupt threads that are in Py4J would
        # close the connections of others.
        pool.shutdown(wait=not isinstance(failure, KeyboardInterrupt), cancel_futures=True)
        raise
    pool.shutdown()
    return folds


def vectors_of(joined: DataFrame, width: int, examples: Examples, fold: int, *, with_columns: bool) -> DataFrame:
    """The rows as MLlib reads them: place, class, fold, and one dense vector, gaps filled as the fold fills them."""
    from pyspark.ml.functions import array_to_vector

    columns = examples.columns if with_columns else None
    fill = np.empty(0) if columns is None else examples.training_fold(fold, columns).fill
    gaps = np.empty(0, np.int64) if columns is None else columns.gap_columns
    assemble = assembled(width, 0 if columns is None else columns.width, gaps, fill)
    frame = joined.mapInArrow(assemble, ROWS)
    # MLlib would otherwise count the classes that a fold happens to learn from.
    nominal = {"ml_attr": {"name": "code", "type": "nominal", "num_vals": examples.classes}}
    code = frame["code"].alias("code", metadata=nominal)
    return frame.select("place", code, "tested", array_to_vector(frame["numbers"]).alias("features"))


def assembled(width: int, columns: int, gaps: np.ndarray, fill: np.ndarray) -> Callable[[Batches], Batches]:
    """Columns of the table, then the features of the layer, as float64, with a fold's fill in the gaps."""

    def run(batches: Batches) -> Batches:
        for batch in batches:
            block = np.empty((batch.num_rows, columns + width))
            if columns:
                raw = b"".join(batch.column("columns").to_pylist())
                table = np.frombuffer(raw).reshape(batch.num_rows, columns + len(gaps))
                block[:, :columns] = table[:, :columns]
                block[:, gaps] += table[:, columns:] * fill
            block[:, columns:] = to_rows(batch.column("vector"), width)
            offsets = pa.array(np.arange(batch.num_rows + 1, dtype=np.int32) * block.shape[1])
            numbers = pa.ListArray.from_arrays(offsets, pa.array(block.reshape(-1)))
            yield pa.record_batch([*(batch.column(name) for name in ("place", "code", "tested")), numbers],
                                  names=["place", "code", "tested", "numbers"])  # fmt: skip

    return run


def mllib(learner: Learner, classes: int) -> Any:
    """MLlib's estimator with the objective of a learner."""
    from pyspark.ml.classification import LogisticRegression as Estimator

    if not isinstance(learner, LogisticRegression):
        raise VistaQLError(
            Code.BAD_OPTION_VALUE, f"{learner.name} is not fitted on the cluster.", hint="SET training = driver"
        )
    return Estimator(
        labelCol="code", featuresCol="features", regParam=learner.reg, elasticNetParam=learner.l1_ratio,
        maxIter=learner.max_iter, tol=TOLERANCE, standardization=True,
        family="binomial" if classes == 2 else "multinomial",
    )  # fmt: skip


def fit_fold(estimator: Any, frame: DataFrame, number: int) -> Fitted:
    """Fit on the rows that are not tested in a fold, and ask about those that are."""
    from pyspark.ml.functions import vector_to_array

    model = estimator.fit(frame.where(f"tested <> {number} AND tested <> {UNUSED}"))
    said = model.transform(frame.where(f"tested = {number}"))
    told = said.select("place", vector_to_array(said["probability"]).alias("probabilities")).toArrow().sort_by("place")
    probabilities = told["probabilities"].combine_chunks().flatten().to_numpy().reshape(told.num_rows, -1)
    converged = int(model.summary.totalIterations) < estimator.getMaxIter()
    return Fitted(model, told["place"].to_numpy(), probabilities, converged)


def digest_of_finite(joined: DataFrame, width: int, rows: int) -> str:
    """The digest of the features that are learnt from.

    Raises BAD_IMAGE where a row has none, and NOT_FINITE where a learner would choke on them.
    """
    parts = joined.mapInArrow(summing.digests(width), summing.DIGESTS).collect()
    missing = rows - sum(part.vectors for part in parts)
    if missing:
        raise VistaQLError(Code.BAD_IMAGE, f"{missing:,} rows have no features: their images cannot be used.")
    unusable = sum(part.unusable for part in parts)
    if unusable:
        raise VistaQLError(
            Code.NOT_FINITE, f"The layer gives values that are not finite for {unusable} of {rows} rows.",
            hint="Choose an earlier layer, or trained weights.",
        )  # fmt: skip
    return summing.sum_of([part.digest for part in parts])
