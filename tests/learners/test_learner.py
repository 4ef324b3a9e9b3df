"""Learners by name, and their options."""

from __future__ import annotations

import subprocess
import sys

import pytest

from vistaql.learners import LEARNERS, LogisticRegression, learner_named, options_of


@pytest.mark.parametrize("name", ["logistic_regression", "LR", "logreg", "LogisticRegression", "LOGISTIC_REGRESSION"])
def test_a_learner_is_found_by_its_names(name: str) -> None:
    assert learner_named(name) is LogisticRegression


def test_an_unknown_learner_is_not_found() -> None:
    assert learner_named("oracle") is None


@pytest.mark.parametrize("learner", LEARNERS)
def test_every_option_has_a_meaning_and_a_default_within_its_range(learner: type) -> None:
    for option in options_of(learner):
        assert option.meaning
        option.check(option.default)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"reg": 0}, "reg is a number from 1e-09 to 1e+06"),
        ({"reg": "much"}, "not much"),
        ({"reg": True}, "not True"),
        ({"reg": float("nan")}, "not nan"),
        ({"l1_ratio": 1.5}, "l1_ratio is a number from 0 to 1"),
        ({"max_iter": 2.5}, "max_iter is a whole number"),
    ],
)
def test_an_option_out_of_range_is_refused_in_words(options: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("+", r"\+")):
        LogisticRegression(**options)


def test_learners_are_equal_by_their_options() -> None:
    assert LogisticRegression(reg=0.01) == LogisticRegression()
    assert str(LogisticRegression(reg=0.5, max_iter=10)) == "logistic_regression (reg = 0.5, max_iter = 10)"


def test_estimates_grow_with_the_work() -> None:
    learner = LogisticRegression()
    assert learner.flops(2000, 1280, 10) > learner.flops(1000, 640, 10) > learner.flops(1000, 640, 2)
    assert learner.memory(2000, 1280, 10) > learner.memory(2000, 64, 10)


def test_names_and_options_load_no_numpy() -> None:
    modules = "vistaql.learners, vistaql.learners.names, vistaql.learners.comparison"
    code = f"import sys, {modules}; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
