"""Downstream learners, one file each, and the honest evaluation of what they learn.

>>> learner_named("LogisticRegression").name
'logistic_regression'
>>> str(learner_named("lr")(reg=0.1))
'logistic_regression (reg = 0.1)'
"""

from __future__ import annotations

from vistaql.learners.learner import Learner, Option, options_of
from vistaql.learners.logistic_regression import LogisticRegression

__all__ = ["LEARNERS", "Learner", "LogisticRegression", "Option", "learner_named", "options_of"]

LEARNERS: tuple[type[Learner], ...] = (LogisticRegression,)


def learner_named(name: str) -> type[Learner] | None:
    """The learner of a name or alias; case and underscores do not matter."""
    wanted = name.casefold().replace("_", "")
    for learner in LEARNERS:
        if wanted in {known.casefold().replace("_", "") for known in (learner.name, *learner.aliases)}:
            return learner
    return None
