"""Random small workloads, each run by every plan of its space: equal bits, equal folds, equal metrics."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

import pytest
from PIL import Image

from vistaql.engines.inprocess.engine import engine_for
from vistaql.engines.inprocess.prepare import prepare
from vistaql.engines.tensorflow import graph, kernel
from vistaql.frontend.binder import bind_query
from vistaql.frontend.parser import parse
from vistaql.optimizer.candidate import Pricing
from vistaql.optimizer.enumerate import every_grouping
from vistaql.optimizer.lower import placements, wanted_by_cnn
from vistaql.physical.operators import Scores
from vistaql.physical.run import run
from vistaql.progress import Silent
from vistaql.session import Session, connect

IMAGES = 12
LAYERS = ("conv2", "conv2 POOL max(2, 2)", "conv4 POOL none", "fc5", "fc6")
FILTERS = ("", " WHERE size > 2", " WHERE kind = 'a' OR size < 4", " SAMPLE 9")
LEARNERS = ("logistic_regression", "logistic_regression(reg = 0.5)")


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A dozen pictures of the size that the tiny CNN takes, and their table."""
    folder = tmp_path_factory.mktemp("tiny")
    (folder / "photos").mkdir()
    rng = random.Random(7)
    rows = ["sku,size,kind"]
    for number in range(IMAGES):
        Image.frombytes("RGB", (48, 48), rng.randbytes(48 * 48 * 3)).save(folder / "photos" / f"p{number:02}.png")
        rows.append(f"p{number:02},{number % 6},{'ab'[number % 2]}")
    (folder / "items.csv").write_text("\n".join(rows) + "\n")
    with connect(folder / "home") as session:
        session.sql(f"CREATE IMAGES photos FROM '{folder}/photos'; "
                    f"CREATE TABLE items FROM '{folder}/items.csv' KEY sku LABEL kind;")  # fmt: skip
        yield session


@pytest.fixture(scope="module", autouse=True)
def _graphs_are_built_once() -> Iterator[None]:
    """Plans have passes in common; their graphs, and the CNN, are the same objects for all of them."""
    build = lru_cache(maxsize=None)(graph.build)
    freeze: Callable[..., object] = lru_cache(maxsize=None)(lambda pass_: graph.freeze_model(build(pass_.cnn), pass_))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel, "freeze", freeze)
        yield


def workload(rng: random.Random) -> str:
    """A statement over a few layers, with or without a filter."""
    layers = ", ".join(rng.sample(LAYERS, rng.choice((1, 2, 2, 3))))
    return (
        f"EXPLORE LAYERS {layers} OF strokes FROM photos JOIN items{rng.choice(FILTERS)} "
        f"TRAIN {rng.choice(LEARNERS)} EVALUATE accuracy USING HOLDOUT(0.34)"
    )


def results_of_all_plans(session: Session, text: str, folder: Path, most: int) -> set[object]:
    """The different results of the plans of a statement: digests, folds and metrics of every layer."""
    query = bind_query(parse(text).statements[0], session.context({}, None)).rewritten()  # type: ignore[arg-type]
    prepared = prepare(query.plan, query.reduction, {}, 1)
    logical = query.plan
    pricing = Pricing(logical, prepared.sizes, session.machine, query.settings)
    ((cnn, outputs),) = wanted_by_cnn(logical).items()
    found: set[object] = set()
    plans = [(item, place) for item in every_grouping(cnn, outputs) for place in placements(logical)]
    for grouping, place in random.Random(text).sample(plans, min(most, len(plans))):
        candidate = pricing.candidate((grouping,), place)
        engine = engine_for(query.plan, query.settings, prepared, candidate.configuration, str(folder), Silent())
        scores = run(candidate.plan, engine)
        assert isinstance(scores, Scores)
        found.add(tuple((fit.digest, fit.scores, fit.width) for fit in scores.fits))
        assert list(folder.iterdir()) == [], f"kept tensors of {candidate.name} stay behind"
    return found


@pytest.mark.volume
def test_all_plans_of_three_layers_give_equal_results(session: Session, tmp_path: Path) -> None:
    text = "EXPLORE LAYERS conv2, fc5, fc6 OF strokes FROM photos JOIN items TRAIN logistic_regression"
    assert len(results_of_all_plans(session, f"{text} EVALUATE accuracy USING HOLDOUT(0.34)", tmp_path, 10_000)) == 1


@pytest.mark.parametrize(
    ("workloads", "most"), [pytest.param(30, 2), pytest.param(2000, 10_000, marks=pytest.mark.volume)]
)
def test_all_plans_of_a_workload_give_equal_results(
    session: Session, tmp_path: Path, workloads: int, most: int
) -> None:
    """In short runs two plans of each workload, drawn from its whole space; in long ones all."""
    rng = random.Random(workloads)
    for _ in range(workloads):
        text = workload(rng)
        assert len(results_of_all_plans(session, text, tmp_path, most)) == 1, text
