"""The pipeline, and the Python API.

text --parse--> ast.Script --bind--> BoundQuery --rewrite--> BoundQuery
--enumerate, price, choose--> Decision --run--> Outcome
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Self

from vistaql import calibrating, statements
from vistaql.catalog.catalog import Catalog
from vistaql.catalog.home import home_folder
from vistaql.checking import errors_behind
from vistaql.errors import Code, VistaQLError
from vistaql.explain.account import Measured, account
from vistaql.explain.formats import explanation
from vistaql.explain.recording import Recording, rewrites_of
from vistaql.explain.watched import parts_of
from vistaql.frontend import ast
from vistaql.frontend.binder import BoundQuery, Context, bind_query
from vistaql.frontend.parser import parse
from vistaql.frontend.places import at_clauses
from vistaql.frontend.scope import ParameterValue
from vistaql.keeping import check_targets, keep, working_folder
from vistaql.measuring import Bench
from vistaql.names import KnownNames, Registered
from vistaql.optimizer.choose import Decision, choose
from vistaql.optimizer.estimate import estimate
from vistaql.optimizer.machine import Machine, detect
from vistaql.outcome import Explanation, Exploration, Outcome, Report
from vistaql.physical.run import run as run_plan
from vistaql.physical.sizes import Sizes
from vistaql.progress import Confirm, Progress, Silent, go_on, planned
from vistaql.result import Result
from vistaql.settings import EngineChoice, Settings
from vistaql.together import in_order, in_runs, plan_together, run_together
from vistaql.units import format_duration, format_size

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from pyspark.sql import SparkSession

    from vistaql.engines.inprocess.prepare import Prepared


@dataclass
class Session:
    """A home's catalog, the settings of the moment, and the machine. One thread at a time."""

    home: Path
    machine: Machine = field(default_factory=detect)
    settings: Settings = field(default_factory=Settings)
    progress: Progress = field(default_factory=Silent)
    confirm: Confirm = go_on
    registered: dict[str, Registered] = field(default_factory=dict)
    spark: SparkSession | None = None
    """the session of Spark that plans run in, where the caller has one"""
    last_query: ast.Explore | ast.ExportLayers | None = None
    sourcing: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        self.catalog = Catalog.open(self.home)
        self.machine = calibrating.known(self.machine, self.catalog)

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
        script, done = parse(text), 0
        for several in in_runs(script.statements):
            context = self.context(parameters or {}, folder)
            told = 0
            try:
                for made in self.answers(several, context):
                    told += 1
                    yield made
            except VistaQLError as error:
                if error.source is None:
                    failed = done + min(told, len(several) - 1)
                    error.others = errors_behind(script.statements[failed:], context, text)
                raise error.in_source(text) from error.__cause__
            done += len(several)

    def answers(
        self, several: tuple[ast.Statement, ...], context: Context
    ) -> Iterator[tuple[ast.Statement, Outcome | None]]:
        """Run one statement, those of a script, or consecutive EXPLOREs."""
        match several:
            case (ast.SourceScript() as script,):
                yield from self.source(script, context)
            case (statement,):
                yield statement, self.execute(statement, context)
            case _:
                yield from self.explore_all(several, context)

    def check(
        self, text: str, parameters: Mapping[str, ParameterValue] | None = None, folder: Path | None = None
    ) -> int:
        """Parse and bind every statement; queries are not run and nothing is kept. The number of statements.

        Raises the first error, with those of the other statements as its `others`.

        Statements that name things do so in a copy of the catalog, so that those behind them can be bound.
        """
        from vistaql.trial import Trial

        with tempfile.TemporaryDirectory(prefix="vistaql-check-") as copy:
            self.catalog.copy_to(Path(copy))
            with Trial(Path(copy), self.machine, self.settings, registered=dict(self.registered)) as trial:
                return trial.count(text, parameters or {}, folder)

    def context(self, parameters: Mapping[str, ParameterValue], folder: Path | None) -> Context:
        """What surrounds a statement now."""
        base = (folder or Path.cwd()).absolute()
        return Context(KnownNames(self.catalog, self.registered), self.settings, parameters, base)

    def source(self, statement: ast.SourceScript, context: Context) -> Iterator[tuple[ast.Statement, Outcome | None]]:
        """Run a script in its place; its paths start at its own folder."""
        path = Path(context.path(statement.path)).resolve()
        if path in self.sourcing:
            raise VistaQLError(
                Code.CATALOG, f"{path.name} is being run already: it would run itself for ever.", span=statement.span,
                hint=f"Leave out one of: {', '.join(dict.fromkeys(one.name for one in (*self.sourcing, path)))}.",
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
                bound = bind_query(statement, context).rewritten()
                self.last_query = statement
                with at_clauses(statement):
                    return self.query(bound)
            case ast.Explain():
                return self.explain(statement, context)
            case ast.Calibrate() | ast.Reset(key=(ast.Name(text="calibration" | "CALIBRATION"),)):
                bench = Bench(self.threads, self.progress)
                report = calibrating.execute(statement, context, self.catalog, bench)
                self.machine = calibrating.refreshed(self.machine, self.catalog)
                return report
            case ast.SetOption() | ast.Reset():
                self.settings = statements.change_settings(statement, context)
                return statements.doubts(statement)
            case _:
                return statements.execute(
                    statement, statements.Desk(context, self.catalog, self.registered, self.threads)
                )

    @property
    def threads(self) -> int:
        """TensorFlow threads of this session."""
        return self.settings.threads or self.machine.cores

    def explain(self, statement: ast.Explain, context: Context) -> Explanation:
        """The plan of a query, from what the catalog knows; nothing is run but for ANALYZE."""
        query = statement.query or self.last_query
        if query is None:
            raise VistaQLError(
                Code.NOTHING_BEFORE, "There is no query before this EXPLAIN.", span=statement.span,
                hint="Write EXPLAIN EXPLORE ..",
            )  # fmt: skip
        try:
            as_bound = bind_query(query, context)
            bound = as_bound.rewritten()
            self.last_query = query
            with at_clauses(query):
                if statement.mode is ast.ExplainMode.ANALYZE:
                    decision, measured = self.analyze(bound)
                else:
                    measured, all_of_them = None, statement.mode is ast.ExplainMode.CANDIDATES
                    decision = self.decide(bound, estimate(bound.plan), thorough=all_of_them)
        except VistaQLError as error:
            if statement.query is None:
                # The words it points at stand in another text.
                error.span = None
            raise
        rewrites = rewrites_of(as_bound.plan) if statement.mode is ast.ExplainMode.VERBOSE else ()
        told = account(decision, statement.mode, rewrites, measured, bound.settings.spark)
        return explanation(told, statement.format, bound.text)

    def analyze(self, bound: BoundQuery) -> tuple[Decision, Measured]:
        """Run a query, and keep its answer as ever; the decision, and what it took."""
        recording, started = Recording(), perf_counter()
        outcome = self.query(bound, recording)
        assert recording.decision is not None
        return recording.decision, recording.measured(outcome, perf_counter() - started)

    def decide(self, bound: BoundQuery, sizes: Sizes, *, thorough: bool = False) -> Decision:
        """Enumerate physical plans, price them, choose one."""
        return choose(bound.plan, sizes, self.machine.now(), bound.settings, thorough=thorough)

    def query(self, bound: BoundQuery, recording: Recording | None = None) -> Exploration | Report:
        """Join the rows, choose a plan by their count, run it, keep the answer."""
        from vistaql.answer import answer
        from vistaql.engines.running import new_run, running_engine

        started, run = perf_counter(), new_run()
        check_targets(bound, self.catalog)
        prepared = self.prepare(bound, run)
        decision = self.decide(bound, prepared.sizes)
        if recording is not None:
            recording.decided(decision, perf_counter() - started)
        self.announce(decision)
        configuration = decision.chosen.configuration
        actuals = [] if recording is None else recording.actuals
        tree = recording is not None and configuration.cluster is not None
        with (
            working_folder() as folder,
            running_engine(
                bound.plan, bound.settings, prepared, configuration, folder, self.progress, run, self.spark
            ) as engine,
            planned(self.progress, parts_of(decision), decision.limit_bytes),
        ):
            values = run_plan(decision.chosen.plan, engine, actuals.append, tree=tree)
        self.machine = calibrating.taught(self.machine, self.catalog, decision, actuals)
        outcome = answer(bound, prepared, engine, decision, values, perf_counter() - started)
        return keep(outcome, bound, self.catalog, engine.bad_images())

    def explore_all(
        self, several: tuple[ast.Statement, ...], context: Context
    ) -> Iterator[tuple[ast.Statement, Outcome | None]]:
        """Run consecutive EXPLOREs, together where that saves work; those before one that fails stay done."""
        bounds: list[BoundQuery] = []
        failure: VistaQLError | None = None
        for statement in several:
            assert isinstance(statement, ast.Explore)
            try:
                bounds.append(bind_query(statement, context).rewritten())
            except VistaQLError as error:
                failure = error
                break
            self.last_query = statement
        yield from in_order(list(zip(several, bounds, strict=False)), self.answer_all)
        if failure is not None:
            raise failure

    def answer_all(
        self, group: list[tuple[ast.Statement, BoundQuery]]
    ) -> Iterator[tuple[ast.Statement, Exploration | Report]]:
        """The answers of queries that may share passes: all at once, or one by one where that is no slower."""
        bounds = [bound for _, bound in group]
        work = plan_together(bounds, self.prepare, self.machine.now(), self.catalog) if len(group) > 1 else None
        found = None
        if work is not None:
            self.announce(work.decision)
            with working_folder() as folder, planned(self.progress, parts_of(work.decision), work.decision.limit_bytes):
                found = run_together(work, folder, self.progress, (recording := Recording()).actuals.append)
            self.machine = calibrating.taught(self.machine, self.catalog, work.decision, recording.actuals)
        if found is not None:
            for (statement, _), (bound, outcome, bad) in zip(group, found, strict=True):
                yield statement, keep(outcome, bound, self.catalog, bad)
            return
        for statement, bound in group:
            assert isinstance(statement, ast.Explore)
            with at_clauses(statement):
                answer = self.query(bound)
            yield statement, answer

    def prepare(self, bound: BoundQuery, run: str | None = None) -> Prepared:
        """Join the rows of a query, as jobs of a run where that is on Spark, and count its images."""
        from vistaql.engines.inprocess.prepare import prepare
        from vistaql.engines.running import joiner

        memory = {item.table.source: item.data for item in self.registered.values()}
        join = joiner(
            bound.settings, lambda: self.decide(bound, estimate(bound.plan)).chosen.configuration, run, self.spark
        )
        limit = bound.settings.memory_limit or self.machine.memory_bytes
        return prepare(bound.plan, bound.reduction, memory, self.machine.cores, join, limit // 2)

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


def connect(home: str | Path | None = None, *, spark: SparkSession | None = None) -> Session:
    """A session on a home folder: the argument, else VISTAQL_HOME, else a per-user data folder.

    With `spark` plans run in that session of Spark, whose cores and memory are then given.
    """
    if spark is None:
        return Session(home_folder(home))
    from vistaql.engines.spark.given import given

    has, machine = given(spark), detect()
    return Session(
        home_folder(home),
        replace(machine, cores=has.cores, spark_started=True, started=has.started),
        Settings(engine=EngineChoice.SPARK, spark=has.settings),
        spark=spark,
    )
