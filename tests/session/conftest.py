"""A small real task: a hundred scans of digits that the CNN strokes has never seen, and a table about them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PIL import Image

from tests.session.world import COLUMNS, DIGITS, SCANS_OF_A_DIGIT, Explore, World, write_csv
from vistaql.demo import scans
from vistaql.demo.measures import measure
from vistaql.outcome import Exploration
from vistaql.session import Session, connect


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("world")
    (folder / "scans").mkdir()
    rows = []
    left = dict.fromkeys(DIGITS, SCANS_OF_A_DIGIT)
    for scan in scans.load(DIGITS):
        if left[scan.digit]:
            left[scan.digit] -= 1
            key, seen = f"d{scan.number:04}", measure(scan)
            Image.fromarray(scans.on_paper(scan)).save(folder / "scans" / f"{key}.png")
            rows.append((key, seen.ink, seen.width, seen.height, seen.slant, scan.digit))
    write_csv(folder / "measures.csv", COLUMNS, rows)
    return World(folder, tuple(rows))


@pytest.fixture(scope="session")
def session(world: World) -> Iterator[Session]:
    """One home for all tests; what a test creates has a name of its own."""
    with connect(world.folder / "home") as session:
        session.sql(f"CREATE IMAGES scans FROM '{world.folder}/scans'; "
                    f"CREATE TABLE measures FROM '{world.folder}/measures.csv' KEY scan_id LABEL digit;")  # fmt: skip
        yield session


@pytest.fixture(scope="session")
def explore(session: Session) -> Explore:
    """Run an EXPLORE; what follows its layers is given. One layer of strokes unless layers are given as well."""

    def run(rest: str, layers: str = "LAYERS fc6 OF strokes", **parameters: str | float) -> Exploration:
        outcome = session.sql(f"EXPLORE {layers} {rest}", **parameters).outcome
        assert isinstance(outcome, Exploration)
        return outcome

    return run
