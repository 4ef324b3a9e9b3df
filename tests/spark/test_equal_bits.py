"""Features on Spark have the bits that they have in process: whatever the plan, the parts and the places."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import product

import pytest

from benchmarks.spark_faults import Answer, disturb, workers
from tests.spark.conftest import CNNS, Both, unmet
from vistaql.outcome import Exploration

REST = "FROM photos JOIN items ON photos.key = items.sku WHERE size < 90 TRAIN lr EVALUATE accuracy USING HOLDOUT (0.3)"

# Nine rows in which each of three CNNs, and each value of every other column but the plan, meets every other.
PAIRWISE = [
    # cnn, plan, partitions, join, placement, persistence
    ("resnet20", "staged", 1, "broadcast", "before", "deserialized"),
    ("resnet20", "staged", 3, "broadcast", "before", "serialized"),
    ("resnet20", "eager", 8, "shuffle", "after", "disk"),
    ("squeezenet", "eager", 1, "shuffle", "after", "serialized"),
    ("squeezenet", "staged", 3, "broadcast", "after", "disk"),
    ("squeezenet", "staged", 8, "broadcast", "before", "deserialized"),
    ("mobilenet", "staged", 1, "shuffle", "before", "disk"),
    ("mobilenet", "eager", 3, "shuffle", "after", "deserialized"),
    ("mobilenet", "eager", 8, "broadcast", "before", "serialized"),
]
# The third plan, with the CNN that costs next to nothing.
LAZY = ("strokes", "lazy", 8, "shuffle", "after", "disk")
NAMES = ("plan", "partitions", "join", "placement", "persistence")


def said(answer: Exploration) -> list[tuple[object, ...]]:
    """What must not depend on where a plan runs."""
    return [(row.layer, row.width, row.digest, row.folds) for row in answer.rows]


@pytest.fixture(scope="module")
def expected(both: Both, layers: Callable[[str], str]) -> Callable[[str], Exploration]:
    """The answer in process, once for each CNN."""
    known: dict[str, Exploration] = {}

    def answer(cnn: str) -> Exploration:
        if cnn not in known:
            known[cnn] = both.in_process(f"EXPLORE {layers(cnn)} {REST}")
        return known[cnn]

    return answer


def check(
    both: Both, layers: Callable[[str], str], expected: Exploration, cnn: str, choices: tuple[object, ...]
) -> None:
    """Run one plan and compare it."""
    found = both.on_spark(f"EXPLORE {layers(cnn)} {REST}", **dict(zip(NAMES, choices, strict=True)))
    assert said(found) == said(expected)
    after = "after" in choices
    assert found.counts.decoded == (found.counts.images if after else expected.counts.decoded)
    assert found.counts.joined == expected.counts.joined


def test_every_two_values_of_two_columns_meet() -> None:
    assert [len(set(column)) for column in zip(*PAIRWISE, strict=True)] == [3, 2, 3, 2, 2, 3]
    assert not unmet(PAIRWISE)


@pytest.mark.parametrize(("cnn", "choices"), [(row[0], row[1:]) for row in (*PAIRWISE, LAZY)])
def test_pairs_of_choices_change_no_bit(
    cnn: str, choices: tuple[object, ...], both: Both, layers: Callable[[str], str],
    expected: Callable[[str], Exploration],
) -> None:  # fmt: skip
    """Digests, widths and fold scores equal those in process; learners are the same, on the driver."""
    check(both, layers, expected(cnn), cnn, choices)


@pytest.mark.parametrize("plan", ["eager", "staged", "lazy"])
def test_cnns_that_begin_alike_are_one_for_the_workers_too(both: Both, siblings: str, plan: str) -> None:
    parts = siblings.split(", LAYERS fish")
    alone = [both.in_process(f"EXPLORE {text} {REST}") for text in (parts[0], f"LAYERS fish{parts[1]}")]
    found = both.on_spark(f"EXPLORE {siblings} {REST}", plan=plan, partitions=3)
    expected = [(row.cnn, row.layer, row.digest, row.folds) for answer in alone for row in answer.rows if row.layer]
    assert [(row.cnn, row.layer, row.digest, row.folds) for row in found.rows if row.layer] == expected
    if plan == "eager":
        assert found.plan.passes == (
            "birds + fish from pixels: relu1, sum, conv3, fc2, fish.fish_fc2",
        )  # fmt: skip


def test_killed_workers_change_no_bit(both: Both, layers: Callable[[str], str]) -> None:
    """Three Python workers are killed at their tasks, which fail with them and are tried again."""
    text = f"EXPLORE {layers('resnet20')} {REST}"
    both.spark.set("plan", "staged")
    both.spark.set("partitions", 4)

    def ask() -> Answer:
        outcome = both.spark.sql(text).outcome
        assert isinstance(outcome, Exploration)
        return tuple((row.digest, row.folds) for row in outcome.rows)

    quiet = tuple((row.digest, row.folds) for row in both.in_process(text).rows)
    try:
        assert disturb(ask, both.spark, 3, workers, quiet, random.Random(1)) == (3, 3, True)
    finally:
        both.spark.sql("RESET plan; RESET partitions")


@pytest.mark.volume
@pytest.mark.parametrize("cnn", CNNS)
@pytest.mark.parametrize("partitions", [1, 3, 8])
def test_all_choices_change_no_bit(
    cnn: str, partitions: int, both: Both, layers: Callable[[str], str], expected: Callable[[str], Exploration]
) -> None:
    """All combinations of plan, join, placement and persistence."""
    for plan, join, placement, persistence in product(
        ("eager", "staged", "lazy"), ("broadcast", "shuffle"), ("before", "after"),
        ("deserialized", "serialized", "disk"),
    ):  # fmt: skip
        check(both, layers, expected(cnn), cnn, (plan, partitions, join, placement, persistence))
