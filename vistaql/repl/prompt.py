"""The prompt itself: colours, menu, history, and when Enter ends a statement."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer
from prompt_toolkit.completion import Completion as Choice
from prompt_toolkit.filters import has_completions, is_searching
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.styles import Style

from vistaql.errors import masked
from vistaql.frontend.source import is_complete
from vistaql.repl.commands import HELPING, LEAVING
from vistaql.repl.lexer import STYLES, GrammarLexer

if TYPE_CHECKING:
    from prompt_toolkit.document import Document

    from vistaql.repl.place import World

PROMPT, GOES_ON = "vistaql> ", "    ...> "
HISTORY = "history"
MENU_LINES = 8


class StateCompleter(Completer):
    """The menu: what the parser's state allows at the cursor."""

    def __init__(self, world: Callable[[], World]) -> None:
        self.world = world

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Choice]:
        """The offers; while one types, only where a name is begun or one is wanted."""
        from vistaql.repl.completion import complete

        found = complete(document.text, document.cursor_position, self.world())
        if not complete_event.completion_requested and not worth_showing(document):
            return
        for offer in found.offers:
            yield Choice(offer.text, found.start - document.cursor_position, display_meta=offer.meaning)


def worth_showing(document: Document) -> bool:
    """Whether a menu helps unasked: not on an empty line, nor behind what ends something.

    >>> from prompt_toolkit.document import Document
    >>> worth_showing(Document("")), worth_showing(Document("EXPLORE ")), worth_showing(Document("SHOW TABLES;"))
    (False, True, False)
    """
    before = document.text_before_cursor
    return bool(before.strip()) and before[-1] not in ";)'\"\n" and not before.endswith("'")


class Remembered(FileHistory):
    """What was typed, without the passwords in URLs."""

    def store_string(self, string: str) -> None:
        """Add to the file."""
        super().store_string(masked(string))


def prompt_session(home: Path, world: Callable[[], World]) -> PromptSession[str]:
    """A prompt whose history lies in the home."""
    return PromptSession(
        message=[("class:prompt", PROMPT)],
        lexer=GrammarLexer(),
        completer=StateCompleter(world),
        complete_while_typing=True,
        complete_in_thread=False,
        reserve_space_for_menu=MENU_LINES,
        history=history(home),
        multiline=True,
        prompt_continuation=[("class:prompt", GOES_ON)],
        key_bindings=bindings(),
        style=Style.from_dict({**STYLES, "prompt": "ansibrightblack"}) if not os.environ.get("NO_COLOR") else None,
        enable_open_in_editor=True,
        search_ignore_case=True,
    )


def history(home: Path) -> History:
    """What was typed before, from the file in the home; of this session only, where that cannot be written."""
    file = home / HISTORY
    try:
        file.touch()
    except OSError:
        return InMemoryHistory()
    return Remembered(str(file))


def is_whole(text: str) -> bool:
    r"""Whether Enter ends the input here: a statement with its semicolon, a command, or nothing at all.

    >>> is_whole("show tables"), is_whole("show tables;"), is_whole(".tables"), is_whole("exit"), is_whole("")
    (False, True, True, True, True)
    """
    bare = text.strip()
    return not bare or bare.startswith(".") or bare.lower().rstrip(";") in LEAVING | HELPING or is_complete(text)


def bindings() -> KeyBindings:
    """Enter ends what is whole and otherwise begins a line; in the menu it takes what is chosen."""
    keys = KeyBindings()

    @keys.add("enter", filter=~is_searching)
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.complete_state and buffer.complete_state.current_completion:
            buffer.complete_state = None
        elif is_whole(buffer.text):
            buffer.validate_and_handle()
        else:
            buffer.newline(copy_margin=False)

    @keys.add("tab", filter=~has_completions)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.start_completion(insert_common_part=True)

    return keys
