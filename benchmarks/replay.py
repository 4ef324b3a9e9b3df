"""The paper replayed: what this optimizer would have chosen in each of the 15 rows of Vista's evaluation.

    python benchmarks/replay.py [--plans]

The plans are those that the paper ran, with the CPUs they had; minutes are the paper's. Each plan is priced by this
project's cost model (`vistaql/optimizer/cost.py`, groupings and passes of `vistaql/optimizer/grouping.py`, graphs of
the roster) with a profile of the paper's cluster. The work of one node is priced: the paper's scale-up is flat.

Constants are fitted on Spark/Foods only: the end-to-end runs and the drill-downs by CPUs and by partitions. No figure
of Ignite, of Amazon, or of the GPU enters the fit; but whoever wrote down which costs there are had seen all rows. The
rates of the GPU and of the hard disk are data sheets'. Vista's published rule is staged after the join, always.

What is compared is how plans are priced. The paper's six plans stand for the plan space: its engines, partitions and
stored tables are not this project's, so that the search and the ledger of `vistaql/optimizer/` are not run, and memory
is checked by the paper's own equations for a node.

Minutes count as equal within what charts are read to (1 %, 3 % for Ignite/Amazon, which is a raster figure).

Prints a line a row: what is chosen, its measured minutes against those of Vista's choice, and whether it is at least
as good; then how far the predictions are from the measurements, for fitted and for judged rows apart.
"""

from __future__ import annotations

import argparse
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from statistics import median

import numpy as np
from replay_facts import (
    AMAZON,
    BY_CPUS,
    BY_PARTITIONS,
    CPUS,
    FOODS,
    IGNITE,
    READING,
    READING_RASTER,
    ROWS,
    SPARK,
    Cluster,
    DataSet,
    Network,
    Plan,
    Row,
    Store,
)
from replay_profile import START, Fitting, profile

from vistaql.models import roster
from vistaql.models.pool import GAP, WHOLE
from vistaql.optimizer.configuration import Configuration
from vistaql.optimizer.cost import seconds
from vistaql.optimizer.grouping import Group, Grouping, Strategy, named
from vistaql.optimizer.machine import Machine
from vistaql.physical.engine import Storage
from vistaql.physical.inference import Output, Pass
from vistaql.physical.resources import NOTHING, Fitted, Inferred, Resources, Traced

ALPHA = 1.2
"""a stored row over its bytes (the paper's Figure 15)"""
SYSTEM_BYTES, CORE_BYTES, USER_BYTES = 3e9, 2.4e9, 1e9
"""what the paper's inequality 12 takes off a worker's memory, user memory as its copies of one partition"""
ITERATIONS = 10


@dataclass(frozen=True)
class Run:
    """A plan of the paper for one row; CPUs and partitions as the paper had them, or as a drill-down varies them."""

    cluster: Cluster
    data: DataSet
    network: Network
    plan: Plan
    cpus: int
    partitions: int

    @property
    def images(self) -> float:
        """Images of one node."""
        return self.data.rows / self.cluster.nodes

    @property
    def grouping(self) -> Grouping:
        """The passes."""
        cnn = roster.load(self.network.name)
        outputs = tuple(Output(name, GAP if cnn.by_name[name].spatial else WHOLE) for name in self.network.layers)
        match self.plan:
            case Plan.STAGED:
                return named(Strategy.STAGED, cnn, outputs, Storage.MEMORY)
            case Plan.EAGER:
                return named(Strategy.EAGER, cnn, outputs, Storage.MEMORY)
            case Plan.STORED:
                base = cnn.cut_point_at(outputs[0].layer)
                later = tuple(Group((output,), base) for output in outputs[1:])
                return Grouping(cnn, (Group(outputs[:1], None, base, Storage.DISK), *later))
            case _:
                return named(Strategy.LAZY, cnn, outputs, Storage.MEMORY)

    def stored(self, layers: tuple[str, ...]) -> float:
        """Bytes of a node's table with these layers, unpooled as the paper stores them."""
        cnn = roster.load(self.network.name)
        return self.images * (ALPHA * sum(cnn.by_name[name].bytes for name in layers) + 4 * self.data.columns)

    @property
    def largest(self) -> float:
        """The most bytes of stored tables at once: all layers, or the two largest neighbours of a chain."""
        names = self.network.layers
        if self.plan is Plan.EAGER:
            return self.stored(names)
        if self.plan is Plan.STAGED:
            return max(self.stored(pair) for pair in itertools.pairwise(names))
        return max(self.stored((name,)) for name in names)

    @property
    def storage(self) -> float:
        """Bytes of a node that may hold tables; per node, as equation 7 has it and the algorithm has not."""
        copies = 1 if self.cluster.gpu else self.cpus
        deep = copies * self.network.runtime_bytes
        return self.cluster.memory_bytes - SYSTEM_BYTES - CORE_BYTES - USER_BYTES - deep

    @property
    def rejected(self) -> bool:
        """Whether the node has not the memory: for the copies of the CNN, or for tables that may not spill."""
        ratio = self.network.compressed[0 if self.plan is Plan.EAGER else 1]
        return self.storage <= 0 or (self.cluster.store is Store.IGNITE and ratio * self.largest > self.storage)

    def work(self) -> Resources:
        """What one node does."""
        grouping = self.grouping
        passes = [group.inference(grouping.cnn) for group in grouping.groups]
        jobs = len(passes) if self.plan not in (Plan.EAGER, Plan.STAGED) else 1
        work = Resources(queries=float(jobs))
        for item in passes:
            work += self.pass_work(item)
        return work + self.storing() + self.training()

    def pass_work(self, item: Pass) -> Resources:
        """Inference of one pass, and decoding where it starts from pixels; each task imports the whole CNN."""
        tasks = self.partitions / self.cluster.nodes
        layers = tuple(layer.name for layer in item.computed)
        parameters = item.cnn.parameters
        work = Resources(
            inferred=(Inferred(item.cnn, layers, self.images),),
            traced=(Traced(0, 0, 0, round(parameters * tasks)),),
            tasks=tasks,
        )
        if item.source is not None:
            return work
        return work + Resources(decoded_pixels=self.images, listed_images=self.images)

    def storing(self) -> Resources:
        """Tables written once and read by each training, from disk as far as they do not fit."""
        names = self.network.layers
        if self.plan is Plan.EAGER:
            # The table of all layers is one: each training reads all of it.
            moved = (1 + len(names)) * self.stored(names)
        else:
            moved = 2 * sum(self.stored((name,)) for name in names)
        over = max(0.0, self.largest - self.storage) / self.largest if self.cluster.store is Store.SPARK else 0.0
        base = self.stored(names[:1]) * (1 + len(names)) if self.plan is Plan.STORED else 0.0
        return Resources(kept_bytes=(1 - over) * moved, spilled_bytes=over * moved + base)

    def training(self) -> Resources:
        """A logistic regression a layer on features pooled to 2 x 2."""
        cnn = roster.load(self.network.name)
        work = NOTHING
        for name in self.network.layers:
            layer = cnn.by_name[name]
            width = self.data.columns + (4 * layer.shape[-1] if layer.spatial else layer.shape[-1])
            work += Resources(fitted=(Fitted(4.0 * ITERATIONS * self.images * width, self.cpus),))
        return work

    def minutes(self, fitting: Fitting) -> float:
        """Predicted minutes."""
        machine = Machine(8, int(self.cluster.memory_bytes), profile(fitting, self.cluster))
        return seconds(self.work(), machine, Configuration(self.cpus, self.cpus, self.cpus)) / 60


def run_of(row: Row, plan: Plan) -> Run:
    """A plan of a row as the paper ran it."""
    cpus = CPUS.get(plan, row.network.cpus)
    return Run(row.cluster, row.data, row.network, plan, cpus, row.network.partitions)


def fitted_runs() -> Iterator[tuple[Run, float]]:
    """The runs of Spark/Foods with their minutes; no other row enters the fit."""
    for row in ROWS:
        if row.cluster is SPARK and row.data is FOODS:
            yield from ((run_of(row, plan), value) for plan, value in row.measured.items() if value is not None)
    for network, values in BY_CPUS.items():
        for cpus, value in values.items():
            yield Run(SPARK, FOODS, network, Plan.STAGED, cpus, network.partitions), value
    for network, by_partitions in BY_PARTITIONS.items():
        for partitions, value in by_partitions.items():
            yield Run(SPARK, FOODS, network, Plan.STAGED, 4, partitions), value


# How much the ratio of eager to staged counts in the fit beside one measurement: a choice depends on ratios.
RATIO_WEIGHT = 3.0


def fitted_pairs() -> Iterator[tuple[Run, Run, float]]:
    """Eager and staged of the rows of Spark/Foods, and the ratio of their minutes."""
    for row in ROWS:
        eager, staged = row.measured[Plan.EAGER], row.measured[Plan.STAGED]
        if row.cluster is SPARK and row.data is FOODS and eager and staged:
            yield run_of(row, Plan.EAGER), run_of(row, Plan.STAGED), eager / staged


def fit() -> Fitting:
    """The constants with the least squares of log(predicted / measured), and of the ratios of two plans."""
    from scipy.optimize import least_squares

    runs, pairs = list(fitted_runs()), list(fitted_pairs())

    def fitting_of(logarithms: np.ndarray) -> Fitting:
        found = Fitting(*np.exp(logarithms))
        return replace(found, serial=min(found.serial, 1.0))

    def misses(logarithms: np.ndarray) -> list[float]:
        fitting = fitting_of(logarithms)
        ratios = ((eager.minutes(fitting) / staged.minutes(fitting), ratio) for eager, staged, ratio in pairs)
        return [
            *(math.log(run.minutes(fitting) / value) for run, value in runs),
            *(RATIO_WEIGHT * math.log(predicted / ratio) for predicted, ratio in ratios),
        ]

    start = np.log([getattr(START, name) for name in START.__dataclass_fields__ if name != "gpu_flops"])
    return fitting_of(least_squares(misses, start, loss="soft_l1", f_scale=0.1, max_nfev=60).x)


def choice(row: Row, fitting: Fitting) -> tuple[Plan, dict[Plan, float]]:
    """The cheapest plan that is not rejected, and all predictions."""
    runs = {plan: run_of(row, plan) for plan in Plan}
    predicted = {plan: run.minutes(fitting) for plan, run in runs.items() if not run.rejected}
    return min(predicted, key=predicted.__getitem__), predicted


def lost_by_vista() -> list[str]:
    """Rows that Vista's choice loses by more than charts are read to, with the fastest plan."""
    found = []
    for row in ROWS:
        plan, took = min(((plan, value) for plan, value in row.measured.items() if value), key=lambda item: item[1])
        if took < (1 - READING) * (row.measured[Plan.STAGED] or math.inf):
            found.append(f"{row.cluster.name}/{row.data.name} {row.network.name} ({plan.value})")
    return found


def wins(row: Row, plan: Plan) -> bool:
    """Whether a plan took no longer than Vista's choice, within what charts are read to."""
    took, vista = row.measured[plan], row.measured[Plan.STAGED]
    assert vista is not None
    error = READING_RASTER if row.cluster is IGNITE and row.data is AMAZON else READING
    return took is not None and took <= (1 + error) * vista


GPU_TRIED = (1e12, 1.5e12, 2e12, 3e12, 4e12, 6e12)


def by_gpu(fitting: Fitting) -> str:
    """In how many of the GPU rows the choice is at least as good, for several speeds of the GPU."""
    rows = [row for row in ROWS if row.cluster.gpu]
    counts = {
        speed: sum(wins(row, choice(row, replace(fitting, gpu_flops=speed))[0]) for row in rows) for speed in GPU_TRIED
    }
    return ", ".join(f"{speed / 1e12:g}: {count} of {len(rows)}" for speed, count in counts.items())


def shown(minutes: float | None) -> str:
    """Minutes in a column."""
    return "crash" if minutes is None else f"{minutes:.3g}"


def thought_of(plan: Plan, predicted: dict[Plan, float]) -> str:
    """Predicted minutes in a column."""
    return shown(predicted[plan]) if plan in predicted else "reject"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="The rows of Vista's evaluation, replayed.")
    parser.add_argument("--plans", action="store_true", help="print predicted and measured minutes of every plan")
    every = parser.parse_args().plans
    fitting = fit()
    print("fitted on Spark/Foods:", ", ".join(f"{name} {value:.3g}" for name, value in vars(fitting).items()))
    print(f"{'row':<29}{'use':<8}{'this optimizer':<27}{'its min':>8}{'Vista':>7}  at least as good")
    good = better = 0
    contradicted: list[str] = []
    ratios: dict[str, list[float]] = {"fitted": [], "judged": []}
    for row in ROWS:
        use = "fitted" if row.cluster is SPARK and row.data is FOODS else "judged"
        plan, predicted = choice(row, fitting)
        took, vista = row.measured[plan], row.measured[Plan.STAGED]
        assert vista is not None
        error = READING_RASTER if row.cluster is IGNITE and row.data is AMAZON else READING
        better += took is not None and took < (1 - error) * vista
        good += (as_good := wins(row, plan))
        name = f"{row.cluster.name}/{row.data.name} {row.network.name}"
        ran = (item for item, value in row.measured.items() if value is not None and item not in predicted)
        contradicted += [f"{name} ({item.value})" for item in ran]
        print(f"{name:<29}{use:<8}{plan.value:<27}{shown(took):>8}{shown(vista):>7}  {'yes' if as_good else 'NO'}")
        for candidate, value in row.measured.items():
            if every:
                thought = thought_of(candidate, predicted)
                print(f"    {candidate.value:<28}{thought:>8} predicted{shown(value):>8} measured")
            if value is not None and candidate in predicted:
                ratios[use].append(predicted[candidate] / value)
    print(f"at least as good as Vista's choice in {good} of {len(ROWS)} rows, better in {better}")
    print("rejected for memory, though the paper ran it:", ", ".join(contradicted))
    print("rows in which another plan of the paper beat Vista's:", ", ".join(lost_by_vista()))
    print("GPU rows at least as good, by TFLOP/s of the GPU:", by_gpu(fitting))
    for use, values in ratios.items():
        within = sum(1 / 1.5 <= value <= 1.5 for value in values)
        print(f"{use}: predicted / measured {median(values):.2f} in the median, {within} of {len(values)} within 1.5")


if __name__ == "__main__":
    main()
