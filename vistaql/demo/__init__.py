"""A task on real data that needs no download: handwritten digits a small CNN has never seen."""

from vistaql.demo.folder import Demo, write

__all__ = ["Demo", "write"]
