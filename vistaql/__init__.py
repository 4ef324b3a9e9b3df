"""VistaQL: which layer of a CNN serves your prediction task best.

>>> import vistaql
>>> vistaql.__version__
'0.1.0'
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vistaql.session import Session, connect

__version__ = "0.1.0"
__all__ = ["Session", "__version__", "connect"]


def __getattr__(name: str) -> object:
    """Import the session when it is first asked for, so that `import vistaql` alone costs nothing."""
    if name in {"Session", "connect"}:
        from vistaql import session

        return getattr(session, name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
