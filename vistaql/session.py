"""The pipeline, and the Python API.

text --parse--> ast.Script --bind--> BoundQuery --rewrite--> logical plan
--enumerate, price, choose--> Decision --run--> Outcome
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Self

from vistaql import statements
from vistaql.catalog.catalog import Catalog
from vistaql.errors import Code, VistaQLError
from vistaql.explain import plan as explained
from vistaql.explain.text import render
from vistaql.frontend import ast
from vistaql.frontend.binder import BoundQuery, Context, bind_query
from vistaql.frontend.parser import parse
from vistaql.frontend.places import at_clauses
from vistaql.frontend.scope import ParameterValue
from vistaql.keeping import check_targets, expected, keep, working_folder
from vistaql.logical.rules import RULES
from vistaql.names import KnownNames, Registered
from vistaql.optimizer.choose import Decision, choose
from vistaql.optimizer.estimate import estimate
from vistaql.optimizer.machine import Machine, detect
from vistaql.outcome import Explanation, Exploration, Outcome, Report
from vistaql.physical.run import run as run_plan
from vistaql.physical.sizes import Sizes
from vistaql.plan.rewrite import rewrite
from vistaql.progress import Confirm, Progress, Silent, go_on
from vistaql.result import Result
from vistaql.settings import Settings
from vistaql.units import format_duration, format_size

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


@dataclass
class Session:
    """A home's catalog, the settings of the moment, and the machine. One thread at a time."""

    home: Path
    machine: Machine = field(default_factory=detect)
    settings: Settings = field(default_factory=Settings)
    progress: Progress = field(default_factory=Silent)
    confirm: Confirm = go_on
    registered: dict[str, Registered] = field(default_factory=dict)
    last_query: ast.Explore | ast.ExportLayers | None = None
    sourcing: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        self.catalog = Catalog.open(self.home)

    def sql(self, text: str, /, **parameters: ParameterValue) -> Result:
        """Run the statements of a text; the result of the last one.

        `parameters` are the values of :name in the text. Relative paths start at the current folder.
        """
        outcomes = [outcome for _, outcome in self.run(text, parameters)]
        return Result(outcomes[-1] if outcomes else None)

    def run(
        self, text: str, parameters: Mapping[str, ParameterValue] | None = None, folder: Path | None = None
    ) -> Iterator[tuple[ast.Statement, Outcome | None]]:
        """Run the statements of a text one after the other, each with what it gives.

        A statement that fails ends the run and changes nothing; those before it stay done.
        """
        script = parse(text)
        for statement in script.statements:
            context = self.context(parameters or {}, folder)
            try:
                if isinstance(statement, ast.SourceScript):
                    yield from self.source(statement, context)
                else:
                    yield statement, self.execute(statement, context)
            except VistaQLError as error:
                raise error.in_source(text) from error.__cause__

    def check(
        self, text: str, parameters: Mapping[str, ParameterValue] | None = None, folder: Path | None = None
    ) -> int:
        """Parse and bind every statement; queries are not run and nothing is kept. The number of statements.

        Statements that name things do so in a copy of the catalog, so that those behind them can be bound.
        """
        with tempfile.TemporaryDirectory(prefix="vistaql-check-") as copy:
            self.catalog.copy_to(Path(copy))
            with Trial(Path(copy), self.machine, self.settings, registered=dict(self.registered)) as trial:
                return sum(1 for _ in trial.run(text, parameters, folder))

    def context(self, parameters: Mapping[str, ParameterValue], folder: Path | None) -> Context:
        """What surrounds a statement now."""
        return Context(KnownNames(self.catalog, self.registered), self.settings, parameters, folder or Path.cwd())

    def source(self, statement: ast.SourceScript, context: Context) -> Iterator[tuple[ast.Statement, Outcome | None]]:
        """Run a script in its place; its paths start at its own folder."""
        path = Path(context.path(statement.path)).resolve()
        if path in self.sourcing:
            names = dict.fromkeys(script.name for script in (*self.sourcing, path))
            raise VistaQLError(
                Code.CATALOG, f"{path.name} is being run already: it would run itself for ever.", span=statement.span,
                hint="Leave out one SOURCE of: " + ", ".join(names) + ".",
            )  # fmt: skip
        text = statements.read_script(path, statement.path.span)
        outer, self.sourcing = self.sourcing, (*self.sourcing, path)
        try:
            yield from self.run(text, context.parameters, path.parent)
        except VistaQLError as error:
            if error.source == text:
                error.message = f"In {path.name}: {error.message}"
            raise
        finally:
            self.sourcing = outer

    def execute(self, statement: ast.Statement, context: Context) -> Outcome | None:
        """Run one statement."""
        match statement:
            case ast.Explore() | ast.ExportLayers():
                bound = bind_query(statement, context)
                self.last_query = statement
                with at_clauses(statement):
                    return self.query(bound)
            case ast.Explain():
                return self.explain(statement, context)
            case ast.SetOption() | ast.Reset():
                self.settings = statements.change_settings(statement, context)
                return None
            case _:
                return statements.execute(
                    statement, statements.Desk(context, self.catalog, self.registered, self.threads)
                )

    @property
    def threads(self) -> int:
        """TensorFlow threads of this session."""
        return self.settings.threads or self.machine.cores

    def explain(self, statement: ast.Explain, context: Context) -> Explanation:
        """The plan of a query, from what the catalog knows; nothing is run."""
        query = statement.query or self.last_query
        if query is None:
            raise VistaQLError(
                Code.NOTHING_BEFORE, "There is no query before this EXPLAIN.", span=statement.span,
                hint="Write EXPLAIN EXPLORE ..",
            )  # fmt: skip
        try:
            bound = bind_query(query, context)
            self.last_query = query
            with at_clauses(query):
                decision = self.decide(bound, estimate(bound.plan))
        except VistaQLError as error:
            if statement.query is None:
                # The words it points at stand in another text.
                error.span = None
            raise
        as_json = statement.format is ast.ExplainFormat.JSON
        plan = explained.plan_json(decision, with_graph=as_json)
        return Explanation(json.dumps(plan) if as_json else render(decision), plan)

    def decide(self, bound: BoundQuery, sizes: Sizes) -> Decision:
        """Rewrite the logical plan; enumerate, price and choose a physical one."""
        logical = rewrite(bound.plan, RULES)
        return choose(logical, sizes, self.machine, bound.settings)  # type: ignore[arg-type]  # rules keep the root

    def query(self, bound: BoundQuery) -> Exploration | Report:
        """Join the rows, choose a plan by their count, run it, keep the answer."""
        from vistaql.answer import answer
        from vistaql.engines.inprocess.engine import engine_for
        from vistaql.engines.inprocess.prepare import prepare

        started = perf_counter()
        check_targets(bound, self.catalog)
        memory = {item.table.source: item.data for item in self.registered.values()}
        prepared = prepare(bound.plan, bound.reduction, memory, self.machine.cores)
        decision = self.decide(bound, prepared.sizes)
        self.announce(decision)
        with working_folder() as folder:
            engine = engine_for(
                bound.plan, bound.settings, prepared, decision.chosen.configuration, folder, self.progress
            )
            values = run_plan(decision.chosen.plan, engine)
        outcome = answer(bound, prepared, engine, decision, values, perf_counter() - started)
        return keep(outcome, bound, self.catalog, engine.bad_images())

    def announce(self, decision: Decision) -> None:
        """Say what is about to run, and ask before a long run."""
        seconds = decision.chosen.seconds
        line = (
            f"{decision.sizes.images:,} images, about {format_duration(seconds)}, "
            f"up to {format_size(decision.chosen.peak_bytes)} of memory"
        )
        self.progress.say(line)
        if seconds > self.settings.confirm_over:
            sample = max(1, int(decision.sizes.images * 60 / seconds))
            if not self.confirm(f"{line}. SAMPLE {sample} would take about a minute. Run all of it?"):
                raise VistaQLError(
                    Code.NOT_CONFIRMED, "The statement was not run.", hint=f"Add SAMPLE {sample} for a first look."
                )

    def register(
        self, name: str, data: pa.Table | pd.DataFrame, *, key: str | None = None, label: str | None = None
    ) -> None:
        """Give a table of Arrow or pandas a name for this session; nothing of it is written to the catalog."""
        self.registered[name.casefold()] = Registered.of(name, data, key, label)

    def set(self, name: str, value: object) -> None:
        """SET name = value."""
        self.settings = statements.changed_setting(self.settings, name, value)

    def close(self) -> None:
        """Let go of the catalog."""
        self.catalog.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass
class Trial(Session):
    """A session that binds queries and does not run them."""

    def execute(self, statement: ast.Statement, context: Context) -> Outcome | None:
        """Bind a query; run what names things."""
        match statement:
            case ast.Explore() | ast.ExportLayers():
                bound = bind_query(statement, context)
                self.last_query = statement
                check_targets(bound, self.catalog)
                expected(bound, self.catalog)
                return None
            case ast.Select() | ast.Show() | ast.ShowErrors() | ast.Describe() | ast.ShowCreate():
                # They may ask for results, which only a run makes.
                return None
            case _:
                return super().execute(statement, context)


def home_folder(home: str | Path | None) -> Path:
    """Where the catalog lies: as given, else as VISTAQL_HOME says, else in the user's data folder."""
    chosen = home or os.environ.get("VISTAQL_HOME")
    if chosen:
        return Path(chosen).expanduser().absolute()
    from platformdirs import user_data_path

    return user_data_path("vistaql", appauthor=False)


def connect(home: str | Path | None = None) -> Session:
    """A session on a home folder: the argument, else VISTAQL_HOME, else a per-user data folder."""
    return Session(home_folder(home))
