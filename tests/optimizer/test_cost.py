"""Resources to seconds: what was measured is met, stages overlap, and laws hold for any rates."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.siblings import facts
from vistaql.learners import LogisticRegression
from vistaql.models import roster
from vistaql.models.cnn import Cnn
from vistaql.models.union import union_of
from vistaql.models.work import Kernel, work_of
from vistaql.optimizer.calibration import (
    BOUNDS,
    BlockSeconds,
    Calibration,
    NetworkSeconds,
    Observed,
    learnt,
    rates_of,
)
from vistaql.optimizer.configuration import Configuration
from vistaql.optimizer.cost import layer_seconds, seconds
from vistaql.optimizer.machine import Machine
from vistaql.physical.resources import Fitted, Inferred, Resources

RATES = Calibration()

# Milliseconds of one core for an image, all layers up to the one named, on the machine of the defaults.
MEASURED = {
    ("strokes", "conv4"): 0.27,
    ("mobilenet_v2", "block_16_project_BN"): 19.4,
    ("resnet50", "conv5_block3_add"): 115.9,
    ("efficientnet_b0", "block7a_expand_activation"): 23.5,
    ("alexnet", "conv5"): 19.4,
    ("vgg16", "block4_conv3"): 378.4,
}
# Processor seconds of five fits, one BLAS thread, by rows, features and classes.
FITS = {
    (900, 48, 5): 0.13,
    (500, 1280, 10): 0.83,
    (1000, 2052, 10): 3.2,
    (2000, 512, 10): 1.31,
    (3000, 1280, 10): 6.9,
    (300, 20_000, 10): 1.14,
    (800, 100_000, 10): 16.6,
    (3000, 4096, 10): 78.4,
    (1000, 1280, 2): 1.1,
}


def cnn_named(name: str) -> Cnn:
    found = roster.load(name)
    assert found is not None
    return found


def inferred(name: str, last: str, images: float = 1.0) -> Resources:
    cnn = cnn_named(name)
    return Resources(inferred=(Inferred(cnn, cnn.ancestors(last), images),))


def one_core(work: Resources, rates: Calibration = RATES) -> float:
    return seconds(work, Machine(1, 10**10, rates), Configuration(1, 1, 1))


@pytest.mark.parametrize(("cnn", "layer"), MEASURED)
def test_inference_takes_what_was_measured(cnn: str, layer: str) -> None:
    ratio = 1000 * one_core(inferred(cnn, layer)) / MEASURED[cnn, layer]
    assert 0.85 < ratio < 1.15


@pytest.mark.parametrize(("rows", "width", "classes"), FITS)
def test_fitting_takes_what_was_measured(rows: int, width: int, classes: int) -> None:
    flops = 5 * LogisticRegression().flops(rows * 4 // 5, width, classes)
    ratio = one_core(Resources(fitted=(Fitted(flops, 5),))) / FITS[rows, width, classes]
    assert 0.7 < ratio < 1.45


def test_kernels_of_a_cnn_are_told_apart() -> None:
    found = dict.fromkeys(Kernel, 0)
    for work in work_of(cnn_named("mobilenet_v2")).values():
        found[work.kernel] += 1
    assert found[Kernel.DEPTHWISE] == 17
    assert found[Kernel.POINTWISE] == 34
    assert found[Kernel.CONVOLUTION] == 1
    assert found[Kernel.DENSE] == 1


WORK = Resources(decoded_pixels=75e6 * 10) + inferred("mobilenet_v2", "out_relu", 500)


@pytest.mark.parametrize("images", [10, 1000])
def test_with_cores_of_their_own_the_slower_stage_counts(images: int) -> None:
    inference = inferred("mobilenet_v2", "out_relu", images)
    decoding = Resources(decoded_pixels=images * 2e5)
    machine, apart = Machine(16, 10**10), Configuration(4, 4, 4)
    alone = [seconds(work, machine, apart) for work in (inference, decoding)]
    assert seconds(inference + decoding, machine, apart) == pytest.approx(max(alone))


def test_on_shared_cores_the_stages_add_up() -> None:
    inference, decoding = inferred("mobilenet_v2", "out_relu", 100), Resources(decoded_pixels=1e9)
    both = one_core(inference + decoding)
    assert both == pytest.approx(one_core(inference) + one_core(decoding))


def test_five_folds_on_two_workers_take_three_rounds() -> None:
    fits = Resources(fitted=(Fitted(5 * 60e9, 5),))
    machine = Machine(2, 10**10)
    one, two, five, many = (seconds(fits, machine, Configuration(2, 1, workers)) for workers in (1, 2, 5, 16))
    assert one - RATES.fit_seconds == pytest.approx(5.0)
    waiting = 1 + RATES.fit_waiting
    assert two - RATES.fit_seconds == pytest.approx(3.0 * waiting)
    assert five == many == pytest.approx(waiting + RATES.fit_seconds)


def test_a_library_that_is_loaded_takes_nothing() -> None:
    work, machine = Resources(libraries=1.0), Machine(2, 10**10)
    assert seconds(work, machine, Configuration(2, 1, 2)) == RATES.library_seconds
    assert seconds(work, replace(machine, library_loaded=True), Configuration(2, 1, 2)) == 0


def test_measured_blocks_stand_in_place_of_rates() -> None:
    cnn = cnn_named("strokes")
    blocks = (BlockSeconds("conv2", 0.5), BlockSeconds("conv4", 0.25))
    rates = RATES.with_network(NetworkSeconds(cnn.graph_digest, blocks))
    assert one_core(inferred("strokes", "conv2"), rates) == pytest.approx(0.5)
    assert one_core(inferred("strokes", "conv4"), rates) == pytest.approx(0.75)
    assert one_core(inferred("strokes", "fc6"), rates) > 0.75
    assert rates.with_network(NetworkSeconds(cnn.graph_digest, blocks[:1])).networks[0].blocks == blocks[:1]
    assert one_core(inferred("alexnet", "conv5"), rates) == one_core(inferred("alexnet", "conv5"))


@given(
    amounts=st.lists(st.floats(0, 1e12), min_size=3, max_size=3),
    more=st.floats(0, 1e12),
    cores=st.integers(1, 64),
    threads=st.integers(1, 64),
)
def test_more_work_never_takes_less_time(amounts: list[float], more: float, cores: int, threads: int) -> None:
    names = [item.name for item in fields(Resources) if item.type == "float"]
    machine, configuration = Machine(cores, 10**10), Configuration(threads, max(1, threads // 2), threads)
    for name in names:
        work = Resources(**dict(zip(("decoded_pixels", "read_bytes", "kept_bytes"), amounts, strict=True)))
        larger = work + Resources(**{name: more})
        assert 0 <= seconds(work, machine, configuration) <= seconds(larger, machine, configuration) < float("inf")


@given(cores=st.integers(1, 32), images=st.integers(1, 10**6))
def test_more_cores_never_take_more_time(cores: int, images: int) -> None:
    work = inferred("strokes", "fc6", images) + Resources(decoded_pixels=2e5 * images, fitted=(Fitted(1e12, 5),))
    few, more = (
        seconds(work, Machine(count, 10**10), Configuration(count, (count + 1) // 2, count))
        for count in (cores, cores + 1)
    )
    assert more <= few * (1 + 1e-9)


def test_every_layer_has_a_price() -> None:
    for name in roster.names():
        cnn = cnn_named(name)
        prices = layer_seconds(cnn, RATES)
        assert set(prices) == set(cnn.by_name)
        assert all(price >= 0 for price in prices.values())


def test_a_layer_of_a_union_has_the_price_that_it_has_alone() -> None:
    """Also where the CNNs were measured: else a plan that does more could seem to take less."""
    birds, fish = (facts("resnet50", name, "conv4_block6_out") for name in ("birds", "fish"))
    union = union_of(birds, fish)
    assert union is not None
    blocks = (BlockSeconds("conv3_block4_out", 1.0), BlockSeconds("conv5_block3_out", 7.0))
    for rates in (RATES, replace(RATES, networks=(NetworkSeconds(birds.graph_digest, blocks),))):
        prices = layer_seconds(union, rates)
        assert set(prices) == set(union.by_name)
        for part in union.parts:
            own = layer_seconds(part.cnn, rates)
            assert all(prices[inner] == own[name] for name, inner in part.names)


@given(st.lists(st.tuples(st.floats(0.001, 1e4), st.floats(0.001, 1e4)), max_size=30))
def test_runs_never_move_a_correction_far(runs: list[tuple[float, float]]) -> None:
    rates = RATES
    for predicted, taken in runs:
        before = rates.correction("RunPass")
        rates = learnt(rates, (Observed("RunPass", predicted, taken),))
        after = rates.correction("RunPass")
        assert BOUNDS[0] <= after <= BOUNDS[1]
        assert 0.84 - 1e-3 <= after / before <= 1.19 + 1e-3


def test_runs_teach_what_they_show_again_and_again() -> None:
    rates = RATES
    for _ in range(30):
        rates = learnt(rates, (Observed("Fit", 10.0, 14.0),))
    assert rates.correction("Fit") == pytest.approx(1.4, rel=0.01)
    assert rates.correction("RunPass") == 1


def test_every_rate_has_a_meaning_and_is_positive() -> None:
    assert len(rates_of(RATES)) == len(fields(Calibration)) - 2
    assert all(value > 0 and meaning for _, value, _, meaning in rates_of(RATES))
