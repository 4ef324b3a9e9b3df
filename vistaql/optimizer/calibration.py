"""The rates at which a machine works: defaults, what CALIBRATE measured, and what runs have taught."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace


def rate(default: float, unit: str, meaning: str) -> float:
    """A field of Calibration with its unit and meaning."""
    found: float = field(default=default, metadata={"unit": unit, "meaning": meaning})
    return found


@dataclass(frozen=True)
class BlockSeconds:
    """What a block of a CNN took, measured: from the end of the block before to `end`, for one image on one core."""

    end: str
    seconds: float


@dataclass(frozen=True)
class NetworkSeconds:
    """A CNN whose blocks were measured, in network order; `graph` is the digest of what it computes."""

    graph: str
    blocks: tuple[BlockSeconds, ...]


@dataclass(frozen=True)
class Calibration:
    """Rates of one core, fixed costs, and bytes.

    The defaults were measured on two cores of an AMD EPYC of 2021 (AVX2, 2.4 GHz) as processor seconds on one
    thread, as CALIBRATE does. They are good to a factor of two elsewhere until CALIBRATE has run.
    """

    convolution_flops: float = rate(79e9, "FLOP/s", "convolutions over several pixels")
    pointwise_flops: float = rate(108e9, "FLOP/s", "convolutions of 1 x 1")
    depthwise_flops: float = rate(24e9, "FLOP/s", "convolutions of each channel by itself")
    dense_flops: float = rate(60e9, "FLOP/s", "dense layers")
    moved_bytes: float = rate(5.2e9, "B/s", "tensors of layers read and written")
    weight_bytes: float = rate(8e9, "B/s", "weights of dense layers, read once a batch")
    inference_serial: float = rate(0.06, "", "share of inference that other threads do not help with")
    batch_seconds: float = rate(0.002, "s", "handing a batch to a graph and taking its features")
    decoded_pixels: float = rate(75e6, "px/s", "pixels of images decoded and resized")
    decoded_bytes: float = rate(45e6, "B/s", "bytes of image files decoded")
    opened_images: float = rate(5000.0, "/s", "image files opened")
    listed_images: float = rate(60_000.0, "/s", "image files listed")
    read_bytes: float = rate(1.2e9, "B/s", "files read")
    kept_bytes: float = rate(3e9, "B/s", "tensors copied to and from memory")
    spilled_bytes: float = rate(700e6, "B/s", "tensors and vectors written to and read from disk")
    hashed_bytes: float = rate(700e6, "B/s", "bytes of which digests are made")
    hashed_rows: float = rate(500_000.0, "/s", "vectors of which a digest is made")
    fit_flops: float = rate(60e9, "FLOP/s", "fitting, one BLAS thread")
    fit_waiting: float = rate(0.15, "", "how much longer fits take side by side, as they wait for memory")
    fit_seconds: float = rate(0.03, "s", "setting up one training")
    model_layer_seconds: float = rate(0.009, "s", "building a layer of a CNN")
    model_parameter_seconds: float = rate(37e-9, "s", "drawing or loading a weight")
    graph_layer_seconds: float = rate(0.009, "s", "tracing, optimizing and first running a layer")
    graph_parameter_seconds: float = rate(15e-9, "s", "folding a weight into a graph")
    graph_seconds: float = rate(0.15, "s", "a graph of any size")
    library_seconds: float = rate(3.6, "s", "importing TensorFlow")
    query_seconds: float = rate(0.15, "s", "joining rows and writing the answer, for a query of any size")
    process_bytes: float = rate(175e6, "B", "the interpreter with Arrow and DuckDB after a join")
    library_bytes: float = rate(590e6, "B", "TensorFlow after its first operation")
    context_seconds: float = rate(11.0, "s", "starting a JVM, its context, and its first job")
    worker_seconds: float = rate(5.8, "s", "starting the first Python workers")
    job_seconds: float = rate(0.3, "s", "a query of Spark that goes through Python workers")
    reading_seconds: float = rate(0.13, "s", "a query of Spark over what it holds")
    task_seconds: float = rate(0.065, "s", "scheduling a task, feeding its worker")
    arrow_bytes: float = rate(100e6, "B/s", "Arrow batches between processes")
    shuffled_bytes: float = rate(210e6, "B/s", "rows brought together by key")
    objects_bytes: float = rate(330e6, "B/s", "tensors held by Spark as objects")
    serialized_bytes: float = rate(300e6, "B/s", "tensors held by Spark as bytes")
    spark_disk_bytes: float = rate(260e6, "B/s", "tensors held by Spark on disk")
    collected_bytes: float = rate(100e6, "B/s", "features brought to the driver")
    mllib_start_seconds: float = rate(2.7, "s", "the first training by MLlib, beyond a later one")
    mllib_seconds: float = rate(2.8, "s", "a fit of MLlib of any size")
    mllib_slowdown: float = rate(45.0, "", "arithmetic of MLlib beside that of the learners")
    jvm_bytes: float = rate(780e6, "B", "a JVM with Spark, before it holds anything")
    blow_up: float = rate(1.2, "", "a table held by Spark beside its vectors")
    networks: tuple[NetworkSeconds, ...] = ()
    corrections: tuple[tuple[str, float], ...] = ()
    """by kind of operator: how much longer it took than predicted, learnt from runs"""

    def __hash__(self) -> int:
        """Cheap, since seconds of layers are looked up by it; equality still compares everything."""
        return hash((self.convolution_flops, self.networks, self.corrections))

    def correction(self, kind: str) -> float:
        """The factor for a kind of operator; 1 where nothing was learnt."""
        return dict(self.corrections).get(kind, 1.0)

    def network(self, graph: str) -> NetworkSeconds | None:
        """The measured blocks of a CNN."""
        return next((item for item in self.networks if item.graph == graph), None)

    def with_network(self, network: NetworkSeconds) -> Calibration:
        """With the blocks of one CNN measured anew."""
        others = tuple(item for item in self.networks if item.graph != network.graph)
        return replace(self, networks=(*others, network))


def on_spark(kind: str) -> str:
    """What runs on Spark teach about a kind of operator is kept apart: its work is done by other processes."""
    return f"{kind} on Spark"


# A run moves a correction by this power of its ratio, and never outside the bounds.
LEARNING = 0.25
BOUNDS = (0.5, 2.0)
# Shorter work is mostly noise.
LEAST_SECONDS = 0.5


@dataclass(frozen=True)
class Observed:
    """What operators of one kind were predicted to take in a run, before corrections, and took; seconds."""

    kind: str
    predicted: float
    taken: float


def learnt(calibration: Calibration, observed: tuple[Observed, ...]) -> Calibration:
    """The calibration after a run.

    Each kind's correction moves a quarter of the way (in logarithms) towards what this run would have needed, one
    run counts at most as a factor of two, and corrections stay between a half and two: an hour of a busy machine
    makes no plan absurd.

    >>> learnt(Calibration(), (Observed("RunPass", 10.0, 16.0),)).corrections
    (('RunPass', 1.1247),)
    """
    factors = dict(calibration.corrections)
    for item in observed:
        if min(item.predicted, item.taken) < LEAST_SECONDS:
            continue
        factor = factors.get(item.kind, 1.0)
        ratio = min(2.0, max(0.5, item.taken / (factor * item.predicted)))
        moved = factor * ratio**LEARNING
        factors[item.kind] = round(min(BOUNDS[1], max(BOUNDS[0], moved)), 4)
    return replace(calibration, corrections=tuple(sorted(factors.items())))


def rates_of(calibration: Calibration) -> tuple[tuple[str, float, str, str], ...]:
    """Name, value, unit and meaning of every rate."""
    return tuple(
        (item.name, float(getattr(calibration, item.name)), item.metadata["unit"], item.metadata["meaning"])
        for item in fields(calibration)
        if item.metadata
    )


@dataclass(frozen=True)
class Profile:
    """What is kept of a machine: rates that were measured, blocks of CNNs, and what runs have taught.

    Rates that were not measured stay those of the program, so that a better default is a better default everywhere.
    """

    rates: tuple[tuple[str, float], ...] = ()
    networks: tuple[NetworkSeconds, ...] = ()
    corrections: tuple[tuple[str, float], ...] = ()

    def calibration(self) -> Calibration:
        """The rates to price plans with; names that this version does not know are passed over."""
        known = {name for name, _, _, _ in rates_of(Calibration())}
        measured = {name: value for name, value in self.rates if name in known}
        return replace(Calibration(), networks=self.networks, corrections=self.corrections, **measured)

    def measured(self, rates: tuple[tuple[str, float], ...]) -> Profile:
        """With some rates measured anew; the others stay."""
        return replace(self, rates=tuple((dict(self.rates) | dict(rates)).items()))

    def learnt(self, observed: tuple[Observed, ...]) -> Profile:
        """The profile after a run."""
        return replace(self, corrections=learnt(self.calibration(), observed).corrections)

    def with_network(self, network: NetworkSeconds) -> Profile:
        """With the blocks of one CNN measured anew."""
        return replace(self, networks=self.calibration().with_network(network).networks)
