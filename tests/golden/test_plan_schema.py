"""The JSON of every golden plan, in every mode, is what docs/plan.schema.json says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.golden.test_golden import FOLDER, blocks
from vistaql.outcome import Explanation
from vistaql.session import Session

EXPLAIN = re.compile(r"EXPLAIN(?: (?:ANALYZE|CANDIDATES|VERBOSE))? (?=EXPLORE|EXPORT)")
TYPED = [
    typed
    for typed, answer in blocks((FOLDER / "plans.vql").read_text(encoding="utf-8"))
    if EXPLAIN.search(typed) and not answer.startswith("VQL")
]


@pytest.fixture(scope="module")
def schema(checkout: Path) -> Draft202012Validator:
    text = (checkout / "docs" / "plan.schema.json").read_text(encoding="utf-8")
    Draft202012Validator.check_schema(json.loads(text))
    return Draft202012Validator(json.loads(text))


def test_there_are_plans() -> None:
    assert len(TYPED) > 10


@pytest.mark.parametrize("mode", ["", "CANDIDATES ", "VERBOSE "])
@pytest.mark.parametrize("typed", TYPED)
def test_the_json_of_a_plan_is_as_documented(
    typed: str, mode: str, session: Session, golden_folder: Path, schema: Draft202012Validator
) -> None:
    text = EXPLAIN.sub(f"EXPLAIN {mode}FORMAT json ", typed)
    outcomes = [outcome for _, outcome in session.run(text, {"low": 1, "word": "conv%"}, golden_folder) if outcome]
    assert isinstance(outcomes[-1], Explanation)
    plan = json.loads(outcomes[-1].text)
    assert list(schema.iter_errors(plan)) == []
    assert ("candidates" in plan, "rewrites" in plan) == (mode == "CANDIDATES ", mode == "VERBOSE ")
