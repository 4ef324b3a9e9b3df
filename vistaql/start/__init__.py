"""The first look at a person's own photos and table, which becomes a script of theirs."""

from vistaql.start.screen import Screen, Wishes, begin

__all__ = ["Screen", "Wishes", "begin"]
