"""What `Session.sql` gives back in Python."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vistaql.outcome import Counts, Explanation, Exploration, Outcome, Relation, Report

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


@dataclass(frozen=True)
class Result:
    """The outcome of a statement, with ways to look at it; in a notebook it shows itself."""

    outcome: Outcome | None

    def to_arrow(self) -> pa.Table:
        """Rows as an Arrow table: scores of an EXPLORE, rows of a SELECT, facts of a CREATE."""
        import pyarrow as pa

        from vistaql.catalog.results import result_table

        match self.outcome:
            case Exploration():
                return result_table(self.outcome)
            case Relation():
                return self.outcome.table
            case Report(_, facts):
                return pa.table({name: [value] for name, value in facts})
            case Explanation(text):
                return pa.table({"plan": text.split("\n")})
            case _:
                return pa.table({})

    def to_pandas(self) -> pd.DataFrame:
        """The same as a pandas frame; needs pandas."""
        return self.to_arrow().to_pandas()

    @property
    def plan(self) -> object:
        """The plan that ran (PlanSummary), or that EXPLAIN showed (plain values); None for other statements."""
        return getattr(self.outcome, "plan", None)

    @property
    def counts(self) -> Counts | None:
        """What became of images and rows, for an EXPLORE."""
        return self.outcome.counts if isinstance(self.outcome, Exploration) else None

    def __str__(self) -> str:
        from vistaql.rendering.text import to_text

        return "" if self.outcome is None else to_text(self.outcome)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """The outcome for a notebook."""
        from vistaql.rendering.html import to_html

        return "" if self.outcome is None else to_html(self.outcome)
