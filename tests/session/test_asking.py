"""What is told and asked before and while a statement runs, and what check() finds without running it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.session.test_results import everything
from tests.session.world import World
from vistaql.errors import VistaQLError
from vistaql.progress import FITTING, LOADING, Part
from vistaql.session import Session, connect

QUERY = "EXPLORE LAYERS conv4, fc6 OF strokes FROM scans JOIN measures TRAIN lr"


@dataclass
class Watched:
    """Remembers what it was told."""

    lines: list[str] = field(default_factory=list)
    begun: list[tuple[str, int, str]] = field(default_factory=list)
    done: list[int] = field(default_factory=list)
    ended: int = 0
    parts: tuple[Part, ...] = ()

    def plan(self, parts: tuple[Part, ...], limit_bytes: int) -> None:
        self.parts = parts
        assert limit_bytes > 0

    def end(self) -> None:
        assert len(self.begun) == self.ended

    def start(self, what: str, total: int, unit: str) -> None:
        self.begun.append((what, total, unit))
        self.done.append(0)

    def advance(self, count: int) -> None:
        self.done[-1] += count

    def finish(self) -> None:
        self.ended += 1

    def say(self, line: str) -> None:
        self.lines.append(line)


def test_progress_counts_the_images_of_each_pass(session: Session) -> None:
    watched = Watched()
    told = replace(session, progress=watched)
    told.sql(f"{QUERY} WHERE digit > 5 WITH (plan = staged)")
    images = [("strokes conv4", 80, "images"), ("strokes fc6", 80, "images")]
    assert [one for one in watched.begun if one[2] == "images"] == images
    # Every part that counts is worked on under its name, and is done as often as it says.
    counted = {part.name: part.total for part in watched.parts if part.name}
    assert counted == {FITTING: 4, LOADING: 1, "strokes conv4": 80, "strokes fc6": 80}
    assert watched.done == [count for _, count, _ in watched.begun]
    assert watched.ended == len(watched.begun)
    assert sum(name == FITTING for name, _, _ in watched.begun) == 4
    assert len(watched.lines) == 1
    assert watched.lines[0].startswith("80 images, about ")
    assert watched.lines[0].endswith(" of memory")


def test_a_long_run_is_asked_about(session: Session) -> None:
    asked: list[str] = []

    def no(question: str) -> bool:
        asked.append(question)
        return False

    watched = Watched()
    careful = replace(session, confirm=no, progress=watched)
    careful.sql("SET confirm_over = 0")
    before = everything(session)
    with pytest.raises(VistaQLError) as failure:
        careful.sql(QUERY)
    assert failure.value.code.name == "NOT_CONFIRMED"
    assert "SAMPLE " in str(failure.value.hint)
    assert "SAMPLE " in asked[0]
    assert "100 images" in asked[0]
    assert watched.begun == []
    assert everything(session) == before
    careful.confirm = lambda _: True
    assert careful.sql(QUERY).counts is not None
    careful.sql("SET confirm_over = 1h")
    careful.confirm = no
    assert careful.sql(QUERY).counts is not None
    assert len(asked) == 1


def test_check_binds_a_script_and_keeps_nothing(world: World, tmp_path: Path) -> None:
    script = """
        CREATE IMAGES s FROM 'scans';
        CREATE TABLE m FROM 'measures.csv' KEY scan_id LABEL digit;
        CREATE TABLE dark KEY scan_id AS SELECT scan_id, ink FROM m WHERE ink > 300;
        SET plan = staged;
        REGISTER CNN noise FROM strokes WEIGHTS RANDOM (SEED = 3);
        EXPLORE strokes, noise FROM s JOIN m JOIN dark TRAIN lr INTO found;
        EXPLORE LAYERS fc6 OF strokes FROM s JOIN m TRAIN lr;
        SELECT * FROM found;
        CREATE TABLE best AS SELECT layer, mean FROM found ORDER BY mean DESC LIMIT 1;
        EXPORT LAYERS fc6 OF noise FROM s TO 'f.parquet';
        EXPLAIN;
        SHOW ERRORS; DROP RESULT found; DROP TABLE m;
    """
    with connect(tmp_path / "home") as session:
        before, files = everything(session), sorted(tmp_path.rglob("*"))
        watched = session.progress = Watched()
        assert session.check(script, folder=world.folder) == 14
        assert watched.begun == []
        assert everything(session) == before
        assert sorted(tmp_path.rglob("*")) == files
        assert not (world.folder / "f.parquet").exists()
        assert session.settings.plan.value == "auto"
        assert session.last_query is None
        with pytest.raises(VistaQLError) as failure:
            session.check(script.replace("dark TRAIN", "darc TRAIN"), folder=world.folder)
        assert failure.value.code.name == "UNKNOWN_TABLE"
        assert "Did you mean dark?" in str(failure.value.hint)
        assert "line 7" in failure.value.render()
        with pytest.raises(VistaQLError):
            session.check("DROP RESULT found;")
