"""The rewrites of logical plans, in the order in which they are applied.

The binder writes down what a statement says: every layer from the pixels of every image, pooled when it is there, every
column read, and everything assembled and dealt anew for each learner. The rules make of that what is then planned.
"""

from collections.abc import Callable
from typing import TypeVar, cast

from vistaql.logical.rules.decode_only_matching import decode_only_matching
from vistaql.logical.rules.drop_repeated_layers import drop_repeated_layers
from vistaql.logical.rules.infer_together import infer_together
from vistaql.logical.rules.pool_in_pass import pool_in_pass
from vistaql.logical.rules.project_early import project_early
from vistaql.logical.rules.share_folds import share_folds
from vistaql.logical.rules.share_matrix import share_matrix
from vistaql.logical.rules.share_prefix import share_prefix
from vistaql.logical.schema import same_schema
from vistaql.plan.node import Node
from vistaql.plan.rewrite import Step, rewrite

Plan = TypeVar("Plan", bound=Node)

RULES = (
    # What is dropped would stay in an inference that is made for all layers.
    drop_repeated_layers,
    pool_in_pass,
    project_early,
    decode_only_matching,
    # Of pooled layers, and of images that some query chose.
    infer_together,
    # Of inferences that are one for each CNN, whatever it is called.
    share_prefix,
    share_folds,
    share_matrix,
)


def rewritten(plan: Plan, observe: Callable[[Step], None] = lambda _: None) -> Plan:
    """The plan after all rules; after each of them it still gives what it gave, or the rule is named."""
    # Rules keep the root.
    return cast("Plan", rewrite(plan, RULES, same_schema(plan), observe))
