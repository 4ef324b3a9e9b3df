"""The folder that holds a catalog."""

from __future__ import annotations

import os
from pathlib import Path


def home_folder(home: str | Path | None) -> Path:
    """Where the catalog lies: as given, else as VISTAQL_HOME says, else in the user's data folder."""
    chosen = home or os.environ.get("VISTAQL_HOME")
    if chosen:
        return Path(chosen).expanduser().absolute()
    from platformdirs import user_data_path

    return user_data_path("vistaql", appauthor=False)
