"""CALIBRATE, and what runs teach: the profile of this machine, kept in the catalog."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

from vistaql.catalog import codec
from vistaql.catalog.catalog import Catalog
from vistaql.frontend import ast
from vistaql.frontend.binder import Context, find_cnn
from vistaql.measuring import BLOCKS, ROUNDS, Bench, Rates, machine_rates, spark_rates, timed_network
from vistaql.models.cnn import Cnn
from vistaql.optimizer.calibration import BlockSeconds, NetworkSeconds, Observed, Profile, on_spark, rates_of
from vistaql.optimizer.choose import Decision
from vistaql.optimizer.machine import Machine, machine_name
from vistaql.optimizer.rates import one_core
from vistaql.outcome import Relation, Report
from vistaql.small_table import SmallTable
from vistaql.units import format_duration, format_rate

if TYPE_CHECKING:
    from vistaql.physical.run import Actual

# Below this share of a core the figures say more about other programs than about the machine.
BUSY = 0.8


def profile_of(catalog: Catalog) -> Profile:
    """What the catalog keeps of this machine; nothing where what it keeps cannot be read."""
    text = catalog.profile(machine_name())
    try:
        return Profile() if text is None else codec.from_json(Profile, text)
    except (ValueError, TypeError, KeyError):
        return Profile()


def put_profile(catalog: Catalog, profile: Profile | None) -> None:
    """Keep a profile of this machine; None forgets it."""
    with catalog.transaction() as writer:
        writer.put_profile(machine_name(), None if profile is None else codec.to_json(profile))


def known(machine: Machine, catalog: Catalog) -> Machine:
    """The machine with the rates the catalog keeps of it; one that came with rates of its own keeps those."""
    if machine.calibration != Profile().calibration():
        return machine
    return replace(machine, calibration=profile_of(catalog).calibration())


def refreshed(machine: Machine, catalog: Catalog) -> Machine:
    """The machine with the rates that the catalog keeps of it now."""
    return replace(machine, calibration=profile_of(catalog).calibration())


def execute(statement: ast.Calibrate | ast.Reset, context: Context, catalog: Catalog, bench: Bench) -> Report:
    """CALIBRATE, CALIBRATE CNN, CALIBRATE SPARK, RESET CALIBRATION."""
    match statement:
        case ast.Reset():
            return forget(catalog)
        case ast.Calibrate(cnn) if cnn is not None:
            return calibrate_cnn(find_cnn(cnn, context), catalog, bench)
        case ast.Calibrate(spark=True):
            return calibrate_spark(context, catalog, bench)
        case _:
            return calibrate_machine(catalog, bench)


def calibrate_machine(catalog: Catalog, bench: Bench) -> Report:
    """Measure the rates of this machine, and keep them. Corrections learnt with the old rates are forgotten."""
    started = perf_counter()
    rates, share = machine_rates(bench)
    lines = [f"Measured this machine in {format_duration(perf_counter() - started)}: {machine_name()}."]
    lines += measured_lines(rates, catalog)
    put_profile(catalog, replace(profile_of(catalog).measured(rates), corrections=()))
    if share < BUSY:
        lines.append(f"Other programs took much of the processor: of a core that it needed, this one had {share:.0%}.")
        lines.append("  Run CALIBRATE again when the machine is quiet.")
    return Report(tuple(lines), (("machine", machine_name()), ("rates", dict(rates)), ("processor_share", share)))


def calibrate_spark(context: Context, catalog: Catalog, bench: Bench) -> Report:
    """Measure the rates of Spark on this machine, and keep them. Raises NO_JAVA, SPARK_START."""
    started = perf_counter()
    rates = spark_rates(context.settings.spark, profile_of(catalog).calibration(), bench)
    lines = [f"Measured Spark on this machine in {format_duration(perf_counter() - started)}: {machine_name()}."]
    lines += measured_lines(rates, catalog)
    put_profile(catalog, profile_of(catalog).measured(rates))
    return Report(tuple(lines), (("machine", machine_name()), ("rates", dict(rates))))


def measured_lines(rates: Rates, catalog: Catalog) -> list[str]:
    """Each rate beside what it was."""
    known = {name: (value, unit, meaning) for name, value, unit, meaning in rates_of(profile_of(catalog).calibration())}
    lines = []
    for name, value in rates:
        before, unit, meaning = known[name]
        lines.append(f"  {meaning:<44} {format_rate(value):>8} {unit:<7} was {format_rate(before)}")
    return lines


def calibrate_cnn(cnn: Cnn, catalog: Catalog, bench: Bench) -> Report:
    """Measure the blocks of one CNN on this machine, and keep them."""
    started = perf_counter()
    measured = timed_network(cnn, BLOCKS, ROUNDS, bench)
    profile = profile_of(catalog)
    rates = profile.calibration()
    seconds = [one_core(block.image_seconds, bench.threads, rates) for block in measured.blocks]
    blocks = tuple(BlockSeconds(block.end, value) for block, value in zip(measured.blocks, seconds, strict=True))
    put_profile(catalog, profile.with_network(NetworkSeconds(cnn.graph_digest, blocks)))
    took = format_duration(perf_counter() - started)
    lines = [f"Measured {cnn.name} in {took}: milliseconds of a core for an image."]
    lines += [f"  up to {block.end:<32} {1000 * block.seconds:8.2f}" for block in blocks]
    lines.append(f"  {'in all':<38} {1000 * sum(seconds):8.2f}")
    facts = [{"end": block.end, "seconds": block.seconds} for block in blocks]
    return Report(tuple(lines), (("cnn", cnn.name), ("blocks", facts)))


def forget(catalog: Catalog) -> Report:
    """Back to the rates of the program."""
    put_profile(catalog, None)
    return Report(("The rates of this machine are those of the program again.",))


def show_calibration(catalog: Catalog) -> Relation:
    """The rates of this machine, what they would be without measurement, and the corrections that runs have taught."""
    default, found = Profile().calibration(), profile_of(catalog).calibration()
    rows = [
        (meaning, format_rate(value), unit, format_rate(getattr(default, name)))
        for name, value, unit, meaning in rates_of(found)
    ]
    rows += [(f"correction of {kind}", format_rate(factor), "", "1") for kind, factor in found.corrections]
    names = ("what", "value", "unit", "default")
    return Relation(SmallTable({name: [row[place] for row in rows] for place, name in enumerate(names)}))


def observed(decision: Decision, actuals: Iterable[Actual]) -> tuple[Observed, ...]:
    """Predicted and taken seconds of a run, by kind of operator; predictions without what was learnt before."""
    prices = dict(decision.chosen.prices)
    sums: dict[str, tuple[float, float]] = {}
    for item in actuals:
        kind = type(item.operator).__name__
        if kind not in TAUGHT:
            continue
        kind = kind if decision.chosen.configuration.cluster is None else on_spark(kind)
        predicted, taken = sums.get(kind, (0.0, 0.0))
        own = prices[item.operator.digest] / decision.machine.calibration.correction(kind)
        sums[kind] = predicted + own, taken + item.seconds
    return tuple(Observed(kind, *both) for kind, both in sums.items())


# Kinds of operator whose time is their own; the others take microseconds, or depend on what was loaded before.
TAUGHT = frozenset({"RunPass", "Fit", "FitAlone", "WriteFeatures"})


def taught(machine: Machine, catalog: Catalog, decision: Decision, actuals: Iterable[Actual]) -> Machine:
    """Keep what a run has taught, for later sessions; the machine, whose library is loaded now.

    Nothing is kept where the machine came with rates of its own, and of the first run on Spark: its workers start
    while the first pass runs.
    """
    clustered = decision.chosen.configuration.cluster is not None
    profile = profile_of(catalog)
    starts = clustered and not decision.machine.spark_started
    if not starts and rates_of(decision.machine.calibration) == rates_of(profile.calibration()):
        after = profile.learnt(observed(decision, actuals))
        if after != profile:
            put_profile(catalog, after)
    return replace(machine, spark_started=True) if clustered else replace(machine, library_loaded=True)
