"""What may be typed at the cursor, by the parser's state.

No prompt is needed to ask: the menu draws what `complete` returns, tests and benchmarks read it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from vistaql.frontend import ast
from vistaql.rendering.output import Format
from vistaql.repl.commands import COMMANDS
from vistaql.repl.offers import names_for
from vistaql.repl.paths import paths
from vistaql.repl.place import Offer, Place, World
from vistaql.repl.sql import sql_offers
from vistaql.repl.standing import keyword, standing
from vistaql.repl.surroundings import surroundings
from vistaql.stores.quoting import typed

COMMENT = re.compile(r"--[^\n]*$")
BEGUN = re.compile(r"[^\W\d]\w*$")
# Words that only ever stand beside others in a list of what may follow.
RARE = frozenset({"FALSE", "TRUE", "NULL", "DATE", "NOT", "TABLESAMPLE"})


@dataclass(frozen=True)
class Completion:
    """Offers for the text that begins at `start`."""

    start: int
    offers: tuple[Offer, ...]


def complete(text: str, cursor: int, world: World) -> Completion:
    """Everything that fits at the cursor: names first, then keywords; exact beginnings before mere occurrences."""
    before = text[:cursor]
    if before.lstrip().startswith(".") and "\n" not in before:
        return commands(before, world)
    around = surroundings(text, cursor)
    last = around.before[-1] if around.before else None
    if last is not None and last.text[0] in "'\"" and not closed(last.text) and last.start + len(last.text) >= cursor:
        begun = before[last.start + 1 :]
        return Completion(last.start + 1, tuple(paths(begun)) if last.text[0] == "'" else ())
    end = last.start + len(last.text) if last is not None else around.start
    if (last is not None and last.text.startswith("/*")) or COMMENT.search(before, end):
        return Completion(cursor, ())
    found = BEGUN.search(before)
    if found and before[: found.start()].endswith(":"):
        # The name of a parameter is the user's own.
        return Completion(cursor, ())
    begun = found[0] if found else ""
    start = cursor - len(begun)
    return Completion(start, fitting(begun, offers(text, start, world)))


def offers(text: str, start: int, world: World) -> Iterable[Offer]:
    """Names and keywords that may stand at a place, whatever is begun there."""
    around = surroundings(text, start)
    here = standing(text[around.start : start])
    if here is None:
        return
    if here.symbols[-1:] == ("SQL",):
        yield from sql_offers(around, world)
        return
    yield from names_for(Place(here, around, world))
    if "STAR" in here.accepted and here.after("LAYERS"):
        yield Offer("*", "all exploration points")
    words = sorted(word for terminal in here.accepted if (word := keyword(terminal)))
    if "SQL" in here.accepted:
        words += ["SELECT", "SUMMARIZE"]
    yield from (Offer(word) for word in sorted(words, key=lambda word: word in RARE))


def commands(before: str, world: World) -> Completion:
    """Dot commands, and what may follow one."""
    line = before.lstrip()
    name, space, rest = line.partition(" ")
    if not space:
        offered = tuple(Offer(one.name, one.meaning) for one in COMMANDS if one.name.startswith(name))
        return Completion(len(before) - len(name), offered)
    return Completion(len(before) - len(rest), fitting(rest, command_offers(name, rest, world)))


def command_offers(name: str, begun: str, world: World) -> Iterator[Offer]:
    """What may follow a command."""
    match name:
        case ".mode":
            yield from (Offer(form.value) for form in Format)
        case ".timer":
            yield from (Offer("on"), Offer("off"))
        case ".layers":
            yield from (Offer(typed(cnn)) for cnn in world.names.names(ast.ObjectKind.CNN))
        case ".schema":
            yield from (Offer(typed(table.name), "table") for table in world.tables)
            yield from (Offer(typed(one.name), "images") for one in world.image_sets)
        case ".read" | ".output" | ".once" | ".cd":
            yield from paths(begun)


def fitting(begun: str, offered: Iterable[Offer]) -> tuple[Offer, ...]:
    """The offers that go on with what is begun, or hold it; each text once."""
    wanted = begun.casefold()
    unique = {offer.text: offer for offer in reversed(list(offered))}
    kept = [offer for offer in reversed(unique.values()) if wanted in offer.text.casefold()]
    if len(kept) == 1 and kept[0].text.casefold() == wanted:
        return ()
    return tuple(sorted(kept, key=lambda offer: not offer.text.casefold().lstrip('"').startswith(wanted)))


def closed(quoted: str) -> bool:
    """Whether a quoted word ends with its quote.

    >>> closed("'a'"), closed("'a"), closed("'")
    (True, False, False)
    """
    return len(quoted) > 1 and quoted[-1] == quoted[0] and quoted.count(quoted[0]) % 2 == 0
