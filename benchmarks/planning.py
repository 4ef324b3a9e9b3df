"""How long planning takes: `python -m benchmarks.planning`.

Two workloads over facts alone, nothing is read or run: ten layers of ResNet50 (50 layers deep) over three statements,
and forty layers of four CNNs. Each is planned several times, in processor seconds of this thread; the best and the
median are printed beside the goals, and the number of plans that the search stands for.
"""

from __future__ import annotations

from statistics import median
from time import thread_time

from vistaql.frontend import ast
from vistaql.frontend.binder import Context, bind_query
from vistaql.frontend.parser import parse
from vistaql.logical.nodes import Query, Together
from vistaql.logical.rules import rewritten
from vistaql.models import roster
from vistaql.models.cnn import Cnn
from vistaql.optimizer.candidate import Pricing
from vistaql.optimizer.candidates import plan_space
from vistaql.optimizer.choose import choose
from vistaql.optimizer.machine import Machine
from vistaql.optimizer.search import PlanSpace
from vistaql.physical.sizes import Sizes
from vistaql.settings import Placement, Settings
from vistaql.stores.image_set import FolderSource, ImageSet, Statistics
from vistaql.stores.tables import ColumnInfo, ColumnType, Table, TableFormat

PHOTOS = ImageSet("photos", FolderSource("photos"), statistics=Statistics(count=20_000, bytes=10**9, mean_pixels=2e5))
ITEMS = Table(
    "items", "items.parquet", TableFormat.PARQUET,
    (ColumnInfo("key", ColumnType.TEXT, "VARCHAR"), ColumnInfo("size", ColumnType.NUMBER, "DOUBLE"),
     ColumnInfo("kind", ColumnType.TEXT, "VARCHAR")),
    key=("key",), label="kind", rows=18_000, bytes=10**6,
)  # fmt: skip
SIZES = Sizes(18_000, 20_000, 18_000, 9, 5, 2e5, 5e4, 10**6, exact=True)
MACHINE = Machine(cores=2, memory_bytes=8 * 10**9)
TIMES = 9
LAYERS = (
    "conv2_block3_out", "conv3_block2_out", "conv3_block4_out", "conv4_block1_out", "conv4_block3_out",
    "conv4_block6_out", "conv5_block1_out", "conv5_block2_out", "conv5_block3_out", "predictions",
)  # fmt: skip


class Known:
    """The names of the workloads."""

    def table(self, name: str) -> Table | None:
        """The one table."""
        return ITEMS if name == "items" else None

    def images(self, name: str) -> ImageSet | None:
        """The one image set."""
        return PHOTOS if name == "photos" else None

    def cnn(self, name: str) -> Cnn | None:
        """A CNN of the roster."""
        return roster.load(name)

    def names(self, kind: ast.ObjectKind) -> tuple[str, ...]:  # noqa: ARG002 - only errors ask
        """No suggestions."""
        return ()

    def describe_table(self, alias: str, path: str) -> Table:
        """No files."""
        raise FileNotFoundError(alias, path)

    def describe_images(self, alias: str, path: str) -> ImageSet:
        """No files."""
        raise FileNotFoundError(alias, path)


def plans(targets: list[str]) -> list[Query]:
    """The rewritten plans of one EXPLORE for each target."""
    found: list[Query] = []
    for target in targets:
        statement = parse(f"EXPLORE {target} FROM photos JOIN items TRAIN logistic_regression").statements[0]
        assert isinstance(statement, ast.Explore)
        found.append(bind_query(statement, Context(Known(), Settings())).rewritten().plan)
    return found


def three_statements() -> Query:
    """Ten layers of one CNN, over three statements that overlap."""
    parts = (LAYERS[:4], LAYERS[3:8], LAYERS[7:])
    queries = plans([f"LAYERS {', '.join(part)} OF resnet50" for part in parts])
    return rewritten(Together(tuple(queries)))  # type: ignore[arg-type]  # all are EXPLOREs


def four_cnns() -> Query:
    """Forty layers of four CNNs."""
    last = {"resnet50": 12, "mobilenet_v2": 10, "efficientnet_b0": 10, "vgg16": 8}
    return plans([", ".join(f"LAST {count} LAYERS OF {name}" for name, count in last.items())])[0]


def planning_seconds(query: Query) -> list[float]:
    """Processor seconds of each planning."""
    found = []
    for _ in range(TIMES):
        started = thread_time()
        choose(query, SIZES, MACHINE, Settings())
        found.append(thread_time() - started)
    return found


def plans_of(space: PlanSpace) -> int:
    """How many paths lead from the first state to the last one."""
    ways = {(len(space.costs), 0, 0): 1}
    for state, edges in reversed(space.edges.items()):
        ways[state] = sum(ways[edge[2]] for edge in edges)
    return ways[space.first]


def main() -> None:
    """Print both."""
    for name, query, goal in (
        ("10 layers of resnet50 over 3 statements", three_statements(), 0.05),
        ("40 layers of 4 CNNs", four_cnns(), 1.0),
    ):
        took = planning_seconds(query)
        space = plan_space(Pricing(query, SIZES, MACHINE, Settings()), Placement.BEFORE_INFERENCE)
        passes = sum(map(len, space.edges.values()))
        print(
            f"{name}: first {took[0] * 1000:.0f} ms, "
            f"best {min(took) * 1000:.0f} ms, median {median(took) * 1000:.0f} ms, goal {goal * 1000:.0f} ms; "
            f"{passes:,} passes, {plans_of(space):.3g} plans"
        )


if __name__ == "__main__":
    main()
