"""The verbs of the physical operators, in this process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Protocol

from vistaql.aside import aside
from vistaql.engines.inprocess.bad import BadImages
from vistaql.engines.inprocess.fitting import Learnable, fit_layer
from vistaql.engines.inprocess.tensors import (
    ArrayCollector,
    Batches,
    FeatureArray,
    SpoolCollector,
    SpooledFeatures,
)  # fmt: skip
from vistaql.engines.inprocess.vectors import DiskVectors
from vistaql.engines.inprocess.watch import MemoryWatch
from vistaql.logical.nodes import Explore, Export, Reduce, images_of
from vistaql.physical.engine import Extent, FitResult, Storage
from vistaql.physical.footprint import batches_ahead, footprint
from vistaql.physical.inference import Output, Pass, tensor_column
from vistaql.physical.operator import FLOAT32
from vistaql.physical.sizes import SPOOLED_BYTES
from vistaql.progress import FITTING, LOADING, Progress, task
from vistaql.settings import Settings
from vistaql.stores.image_set import ImageSet

if TYPE_CHECKING:
    import pyarrow as pa

    from vistaql.engines.inprocess.prepare import Prepared
    from vistaql.learners import Learner
    from vistaql.logical.evaluation import Evaluation
    from vistaql.logical.nodes import Reduction, Rows, ScanImages
    from vistaql.outcome import BadImage

# Rows of a batch that leaves the reader; the kernel cuts its own.
READ_ROWS = 64


class Threads(Protocol):
    """What was decided about threads."""

    @property
    def threads(self) -> int:
        """TensorFlow's."""

    @property
    def decoders(self) -> int:
        """Those that decode images."""

    @property
    def fit_workers(self) -> int:
        """Fits side by side."""

    @property
    def memory_bytes(self) -> int:
        """What the process may hold."""

    @property
    def spools(self) -> bool:
        """Whether large vectors go to disk."""


@dataclass(frozen=True)
class Keys:
    """Keys of images that some query has a row for."""

    keys: list[str]


@dataclass(frozen=True)
class Images:
    """The images to read, in one order; `keys` are unique, and `count` images have them."""

    image_set: ImageSet
    listing: pa.Table
    keys: list[str]
    count: int

    def __len__(self) -> int:
        return self.count

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Columns key and image (path or bytes)."""
        import pyarrow as pa

        from vistaql.stores.streaming import stream_images

        return stream_images(self.image_set, pa.array(self.keys, pa.string()), READ_ROWS, self.listing)


@dataclass(frozen=True)
class Kept:
    """A kept tensor, and how many images it holds."""

    tensors: Batches
    count: int

    def __len__(self) -> int:
        return self.count

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Columns key and the tensor."""
        return iter(self.tensors)

    @property
    def extent(self) -> Extent:
        """Images, and the bytes of their tensors."""
        return Extent(self.count, self.tensors.bytes)

    def drop(self) -> None:
        """Free the memory or the file."""
        self.tensors.drop()


@dataclass(frozen=True)
class PassResult:
    """Features and kept tensors of a pass."""

    features: dict[str, FeatureArray | SpooledFeatures]
    kept: dict[str, Kept]
    images: int

    @property
    def extent(self) -> Extent:
        """Images, and the bytes of all that the pass gave."""
        given = (*self.features.values(), *self.kept.values())
        return Extent(self.images, sum(item.extent.bytes for item in given))


@dataclass
class InProcess:
    """Runs operators with DuckDB's rows at hand, TensorFlow in this process, and scikit-learn.

    `rows` were joined before the plan was chosen, since their count is what the choice depends on.
    """

    learnable: Learnable
    listing: pa.Table
    threads: int
    decoders: int
    fit_workers: int
    bad: BadImages
    folder: str
    progress: Progress
    watch: MemoryWatch
    spools: bool = False
    """whether the vectors of a layer go to disk where they are large"""
    threads_asked_for: bool = False
    """whether the user chose the number of threads, so that another is an error"""
    spool_features: bool = False
    """whether features go to disk, for an export that need not fit into memory"""
    others: Mapping[str, Learnable] = field(default_factory=dict)
    """rows of the queries that are answered together, by the digest of their logical rows"""
    decoded: int = 0
    """images that went through a CNN"""
    inference_seconds: float = 0.0
    """in all passes"""
    notes: list[str] = field(default_factory=list)

    def rows(self, rows: Rows) -> Learnable:
        """The rows that were joined already."""
        return self.others.get(rows.digest, self.learnable)

    def either(self, rows: tuple[Learnable, ...]) -> Keys:
        """The keys of several queries' rows."""
        return Keys([key for item in rows for key in item.keys])

    def images(self, images: ScanImages, rows: Learnable | Keys | None) -> Images:
        """The images of the set, or those that have a row. TensorFlow, which whoever reads them needs, is loaded."""
        from vistaql.engines.tensorflow.runtime import import_tensorflow, set_threads

        with task(self.progress, LOADING, 1, "") as loaded:
            aside(import_tensorflow, finish=True)
            set_threads(self.threads, asked_for=self.threads_asked_for)
            loaded(1)
        keys = self.listing["key"].to_pylist()
        if rows is not None:
            wanted = set(rows.keys)
            keys = [key for key in keys if key in wanted]
        return Images(images.images, self.listing, list(dict.fromkeys(keys)), len(keys))

    def infer(self, source: Images | Kept, pass_: Pass, storage: Storage) -> PassResult:
        """Run the kernel over all images; bad ones are counted, and stop the run where there are too many."""
        from vistaql.engines.tensorflow.kernel import run_pass

        started = perf_counter()
        self.watch.before_pass(footprint(pass_))
        columns = {output.column: self.collector(output, pass_, len(source)) for output in pass_.outputs}
        kept = {layer: Batches(storage, self.folder) for layer in pass_.keep}
        for item in (*kept.values(), *columns.values()):
            self.watch.hold(item)
        stored = 0
        seen: Counter[str] = Counter()
        self.progress.start(pass_.title, len(source), "images")
        try:
            ahead = partial(self.watch.batches_ahead, batches_ahead(pass_))
            with closing(run_pass(pass_, source.batches(), decoders=self.decoders, ahead=ahead)) as batches:
                for batch in batches:
                    stored += self.take(batch, seen, len(source), columns, kept)
                    # What was kept of it would otherwise lie beside the next one.
                    del batch
        except BaseException:
            for unfinished in (*kept.values(), *columns.values()):
                unfinished.drop()
            raise
        finally:
            self.progress.finish()
        for tensors in kept.values():
            tensors.close()
        self.decoded = max(self.decoded, stored)
        self.inference_seconds += perf_counter() - started
        features = {name: column.collected() for name, column in columns.items()}
        for vectors in features.values():
            if isinstance(vectors, FeatureArray):
                self.watch.hold(vectors)
        return PassResult(features, {layer: Kept(tensors, stored) for layer, tensors in kept.items()}, stored)

    def take(
        self,
        batch: pa.RecordBatch,
        seen: Counter[str],
        total: int,
        columns: Mapping[str, ArrayCollector | SpoolCollector],
        kept: Mapping[str, Batches],
    ) -> int:
        """Hand on what a pass gives of the good rows of a batch; how many they are."""
        good = self.bad.without(batch, seen, total)
        for column in columns.values():
            column.add(good)
        for layer, tensors in kept.items():
            tensors.write(good.select(["key", tensor_column(layer)]))
        self.watch.make_room()
        self.progress.advance(batch.num_rows)
        return int(good.num_rows)

    def collector(self, output: Output, pass_: Pass, images: int) -> ArrayCollector | SpoolCollector:
        """Where the vectors of an output go."""
        if self.spool_features:
            return SpoolCollector(output.column, Batches(Storage.DISK, self.folder))
        width = output.pool.feature_width(pass_.cnn.by_name[output.layer].shape)
        on_disk = self.spools and FLOAT32 * width * images > SPOOLED_BYTES
        return ArrayCollector(output.column, width, file=DiskVectors(width, self.folder) if on_disk else None)

    def kept(self, result: PassResult, layer: str) -> Kept:
        """The tensor a pass kept."""
        return result.kept[layer]

    def features(
        self, result: PassResult, output: Output, reduction: Reduction | None
    ) -> FeatureArray | SpooledFeatures:
        """The vectors of one output, images of one key reduced to one vector."""
        found = result.features[output.column]
        return found.reduced(reduction) if reduction and isinstance(found, FeatureArray) else found

    def fit(
        self,
        rows: Learnable,
        features: FeatureArray | None,
        learner: Learner,
        evaluation: Evaluation,
        *,
        with_columns: bool,
    ) -> FitResult:
        """Judge a learner over the folds."""
        usable = rows.without(self.bad.lost_keys)
        width = (features.width if features else 0) + usable.table.num_columns
        needed = self.fit_workers * learner.memory(len(usable.keys), width, max(2, len(usable.class_names)))
        if self.spools or self.watch.tight(needed):
            self.watch.let_go()
        workers = self.fit_workers if self.watch.make_room(needed) else 1
        with task(self.progress, FITTING, 1, "fits") as fitted, self.watch.looking(needed):
            found = fit_layer(usable, features, learner, evaluation, with_columns=with_columns, workers=workers)
            fitted(1)
        if not found.converged:
            self.notes.append(f"A fit of {learner} stopped at its iteration limit; its figures may still move.")
        return found

    def export(
        self, rows: Learnable, features: tuple[FeatureArray | SpooledFeatures, ...], names: tuple[str, ...], path: str
    ) -> int:
        """Write the key and the features of every usable row to a Parquet file."""
        from vistaql.engines.inprocess.export import write_features

        return write_features(frozenset(rows.keys) - self.bad.lost_keys, features, names, path)

    def seen_by(self, prepared: Prepared, *, every_image: bool) -> InProcess:
        """What one of several queries sees of the run: its own rows, and what became of its own images."""
        keys = None if every_image else frozenset(prepared.learnable.keys)
        bad = self.bad.among(keys)
        total = prepared.sizes.all_images if every_image else prepared.sizes.images
        return replace(self, learnable=prepared.learnable, bad=bad, decoded=total - len(bad))

    def bad_images(self) -> tuple[BadImage, ...]:
        """Images that could not be decoded, by key."""
        return self.bad.images


def engine_for(
    query: Explore | Export,
    settings: Settings,
    prepared: Prepared,
    configuration: Threads,
    folder: str,
    progress: Progress,
) -> InProcess:
    """The engine that runs one query, with what was prepared and decided for it."""
    return InProcess(
        learnable=prepared.learnable,
        listing=prepared.listing,
        threads=configuration.threads,
        threads_asked_for=settings.threads is not None,
        decoders=configuration.decoders,
        fit_workers=configuration.fit_workers,
        bad=bad_images_of(query, settings, prepared),
        folder=folder,
        progress=progress,
        watch=MemoryWatch(configuration.memory_bytes, folder),
        spools=configuration.spools,
        spool_features=isinstance(query, Export) and not any(isinstance(node, Reduce) for node in query.walk()),
    )


def bad_images_of(query: Explore | Export, settings: Settings, prepared: Prepared) -> BadImages:
    """No bad images yet, and how many there may be: as the statement says, else as the image set does."""
    images = images_of(query).images
    return BadImages(
        prepared.listing,
        images.place,
        settings.on_error or images.on_error,
        images.max_bad if settings.max_bad is None else settings.max_bad,
    )
