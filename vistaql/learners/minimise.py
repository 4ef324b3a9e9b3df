"""Search the minimum of a smooth, strictly convex function, plus an optional sum of absolute values.

L-BFGS (Nocedal and Wright, Numerical Optimization, algorithm 7.4) with a preconditioner as its first matrix; with
absolute values, OWL-QN (Andrew and Gao, ICML 2007), which MLlib uses as well.

A search is a generator: it asks for value and gradient at a point by yielding it. So several searches can be
answered together, from one pass over the rows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np

MOST_PAIRS = 20
"""Steps remembered. Measured on image features: 10 take a tenth more evaluations, 100 save none in time."""
PAIR_BYTES = 2**26
"""Fewer steps are remembered where they would take more memory, but never fewer than five."""
SUFFICIENT = 1e-4
"""The part of the predicted decrease that a step must bring (Armijo)."""
SMALLEST_STEP = 2.0**-30

Answer = tuple[float, np.ndarray]
"""Value and gradient."""


@dataclass(frozen=True, eq=False)
class Minimum:
    """Where the search ended, after how many evaluations, and whether it reached its tolerance."""

    at: np.ndarray
    evaluations: int
    converged: bool


@dataclass(frozen=True, eq=False)
class Terms:
    """What a search knows of its function beside the answers it gets."""

    precondition: Callable[[np.ndarray], np.ndarray]
    enough: Callable[[np.ndarray, np.ndarray], bool]
    """whether a point, with its gradient, is near enough to the minimum"""
    absolute: np.ndarray | None
    """the weight of the absolute value of each coordinate"""
    most: int
    """steps after which the search gives up"""

    def penalty(self, point: np.ndarray) -> float:
        """The weighted sum of absolute values."""
        return 0.0 if self.absolute is None else float(self.absolute @ np.abs(point))

    def steepest(self, point: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        """The shortest subgradient: zero exactly at the minimum."""
        if self.absolute is None:
            return gradient
        at_zero = np.sign(gradient) * np.maximum(np.abs(gradient) - self.absolute, 0.0)
        return np.asarray(np.where(point != 0, gradient + self.absolute * np.sign(point), at_zero))

    def stay_in_orthant(self, tried: np.ndarray, orthant: np.ndarray) -> np.ndarray:
        """Stop at zero where a coordinate would change its sign."""
        if self.absolute is not None:
            tried[(tried * orthant < 0) & (self.absolute > 0)] = 0.0
        return tried


def search(start: np.ndarray, terms: Terms) -> Generator[np.ndarray, Answer, Minimum]:
    """Ask for answers from `start` on, until the minimum is near enough.

    Where rounding allows no further decrease the point is the minimum to the last digit, and counts as reached.
    """
    point = start
    value, gradient = yield point
    value += terms.penalty(point)
    steepest = terms.steepest(point, gradient)
    pairs: deque[Pair] = deque(maxlen=max(5, min(MOST_PAIRS, PAIR_BYTES // (16 * len(point)))))
    evaluations = 1
    for _ in range(terms.most):
        if terms.enough(point, steepest):
            return Minimum(point, evaluations, converged=True)
        direction = downhill(steepest, pairs, terms)
        orthant = np.where(point != 0, np.sign(point), -np.sign(steepest))
        step = 1.0
        while True:
            tried = terms.stay_in_orthant(point + step * direction, orthant)
            tried_value, tried_gradient = yield tried
            tried_value += terms.penalty(tried)
            evaluations += 1
            if tried_value <= value + SUFFICIENT * float(steepest @ (tried - point)):
                break
            step /= 2
            if step < SMALLEST_STEP:
                return Minimum(point, evaluations, converged=True)
        remember(pairs, tried - point, tried_gradient - gradient)
        point, value, gradient = tried, tried_value, tried_gradient
        steepest = terms.steepest(point, gradient)
    return Minimum(point, evaluations, converged=False)


Pair = tuple[np.ndarray, np.ndarray, float]
"""A step, the change of the gradient along it, and their product."""


def remember(pairs: deque[Pair], moved: np.ndarray, bent: np.ndarray) -> None:
    """Keep a step, unless rounding has bent it the wrong way."""
    curvature = float(moved @ bent)
    if curvature > 0:
        pairs.append((moved, bent, curvature))


def downhill(steepest: np.ndarray, pairs: deque[Pair], terms: Terms) -> np.ndarray:
    """The two-loop recursion: minus the approximate inverse Hessian times the gradient."""
    vector = steepest.copy()
    weights = []
    for moved, bent, curvature in reversed(pairs):
        weights.append(float(moved @ vector) / curvature)
        vector -= weights[-1] * bent
    vector = terms.precondition(vector)
    if pairs:
        _, bent, curvature = pairs[-1]
        vector *= curvature / float(bent @ terms.precondition(bent))
    for (moved, bent, curvature), weight in zip(pairs, reversed(weights), strict=True):
        vector += (weight - float(bent @ vector) / curvature) * moved
    if terms.absolute is not None:
        vector[(vector * steepest <= 0) & (terms.absolute > 0)] = 0.0
    return -vector
