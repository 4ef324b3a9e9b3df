"""CALIBRATE, and what runs teach: the profile of this machine, kept in the catalog."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from time import perf_counter, process_time
from typing import TYPE_CHECKING

from vistaql.catalog import codec
from vistaql.catalog.catalog import Catalog
from vistaql.frontend import ast
from vistaql.frontend.binder import Context, find_cnn
from vistaql.models import roster
from vistaql.models.cnn import Cnn, Weights, WeightsKind
from vistaql.optimizer.calibration import BlockSeconds, NetworkSeconds, Observed, Profile, rates_of
from vistaql.optimizer.choose import Decision
from vistaql.optimizer.machine import Machine, machine_name
from vistaql.optimizer.rates import Timed, kernel_rates, one_core
from vistaql.outcome import Relation, Report
from vistaql.progress import Progress
from vistaql.units import format_duration

if TYPE_CHECKING:
    from vistaql.engines.tensorflow.timing import NetworkTime
    from vistaql.physical.run import Actual

# Networks that measure the rates of kernels: one of small kernels, one of large ones; blocks and rounds of each.
PROBES = (("mobilenet_v2", 10, 4), ("resnet50", 8, 3))
# Blocks of a network that is measured for itself, and rounds.
BLOCKS, ROUNDS = 16, 4
PHOTOS = 40
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


@dataclass(frozen=True)
class Bench:
    """What measuring works with: threads of TensorFlow, and who is told how far it is."""

    threads: int
    progress: Progress


def execute(statement: ast.Calibrate | ast.Reset, context: Context, catalog: Catalog, bench: Bench) -> Report:
    """CALIBRATE, CALIBRATE CNN, RESET CALIBRATION."""
    match statement:
        case ast.Reset():
            return forget(catalog)
        case ast.Calibrate(cnn) if cnn is not None:
            return calibrate_cnn(find_cnn(cnn, context), catalog, bench)
        case _:
            return calibrate_machine(catalog, bench)


def calibrate_machine(catalog: Catalog, bench: Bench) -> Report:
    """Measure the rates of this machine, and keep them. Corrections learnt with the old rates are forgotten."""
    started = perf_counter()
    before = {name: value for name, value, _, _ in rates_of(profile_of(catalog).calibration())}
    data, share = data_rates(bench)
    rates = (*library_rates(bench), *decoding_rates(bench), *data, *inference_rates(bench))
    profile = replace(profile_of(catalog), rates=rates, corrections=())
    put_profile(catalog, profile)
    units = {name: (unit, meaning) for name, _, unit, meaning in rates_of(profile.calibration())}
    lines = [f"Measured this machine in {format_duration(perf_counter() - started)}: {machine_name()}."]
    for name, value in rates:
        unit, meaning = units[name]
        lines.append(f"  {meaning:<44} {shown(value):>8} {unit:<7} was {shown(before[name])}")
    if share < BUSY:
        lines.append(f"Other programs took much of the processor: of a core that it needed, this one had {share:.0%}.")
        lines.append("  Run CALIBRATE again when the machine is quiet.")
    return Report(tuple(lines), (("machine", machine_name()), ("rates", dict(rates)), ("processor_share", share)))


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
    import pyarrow as pa

    default, found = Profile().calibration(), profile_of(catalog).calibration()
    rows = [(meaning, value, unit, getattr(default, name)) for name, value, unit, meaning in rates_of(found)]
    rows += [(f"correction of {kind}", factor, "", 1.0) for kind, factor in found.corrections]
    names = ("what", "value", "unit", "default")
    return Relation(pa.table({name: [row[place] for row in rows] for place, name in enumerate(names)}))


def library_rates(bench: Bench) -> tuple[tuple[str, float], ...]:
    """Loading TensorFlow, in a process of its own."""
    from vistaql.engines.tensorflow.timing import time_library

    bench.progress.say("Loading TensorFlow in a process of its own ..")
    found = time_library()
    return (
        ("library_seconds", found.seconds),
        ("process_bytes", found.process_bytes),
        ("library_bytes", found.library_bytes),
    )


def decoding_rates(bench: Bench) -> tuple[tuple[str, float], ...]:
    """Pixels and bytes: a photo decoded at full size costs both, one decoded small the bytes alone."""
    from vistaql.engines.tensorflow.timing import time_decoding

    bench.progress.say("Decoding photos ..")
    found = time_decoding(PHOTOS)
    pixels = max(found.large_seconds - found.small_seconds, 0.2 * found.large_seconds)
    return (("decoded_pixels", found.pixels / pixels), ("decoded_bytes", found.bytes / found.small_seconds))


def data_rates(bench: Bench) -> tuple[tuple[tuple[str, float], ...], float]:
    """Files, memory, digests and fits; and the share of a core that this process had for the fits."""
    from vistaql.engines.inprocess.timing import time_data, time_fits

    bench.progress.say("Reading, writing, fitting ..")
    with tempfile.TemporaryDirectory(prefix="vistaql-") as folder:
        found = time_data(folder)
    started, used = perf_counter(), process_time()
    fits = time_fits()
    share = (process_time() - used) / (perf_counter() - started)
    rates = (
        ("read_bytes", found.read),
        ("spilled_bytes", found.spilled),
        ("kept_bytes", found.kept),
        ("hashed_bytes", found.hashed),
        ("fit_flops", sum(fit.flops for fit in fits) / sum(fit.seconds for fit in fits)),
    )
    return rates, share


def inference_rates(bench: Bench) -> tuple[tuple[str, float], ...]:
    """Kernels, and graphs: blocks of two CNNs with random weights."""
    default = Profile().calibration()
    timed: list[Timed] = []
    taken = predicted = 0.0
    for name, blocks, rounds in PROBES:
        found = roster.load(name)
        if found is None:
            continue
        cnn = replace(found, weights=Weights(WeightsKind.RANDOM, seed=1))
        network = timed_network(cnn, blocks, rounds, bench)
        for block in network.blocks:
            seconds = one_core(block.image_seconds, bench.threads, default)
            timed.append(Timed(cnn, layers_between(cnn, block.start, block.end), seconds))
            parameters = sum(cnn.by_name[layer].parameters for layer in timed[-1].layers)
            taken += block.graph_seconds
            predicted += default.graph_seconds + default.graph_layer_seconds * len(timed[-1].layers)
            predicted += default.graph_parameter_seconds * parameters
    graphs = taken / predicted
    return (
        *kernel_rates(timed, default),
        ("graph_seconds", graphs * default.graph_seconds),
        ("graph_layer_seconds", graphs * default.graph_layer_seconds),
        ("graph_parameter_seconds", graphs * default.graph_parameter_seconds),
    )


def timed_network(cnn: Cnn, blocks: int, rounds: int, bench: Bench) -> NetworkTime:
    """A CNN, block by block."""
    from vistaql.engines.tensorflow.runtime import set_threads
    from vistaql.engines.tensorflow.timing import block_ends, time_network

    bench.progress.say(f"Running {cnn.name} block by block ..")
    set_threads(bench.threads, asked_for=False)
    return time_network(cnn, block_ends(cnn, blocks), rounds)


def layers_between(cnn: Cnn, start: str | None, end: str) -> tuple[str, ...]:
    """The layers behind one cut point up to another."""
    return tuple(name for name in cnn.ancestors(end, start) if name != start)


def observed(decision: Decision, actuals: Iterable[Actual]) -> tuple[Observed, ...]:
    """Predicted and taken seconds of a run, by kind of operator; predictions without what was learnt before."""
    prices = dict(decision.chosen.prices)
    sums: dict[str, tuple[float, float]] = {}
    for item in actuals:
        kind = type(item.operator).__name__
        predicted, taken = sums.get(kind, (0.0, 0.0))
        own = prices[item.operator.digest] / decision.machine.calibration.correction(kind)
        sums[kind] = predicted + own, taken + item.seconds
    return tuple(Observed(kind, *both) for kind, both in sums.items() if kind in TAUGHT)


# Kinds of operator whose time is their own; the others take microseconds, or depend on what was loaded before.
TAUGHT = frozenset({"RunPass", "Fit", "FitAlone", "WriteFeatures"})


def taught(machine: Machine, catalog: Catalog, decision: Decision, actuals: Iterable[Actual]) -> Machine:
    """Keep what a run has taught, for later sessions; the machine, whose library is loaded now.

    Nothing is kept where the machine came with rates of its own.
    """
    profile = profile_of(catalog)
    if rates_of(decision.machine.calibration) == rates_of(profile.calibration()):
        after = profile.learnt(observed(decision, actuals))
        if after != profile:
            put_profile(catalog, after)
    return replace(machine, library_loaded=True)


def shown(value: float) -> str:
    """A rate in three digits.

    >>> shown(79e9), shown(0.009), shown(3.6)
    ('79 G', '0.009', '3.6')
    """
    for factor, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= factor:
            return f"{value / factor:.3g} {letter}"
    return f"{value:.3g}"
