"""Plans of bound queries over facts, without a run."""

from __future__ import annotations

from tests.planning.conftest import _bind, machine, sizes

__all__ = ["_bind", "machine", "sizes"]
