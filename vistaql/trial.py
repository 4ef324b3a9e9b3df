"""A session that looks for errors and runs no query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from vistaql.checking import collected, raise_all
from vistaql.frontend import ast
from vistaql.frontend.binder import Context, bind_query
from vistaql.frontend.parser import parse
from vistaql.frontend.scope import ParameterValue
from vistaql.keeping import check_targets, expected
from vistaql.outcome import Outcome
from vistaql.session import Session


@dataclass
class Trial(Session):
    """A session that binds queries and does not run them."""

    def count(self, text: str, parameters: Mapping[str, ParameterValue], folder: Path | None) -> int:
        """The number of statements, those of scripts inside included. Raises all errors at once."""
        script, counted = parse(text), 0

        def bind(statement: ast.Statement) -> None:
            nonlocal counted
            context = self.context(parameters, folder)
            if isinstance(statement, ast.SourceScript):
                counted += sum(1 for _ in self.source(statement, context))
            else:
                self.execute(statement, context)
                counted += 1

        raise_all(collected(script.statements, text, set(), bind))
        return counted

    def execute(self, statement: ast.Statement, context: Context) -> Outcome | None:
        """Bind a query; run what names things."""
        match statement:
            case ast.Explore() | ast.ExportLayers():
                bound = bind_query(statement, context)
                self.last_query = statement
                check_targets(bound, self.catalog)
                expected(bound, self.catalog)
                return None
            case ast.Explain():
                # ANALYZE would run it.
                return super().execute(replace(statement, mode=ast.ExplainMode.PLAN), context)
            case ast.Calibrate():
                return None
            case ast.Select() | ast.Show() | ast.ShowErrors() | ast.Describe() | ast.ShowCreate():
                # They may ask for results, which only a run makes.
                return None
            case _:
                return super().execute(statement, context)
