"""Facts of Vista's experiments, typed from the report.

Nakandala and Kumar: Vista: Optimized System for Declarative Feature Transfer from Deep CNNs at Scale (SIGMOD 2020;
technical report of 2020). Minutes are means of three runs, read from the vector charts of Figures 6 and 7A to about
1 %; those of Ignite/Amazon are read from a raster figure of the report of 2018 to about 3 %. None: the run crashed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Plan(Enum):
    """The plans that the paper ran, with the CPUs an executor that each had."""

    LAZY_1 = "lazy, 1 CPU"
    LAZY_5 = "lazy, 5 CPUs"
    LAZY_7 = "lazy, 7 CPUs"
    STORED = "stored base layer, 5 CPUs"
    """lazy from a base layer that was written to Parquet first, both counted"""
    EAGER = "eager, 5 CPUs"
    STAGED = "staged"
    """Vista's plan, after the join, with the CPUs that Vista picks"""


CPUS = {Plan.LAZY_1: 1, Plan.LAZY_5: 5, Plan.LAZY_7: 7, Plan.STORED: 5, Plan.EAGER: 5}


class Store(Enum):
    """What holds tables between stages."""

    SPARK = "Spark"
    """spills to disk what does not fit"""
    IGNITE = "Ignite"
    """memory only and compressed; a plan that does not fit dies"""


@dataclass(frozen=True)
class Network:
    """A CNN of the paper: the layers it reads, by the names of this project's roster, and Vista's picks.

    `runtime_bytes` is the footprint of one copy in TensorFlow. The released code has 2, 3 and 1 GB; but the paper picks
    4 CPUs for VGG16, which by its inequality 12 means 4.8 to 6.1 GB: the middle is taken. `compressed` is the size of
    stored tables in compressed form over the plain one, with all layers and with two neighbours (Figure 15).
    """

    name: str
    layers: tuple[str, ...]
    cpus: int
    partitions: int
    runtime_bytes: float
    compressed: tuple[float, float]


ALEXNET = Network("alexnet", ("conv5", "fc6", "fc7", "fc8"), 7, 160, 2e9, (0.91 / 4.10, 0.65 / 3.40))
VGG16 = Network("vgg16", ("fc1", "fc2", "predictions"), 4, 160, 5.45e9, (0.34 / 0.72, 0.13 / 0.33))
RESNET50 = Network(
    "resnet50",
    ("conv4_block6_out", "conv5_block1_out", "conv5_block2_out", "conv5_block3_out", "avg_pool"),
    7,
    224,
    1e9,
    (19.4 / 38.9, 10.8 / 15.5),
)


@dataclass(frozen=True)
class Cluster:
    """Workers of 8 cores, 32 GB and a hard disk. The GPU rows ran on one machine with a Titan X."""

    name: str
    nodes: int
    store: Store
    gpu: bool = False
    memory_bytes: float = 32e9


SPARK = Cluster("Spark", 8, Store.SPARK)
IGNITE = Cluster("Ignite", 8, Store.IGNITE)
GPU = Cluster("GPU, Spark", 1, Store.SPARK, gpu=True)


@dataclass(frozen=True)
class DataSet:
    """Rows with one image each, and the columns of the table."""

    name: str
    rows: int
    columns: int


FOODS = DataSet("Foods", 20_129, 130)
AMAZON = DataSet("Amazon", 200_000, 200)


@dataclass(frozen=True)
class Row:
    """One row of the evaluation: minutes in the order of Plan."""

    cluster: Cluster
    data: DataSet
    network: Network
    minutes: tuple[float | None, ...]

    @property
    def measured(self) -> dict[Plan, float | None]:
        """Minutes of each plan."""
        return dict(zip(Plan, self.minutes, strict=True))


ROWS = (
    Row(SPARK, FOODS, ALEXNET, (24.1, 10.8, 10.1, 9.4, 3.73, 3.50)),
    Row(SPARK, FOODS, VGG16, (44.0, None, None, 11.6, 8.37, 7.73)),
    Row(SPARK, FOODS, RESNET50, (36.6, 19.1, 18.9, 17.2, 5.76, 5.13)),
    Row(IGNITE, FOODS, ALEXNET, (42.3, 13.0, 11.2, 6.5, 3.53, 3.09)),
    Row(IGNITE, FOODS, VGG16, (82.8, 52.6, 53.8, 18.6, 16.4, 16.3)),
    Row(IGNITE, FOODS, RESNET50, (42.6, 33.7, None, 14.6, 10.6, 11.6)),
    Row(SPARK, AMAZON, ALEXNET, (177, 74.3, 70.9, 34.1, 26.8, 26.6)),
    Row(SPARK, AMAZON, VGG16, (862, None, None, 275, 173.7, 173.4)),
    Row(SPARK, AMAZON, RESNET50, (644, 369, 351, 125, 195, 96.7)),
    Row(IGNITE, AMAZON, ALEXNET, (119, 88, None, 31, 33, 31)),
    Row(IGNITE, AMAZON, VGG16, (598, 494, None, 178, 178, 152)),
    Row(IGNITE, AMAZON, RESNET50, (565, 467, None, 197, None, 233)),
    Row(GPU, FOODS, ALEXNET, (33.3, 14.4, 14.2, 8.1, 6.91, 7.60)),
    Row(GPU, FOODS, VGG16, (29.5, None, None, 6.74, 6.38, 9.48)),
    Row(GPU, FOODS, RESNET50, (58.8, 25.9, 25.5, 23.9, 79.7, 19.9)),
)

# Minutes of Vista's plan on Spark/Foods by CPUs an executor (Figure 12A) and by partitions at 4 CPUs.
BY_CPUS = {
    ALEXNET: {1: 7.67, 2: 4.97, 4: 3.76, 7: 3.50},
    VGG16: {1: 14.8, 2: 10.4, 4: 8.23},
    RESNET50: {1: 12.9, 2: 8.43, 4: 6.10, 7: 5.13},
}
BY_PARTITIONS = {
    ALEXNET: {128: 3.3, 512: 4.3, 2048: 9.0, 8192: 26.0},
    VGG16: {128: 8.0, 512: 8.9, 2048: 15.0, 8192: 39.0},
    RESNET50: {128: 5.6, 512: 5.9, 2048: 8.2, 8192: 17.0},
}

# Minutes that reading the images of Foods takes on 8 nodes and on one (the mean of the three CNNs).
READ_MINUTES = {8: 0.8, 1: 4.07}

# To what charts are read: vector charts, and the raster figure of Ignite/Amazon.
READING = 0.01
READING_RASTER = 0.03
