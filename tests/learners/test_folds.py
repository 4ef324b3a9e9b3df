"""Folds and samples depend on keys and classes only."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vistaql.errors import Code, VistaQLError
from vistaql.learners.folds import TRAINED_ONLY, UNUSED, check_folds, deal, from_split, holdout, key_order, sample

rows = st.lists(
    st.tuples(st.text(max_size=6), st.integers(0, 3)), min_size=5, max_size=60, unique_by=lambda row: row[0]
)
key_sets = st.lists(st.text(max_size=6), min_size=1, max_size=80, unique=True)


@given(rows, st.integers(2, 5), st.randoms(use_true_random=False))
def test_a_row_is_dealt_to_the_same_fold_in_any_order(table: list[tuple[str, int]], folds: int, random: Random) -> None:
    shuffled = list(table)
    random.shuffle(shuffled)

    def dealt(some: list[tuple[str, int]]) -> dict[str, int]:
        keys = [key for key, _ in some]
        return dict(zip(keys, deal(keys, np.array([code for _, code in some]), folds).tolist(), strict=True))

    assert dealt(table) == dealt(shuffled)


@given(rows, st.integers(2, 5))
def test_folds_differ_by_at_most_one_row_in_each_class_and_in_all(table: list[tuple[str, int]], folds: int) -> None:
    codes = np.array([code for _, code in table])
    tested = deal([key for key, _ in table], codes, folds)
    for members in [codes == code for code in set(codes.tolist())] + [codes >= 0]:
        sizes = np.bincount(tested[members], minlength=folds)
        assert sizes.max() - sizes.min() <= 1


@given(key_sets, st.integers(0, 80), st.integers(0, 80), st.integers(-5, 5))
def test_samples_of_rows_are_nested(keys: list[str], one: int, other: int, seed: int) -> None:
    few, many = (sample(keys, count, seed, percent=False) for count in sorted((one, other)))
    assert not (few & ~many).any()
    assert many.sum() == min(max(one, other), len(keys))


@given(key_sets, st.floats(0, 100), st.integers(0, 3), st.data())
def test_a_percentage_decides_about_each_row_alone(
    keys: list[str], percent: float, seed: int, data: st.DataObject
) -> None:
    alone = data.draw(st.sampled_from(keys))
    chosen = dict(zip(keys, sample(keys, percent, seed, percent=True).tolist(), strict=True))
    assert sample([alone], percent, seed, percent=True).tolist() == [chosen[alone]]
    assert not (sample(keys, percent / 2, seed, percent=True) & ~np.array(list(chosen.values()))).any()


def test_a_percentage_is_about_that_part_of_the_rows() -> None:
    keys = [str(number) for number in range(20_000)]
    assert sample(keys, 10, 0, percent=True).mean() == pytest.approx(0.1, abs=0.01)
    assert sample(keys, 100, 0, percent=True).all()
    assert not sample(keys, 0, 0, percent=True).any()


def test_seeds_draw_different_samples() -> None:
    keys = [str(number) for number in range(100)]
    assert (sample(keys, 50, 0, percent=False) != sample(keys, 50, 1, percent=False)).any()


def test_rows_of_one_key_are_sampled_together() -> None:
    chosen = sample(["a", "b", "a", "b"], 1, 0, percent=False)
    assert chosen.sum() == 2
    assert chosen[0] == chosen[2]


def test_odd_keys_have_a_place() -> None:
    assert sorted(key_order(["", "ä", "\x00", "日本", "\ud800"]).tolist()) == [0, 1, 2, 3, 4]


@given(rows, st.floats(0.05, 0.95))
def test_a_holdout_tests_its_fraction_of_every_class(table: list[tuple[str, int]], fraction: float) -> None:
    codes = np.array([code for _, code in table])
    tested = holdout([key for key, _ in table], codes, fraction)
    for code in set(codes.tolist()):
        count = (codes == code).sum()
        held = (tested[codes == code] == 0).sum()
        assert held == (min(max(1, round(fraction * count)), count - 1) if count > 1 else 0)
    assert set(tested.tolist()) <= {0, TRAINED_ONLY}


def test_validation_rows_are_tested_where_there_are_no_test_rows() -> None:
    assert from_split(["Train", " val "]).tolist() == [TRAINED_ONLY, 0]
    assert from_split(["train", "dev", "test"]).tolist() == [TRAINED_ONLY, UNUSED, 0]


@pytest.mark.parametrize(
    ("words", "named"), [(["train", "oops"], "'oops'"), (["train", None], "train"), (["test"], "test"), ([], "nothing")]
)
def test_a_split_column_without_train_and_test_is_refused(words: list[str | None], named: str) -> None:
    with pytest.raises(VistaQLError, match=named) as refused:
        from_split(words)
    assert refused.value.code is Code.BAD_EVALUATION


@pytest.mark.parametrize(
    ("codes", "tested"), [([0, 1], [0, 1]), ([0, 0, 1], [0, 1, 1]), ([0, 1, 0, 1], [TRAINED_ONLY] * 4)]
)
def test_folds_without_two_classes_to_learn_or_a_row_to_test_are_refused(codes: list[int], tested: list[int]) -> None:
    with pytest.raises(VistaQLError) as refused:
        check_folds(np.array(codes), np.array(tested))
    assert refused.value.code is Code.TOO_FEW_ROWS
