"""Where outcomes go: the screen or a file, in the form that was chosen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from vistaql.errors import Code, VistaQLError
from vistaql.outcome import Outcome
from vistaql.rendering.output import Format, written
from vistaql.rendering.style import PLAIN, Style
from vistaql.rendering.text import to_text


@dataclass(frozen=True)
class Target:
    """The form of outcomes, and the file they are added to (None: the screen)."""

    form: Format = Format.TABLE
    file: Path | None = None
    once: bool = False

    def to_file(self, name: str, *, once: bool) -> Target:
        """Write to a new file from now on, or once; without a name to the screen. Raises USAGE or NOT_WRITABLE."""
        if not name:
            if once:
                raise VistaQLError(Code.USAGE, ".once needs the name of a file.", hint=".once result.csv")
            return replace(self, file=None, once=False)
        file = Path(name).expanduser().absolute()
        try:
            file.write_text("", encoding="utf-8")
        except OSError as failure:
            message = f"'{file}' cannot be written: {failure.strerror}."
            raise VistaQLError(Code.NOT_WRITABLE, message, hint=".output FILE, in a folder that exists") from failure
        return replace(self, file=file, once=once)

    def write(self, outcome: Outcome, screen: Style) -> Target:
        """Write an outcome; gives the target of the next. As CSV, what has no rows goes to the screen as text."""
        text = written(outcome, self.form, PLAIN if self.file else screen)
        if not text:
            print(to_text(outcome, screen), flush=True)
            return self
        if self.file is None:
            print(text, flush=True)
            return self
        with self.file.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text + "\n")
        return replace(self, file=None, once=False) if self.once else self
