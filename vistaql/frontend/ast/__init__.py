"""What the text says, before anything is looked up.

Every element carries the span of text it came from. Spans take no part in equality, so that
a statement equals itself after printing and parsing again.
"""

# One vocabulary, in three files for its length.
from vistaql.frontend.ast.clauses import *  # noqa: F403
from vistaql.frontend.ast.expressions import *  # noqa: F403
from vistaql.frontend.ast.statements import *  # noqa: F403
