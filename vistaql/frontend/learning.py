"""Learners with their arguments, metrics, and how rows are kept back for testing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vistaql.errors import Code, Span, VistaQLError, did_you_mean
from vistaql.frontend import ast
from vistaql.frontend.options import key_of, refuse_twice, value_of
from vistaql.frontend.scope import ParameterValue, Scope
from vistaql.learners import LEARNERS, Learner, learner_named, options_of
from vistaql.learners.metrics import METRICS, metric_named
from vistaql.logical.evaluation import Evaluation, Splitting

DEFAULT_METRIC = "accuracy"
DEFAULT_FOLDS = 5
MOST_FOLDS = 100


def bind_learners(
    calls: tuple[ast.LearnerCall, ...], query: Span, parameters: Mapping[str, ParameterValue]
) -> tuple[Learner, ...]:
    """The learners after TRAIN, each once."""
    if not calls:
        names = ", ".join(learner.name for learner in LEARNERS)
        raise VistaQLError(
            Code.NO_LEARNER,
            "Nothing is trained.",
            span=Span(query.end, query.end),
            hint=f"Add TRAIN logistic_regression. The learners are: {names}.",
        )
    return tuple(dict.fromkeys(bind_learner(call, parameters) for call in calls))


def bind_learner(call: ast.LearnerCall, parameters: Mapping[str, ParameterValue]) -> Learner:
    """A learner with its arguments in place."""
    kind = learner_named(call.name.text)
    if kind is None:
        raise VistaQLError(
            Code.UNKNOWN_LEARNER,
            f"There is no learner '{call.name.text}'.",
            span=call.name.span,
            hint=did_you_mean(call.name.text, [learner.name for learner in LEARNERS], "learners"),
        )
    refuse_twice(call.arguments)
    known = {option.name: option for option in options_of(kind)}
    arguments: dict[str, Any] = {}
    for option in call.arguments:
        key = key_of(option)
        if key not in known:
            raise VistaQLError(
                Code.UNKNOWN_OPTION,
                f"{kind.name} has no argument '{key}'.",
                span=option.key[0].span.to(option.key[-1].span),
                hint=did_you_mean(key, known, "arguments"),
            )
        arguments[key] = value_of(option.value, parameters)
        try:
            known[key].check(arguments[key])
        except ValueError as error:
            raise VistaQLError(
                Code.BAD_OPTION_VALUE, f"{error}.", span=option.key[0].span.to(option.value.span),
                hint=f"Leave it out for {key} = {known[key].default:g}.",
            ) from None  # fmt: skip
    return kind(**arguments)


def bind_evaluation(evaluate: ast.Evaluate | None, scope: Scope) -> tuple[Evaluation, str | None]:
    """Metrics and splitting, and the qualified split column where there is one."""
    if evaluate is None:
        return Evaluation((DEFAULT_METRIC,), Splitting.FOLDS, DEFAULT_FOLDS), None
    metrics = tuple(dict.fromkeys(bind_metric(name) for name in evaluate.metrics)) or (DEFAULT_METRIC,)
    match evaluate.split:
        case ast.CrossValidation(folds):
            if not 2 <= folds <= MOST_FOLDS:
                raise VistaQLError(
                    Code.BAD_EVALUATION, f"A cross validation has 2 to {MOST_FOLDS} folds, not {folds}.",
                    span=evaluate.split.span, hint="Write CROSS VALIDATION (5).",
                )  # fmt: skip
            return Evaluation(metrics, Splitting.FOLDS, folds), None
        case ast.Holdout(fraction):
            if not 0 < fraction < 1:
                raise VistaQLError(
                    Code.BAD_EVALUATION, f"A holdout of {fraction:g} cannot be kept back.", span=evaluate.split.span,
                    hint="Write a share between 0 and 1: HOLDOUT (0.2).",
                )  # fmt: skip
            return Evaluation(metrics, Splitting.HOLDOUT, 1, fraction), None
        case ast.SplitColumn(column):
            source, info = scope.resolve(column)
            return Evaluation(metrics, Splitting.COLUMN, 1), source.qualified(info.name)
    return Evaluation(metrics, Splitting.FOLDS, DEFAULT_FOLDS), None


def bind_metric(name: ast.Name) -> str:
    """A metric by its name."""
    metric = metric_named(name.text)
    if metric is None:
        raise VistaQLError(
            Code.UNKNOWN_METRIC,
            f"There is no metric '{name.text}'.",
            span=name.span,
            hint=did_you_mean(name.text, [metric.name for metric in METRICS], "metrics"),
        )
    return metric.name
