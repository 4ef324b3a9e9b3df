"""The verbs of the physical operators, on Spark."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING
from weakref import WeakSet

from vistaql.engines.inprocess.fitting import Learnable, fit_layer
from vistaql.engines.inprocess.tensors import FeatureArray
from vistaql.engines.spark import summing
from vistaql.engines.spark.frames import Held, beside, from_arrow, matching, release
from vistaql.engines.spark.images import image_frame
from vistaql.engines.spark.jobs import jobs, watched
from vistaql.engines.spark.vectors import to_rows
from vistaql.engines.spark.weights import sent_files
from vistaql.engines.spark.worker import inference, pass_schema
from vistaql.physical.choices import ClusterChoices
from vistaql.physical.engine import FitResult, Storage
from vistaql.progress import FITTING, LOADING, Progress, task
from vistaql.settings import JoinMethod, Persistence, Placement, TrainingPlace

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

    from vistaql.engines.inprocess.bad import BadImages
    from vistaql.learners import Learner
    from vistaql.logical.evaluation import Evaluation
    from vistaql.logical.nodes import Reduction, Rows, ScanImages
    from vistaql.outcome import BadImage
    from vistaql.physical.inference import Output, Pass


@dataclass(frozen=True, eq=False)
class Images:
    """The images to read: a frame of key, number and image, and how many there are."""

    frame: DataFrame
    count: int


@dataclass(frozen=True, eq=False)
class Kept:
    """A kept tensor of every usable image, `column` of a held frame."""

    held: Held
    column: str
    count: int

    @property
    def frame(self) -> DataFrame:
        """Key, number, and the bytes of the tensor."""
        frame = self.held.frame.where("error IS NULL")
        return frame.select("key", "number", frame[self.column].alias("tensor"))

    def drop(self) -> None:
        """Free what the cluster holds."""
        self.held.frame.unpersist()


@dataclass(frozen=True, eq=False)
class PassResult:
    """What a pass gave: features for good, and all of it, kept tensors included, for a while."""

    inference: Pass
    features: Held
    everything: Held
    count: int


@dataclass(frozen=True, eq=False)
class FeatureFrame:
    """The vectors of one output, one a usable image, or one a key where they are reduced."""

    held: Held
    column: str
    layer: str
    width: int
    reduction: Reduction | None

    @property
    def vectors(self) -> DataFrame:
        """Key, and the bytes of the vector."""
        frame = self.held.frame.where("error IS NULL")
        vectors = frame.select("key", "number", frame[self.column].alias("vector"))
        if self.reduction is None:
            return vectors.drop("number")
        together = vectors.repartition("key").sortWithinPartitions("key", "number")
        return together.mapInArrow(summing.reduced(self.reduction, self.width), summing.VECTORS)


@dataclass
class OnSpark:
    """Runs operators in a Spark session. Image bytes, tensors and features stay on the cluster.

    Features are collected only where learners are fitted on the driver. `rows` were joined before the plan was
    chosen, since their count is what the choice depends on; they are few and narrow beside the features.
    """

    spark: SparkSession
    learnable: Learnable
    listing: pa.Table
    choices: ClusterChoices
    fit_workers: int
    bad: BadImages
    progress: Progress
    run: str
    """the id of the run, which its jobs carry"""
    decoded: int = 0
    """images that went through a CNN"""
    inference_seconds: float = 0.0
    """in all passes"""
    notes: list[str] = field(default_factory=list)
    held: WeakSet[Held] = field(default_factory=WeakSet)
    """what the cluster keeps now"""

    def hold(self, frame: DataFrame, persistence: Persistence) -> Held:
        """Have a frame kept from its first use on, as long as somebody refers to it."""
        kept = Held.of(frame, persistence)
        self.held.add(kept)
        return kept

    def close(self) -> None:
        """Have the cluster forget everything, also what the trace of an error still refers to."""
        for kept in self.held:
            release(kept.frame)

    @cached_property
    def keys(self) -> DataFrame:
        """The keys of the rows to learn from."""
        return from_arrow(self.spark, key_table(self.learnable.keys))

    def rows(self, rows: Rows) -> Learnable:  # noqa: ARG002 - one query at a time, and its rows are here
        """The rows that were joined already."""
        return self.learnable

    def either(self, rows: tuple[Learnable, ...]) -> Learnable:
        """The rows of the one query that runs: several are planned together in process only."""
        (one,) = set(rows)
        return one

    def images(self, images: ScanImages, rows: Learnable | None) -> Images:
        """The images of the set, or those that have a row, cut into as many parts as was decided."""
        with task(self.progress, LOADING, 1, "") as loaded:
            found = self.partitioned(images, rows)
            loaded(1)
        return found

    def partitioned(self, images: ScanImages, rows: Learnable | None) -> Images:
        """The images as a frame."""
        frame = image_frame(self.spark, images.images, self.listing)
        if rows is None:
            return Images(frame.repartition(self.choices.partitions), self.listing.num_rows)
        wanted = set(rows.keys)
        count = sum(key in wanted for key in self.listing["key"].to_pylist())
        # Without a number of parts Spark would choose one by the size of the paths, and leave cores idle.
        return Images(matching(frame, self.keys, self.choices.join).repartition(self.choices.partitions), count)

    def infer(self, source: Images | Kept, pass_: Pass, storage: Storage) -> PassResult:
        """Run the kernel over all images in the workers; bad ones are counted, and stop the run if they are many."""
        started = perf_counter()
        run = inference(pass_, self.choices.threads, self.choices.decoders, sent_files(self.spark, pass_.cnn))
        persistence = Persistence.DISK if storage is Storage.DISK else self.choices.persistence
        with watched(self.spark, self.progress, self.run, f"{pass_.cnn.name} {pass_.layers[-1]}", source.count):
            everything = self.hold(source.frame.mapInArrow(run, pass_schema(pass_)), persistence)
            stored = self.count(everything, source.count)
            features = everything
            if pass_.keep:
                # A frame of their own, so that the tensors can be dropped and the features stay.
                names = [f"f{place}" for place in range(len(pass_.outputs))]
                features = self.hold(everything.frame.select("key", "number", "error", *names), persistence)
                features.frame.count()
        self.decoded = max(self.decoded, stored)
        self.inference_seconds += perf_counter() - started
        return PassResult(pass_, features, everything, stored)

    def count(self, held: Held, total: int) -> int:
        """Run a pass, hold what it gives, and write down its bad images; how many are good."""
        from pyspark.sql import functions as sql

        facts = sql.struct("key", "number", "error")
        found = held.frame.agg(
            sql.count("*").alias("all"), sql.collect_list(sql.when(sql.col("error").isNotNull(), facts)).alias("bad")
        ).first()
        if found is None:
            message = "an aggregate without groups has one row"
            raise AssertionError(message)
        bad = sorted(tuple(row) for row in found["bad"])
        if bad:
            places = self.places(held, [key for key, _, _ in bad])
            for key, number, error in bad:
                self.bad.add(key, places[key].index(number), error, total)
        return int(found["all"]) - len(bad)

    def places(self, held: Held, keys: list[str]) -> dict[str, list[int]]:
        """The numbers of all images of some keys, in order."""
        wanted = from_arrow(self.spark, key_table(dict.fromkeys(keys)))
        found = matching(held.frame.select("key", "number"), wanted, JoinMethod.BROADCAST).toArrow()
        places: dict[str, list[int]] = {}
        for key, number in sorted(zip(found["key"].to_pylist(), found["number"].to_pylist(), strict=True)):
            places.setdefault(key, []).append(number)
        return places

    def kept(self, result: PassResult, layer: str) -> Kept:
        """The tensor a pass kept."""
        return Kept(result.everything, f"t{result.inference.keep.index(layer)}", result.count)

    def features(self, result: PassResult, output: Output, reduction: Reduction | None) -> FeatureFrame:
        """The vectors of one output, images of one key reduced to one vector."""
        width = output.pool.feature_width(result.inference.cnn.by_name[output.layer].shape)
        column = f"f{result.inference.outputs.index(output)}"
        return FeatureFrame(result.features, column, output.layer, width, reduction)

    def fit(
        self,
        rows: Learnable,
        features: FeatureFrame | None,
        learner: Learner,
        evaluation: Evaluation,
        *,
        with_columns: bool,
    ) -> FitResult:
        """Judge a learner over the folds. The table alone is learnt from where it lies: here."""
        usable = rows.without(self.bad.lost_keys)
        with task(self.progress, FITTING, 1, "fits") as fitted:
            if features is None:
                workers = self.fit_workers
                found = fit_layer(usable, None, learner, evaluation, with_columns=with_columns, workers=workers)
            else:
                with jobs(self.spark, self.run, f"{learner} on {features.layer}"):
                    found = self.fit_features(usable, features, learner, evaluation, with_columns=with_columns)
            fitted(1)
        if not found.converged:
            self.notes.append(f"A fit of {learner} stopped at its iteration limit; its figures may still move.")
        return found

    def fit_features(
        self, rows: Learnable, features: FeatureFrame, learner: Learner, evaluation: Evaluation, *, with_columns: bool
    ) -> FitResult:
        """Judge a learner on a layer where it was decided to."""
        if self.choices.training is TrainingPlace.CLUSTER:
            from vistaql.engines.spark.training import fit_on_cluster

            return fit_on_cluster(
                self.spark, rows, features, learner, evaluation, self.choices, with_columns=with_columns
            )
        return fit_layer(
            rows, self.collected(features), learner, evaluation, with_columns=with_columns, workers=self.fit_workers
        )

    def collected(self, features: FeatureFrame) -> FeatureArray:
        """The vectors of the rows to learn from, brought to the driver."""
        table = self.of_rows(features.vectors).toArrow()
        return FeatureArray(table["key"].to_pylist(), to_rows(table["vector"], features.width))

    def of_rows(self, vectors: DataFrame) -> DataFrame:
        """Vectors whose key has a row; all have one where the others were left out before inference."""
        if self.choices.place is Placement.BEFORE_INFERENCE:
            return vectors
        return matching(vectors, self.keys, self.choices.join)

    def export(self, rows: Learnable, features: tuple[FeatureFrame, ...], names: tuple[str, ...], path: str) -> int:
        """Write the key and the features of every usable row to a folder of Parquet files, from the workers."""
        from vistaql.engines.spark.export import write_features

        usable = sorted(set(rows.keys) - self.bad.lost_keys)
        wanted = from_arrow(self.spark, key_table(usable))
        first, *others = [matching(item.vectors, wanted, self.choices.join) for item in features]
        joined = first.withColumnRenamed("vector", "f0")
        for place, other in enumerate(others, start=1):
            joined = beside(joined, other.withColumnRenamed("vector", f"f{place}"), self.choices.join)
        with jobs(self.spark, self.run, f"write {path}"):
            return write_features(joined, tuple(item.width for item in features), names, path)

    def bad_images(self) -> tuple[BadImage, ...]:
        """Images that could not be decoded, by key."""
        return self.bad.images


def key_table(keys: Iterable[str]) -> pa.Table:
    """Keys as a table of one column."""
    import pyarrow as pa

    return pa.table({"key": pa.array(list(keys), pa.string())})
