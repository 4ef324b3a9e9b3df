"""Options of WITH (..): known by name, checked by type."""

from __future__ import annotations

from collections.abc import Mapping

from vistaql.errors import Code, VistaQLError, did_you_mean
from vistaql.stores.quoting import Scalar

Options = tuple[tuple[str, Scalar], ...]
WORDS = {str: "text in quotes", int: "a whole number", float: "a number", bool: "true or false"}
EXAMPLES = {str: "';'", int: "1", float: "0.01", bool: "true"}


def check_options(given: Options, known: Mapping[str, type], what: str) -> Options:
    """Options by their right names, with values of the right type. Messages never show a value.

    >>> check_options((("Delimiter", ";"),), {"delimiter": str}, "tables")
    (('delimiter', ';'),)
    """
    checked: dict[str, Scalar] = {}
    for name, value in given:
        wanted = known.get(name.casefold())
        if wanted is None:
            raise VistaQLError(
                Code.UNKNOWN_OPTION,
                f"There is no option '{name}' of {what}.",
                hint=did_you_mean(name, known, "options"),
            )
        fits = isinstance(value, (int, float) if wanted is float else wanted)
        if not fits or (isinstance(value, bool) and wanted is not bool):
            raise VistaQLError(
                Code.BAD_OPTION_VALUE,
                f"The option '{name}' takes {WORDS[wanted]}.",
                hint=f"Write {name} = {EXAMPLES[wanted]}.",
            )
        checked[name.casefold()] = value
    return tuple(checked.items())
