"""From the scores of a run to the answer of EXPLORE: rows with lifts, baselines, counts, notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from vistaql.explain.plan import summarize
from vistaql.learners.comparison import corrected_interval
from vistaql.learners.evaluation import evaluate_majority
from vistaql.learners.metrics import metric_named
from vistaql.logical.nodes import Export, Layer, layers_of
from vistaql.models.cnn import WeightsKind
from vistaql.outcome import BadImage, Counts, Exploration, PlanSummary, Report, ScoreRow
from vistaql.physical.engine import FitResult
from vistaql.physical.operators import Answer, Fit, Scores
from vistaql.units import format_duration

if TYPE_CHECKING:
    from vistaql.engines.inprocess.prepare import Prepared
    from vistaql.engines.running import AnyEngine
    from vistaql.frontend.binder import BoundQuery
    from vistaql.optimizer.choose import Decision


@dataclass(frozen=True)
class Surrounding:
    """What an answer says besides its scores."""

    statement: str
    label: str
    columns: tuple[str, ...]
    counts: Counts
    class_names: tuple[str, ...]
    majority_class: str
    majority: tuple[tuple[str, float], ...]
    """for each metric what always saying the commonest class gets"""
    train_rows: float
    """rows a fold is learnt from, for the correction of the interval"""
    test_rows: float
    plan: PlanSummary
    seconds: float
    notes: tuple[str, ...]
    random_weights: tuple[str, ...]
    bad_images: tuple[BadImage, ...]
    also: tuple[tuple[tuple[str, str], tuple[str, ...]], ...] = ()
    """for (CNN, column) of an output the other names of layers that pool to the same numbers"""
    name: str | None = None


def surround(
    bound: BoundQuery, prepared: Prepared, engine: AnyEngine, plan: PlanSummary, seconds: float
) -> Surrounding:
    """What is known of a run besides its scores."""
    if prepared.classes is None or prepared.evaluation is None:
        message = "an EXPLORE has a label"
        raise ValueError(message)
    learnt = prepared.learnable.without(engine.bad.lost_keys)
    examples = learnt.examples(prepared.evaluation)
    metrics = [metric for name in prepared.evaluation.metrics if (metric := metric_named(name))]
    majority = evaluate_majority(examples, metrics)
    train, test = examples.sizes
    layers = layers_of(bound.plan)
    random = (item.called for item in layers if item.cnn.weights.kind is WeightsKind.RANDOM)
    return Surrounding(
        statement=bound.text,
        label=bound.label,
        columns=examples.columns.names if examples.columns else (),
        counts=counts_of(prepared, engine, len(learnt.keys)),
        class_names=prepared.classes.names,
        majority_class=prepared.classes.names[examples.commonest],
        majority=tuple((score.metric.name, score.mean) for score in majority),
        train_rows=train,
        test_rows=test,
        plan=plan,
        seconds=seconds,
        notes=(*duplicate_notes(prepared), *prepared.notes, *engine.notes),
        random_weights=tuple(dict.fromkeys(random)),
        bad_images=engine.bad_images(),
        also=tuple(((item.called, f"{item.layer}|{item.pool}"), item.also) for item in layers if item.also),
        name=bound.into_name,
    )


def counts_of(prepared: Prepared, engine: AnyEngine, learnt: int) -> Counts:
    """What became of images and rows."""
    joined = prepared.joined.counts
    bad = len(engine.bad)
    return Counts(
        images=joined.images,
        decoded=engine.decoded,
        bad=bad,
        rows=joined.rows,
        joined=learnt,
        images_without_row=joined.images_without_row,
        rows_without_image=joined.rows_without_image,
        duplicates=joined.duplicates,
        rows_without_label=prepared.classes.without_label if prepared.classes else 0,
    )


def duplicate_notes(prepared: Prepared) -> tuple[str, ...]:
    """Rows that repeat a key are said to be left out."""
    count = prepared.joined.counts.duplicates
    if not count:
        return ()
    return (f"{count:,} rows repeat the key of another; the first of each in the order of their values was taken.",)


def assemble(plan: Answer, scores: Scores, around: Surrounding) -> Exploration:
    """The rows in the order of the plan: layers in network order, then the table alone."""
    metrics = plan.fits[0].evaluation.metrics
    pairs = list(zip(plan.fits, scores.fits, strict=True))
    rows = tuple(
        score_row(fit, result, metric, alone_of(pairs, fit), around) for metric in metrics for fit, result in pairs
    )
    image_only = None
    if scores.alone is not None:
        fit, result = scores.alone
        image_only = score_row(fit, result, metrics[0], alone_of(pairs, fit), around)
    return Exploration(
        statement=around.statement,
        label=around.label,
        metric=metrics[0],
        rows=rows,
        majority=dict(around.majority)[metrics[0]],
        majority_class=around.majority_class,
        image_only=image_only,
        columns=around.columns,
        counts=around.counts,
        classes=len(around.class_names),
        folds=len(rows[0].folds),
        plan=around.plan,
        seconds=around.seconds,
        notes=around.notes,
        random_weights=around.random_weights,
        bad_images=around.bad_images,
        name=around.name,
    )


def alone_of(pairs: Sequence[tuple[Fit, FitResult]], fit: Fit) -> FitResult:
    """What the same learner gets from the table alone."""
    return next(result for other, result in pairs if other.features is None and other.learner == fit.learner)


def score_row(fit: Fit, result: FitResult, metric: str, alone: FitResult, around: Surrounding) -> ScoreRow:
    """One training as a row; the table alone has no lift over itself."""
    folds = dict(result.scores)[metric]
    features = fit.features
    lift = lift_over(folds, dict(alone.scores)[metric], metric, around) if features else (None, None, None)
    cnn = features.cnn_name if features else None
    also = dict(around.also).get((features.cnn_name, features.shown.column), ()) if features else ()
    return ScoreRow(
        cnn=cnn,
        layer=features.shown.layer if features else None,
        pool=str(features.shown.pool) if features else None,
        learner=str(fit.learner),
        metric=metric,
        mean=mean(folds),
        std=deviation(folds),
        folds=folds,
        lift=lift[0],
        lift_low=lift[1],
        lift_high=lift[2],
        width=features.width if features else result.width,
        fit_seconds=result.fit_seconds,
        digest=result.digest,
        also=also,
    )


def lift_over(
    folds: Sequence[float], alone: Sequence[float], metric: str, around: Surrounding
) -> tuple[float | None, float | None, float | None]:
    """By how much a layer is better than the table alone, with its interval; no interval with one fold."""
    known = metric_named(metric)
    sign = 1.0 if known is None or known.greater_is_better else -1.0
    differences = [sign * (a - b) for a, b in zip(folds, alone, strict=True)]
    if len(differences) == 1:
        return differences[0], None, None
    return corrected_interval(differences, n_train=around.train_rows, n_test=around.test_rows)


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean."""
    return sum(values) / len(values)


def deviation(values: Sequence[float]) -> float:
    """The standard deviation of a sample; 0 for one value.

    >>> deviation([1.0, 3.0]), deviation([5.0])
    (1.4142135623730951, 0.0)
    """
    if len(values) == 1:
        return 0.0
    middle = mean(values)
    return float((sum((value - middle) ** 2 for value in values) / (len(values) - 1)) ** 0.5)


def answer(
    bound: BoundQuery, prepared: Prepared, engine: AnyEngine, decision: Decision, values: object, seconds: float
) -> Exploration | Report:
    """The outcome of a query: scores of an EXPLORE, or what an EXPORT wrote."""
    plan = decision.chosen.plan
    if isinstance(plan, Answer) and isinstance(values, Scores):
        summary = summarize(decision, engine.inference_seconds)
        return assemble(plan, values, surround(bound, prepared, engine, summary, seconds))
    return export_report(bound, prepared, engine, int(str(values)), seconds)


def export_report(bound: BoundQuery, prepared: Prepared, engine: AnyEngine, rows: int, seconds: float) -> Report:
    """What an EXPORT wrote, and what it could not use."""
    path = bound.plan.path if isinstance(bound.plan, Export) else ""
    counts = asdict(counts_of(prepared, engine, rows))
    lines = [f"{rows:,} rows written to {path} in {format_duration(seconds)}"]
    if engine.bad:
        lines.append(f"  {len(engine.bad):,} bad images left out; SHOW ERRORS; lists them")
    facts: tuple[tuple[str, object], ...] = (
        ("written", path), ("rows", rows), ("counts", counts),
        ("columns", [column_facts(item) for item in layers_of(bound.plan)]),
        ("seconds", seconds),
    )  # fmt: skip
    return Report(tuple(lines), facts)


def column_facts(item: Layer) -> dict[str, object]:
    """An exported column as plain values."""
    width = item.pool.feature_width(item.cnn.by_name[item.layer].shape)
    return {"cnn": item.called, "layer": item.layer, "pool": str(item.pool), "width": width}
