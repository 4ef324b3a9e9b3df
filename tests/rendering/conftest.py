"""Answers made by hand, with figures chosen so that each rendering has something to say."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from vistaql.outcome import Counts, Exploration, PlanSummary, ScoreRow

NOISE = (-0.02, -0.01, 0.0, 0.01, 0.02)
"""what each fold adds to the mean"""
STEPS = (0.01, 0.0, -0.01, 0.02, -0.02)
"""another order of the folds, so that two rows differ from fold to fold"""


def score(layer: str | None, mean: float, width: int, lift: float | None = None, **changed: object) -> ScoreRow:
    """A row of five folds whose mean is `mean`."""
    noise = STEPS if changed.pop("other_noise", False) else NOISE
    made = ScoreRow(
        cnn="strokes" if layer else None,
        layer=layer,
        pool="gap" if layer else None,
        learner="logistic_regression",
        metric="accuracy",
        mean=mean,
        std=0.0141,
        folds=tuple(mean + step for step in noise),
        lift=lift,
        lift_low=None if lift is None else lift - 0.04,
        lift_high=None if lift is None else lift + 0.04,
        width=width,
        fit_seconds=0.1,
        digest="ab12" if layer else None,
    )
    return replace(made, **changed)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Answers:
    """Makes answers to explore."""

    def six(self, **changed: object) -> Exploration:
        """The demo's: six layers of which the third is best and the fourth is as good."""
        layers = (
            score("conv1", 0.735, 16, 0.181),
            score("conv2", 0.845, 32, 0.291),
            score("conv3", 0.919, 48, 0.366),
            score("conv4", 0.915, 64, 0.361, other_noise=True),
            score("fc5", 0.844, 64, 0.290),
            score("fc6", 0.749, 5, 0.194),
            score(None, 0.554, 4),
        )
        made = Exploration(
            statement="EXPLORE strokes FROM scans JOIN measures TRAIN logistic_regression",
            label="digit",
            metric="accuracy",
            rows=layers,
            majority=0.203,
            majority_class="5",
            image_only=score("conv3", 0.892, 48),
            columns=("ink", "width", "height", "slant"),
            counts=Counts(896, 896, 0, 896, 896, 0, 0, 0, 0),
            classes=5,
            folds=5,
            plan=PlanSummary("eager", False, "inprocess", ("conv1>conv2>conv3>conv4>fc5>fc6",), 2.6, 410_000_000, 0.8),
            seconds=3.9,
            name="result_1",
        )
        return replace(made, **changed)  # type: ignore[arg-type]

    def score(
        self, layer: str | None, mean: float, width: int, lift: float | None = None, **changed: object
    ) -> ScoreRow:
        """One row."""
        return score(layer, mean, width, lift, **changed)


@pytest.fixture
def answers() -> Answers:
    """What EXPLORE could have answered."""
    return Answers()
