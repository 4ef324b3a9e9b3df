"""The fit is the minimum of the written objective, in every coordinate system."""

from __future__ import annotations

import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression as Reference

from vistaql.learners import LogisticRegression, linear, objective
from vistaql.learners.learner import Model, TrainingFold
from vistaql.learners.linear import LinearModel
from vistaql.learners.matrix import Matrix

NOTHING = np.empty(0)
SHAPES = {"tall": (240, 12), "wide": (40, 90)}


def problem(shape: str, classes: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(7)
    rows, width = SHAPES[shape]
    features = np.maximum(random.normal(size=(rows, 5)) @ random.normal(size=(5, width)), 0)
    features += 0.5 * random.normal(size=(rows, width)) + 3
    codes = (features[:, :classes] + random.normal(size=(rows, classes))).argmax(axis=1)
    return features.astype(np.float32), codes


def as_matrix(features: np.ndarray) -> Matrix:
    none = np.empty((len(features), 0))
    return Matrix(none, none, np.empty(0, dtype=np.int64), features)


def itself(_: int, model: Model) -> Model:
    return model


def fit(learner: LogisticRegression, features: np.ndarray, codes: np.ndarray) -> LinearModel:
    places = np.arange(len(codes))
    folds = [TrainingFold(places, places, NOTHING)]
    (model,) = learner.fit(as_matrix(features), folds, codes, codes.max() + 1, map, itself)
    assert isinstance(model, LinearModel)
    assert model.converged
    return model


def standardised(features: np.ndarray) -> np.ndarray:
    wide = features.astype(np.float64)
    return (wide - wide.mean(axis=0)) / wide.std(axis=0, ddof=1)


def value(learner: LogisticRegression, model: LinearModel, scaled: np.ndarray, codes: np.ndarray) -> float:
    """The objective as the docstring of LogisticRegression writes it."""
    scores = scaled @ model.coefficients.T + model.intercepts
    if scores.shape[1] == 1:
        scores = np.hstack([np.zeros_like(scores), scores])
    loss = -log_softmax(scores, axis=1)[np.arange(len(codes)), codes].mean()
    size, squares = np.abs(model.coefficients).sum(), (model.coefficients**2).sum()
    return float(loss + learner.reg * (learner.l1_ratio * size + (1 - learner.l1_ratio) / 2 * squares))


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("shape", SHAPES)
def test_coefficients_are_those_of_another_exact_solver(shape: str, classes: int) -> None:
    features, codes = problem(shape, classes)
    model = fit(LogisticRegression(reg=0.02), features, codes)
    reference = Reference(C=1 / (0.02 * len(codes)), tol=1e-10, max_iter=100_000)
    reference.fit(standardised(features), codes)
    error = np.linalg.norm(model.coefficients - reference.coef_) / np.linalg.norm(reference.coef_)
    assert error < 1e-4


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("l1_ratio", [0.5, 1.0])
def test_an_elastic_net_is_that_of_another_exact_solver(shape: str, classes: int, l1_ratio: float) -> None:
    features, codes = problem(shape, classes)
    learner = LogisticRegression(reg=0.02, l1_ratio=l1_ratio, tol=1e-6, max_iter=20_000)
    model = fit(learner, features, codes)
    reference = Reference(
        C=1 / (0.02 * len(codes)), l1_ratio=l1_ratio, solver="saga", tol=1e-9, max_iter=200_000, random_state=0
    )
    scaled = standardised(features)
    reference.fit(scaled, codes)
    other = LinearModel(reference.coef_, reference.intercept_, model.standardisation, NOTHING, 0, converged=True)
    assert value(learner, model, scaled, codes) <= value(learner, other, scaled, codes) + 1e-8
    assert 0 < (model.coefficients == 0).mean() < 1
    if l1_ratio < 1:
        assert np.linalg.norm(model.coefficients - other.coefficients) / np.linalg.norm(other.coefficients) < 1e-3


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("shape", SHAPES)
def test_no_step_in_any_direction_lowers_the_objective(shape: str, classes: int) -> None:
    features, codes = problem(shape, classes)
    learner = LogisticRegression(tol=1e-8)
    model = fit(learner, features, codes)
    scaled = standardised(features)
    random = np.random.default_rng(0)
    best = value(learner, model, scaled, codes)
    for _ in range(20):
        step = random.normal(size=model.coefficients.shape) * 1e-3
        moved = LinearModel(
            model.coefficients + step, model.intercepts, model.standardisation, NOTHING, 0, converged=True
        )
        assert value(learner, moved, scaled, codes) > best


@pytest.mark.parametrize("classes", [2, 4])
def test_all_coordinates_give_the_same_coefficients(monkeypatch: pytest.MonkeyPatch, classes: int) -> None:
    features, codes = problem("wide", classes)
    learner = LogisticRegression(tol=1e-7)
    rotated = fit(learner, features, codes)
    monkeypatch.setattr(linear, "MOST_ROWS_ROTATED", 0)
    preconditioned = fit(learner, features, codes)
    monkeypatch.setattr(linear, "MOST_COLUMNS_PRECONDITIONED", 0)
    plain = fit(learner, features, codes)
    np.testing.assert_allclose(rotated.coefficients, preconditioned.coefficients, atol=1e-6)
    np.testing.assert_allclose(rotated.coefficients, plain.coefficients, atol=1e-6)


def test_slabs_and_blocks_change_nothing_but_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    features, codes = problem("tall", 4)
    learner = LogisticRegression(tol=1e-8)
    kept = fit(learner, features, codes)
    monkeypatch.setattr(objective, "KEPT_ELEMENTS", 0)
    monkeypatch.setattr(objective, "SLAB_ELEMENTS", 12 * 256)
    monkeypatch.setattr("vistaql.learners.matrix.BLOCK_ELEMENTS", 12 * 32)
    np.testing.assert_allclose(kept.coefficients, fit(learner, features, codes).coefficients, atol=1e-8)


@pytest.mark.parametrize("shape", SHAPES)
def test_folds_fitted_together_are_those_fitted_alone(shape: str) -> None:
    features, codes = problem(shape, 4)
    learner = LogisticRegression(tol=1e-7)
    places = np.arange(len(codes))
    parts = [places[places % 3 != fold] for fold in range(3)]
    folds = [TrainingFold(part, part, NOTHING) for part in parts]
    with ThreadPoolExecutor(2) as pool:
        together = learner.fit(as_matrix(features), folds, codes, 4, pool.map, itself)
    for part, model in zip(parts, together, strict=True):
        assert isinstance(model, LinearModel)
        alone = fit(learner, features[part], codes[part])
        np.testing.assert_allclose(model.coefficients, alone.coefficients, atol=1e-6)


def test_in_the_span_of_rows_a_model_is_let_go_before_the_next_fold_is_fitted() -> None:
    """With vectors of half a million numbers a model of ten classes is 40 MB, and memory is short then."""
    features, codes = problem("wide", 3)
    places = np.arange(len(codes))
    folds = [TrainingFold(places[places % 3 != fold], places[places % 3 != fold], NOTHING) for fold in range(3)]
    known: list[weakref.ref[Model]] = []

    def judge(_: int, model: Model) -> int:
        known.append(weakref.ref(model))
        return sum(reference() is not None for reference in known)

    assert LogisticRegression().fit(as_matrix(features), folds, codes, 3, map, judge) == (1, 1, 1)


def test_a_constant_column_takes_no_part() -> None:
    features, codes = problem("tall", 3)
    features[:, 4] = 1234.567
    model = fit(LogisticRegression(), features, codes)
    assert (model.coefficients[:, 4] == 0).all()
    assert np.isfinite(model.coefficients).all()


def test_a_fit_that_stops_early_says_so() -> None:
    features, codes = problem("tall", 3)
    places = np.arange(len(codes))
    fold = TrainingFold(places, places, NOTHING)
    (model,) = LogisticRegression(max_iter=2).fit(as_matrix(features), [fold], codes, 3, map, itself)
    assert not model.converged
