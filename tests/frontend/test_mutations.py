"""A damaged statement is an error of ours that points into the text, or another statement."""

from __future__ import annotations

import os
import re
from pathlib import Path
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.frontend.test_golden import GOLDEN, blocks
from vistaql.errors import VistaQLError
from vistaql.frontend import ast
from vistaql.frontend.parser import parse
from vistaql.frontend.printer import to_text

EXAMPLES = int(os.environ.get("VISTAQL_EXAMPLES", "2000"))
CORPUS = [
    typed
    for name in ("statements", "first_typed", "errors")
    for typed, _ in blocks((GOLDEN / f"{name}.vql").read_text(encoding="utf-8"))
]
TOKENS = re.compile(r"""'[^']*'|"[^"]*"|\w+|\s+|.""")
CHARACTERS = "'\"();,.:*=<>!-+/%[]{}@#$\\ \t\n\r\0\ud800\udfff\u200b\u202e\ufeff\u2028\u00a0ßİ\u017f\u212aaE09_é漢🙂"


def damaged(pieces: list[str], spare: list[str], random: Random) -> list[str]:
    """Some pieces left out, put in, doubled, swapped, or everything after one cut off."""
    found = list(pieces)
    for _ in range(random.randint(1, 4)):
        place = random.randrange(len(found) + 1)
        match random.randrange(5):
            case 0:
                del found[place : place + 1]
            case 1:
                found.insert(place, random.choice(spare))
            case 2:
                found[place:place] = found[place : place + 2]
            case 3:
                found[place : place + 2] = reversed(found[place : place + 2])
            case _:
                del found[place + len(found) // 2 :]
    return found


def check(text: str) -> None:
    answer: ast.Script | VistaQLError
    try:
        answer = parse(text)
    except VistaQLError as error:
        answer = error
    if isinstance(answer, ast.Script):
        assert repr(parse(to_text(answer))) == repr(answer)
        return
    assert answer.span is not None
    assert 0 <= answer.span.start <= answer.span.end <= len(text)
    assert answer.message.isprintable()
    assert (answer.hint or "").isprintable()
    answer.render().encode()


@settings(max_examples=EXAMPLES, deadline=None, database=None)
@given(st.integers(0, 2**64).map(Random))
def test_damaged_statements(random: Random) -> None:
    statement, other = random.choice(CORPUS), random.choice(CORPUS)
    if random.random() < 0.5:
        check("".join(damaged(list(statement), list(CHARACTERS), random)))
    else:
        check("".join(damaged(TOKENS.findall(statement), TOKENS.findall(other), random)))


@settings(max_examples=EXAMPLES // 10, deadline=None, database=None)
@given(st.text())
def test_any_text(text: str) -> None:
    check(text)


def test_the_corpus_is_there() -> None:
    assert len(CORPUS) > 100
    assert Path(GOLDEN).is_dir()
