"""Whether a difference between two scores is more than noise."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, variance


def corrected_interval(
    differences: Sequence[float], n_train: float, n_test: float, confidence: float = 0.95
) -> tuple[float, float, float]:
    """Mean, low and high of fold differences: a t interval corrected for training folds that overlap.

    Nadeau and Bengio, Inference for the Generalization Error (Machine Learning 52, 2003), the corrected resampled
    t-test: the variance of the mean of k differences is (1/k + n_test/n_train) s^2, where s^2 is their sample
    variance, and t has k - 1 degrees of freedom. One difference alone has no interval: ValueError.

    >>> [round(number, 3) for number in corrected_interval([0.1, 0.2, 0.3], n_train=200, n_test=100)]
    [0.2, -0.193, 0.593]
    """
    folds = len(differences)
    if folds < 2:
        raise ValueError("an interval takes two folds or more")
    from scipy.special import stdtrit

    mean = fmean(differences)
    spread = ((1 / folds + n_test / n_train) * variance(differences)) ** 0.5
    half = float(stdtrit(folds - 1, 0.5 + confidence / 2)) * spread
    return mean, mean - half, mean + half


def within_noise(first: Sequence[float], second: Sequence[float], n_train: float, n_test: float) -> bool:
    """Whether two rows of fold scores, compared fold by fold, differ by no more than noise.

    One fold cannot tell, and so says True.

    >>> within_noise([0.9, 0.8, 0.7], [0.8, 0.8, 0.8], 200, 100), within_noise([0.91, 0.93], [0.1, 0.12], 200, 100)
    (True, False)
    """
    differences = [a - b for a, b in zip(first, second, strict=True)]
    if len(differences) < 2:
        return True
    _, low, high = corrected_interval(differences, n_train, n_test)
    return low <= 0 <= high
