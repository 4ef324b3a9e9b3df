"""How good are the choices, and the estimates? Every plan near the best is run and compared with the chosen one.

    VISTAQL_TEST_DATA=DIR python benchmarks/regret.py --home DIR --setup
    VISTAQL_TEST_DATA=DIR python benchmarks/regret.py --home DIR [--only 0..5] [--rounds 3] [--results FILE]
    python benchmarks/regret.py --results FILE --table

24 workloads: three CNNs of different shape, layers near the input and far from it, a join that keeps all images or one
in eight, ample and tight memory, few and many photos, pooled and not. `--setup` names them in a home and measures the
machine and the CNNs, as a user would; what runs teach is not kept. For each workload, all plans whose estimate is
within twice the best one's are run, in processes of their own. Then those that took at most a quarter longer than the
fastest are run again, in turn, until each has run so many rounds: a few hundredths are noise in one run.
Results are appended to FILE as lines of JSON; `--table` prints the figures of all of them:

* regret: seconds of the chosen plan by those of the fastest, medians (1 if the choice was the fastest);
* estimate by actual of the chosen plan, whole query without the start of Python;
* estimated by actual peak of memory, of every plan that ran.

About an hour for everything on two quiet cores.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
SETUP = """
CREATE TABLE items FROM '{data}/datasets/clothing-3k/items.csv' KEY item_id LABEL label;
CREATE IMAGES photos FROM '{data}/datasets/clothing-3k/images';
REGISTER CNN mobilenet FROM mobilenet_v2 WEIGHTS '{data}/weights/mobilenet_v2_1.0_224.weights.h5';
REGISTER CNN squeezenet FROM file '{data}/weights/squeezenet_v1.0_227.keras' WITH (preprocessing = tf);
REGISTER CNN resnet20 FROM file '{data}/weights/resnet20_cifar10_32.keras' WITH (preprocessing = torch);
"""
# Plans whose estimate is within this of the best one's are run.
WITHIN = 2.0
# Plans that took at most this of the fastest one's seconds are run again.
CLOSE = 1.25


@dataclass(frozen=True)
class Workload:
    """A query, and the memory it may take."""

    cnn: str
    layers: str
    photos: int
    selective: bool
    limit: str = "auto"

    @property
    def query(self) -> str:
        """The statement."""
        where = " WHERE photo_bytes < 17000" if self.selective else ""
        return (
            f"EXPLORE LAYERS {self.layers} OF {self.cnn} FROM photos JOIN items{where} SAMPLE {self.photos} "
            f"TRAIN logistic_regression"
        )

    def __str__(self) -> str:
        kind = f"{'selective' if self.selective else 'all'}, memory {self.limit}"
        return f"{self.cnn} {self.photos} photos, {kind} ({self.layers})"


NEAR = {
    "mobilenet": "block_3_expand_relu, block_6_expand_relu",
    "squeezenet": "fire3_concat, fire5_concat",
    "resnet20": "stage1_block2_out, stage1_block3_out, stage2_block1_out",
}
FAR = {
    "mobilenet": "block_13_expand_relu, block_16_project_BN, out_relu",
    "squeezenet": "fire5_concat, fire8_concat, fire9_concat",
    "resnet20": "stage2_block3_out, stage3_block2_out, stage3_block3_out, avg_pool",
}
WHOLE = {
    "mobilenet": "block_13_expand_relu POOL none, out_relu POOL none",
    "squeezenet": "fire8_concat POOL none, fire9_concat POOL none",
    "resnet20": "stage2_block1_out POOL none, stage3_block3_out POOL none",
}
MANY = {"mobilenet": 800, "squeezenet": 800, "resnet20": 3000}
SOME = {"mobilenet": 300, "squeezenet": 300, "resnet20": 1000}
TIGHT = {"mobilenet": "1450MB", "squeezenet": "1250MB", "resnet20": "980MB"}
# Eager plans with their vectors in memory do not fit.
TIGHTER = {"mobilenet": "1620MB", "squeezenet": "2030MB", "resnet20": "1085MB"}
WORKLOADS = tuple(
    work
    for cnn in NEAR
    for work in (
        Workload(cnn, NEAR[cnn], MANY[cnn], selective=False),
        Workload(cnn, NEAR[cnn], 200, selective=False),
        Workload(cnn, FAR[cnn], MANY[cnn], selective=False),
        Workload(cnn, FAR[cnn], 3000, selective=True),
        Workload(cnn, FAR[cnn], 200, selective=False, limit=TIGHT[cnn]),
        Workload(cnn, f"{NEAR[cnn]}, {FAR[cnn]}", MANY[cnn], selective=False, limit=TIGHT[cnn]),
        Workload(cnn, WHOLE[cnn], SOME[cnn], selective=False),
        Workload(cnn, WHOLE[cnn], SOME[cnn], selective=False, limit=TIGHTER[cnn]),
    )
)

# The child runs the plan of one number in the order of the estimates, and tells what the run took.
CHILD = """
import json, resource, sys
from dataclasses import replace
from pathlib import Path
from time import perf_counter
import vistaql
from vistaql.answer import answer
from vistaql.engines.inprocess.engine import engine_for
from vistaql.frontend.binder import bind_query
from vistaql.frontend.parser import parse
from vistaql.keeping import working_folder
from vistaql.optimizer.choose import choose
from vistaql.physical.run import run

home, query, memory, number = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
with vistaql.connect(home) as session:
    session.set("memory_limit", memory)
    statement = parse(query).statements[0]
    started = perf_counter()
    bound = bind_query(statement, session.context({}, Path.cwd())).rewritten()
    prepared = session.prepare(bound)
    decision = choose(bound.plan, prepared.sizes, session.machine, bound.settings)
    plans = [decision.chosen, *decision.losers]
    if number < 0:
        print(json.dumps([[item.name, item.seconds, item.peak_bytes] for item in plans]))
    else:
        chosen = plans[number]
        decision = replace(decision, chosen=chosen)
        with working_folder() as folder:
            engine = engine_for(bound.plan, bound.settings, prepared, chosen.configuration, folder, session.progress)
            values = run(chosen.plan, engine)
            outcome = answer(bound, prepared, engine, decision, values, perf_counter() - started)
        print(json.dumps({
            "seconds": perf_counter() - started,
            "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            "digests": [row.digest for row in outcome.rows],
        }))
"""


@dataclass(frozen=True)
class Ran:
    """A plan: its estimates, and what each round took."""

    plan: str
    estimate: float
    estimated_peak: int
    seconds: tuple[float, ...]
    peak: int

    @property
    def median(self) -> float:
        """Seconds of the middle round."""
        return statistics.median(self.seconds)


@dataclass(frozen=True)
class Measured:
    """A workload with its plans; the chosen one first."""

    workload: int
    plans: tuple[Ran, ...]

    @property
    def regret(self) -> float:
        """Seconds of the chosen plan by those of the fastest one."""
        return self.plans[0].median / min(item.median for item in self.plans)

    @property
    def ratio(self) -> float:
        """Estimate by actual of the chosen plan."""
        return self.plans[0].estimate / self.plans[0].median


def child(home: Path, work: Workload, number: int) -> str:
    """Run the child; what it printed last."""
    command = [sys.executable, "-c", CHILD, str(home), work.query, work.limit, str(number)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip().splitlines()[-1]


def measure(home: Path, number: int, rounds: int) -> Measured:
    """Run every plan near the best one."""
    work = WORKLOADS[number]
    plans = json.loads(child(home, work, -1))
    near = [place for place, plan in enumerate(plans) if plan[1] <= WITHIN * plans[0][1]]
    times: dict[int, list[float]] = {place: [] for place in near}
    peaks = dict.fromkeys(near, 0)
    digests = set()
    for _ in range(rounds):
        for place in near:
            found = json.loads(child(home, work, place))
            times[place].append(found["seconds"])
            peaks[place] = max(peaks[place], found["peak"])
            digests.add(tuple(found["digests"]))
            print(f"    {plans[place][0]:<60} {plans[place][1]:6.1f} {found['seconds']:6.1f} s", flush=True)
        fastest = min(statistics.median(found) for found in times.values())
        near = [place for place in near if place == 0 or statistics.median(times[place]) <= CLOSE * fastest]
    if len(digests) != 1:
        sys.exit(f"Plans of workload {number} gave different features.")
    return Measured(number, tuple(Ran(*plans[place], tuple(seconds), peaks[place]) for place, seconds in times.items()))


def table(found: Iterable[Measured]) -> None:
    """Each workload in a line, then the figures over all."""
    rows = sorted(found, key=lambda item: item.workload)
    for item in rows:
        peak = item.plans[0].estimated_peak / item.plans[0].peak
        spread = max(item.plans[0].seconds) / min(item.plans[0].seconds)
        print(
            f"{item.workload:>2} {str(WORKLOADS[item.workload])[:60]:<60} {item.plans[0].plan[:24]:<24} "
            f"of {len(item.plans)}  regret {item.regret:.2f}  estimate {item.ratio:.2f}  peak {peak:.2f}  "
            f"spread {spread:.2f}"
        )
    regrets = sorted(item.regret for item in rows)
    ratios = [max(item.ratio, 1 / item.ratio) for item in rows]
    peaks = [plan.estimated_peak / plan.peak for item in rows for plan in item.plans]
    worst = regrets[min(len(regrets) - 1, round(0.95 * len(regrets)))]
    print(f"regret: median {statistics.median(regrets):.3f}, 95th percentile {worst:.3f}, largest {regrets[-1]:.3f}")
    for bound in (1.3, 2.0):
        print(f"estimate within {bound}: {sum(ratio <= bound for ratio in ratios)} of {len(ratios)}")
    print(
        f"peak of memory, estimate by actual: least {min(peaks):.2f}, median {statistics.median(peaks):.2f}, "
        f"largest {max(peaks):.2f}; under by more than a tenth: {sum(peak < 0.9 for peak in peaks)} of {len(peaks)}"
    )


def read(path: Path) -> list[Measured]:
    """The last result of each workload."""
    found = {}
    for line in path.read_text().splitlines():
        facts = json.loads(line)
        plans = tuple(Ran(**{**plan, "seconds": tuple(plan["seconds"])}) for plan in facts["plans"])
        found[facts["workload"]] = Measured(facts["workload"], plans)
    return list(found.values())


def main() -> None:
    """Run the workloads named, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default=f"0..{len(WORKLOADS)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--results", type=Path, default=Path("regret.jsonl"))
    parser.add_argument("--home", type=Path)
    parser.add_argument("--setup", action="store_true")
    parser.add_argument("--table", action="store_true")
    given = parser.parse_args()
    if given.table:
        table(read(given.results))
        return
    if given.home is None:
        parser.error("--home names the folder of the catalog")
    if given.setup:
        data = Path(os.environ["VISTAQL_TEST_DATA"]).resolve()
        measuring = "CALIBRATE; CALIBRATE CNN mobilenet; CALIBRATE CNN squeezenet; CALIBRATE CNN resnet20;"
        command = [
            sys.executable,
            "-m",
            "vistaql",
            "--home",
            str(given.home),
            "-c",
            SETUP.format(data=data) + measuring,
        ]
        subprocess.run(command, check=True)
        return
    from memory_limits import numbers

    for number in numbers(given.only, len(WORKLOADS)):
        print(f"{number} {WORKLOADS[number]}", flush=True)
        found = measure(given.home, number, given.rounds)
        with given.results.open("a") as file:
            file.write(json.dumps(asdict(found)) + "\n")
    table(read(given.results))


if __name__ == "__main__":
    main()
