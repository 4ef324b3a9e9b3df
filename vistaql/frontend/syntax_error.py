"""What to say where the text stops being a statement."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from vistaql.errors import Code, Span, VistaQLError, nearest
from vistaql.frontend.hints import help_hint, hint_for, hint_for_name
from vistaql.frontend.source import character_name, shown, words, words_of_statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lark import Lark

UNCLOSED = {
    "'": ("The string that begins here is not closed.", "End it with '. A ' inside it is written twice."),
    '"': ("The name that begins here is not closed.", 'End it with ". Texts have single quotes.'),
    "/*": ("The comment that begins here is not closed.", "End it with */."),
}

# What a person would call the terminals that are no keyword.
KINDS = {
    "NAME": "a name",
    "STRING": "a string",
    "NUMBER": "a number",
    "PARAMETER": "a parameter",
}
VALUES = {"FALSE", "MINUS", "NULL", "NUMBER", "PARAMETER", "QUANTITY", "STRING", "TRUE"}
EXPRESSION = VALUES | {"DATE", "LPAR", "NAME", "NOT", "QUOTED_NAME"}
SIGNS = {"=", "<>", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%"}
PREDICATES = {"BETWEEN", "ILIKE", "IN", "IS", "LIKE", "NOT"}
STATEMENT_WORDS = set(
    "CREATE DESC DESCRIBE DROP EXPLAIN EXPLORE EXPORT HELP REGISTER RESET SELECT SET SHOW SOURCE SUMMARIZE".split()
)
SQL_WORDS = {"SELECT", "SUMMARIZE", "WITH"}
END = {"SEMICOLON", "$END"}

# Keywords in the order in which they are likely to be meant: kinds of object, statements, clauses.
LIKELY = tuple(
    "TABLE TABLES IMAGES CNN CNNS LAYERS LAYER RESULTS SETTINGS "
    "EXPLORE SELECT CREATE SHOW EXPLAIN EXPORT REGISTER DESCRIBE "
    "FROM OF TO JOIN TRAIN PREDICT WHERE SAMPLE EVALUATE FEATURES USING AND OR KEY LABEL".split()
)
# A longer list is not read: of more words than this, the likeliest are named and the others counted.
MOST_NAMED, NAMED_OF_MORE = 7, 5

# 2024_photos is meant as one word, although a number is read from it.
NUMBER_LIKE = re.compile(r"\d[\w.]*")

LONGEST_FOUND = 40
# Shorter words are near to too much.
SHORTEST_MISSPELLING = 3


def syntax_error(language: Lark, text: str, start: str, error: UnexpectedInput) -> VistaQLError:
    """The error in our terms: where, what was expected, what was found, and a way out."""
    span = _span(text, error)
    if unclosed := _unclosed(text, span):
        return unclosed
    accepted = _accepted(language, text[: span.start], start)
    found = text[span.start : span.end]
    close, hint = _hint(text, span, accepted)
    if isinstance(error, UnexpectedCharacters):
        message = f"The character {character_name(found)} has no meaning here."
    elif "SQL" in accepted and found.upper() in SQL_WORDS:
        message = f"Expected a query, found {found} alone."
    else:
        said = words_of_statement(text[: span.start])
        message = f"Expected {_listed(_alternatives(accepted, close, said))}, found {_found(found)}."
    return VistaQLError(Code.SYNTAX, message, span, hint)


def _span(text: str, error: UnexpectedInput) -> Span:
    if isinstance(error, UnexpectedToken):
        token = error.token
        if token.type == "$END":
            end = len(text.rstrip())
            return Span(end, end)
        start, end = token.start_pos or 0, token.end_pos or 0
        rest = NUMBER_LIKE.match(text, start)
        return Span(start, rest.end() if rest else end)
    place = error.pos_in_stream or 0
    return Span(place, place + 1)


def _unclosed(text: str, span: Span) -> VistaQLError | None:
    # Where a value may be divided, / alone is read before the * that opens the comment.
    start = span.start - 1 if text[span.start - 1 : span.start + 1] == "/*" else span.start
    for opening, (message, hint) in UNCLOSED.items():
        if text.startswith(opening, start) and not _closed(text, start, opening):
            return VistaQLError(Code.SYNTAX, message, Span(start, start + len(opening)), hint)
    return None


def _closed(text: str, start: int, opening: str) -> bool:
    closing = {"/*": "*/"}.get(opening, opening)
    return text.find(closing, start + len(opening)) >= 0


def _accepted(language: Lark, before: str, start: str) -> dict[str, str]:
    """The terminals that really may follow, with how each is written.

    The text before the error is read once more: at the error itself the parser has already
    drawn conclusions from the wrong token, and offers less.
    """
    reader = language.parse_interactive(before, start=start)
    reader.exhaust_lexer()
    patterns = {terminal.name: terminal.pattern.value for terminal in language.terminals} | {"SQL": "SELECT"}
    terminals: set[str] = reader.accepts()  # type: ignore[no-untyped-call] # lark leaves it without types
    return {terminal: patterns.get(terminal, "") for terminal in sorted(terminals)}


def _alternatives(accepted: dict[str, str], close: str | None, said: Sequence[str]) -> list[str]:
    """The terminals as a person would list them: kinds of value, keywords, signs, the end."""
    left = dict(accepted)

    def take(terminals: set[str], words: str) -> list[str]:
        if not terminals <= left.keys():
            return []
        for terminal in terminals:
            del left[terminal]
        return [words]

    shown = take(EXPRESSION, "an expression") or take(EXPRESSION - {"NOT"}, "a value")
    shown = shown or take(VALUES | {"NAME", "QUOTED_NAME"}, "a value")
    operators = {terminal for terminal, sign in left.items() if sign in SIGNS} | (PREDICATES & left.keys())
    shown += take(operators, "an operator") if "PLUS" in operators else []
    left.pop("QUOTED_NAME", None)
    shown += [KINDS[terminal] for terminal in KINDS if left.pop(terminal, None) is not None]
    shown += _likeliest_first([sign for sign in left.values() if sign.isalpha()], close, said)
    shown += [f"'{sign}'" for terminal, sign in left.items() if terminal not in END and not sign.isalpha()]
    shown += ["the end of the statement"] if END & left.keys() else []
    return shown


def _likeliest_first(keywords: list[str], close: str | None, said: Sequence[str]) -> list[str]:
    """The keyword that may have been misspelt, then those that are likely; last what the statement has said.

    >>> _likeliest_first(["AS", "JOIN", "TRAIN", "WHERE"], "TRAIN", ("EXPLORE", "WHERE"))
    ['TRAIN', 'JOIN', 'AS', 'WHERE']
    """

    def unlikeliness(keyword: str) -> tuple[bool, bool, int, str]:
        place = LIKELY.index(keyword) if keyword in LIKELY else len(LIKELY)
        return keyword != close, keyword in said, place, keyword

    return sorted(keywords, key=unlikeliness)


def _listed(alternatives: list[str]) -> str:
    """The alternatives in a sentence, the less likely ones of many only counted.

    >>> _listed(["FROM", "ON", "','"]), _listed(list("abcdefgh"))
    ("FROM, ON or ','", 'a, b, c, d, e or 3 more')
    """
    shown = alternatives
    if len(shown) > MOST_NAMED:
        shown = [*shown[:NAMED_OF_MORE], f"{len(shown) - NAMED_OF_MORE} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"


def _found(text: str) -> str:
    if not text:
        return "the end of the text"
    short = shown(text if len(text) <= LONGEST_FOUND else text[:LONGEST_FOUND] + "..")
    return short if short[0] in "'\"" else f"'{short}'"


def _hint(text: str, span: Span, accepted: dict[str, str]) -> tuple[str | None, str]:
    """The keyword that was misspelt, if one was, and what to type next."""
    before = words_of_statement(text[: span.start])
    at = words(text[span.start : span.start + 2 * LONGEST_FOUND])
    found = text[span.start : span.end]
    if known := hint_for(before, at):
        return None, known
    if close := _misspelt(found, accepted):
        return close, f"Did you mean {close}?"
    named = hint_for_name(before) if found[:1].isalpha() else None
    return None, named or _slip(text, span, accepted) or help_hint(before)


def _misspelt(found: str, accepted: dict[str, str]) -> str | None:
    if len(found) < SHORTEST_MISSPELLING or not found.isidentifier():
        return None
    return nearest(found, [sign for sign in accepted.values() if sign.isalpha()])


def _slip(text: str, span: Span, accepted: dict[str, str]) -> str | None:
    """What to say of a value in the wrong quotes, of parentheses, or of two statements without a semicolon."""
    found = text[span.start : span.end]
    bare = shown(found.strip("'\"")[:LONGEST_FOUND])
    if found == '"':
        return "A name has at least one character."
    if found[:1] == '"' and "STRING" in accepted:
        return f"Double quotes are for names. A text has single ones: '{bare}'."
    if found[:1] == "'" and "NAME" in accepted:
        return f'Single quotes are for texts. A name has none, or double ones: "{bare}".'
    if found[:1].isdigit() and "NAME" in accepted:
        return "A name that starts with a digit stands in double quotes."
    if not found and "RPAR" in accepted:
        return "A parenthesis is open; close it with )."
    before = words(text[: span.start])
    if found == ")" and before.count("(") <= before.count(")"):
        return "This ) closes nothing; leave it out."
    if found.upper() in STATEMENT_WORDS and "SEMICOLON" in accepted and "SQL" not in accepted:
        return "A statement ends with a semicolon."
    return None
