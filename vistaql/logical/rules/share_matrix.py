"""Assemble once: learners over one matrix are trained in one step."""

from __future__ import annotations

from dataclasses import replace

from vistaql.logical.evaluation import Evaluation
from vistaql.logical.nodes import Assemble, Explore, Train
from vistaql.plan.node import Node


def share_matrix(node: Node) -> Node:
    """Fit all learners of a layer on one matrix: its features are picked once, and let go after the last.

    >>> from vistaql.learners.logistic_regression import LogisticRegression
    >>> from vistaql.logical.evaluation import Splitting
    >>> from vistaql.logical.nodes import Rows, ScanImages
    >>> matrix = Assemble(Rows(ScanImages(None, "photos"), ()), None)
    >>> judged = Evaluation(("accuracy",), Splitting.FOLDS)
    >>> learners = LogisticRegression(reg=1.0), LogisticRegression(reg=0.5)
    >>> after = share_matrix(Explore(tuple(Train(matrix, (item,), judged) for item in learners), best_alone=False))
    >>> [training.learners == learners for training in after.trainings]
    [True]
    """
    if not isinstance(node, Explore):
        return node
    shared: dict[tuple[Assemble, Evaluation], Train] = {}
    for training in node.trainings:
        place = training.matrix, training.evaluation
        before = shared.get(place)
        learners = (*before.learners, *training.learners) if before else training.learners
        shared[place] = replace(training, learners=learners) if before else training
    return node if len(shared) == len(node.trainings) else replace(node, trainings=tuple(shared.values()))
