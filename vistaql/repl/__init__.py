"""The shell: a prompt that completes from the parser's state, runs statements, and survives their failures."""

from vistaql.repl.shell import start

__all__ = ["start"]
