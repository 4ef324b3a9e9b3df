"""Every plan gives the same bits: whatever is enumerated is run, and the digests of the features are compared."""

from __future__ import annotations

import csv
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from vistaql.engines.inprocess.engine import engine_for
from vistaql.engines.inprocess.prepare import prepare
from vistaql.frontend.binder import BoundQuery, bind_query
from vistaql.frontend.parser import parse
from vistaql.logical.nodes import Explore
from vistaql.optimizer.candidate import Candidate, Pricing
from vistaql.optimizer.candidates import enumerate_candidates
from vistaql.optimizer.enumerate import every_grouping
from vistaql.optimizer.grouping import Strategy
from vistaql.optimizer.lower import wanted_by_cnn
from vistaql.physical.operators import Scores
from vistaql.physical.run import run
from vistaql.progress import Silent
from vistaql.session import Session, connect
from vistaql.settings import Placement

IMAGES = 40

# Layers before and after fusions, inside and at the ends of residual blocks and concatenations.
CNNS = {
    "strokes": ("conv1, conv2 POOL max(2, 2), conv3, conv4 POOL gmp, fc5, fc6", None),
    "resnet20": ("stage1_block2_out, stage2_block1_out, stage3_block3_out, avg_pool", "resnet20_cifar10_32.keras"),
    "squeezenet": ("fire3_concat, fire5_concat, fire8_concat, fire9_concat", "squeezenet_v1.0_227.keras"),
    "mobilenet": (
        "block_6_expand_relu, block_13_expand_BN, block_16_project_BN, out_relu",
        "mobilenet_v2_1.0_224.weights.h5",
    ),
}


# Minutes on two cores; tests/kernel/test_graph.py compares their lazy, eager and staged passes always.
LARGE = ("squeezenet", "mobilenet")


def draw(path: Path, seed: int) -> None:
    """A picture with something in it; sizes differ, so that resizing is not the same for all."""
    rng = random.Random(seed)
    image = Image.new("RGB", (rng.randrange(60, 300), rng.randrange(60, 300)), tuple(rng.choices(range(256), k=3)))
    brush = ImageDraw.Draw(image)
    for _ in range(8):
        left, top = rng.randrange(0, 200), rng.randrange(0, 200)
        brush.ellipse((left, top, left + rng.randrange(10, 90), top + 40), fill=tuple(rng.choices(range(256), k=3)))
    image.save(path, quality=90)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures, a table in order, and the same table shuffled."""
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "photos").mkdir()
    rows = []
    for number in range(IMAGES):
        draw(folder / "photos" / f"p{number:03}.jpg", number)
        rows.append((f"p{number:03}", number % 7, "ab"[number % 2]))
    random.Random(1).shuffle(rows)
    for name, ordered in (("items.csv", sorted(rows)), ("shuffled.csv", rows)):
        with (folder / name).open("w", newline="") as file:
            csv.writer(file).writerows([("sku", "size", "kind"), *ordered])
    return folder


@pytest.fixture(scope="module")
def session(folder: Path) -> Iterator[Session]:
    """A session that knows the pictures."""
    with connect(folder / "home") as session:
        session.sql(f"CREATE IMAGES photos FROM '{folder}/photos'; "
                    f"CREATE TABLE items FROM '{folder}/items.csv' KEY sku LABEL kind;")  # fmt: skip
        yield session


def registered(session: Session, cnn: str, request: pytest.FixtureRequest) -> str:
    """The layers of a CNN, which is registered first if it comes from the test data."""
    layers, file = CNNS[cnn]
    if file is not None and session.catalog.cnn(cnn) is None:
        weights = request.getfixturevalue("weights")
        if file.endswith(".keras"):
            session.sql(f"REGISTER CNN {cnn} FROM file '{weights / file}' WITH (preprocessing = tf)")
        else:
            session.sql(f"REGISTER CNN {cnn} FROM mobilenet_v2 WEIGHTS '{weights / file}'")
    return layers


def bound(session: Session, text: str) -> BoundQuery:
    """A statement, bound and rewritten."""
    return bind_query(parse(text).statements[0], session.context({}, None)).rewritten()  # type: ignore[arg-type]


def digests(query: BoundQuery, candidates: Iterable[Candidate], folder: Path) -> set[tuple[str, ...]]:
    """Run plans of a query; the different lists of digests of its layers."""
    prepared = prepare(query.plan, query.reduction, {}, 2)
    found = set()
    for candidate in candidates:
        engine = engine_for(query.plan, query.settings, prepared, candidate.configuration, str(folder), Silent())
        scores = run(candidate.plan, engine)
        assert isinstance(scores, Scores)
        found.add(tuple(str(fit.digest) for fit in scores.fits))
        assert list(folder.iterdir()) == [], f"kept tensors of {candidate.name} stay behind"
    return found


def candidates_of(session: Session, query: BoundQuery, hybrids: int) -> list[Candidate]:
    """What the optimizer enumerates for a query, and so many hybrids from all over the space."""
    prepared = prepare(query.plan, query.reduction, {}, 2)
    assert isinstance(query.plan, Explore)
    logical = query.plan
    # More images than rows, so that joining after inference is another plan.
    sizes = replace(prepared.sizes, all_images=prepared.sizes.images + 1)
    pricing = Pricing(logical, sizes, session.machine, query.settings)
    ((cnn, outputs),) = wanted_by_cnn(logical).items()
    every = [item for item in every_grouping(cnn, outputs) if item.fits(Strategy.HYBRID)]
    some = random.Random(1).sample(every, min(hybrids, len(every)))
    enumerated = enumerate_candidates(Pricing(logical, sizes, session.machine, query.settings))
    assert {"eager", "lazy", "staged", "staged on disk", "eager, join after inference"} <= {
        item.name for item in enumerated
    }
    return [*enumerated, *(pricing.candidate((item,), Placement.BEFORE_INFERENCE) for item in some)]


@pytest.mark.parametrize(
    ("cnn", "hybrids"),
    [
        ("strokes", 0),
        pytest.param("resnet20", 2, marks=pytest.mark.volume),
        *(pytest.param(cnn, 2, marks=pytest.mark.volume) for cnn in LARGE),
    ],
)
def test_every_enumerated_plan_gives_equal_bits(
    cnn: str, hybrids: int, session: Session, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Lazy, eager, staged and hybrids, tensors kept in memory and on disk, joined before and after inference."""
    layers = registered(session, cnn, request)
    query = bound(session, f"EXPLORE LAYERS {layers} OF {cnn} FROM photos JOIN items TRAIN logistic_regression")
    assert len(digests(query, candidates_of(session, query, hybrids), tmp_path)) == 1


@pytest.mark.parametrize("cnns", [("strokes", "resnet20"), pytest.param(LARGE, marks=pytest.mark.volume)])
def test_threads_order_and_splitting_change_no_bit(
    cnns: tuple[str, ...], session: Session, folder: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """One thread in another process over a shuffled table and images in two folders: the digests of two threads."""
    texts = [
        f"EXPLORE LAYERS {registered(session, cnn, request)} OF {cnn} FROM photos JOIN items TRAIN logistic_regression"
        for cnn in cnns
    ]
    here = [session.sql(text).outcome for text in texts]
    split = tmp_path / "split"
    for number, path in enumerate(sorted((folder / "photos").iterdir(), reverse=True)):
        target = split / f"part{number % 2}"
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target / path.name)
    script = (
        f"CREATE OR REPLACE IMAGES photos FROM '{split}'; "
        f"CREATE OR REPLACE TABLE items FROM '{folder}/shuffled.csv' KEY sku LABEL kind; {'; '.join(texts)};"
    )
    home = tmp_path / "home"
    shutil.copytree(folder / "home", home)
    command = [sys.executable, "-m", "vistaql", "--home", str(home), "--set", "threads=1", "--set", "plan=staged",
               "--format", "json", "-c", script]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    there = [json.loads(line) for line in done.stdout.splitlines()[-len(cnns) :]]
    for one, other in zip(here, there, strict=True):
        assert [row["digest"] for row in other["rows"]] == [row.digest for row in one.rows]  # type: ignore[union-attr]
        assert [row["folds"] for row in other["rows"]] == [list(row.folds) for row in one.rows]  # type: ignore[union-attr]


def test_the_decoder_count_changes_no_bit(session: Session, tmp_path: Path) -> None:
    """Images decoded by one thread or by three arrive in the same places."""
    query = bound(session, "EXPLORE strokes FROM photos JOIN items TRAIN logistic_regression")
    prepared = prepare(query.plan, None, {}, 1)
    candidate = enumerate_candidates(Pricing(query.plan, prepared.sizes, session.machine, query.settings))[0]
    found = []
    for decoders in (1, 3):
        configuration = replace(candidate.configuration, decoders=decoders)
        engine = engine_for(query.plan, query.settings, prepared, configuration, str(tmp_path), Silent())
        scores = run(candidate.plan, engine)
        assert isinstance(scores, Scores)
        found.append([fit.digest for fit in scores.fits])
    assert found[0] == found[1]
