"""Deal once: folds and encoded columns of the rows are made for all layers and learners."""

from __future__ import annotations

from dataclasses import replace

from vistaql.logical.nodes import Folds, Rows, Train
from vistaql.plan.node import Node


def share_folds(node: Node) -> Node:
    """Deal the rows to folds, and encode their columns, before matrices are assembled from them.

    Neither depends on the layer, on the learner, or on the metrics.

    >>> from vistaql.logical.evaluation import Evaluation, Splitting
    >>> from vistaql.logical.nodes import Assemble, ScanImages
    >>> rows = Rows(ScanImages(None, "photos"), ())
    >>> one, other = (Evaluation((metric,), Splitting.FOLDS) for metric in ("accuracy", "f1_macro"))
    >>> first, second = (share_folds(Train(Assemble(rows, None), (), judged)) for judged in (one, other))
    >>> first.matrix == second.matrix, first.matrix.rows.summary
    (True, 'Folds dealing=5 folds')
    """
    if not isinstance(node, Train) or not isinstance(node.matrix.rows, Rows):
        return node
    folds = Folds(node.matrix.rows, node.evaluation.dealing)
    return replace(node, matrix=replace(node.matrix, rows=folds))
