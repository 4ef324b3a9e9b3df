"""Random small workloads, each run by every plan of its space: equal bits, equal folds, equal metrics."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

import pytest
from PIL import Image

from vistaql.engines.inprocess.engine import engine_for
from vistaql.engines.inprocess.prepare import Prepared, prepare
from vistaql.frontend.binder import BoundQuery, bind_query
from vistaql.frontend.parser import parse
from vistaql.logical.nodes import rows_of
from vistaql.optimizer.candidate import Pricing
from vistaql.optimizer.enumerate import every_grouping
from vistaql.optimizer.lower import placements, wanted_by_cnn
from vistaql.physical.operators import Scores
from vistaql.physical.run import run
from vistaql.progress import Silent
from vistaql.session import Session, connect

IMAGES = 12
LAYERS = ("norm1", "sum", "sum POOL max(2, 2)", "conv3 POOL none", "fc1")
FILTERS = ("", " WHERE size > 2", " WHERE kind = 'a' OR size < 4", " SAMPLE 9")
# Both stop soon: what is compared is what they are given.
LEARNERS = ("logistic_regression(max_iter = 2)", "logistic_regression(reg = 0.5, max_iter = 2)")
COLUMNS = ("", " FEATURES NONE", " FEATURES NONE")
# Most are judged on one part, so that a fit is a fit; some on three.
SPLITTINGS = (*["HOLDOUT(0.34)"] * 9, "CROSS VALIDATION(3)")


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory, tiny: Path) -> Iterator[Session]:
    """A dozen pictures of the size that the tiny CNN takes, and their table."""
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "photos").mkdir()
    rng = random.Random(7)
    rows = ["sku,size,kind"]
    for number in range(IMAGES):
        Image.frombytes("RGB", (12, 12), rng.randbytes(12 * 12 * 3)).save(folder / "photos" / f"p{number:02}.png")
        rows.append(f"p{number:02},{number % 6},{'ab'[number % 2]}")
    (folder / "items.csv").write_text("\n".join(rows) + "\n")
    with connect(folder / "home") as session:
        session.sql(f"CREATE IMAGES photos FROM '{folder}/photos'; "
                    f"CREATE TABLE items FROM '{folder}/items.csv' KEY sku LABEL kind; "
                    f"REGISTER CNN tiny FROM file '{tiny}' WITH (preprocessing = tf)")  # fmt: skip
        yield session


def workload(rng: random.Random) -> str:
    """A statement over a few layers, with or without a filter."""
    layers = ", ".join(rng.sample(LAYERS, rng.choice((1, 2, 2, 3))))
    return (
        f"EXPLORE LAYERS {layers} OF tiny FROM photos JOIN items{rng.choice(FILTERS)} "
        f"TRAIN {rng.choice(LEARNERS)}{rng.choice(COLUMNS)} EVALUATE accuracy USING {rng.choice(SPLITTINGS)}"
    )


@pytest.fixture(scope="module")
def joined() -> Callable[[BoundQuery], Prepared]:
    """The rows of a query, joined once for all that have the same."""
    known: dict[str, Prepared] = {}

    def join(query: BoundQuery) -> Prepared:
        rows = rows_of(query.plan).digest
        if rows not in known:
            known[rows] = prepare(query.plan, query.reduction, {}, 1)
        return known[rows]

    return join


def results_of_all_plans(
    session: Session, text: str, folder: Path, joined: Callable[[BoundQuery], Prepared]
) -> list[object]:
    """The result of each plan of a statement: digests, and scores fold by fold, of every layer."""
    query = bind_query(parse(text).statements[0], session.context({}, None)).rewritten()  # type: ignore[arg-type]
    prepared = joined(query)
    logical = query.plan
    pricing = Pricing(logical, prepared.sizes, session.machine, query.settings)
    ((cnn, outputs),) = wanted_by_cnn(logical).items()
    found: list[object] = []
    for grouping, place in product(every_grouping(cnn, outputs), placements(logical)):
        candidate = pricing.candidate((grouping,), place)
        engine = engine_for(query.plan, query.settings, prepared, candidate.configuration, str(folder), Silent())
        scores = run(candidate.plan, engine)
        assert isinstance(scores, Scores)
        found.append(tuple((fit.digest, fit.scores, fit.width) for fit in scores.fits))
        assert list(folder.iterdir()) == [], f"kept tensors of {candidate.name} stay behind"
    return found


@pytest.mark.parametrize("workloads", [200, pytest.param(2000, marks=pytest.mark.volume)])
def test_all_plans_of_a_workload_give_equal_results(
    session: Session, tmp_path: Path, workloads: int, joined: Callable[[BoundQuery], Prepared]
) -> None:
    """Every plan of the space of each workload, whether or not the optimizer would look at it."""
    rng, plans = random.Random(workloads), 0
    # In the main thread every batch and fit would be done by another, so that Ctrl-C is heard.
    with ThreadPoolExecutor(1) as apart:
        for _ in range(workloads):
            text = workload(rng)
            results = apart.submit(results_of_all_plans, session, text, tmp_path, joined).result()
            plans += len(results)
            assert len(set(results)) == 1, text
    assert plans > 15 * workloads
