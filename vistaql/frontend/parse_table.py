"""The parser made from the grammar, and its table kept in a file.

Building the table takes a third of a second, reading it a tenth of that. The file is plain JSON beside this
module, made by `python -m vistaql.frontend.parse_table`. It is read only if its digest is that of the grammar
and of lark's version; otherwise the table is built, which is slower and never wrong.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import lark
from lark import Lark, Token
from lark.grammar import Rule
from lark.lexer import TerminalDef

from vistaql.errors import Code, Span, VistaQLError
from vistaql.frontend.to_ast import ACTIONS

TABLE = Path(__file__).with_name("parse_table.json")
# Some 25 millionths of a second go into each; SQL, strings and comments count as one.
LONGEST = 50_000

STARTS = ("script", "expression")


class WholeWords:
    """Accept a name wherever the text has a word, so that a keyword ends where its word ends."""

    always_accept = ("NAME",)

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        """Leave the tokens as they are, and raise TOO_LONG after LONGEST of them."""
        for count, token in enumerate(stream):
            if count == LONGEST:
                raise _too_long(token)
            yield token


def _too_long(token: Token) -> VistaQLError:
    span = Span(token.start_pos or 0, token.end_pos or 0)
    message = f"The text has more than {LONGEST:,} words and signs."
    hint = "Put long lists of values into a table to join with, and long scripts into several files."
    return VistaQLError(Code.TOO_LONG, message, span, hint)


@cache
def language() -> Lark:
    """The parser, whose actions build the AST as it goes."""
    grammar = grammar_path().read_text(encoding="utf-8")
    return read_table(grammar) or build(grammar)


def grammar_path() -> Path:
    """In a wheel the grammar lies inside the package, in a checkout beside it."""
    package = Path(__file__).parents[1]
    packaged = package / "grammar"
    return (packaged if packaged.is_dir() else package.parent / "grammar") / "vistaql.lark"


def build(grammar: str, *, strict: bool = False) -> Lark:
    """Make the parser from the grammar. Strict: every ambiguity of rules or terminals is an error."""
    return Lark(
        grammar,
        parser="lalr",
        lexer="contextual",
        strict=strict,
        start=list(STARTS),
        postlex=WholeWords(),
        transformer=SimpleNamespace(**ACTIONS),
        keep_all_tokens=True,
        maybe_placeholders=False,
    )


def read_table(grammar: str) -> Lark | None:
    """The parser from the file, or None where the file is not of this grammar."""
    try:
        table = json.loads(TABLE.read_text(encoding="utf-8"), object_hook=_number_keys)
    except (OSError, ValueError):
        return None
    if not isinstance(table, dict) or table.get("digest") != digest(grammar):
        return None
    own = {"transformer": SimpleNamespace(**ACTIONS), "postlex": WholeWords()}
    # Lark's own standalone parsers are read by this function, which has no types.
    parser: Lark = Lark._load_from_dict(table["data"], table["memo"], **own)  # type: ignore[no-untyped-call] # noqa: SLF001
    return parser


def table_text(grammar: str) -> str:
    """What the file must hold for this grammar."""
    data, memo = build(grammar).memo_serialize([TerminalDef, Rule])
    # These two are objects of this process, given again on reading.
    del data["options"]["postlex"], data["options"]["transformer"]
    return json.dumps({"digest": digest(grammar), "data": data, "memo": memo}, separators=(",", ":")) + "\n"


def digest(grammar: str) -> str:
    """What the table depends on, in short."""
    return hashlib.sha256(f"{lark.__version__}\n{grammar}".encode()).hexdigest()


def _number_keys(found: dict[str, Any]) -> dict[str | int, Any]:
    """JSON has no numbers for keys."""
    return {int(key) if key.isdigit() else key: value for key, value in found.items()}


if __name__ == "__main__":
    TABLE.write_text(table_text(grammar_path().read_text(encoding="utf-8")), encoding="utf-8")
