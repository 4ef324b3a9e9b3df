"""The rewrites of logical plans, in the order in which they are applied."""

from vistaql.logical.rules.decode_only_matching import decode_only_matching

RULES = (decode_only_matching,)
