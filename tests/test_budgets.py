"""A file fits in the head, a function on a screen."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

LONGEST_FILE = 350
LONGEST_FUNCTION = 40
MODULES = sorted(Path(__file__).parents[1].glob("vistaql/**/*.py"))


def long_functions(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
            lines = node.end_lineno - node.lineno + 1
            if lines > LONGEST_FUNCTION:
                yield f"line {node.lineno}: {node.name} has {lines} lines"


def test_there_are_modules_to_measure() -> None:
    assert MODULES


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_a_module_keeps_to_its_budget(module: Path) -> None:
    text = module.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_FILE
    assert list(long_functions(text)) == []
