"""How long a first look takes, and how long all of it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vistaql.outcome import Explanation
from vistaql.session import Session

if TYPE_CHECKING:
    from vistaql.session import Session as Running

SAMPLES = (2000, 1000, 500, 200)
"""sizes of a first look, the largest first"""
SHORT = 60.0
"""seconds that a person waits for a first look"""


@dataclass(frozen=True)
class Forecast:
    """Predicted seconds: of a first look at `sample` rows (None: at all of them), and of everything."""

    sample: int | None
    first: float
    everything: float


def forecast(session: Running, setup: str, query: str, rows: int) -> Forecast:
    """Price the query in a copy of the catalog, so that nothing is kept yet."""
    with tempfile.TemporaryDirectory(prefix="vistaql-start-") as copy:
        session.catalog.copy_to(Path(copy))
        with Session(Path(copy), session.machine, session.settings) as trial:
            for _ in trial.run(setup):
                pass
            everything = seconds(trial, query, rows)
            if everything <= SHORT:
                return Forecast(None, everything, everything)
            first = everything
            for sample in SAMPLES:
                if sample < rows:
                    first = seconds(trial, query, sample)
                    if first <= SHORT or sample == SAMPLES[-1]:
                        return Forecast(sample, first, everything)
            return Forecast(None, everything, everything)


def seconds(trial: Running, query: str, rows: int) -> float:
    """What EXPLAIN predicts for so many rows."""
    outcomes = [outcome for _, outcome in trial.run(f"EXPLAIN {query} SAMPLE {rows}")]
    found = outcomes[-1]
    return float(str(found.plan["seconds"])) if isinstance(found, Explanation) else 0.0
