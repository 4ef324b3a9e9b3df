"""The page about the JSON of a plan names every key that there is, and the figures add up."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from vistaql.explain.account import account
from vistaql.explain.plan import plan_json
from vistaql.explain.text import WIDTH, render
from vistaql.frontend.binder import BoundQuery
from vistaql.logical.rules import RULES
from vistaql.optimizer.choose import Decision, choose
from vistaql.optimizer.machine import Machine
from vistaql.physical.sizes import Sizes
from vistaql.plan.rewrite import rewrite
from vistaql.settings import PlanChoice, Settings

Bind = Callable[..., BoundQuery]
TEXT = "EXPLORE LAYERS conv5_3, avg_pool, conv4_6 OF resnet50 FROM photos JOIN products TRAIN logistic_regression"


@pytest.fixture
def decision(bind: Bind, sizes: Sizes) -> Decision:
    """A staged plan where the eager one is allowed and lost, and a tensor in memory does not fit."""
    many = replace(sizes, images=40_000, all_images=40_000, rows=40_000)
    query = rewrite(bind(TEXT).plan, RULES)
    return choose(query, many, Machine(2, 8_000_000_000), Settings(plan=PlanChoice.STAGED))  # type: ignore[arg-type]


def keys(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner)


def test_every_key_is_documented(decision: Decision, checkout: Path) -> None:
    page = (checkout / "docs" / "plan-json.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"`(\w+)`", page))
    found = set(keys(json.loads(json.dumps(plan_json(account(decision), with_graph=True)))))
    assert {"keeps", "rejected", "why", "has", "readers"} <= found
    assert sorted(found - documented) == []


def test_the_steps_take_the_seconds_of_the_plan(decision: Decision) -> None:
    def seconds(step: dict[str, object]) -> float:
        return float(str(step["seconds"])) + sum(map(seconds, step["reads"]))  # type: ignore[arg-type]

    plan = plan_json(account(decision), with_graph=False)
    assert seconds(plan["steps"]) == pytest.approx(plan["seconds"], rel=0.001)  # type: ignore[arg-type]


def test_passes_resume_from_what_is_kept(decision: Decision) -> None:
    passes: list[dict[str, object]] = plan_json(account(decision), with_graph=False)["passes"]  # type: ignore[assignment]
    assert [(item["from"], item["keeps"]) for item in passes] == [
        (None, ["conv4_block6_out"]),
        ("conv4_block6_out", []),
    ]
    assert passes[1]["layers"] == [{"layer": "conv5_block3_out", "pool": "gap", "also": ["conv5_3", "avg_pool"]}]


def test_shared_work_of_the_graph_has_several_readers(decision: Decision) -> None:
    graph: dict[str, list[dict[str, object]]] = plan_json(account(decision), with_graph=True)["graph"]  # type: ignore[assignment]
    readers = {node["words"]: node["readers"] for node in graph["nodes"] if int(str(node["readers"])) > 1}
    assert readers == {
        "ScanImages images=photos alias=photos columns=key": 2,
        "Rows columns=products.brand,products.weight label=products.category": 2,
        "InferLayers cnn=resnet50 outputs=conv4_block6_out,conv5_block3_out": 2,
        "Folds dealing=5 folds": 3,
    }
    assert {end for edge in graph["edges"] for end in edge} == {node["id"] for node in graph["nodes"]}


def test_text_keeps_to_the_screen(decision: Decision) -> None:
    text = render(account(decision))
    assert max(map(len, text.split("\n"))) <= WIDTH
    assert "does not fit: staged" in text
