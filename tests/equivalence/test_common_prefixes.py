"""CNNs that begin alike are inferred as one, and each gives the bits and figures that it gives alone."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.equivalence.test_plans import bound, candidates_of, digests, draw
from tests.siblings import TUNED, write_sibling
from vistaql.engines.tensorflow import graph
from vistaql.errors import Code, VistaQLError
from vistaql.explain.plan import passes_of
from vistaql.models.cnn import Cnn, Preprocessing
from vistaql.models.stored import from_json, to_json
from vistaql.models.union import union_of
from vistaql.optimizer.lower import wanted_by_cnn
from vistaql.outcome import Exploration, ScoreRow
from vistaql.physical.inference import Pass
from vistaql.session import Session, connect

IMAGES = 30
REST = "FROM photos JOIN items TRAIN lr"
BIRDS = "LAYERS norm1, sum, conv3, fc1, fc2 OF birds"
FISH = "LAYERS fish_relu1, fish_sum POOL max(2, 2), fish_conv3, fish_relu3, fish_fc2 OF fish"
BUGS = "LAYERS bugs_relu1, bugs_sum, bugs_fc2 OF bugs"
MOSS = "LAYERS moss_relu1, moss_fc2 OF moss"
# Few layers, since groupings are counted by the thousand.
FEW = {
    "birds": "LAYERS sum, fc2 OF birds",
    "fish": "LAYERS fish_relu1, fish_conv3, fish_fc2 OF fish",
    "bugs": "LAYER bugs_fc1 OF bugs",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures with a table, and the files of all siblings."""
    folder = tmp_path_factory.mktemp("siblings")
    (folder / "photos").mkdir()
    for number in range(IMAGES):
        draw(folder / "photos" / f"p{number:03}.jpg", number)
    with (folder / "items.csv").open("w", newline="") as file:
        rows = ((f"p{number:03}", number % 7, "ab"[number % 2]) for number in range(IMAGES))
        csv.writer(file).writerows([("sku", "size", "kind"), *rows])
    for name in TUNED:
        write_sibling(folder, name)
    return folder


@pytest.fixture(scope="module")
def session(folder: Path) -> Iterator[Session]:
    """A session in which all siblings are registered."""
    with connect(folder / "home") as session:
        session.sql(f"CREATE IMAGES photos FROM '{folder}/photos'; "
                    f"CREATE TABLE items FROM '{folder}/items.csv' KEY sku LABEL kind;")  # fmt: skip
        for name in TUNED:
            session.sql(f"REGISTER CNN {name} FROM file '{folder}/{name}.keras'")
        yield session


def cnn_of(session: Session, name: str) -> Cnn:
    return from_json(str(session.catalog.cnn(name)))


def common(session: Session, one: str, other: str) -> set[str]:
    """The layers that two siblings share, as the first calls them."""
    union = union_of(cnn_of(session, one), cnn_of(session, other))
    if union is None:
        return set()
    first, second = (set(part.inside.values()) for part in union.parts)
    # Keras counts layers without a name of their own over the whole process.
    return {re.sub(r"_\d+$", "", name) for name in first & second}


def explored(session: Session, targets: str) -> Exploration:
    outcome = session.sql(f"EXPLORE {targets} {REST}").outcome
    assert isinstance(outcome, Exploration)
    return outcome


def figures(answer: Exploration) -> dict[tuple[str | None, str | None, str | None], ScoreRow]:
    """The rows on layers, by CNN, layer and pooling; the seconds of fits left out."""
    return {
        (row.cnn, row.layer, row.pool): replace(row, fit_seconds=0.0) for row in answer.rows if row.layer is not None
    }


def test_layers_are_common_up_to_the_first_that_was_tuned(session: Session) -> None:
    """Names are no part of it; a convolution goes with the normalisation that it is computed together with."""
    start = {"pixels", "true_divide", "subtract", "norm1", "conv1", "relu1"}
    assert common(session, "birds", "fish") == {*start, "conv2", "sum", "pool"}
    assert common(session, "birds", "bugs") == start
    assert common(session, "birds", "moss") == {"pixels", "true_divide", "subtract"}


def test_other_pixels_batches_or_unknown_prefixes_share_nothing(session: Session) -> None:
    birds, fish = cnn_of(session, "birds"), cnn_of(session, "fish")
    assert union_of(birds, replace(fish, preprocessing=Preprocessing.TF)) is None
    assert union_of(birds, replace(fish, input_size=(100, 100))) is None
    old = replace(fish, layers=tuple(replace(layer, prefix="") for layer in fish.layers))
    assert from_json(to_json(old)) == old
    assert union_of(birds, old) is None


@pytest.mark.parametrize("targets", [(BIRDS, FISH), (BUGS, BIRDS), (FISH, MOSS, BIRDS, BUGS)])
def test_every_layer_of_a_union_is_fused_as_in_its_own_cnn(session: Session, targets: tuple[str, ...]) -> None:
    plan = bound(session, f"EXPLORE {', '.join(targets)} {REST}").plan
    (union,) = wanted_by_cnn(plan)
    assert len(union.parts) == len(targets)
    for part in union.parts:
        assert len(part.inside) == len(part.outside) == len(part.cnn.layers)
        for own, inner in part.names:
            layer, there = part.cnn.by_name[own], union.by_name[inner]
            assert there.inputs == tuple(part.inside[source] for source in layer.inputs)
            assert (own in part.cnn.fused) == (inner in union.fused)


@pytest.mark.parametrize("names", [("birds", "fish"), ("fish", "birds", "bugs")])
def test_every_enumerated_plan_gives_the_bits_of_each_cnn_alone(
    session: Session, tmp_path: Path, names: tuple[str, ...]
) -> None:
    """Lazy, eager, staged and hybrids, in memory and on disk."""
    targets = [FEW[name] for name in names]
    alone = [figures(explored(session, target)) for target in targets]
    wanted = tuple(row.digest for rows in alone for row in rows.values())
    query = bound(session, f"EXPLORE {', '.join(targets)} {REST}")
    found = digests(query, candidates_of(session, query, 12), tmp_path)
    assert {row[: len(wanted)] for row in found} == {wanted}


@pytest.mark.parametrize("plan", ["eager", "staged", "lazy", "auto"])
def test_one_explore_of_several_gives_the_answer_of_each(session: Session, plan: str) -> None:
    alone = {key: row for target in (BIRDS, FISH, BUGS) for key, row in figures(explored(session, target)).items()}
    session.set("plan", plan)
    try:
        together = figures(explored(session, f"{BIRDS}, {FISH}, {BUGS}"))
    finally:
        session.set("plan", "auto")
    assert together == alone
    assert {(key[0], key[1]) for key in together} >= {("birds", "sum"), ("fish", "fish_sum"), ("bugs", "bugs_fc2")}


def test_the_prefix_runs_once_where_all_is_one_pass(session: Session, passes: list[Pass]) -> None:
    session.set("plan", "eager")
    try:
        answer = explored(session, f"{BIRDS}, {FISH}")
    finally:
        session.set("plan", "auto")
    (only,) = passes
    computed = only.computed_names
    assert [name for name in computed if name.endswith("conv1")] == ["conv1"]
    assert [name for name in computed if name.endswith("conv2")] == ["conv2"]
    assert [name for name in computed if name.endswith("fc1")] == ["fc1", "fish.fish_fc1"]
    assert answer.counts.decoded == IMAGES


def test_a_pass_for_one_cnn_builds_that_one_only(session: Session) -> None:
    query = bound(session, f"EXPLORE {FEW['birds']}, {FEW['fish']} {REST}")
    lazy = next(item for item in candidates_of(session, query, 0) if item.name == "lazy")
    assert {run.inference.alone.cnn.name for run in passes_of(lazy)} == {"birds", "fish"}


def in_one_pass(session: Session, passes: list[Pass], script: str) -> list[Exploration]:
    """The answers of statements that run together, eagerly."""
    passes.clear()
    session.set("plan", "eager")
    try:
        found = [outcome for _, outcome in session.run(script) if isinstance(outcome, Exploration)]
    finally:
        session.set("plan", "auto")
    assert len(passes) == 1
    return found


def test_consecutive_explores_share_the_prefix(session: Session, passes: list[Pass]) -> None:
    alone = [figures(explored(session, target)) for target in (BIRDS, FISH)]
    together = in_one_pass(session, passes, f"EXPLORE {BIRDS} {REST}; EXPLORE {FISH} {REST};")
    assert [figures(answer) for answer in together] == alone
    assert all("Run together with 1 other statement" in answer.notes[-1] for answer in together)


def test_statements_of_several_cnns_each_share_across_statements(session: Session, passes: list[Pass]) -> None:
    """A union in one statement, another one in the next, and a CNN that only one of them has."""
    alone = [figures(explored(session, targets)) for targets in (f"{BIRDS}, {FISH}", f"{BUGS}, {BIRDS}")]
    together = in_one_pass(session, passes, f"EXPLORE {BIRDS}, {FISH} {REST}; EXPLORE {BUGS}, {BIRDS} {REST};")
    assert [figures(answer) for answer in together] == alone


def test_an_export_has_the_columns_and_bits_of_each_alone(session: Session, tmp_path: Path) -> None:
    both = tmp_path / "both.parquet"
    session.sql(f"EXPORT LAYERS sum, fc2 OF birds, LAYERS fish_sum, fish_fc2 OF fish FROM photos TO '{both}'")
    found = pq.read_table(both)
    for names, cnn in ((("sum", "fc2"), "birds"), (("fish_sum", "fish_fc2"), "fish")):
        one = tmp_path / f"{cnn}.parquet"
        session.sql(f"EXPORT LAYERS {', '.join(names)} OF {cnn} FROM photos TO '{one}'")
        expected = pq.read_table(one)
        assert expected.column_names[-2:] == list(names)
        assert all(found.column(name).equals(expected.column(name)) for name in names)


def test_explain_names_cnns_and_layers_as_they_were_typed(session: Session) -> None:
    result = session.sql(f"EXPLAIN EXPLORE LAYERS sum, fc2 OF birds, LAYERS fish_sum, fish_fc2 OF fish {REST}")
    text = " ".join(str(result).split())
    assert re.search("Infer birds [+] fish birds.sum = .*fish.fish_sum > birds.fc2 > .*fish.fish_fc2", text)
    assert "fish.fish_fish" not in text


def test_a_file_that_changed_is_found_whichever_it_is(session: Session, folder: Path) -> None:
    path = folder / "fish.keras"
    before = path.read_bytes()
    path.write_bytes((folder / "moss.keras").read_bytes())
    graph.release_graphs()
    try:
        with pytest.raises(VistaQLError) as raised:
            explored(session, f"{BIRDS}, {FISH}")
    finally:
        path.write_bytes(before)
    assert raised.value.code is Code.WEIGHTS_CHANGED
