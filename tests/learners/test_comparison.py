"""The corrected interval, against figures worked out by hand."""

from __future__ import annotations

import pytest

from vistaql.learners.comparison import corrected_interval, within_noise


def test_the_interval_is_the_formula_of_the_paper() -> None:
    # Five folds: mean .04; deviations 0, .02, -.01, .01, -.02, so s^2 = .0010 / 4 = .00025.
    # Variance of the mean (1/5 + 20/80) * .00025 = .0001125, its root .0106066; t(.975, 4) = 2.776445.
    mean, low, high = corrected_interval([0.04, 0.06, 0.03, 0.05, 0.02], n_train=80, n_test=20)
    assert mean == pytest.approx(0.04)
    assert low == pytest.approx(0.04 - 2.776445 * 0.0106066, abs=1e-6)
    assert high == pytest.approx(0.04 + 2.776445 * 0.0106066, abs=1e-6)


def test_the_correction_widens_the_ordinary_interval_by_half_for_five_folds() -> None:
    differences = [0.1, 0.2, 0.15, 0.12, 0.19]
    _, low, high = corrected_interval(differences, 80, 20)
    _, ordinary_low, ordinary_high = corrected_interval(differences, 80, 0)
    assert (high - low) / (ordinary_high - ordinary_low) == pytest.approx(1.5)


def test_equal_folds_differ_by_no_more_than_noise() -> None:
    assert within_noise([0.8, 0.9], [0.8, 0.9], 8, 2)


def test_a_steady_difference_is_no_noise() -> None:
    assert not within_noise([0.8, 0.9, 0.85], [0.7, 0.8, 0.75], 8, 2)


def test_one_fold_gives_no_interval() -> None:
    assert within_noise([0.9], [0.1], 8, 2)
    with pytest.raises(ValueError, match="two folds"):
        corrected_interval([0.1], 8, 2)
