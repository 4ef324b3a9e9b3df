"""Values in the text: options of WITH and SET, arguments of learners, paths."""

from __future__ import annotations

from collections.abc import Mapping

from vistaql.errors import Code, VistaQLError, did_you_mean
from vistaql.frontend import ast
from vistaql.frontend.scope import ParameterValue, bound
from vistaql.settings import Settings, known_name, readers


def value_of(expression: ast.Expression, parameters: Mapping[str, ParameterValue]) -> ParameterValue:
    """The value of an option: a literal, a quantity as it was written, a parameter, or a bare word."""
    match expression:
        case ast.Literal(value):
            return value
        case ast.Quantity(text):
            return text
        case ast.Parameter():
            return bound(expression, parameters)
        case ast.Column((ast.Name(word),)):
            return word
        case _:
            raise VistaQLError(
                Code.BAD_OPTION_VALUE,
                "An option takes a word, a number or a quoted text.",
                span=expression.span,
                hint="Write name = 5, name = 4GB, name = word or name = 'text'.",
            )


def text_of(element: ast.Name | ast.Expression, parameters: Mapping[str, ParameterValue]) -> str:
    """A name or a quoted text, parameters filled in."""
    return element.text if isinstance(element, ast.Name) else str(value_of(element, parameters))


def key_of(option: ast.Option) -> str:
    """The option's name, folded to lower case."""
    return ".".join(name.text for name in option.key).casefold()


def refuse_twice(options: tuple[ast.Option, ...]) -> None:
    """Raise BAD_OPTION_VALUE at an option that came before: nobody could tell which value holds."""
    seen: set[str] = set()
    for option in options:
        key = key_of(option)
        if key in seen:
            raise VistaQLError(
                Code.BAD_OPTION_VALUE,
                f"'{key}' is given twice.",
                span=option.key[0].span.to(option.value.span),
                hint="Leave one of them out.",
            )
        seen.add(key)


def change_setting(option: ast.Option, settings: Settings, parameters: Mapping[str, ParameterValue]) -> Settings:
    """The settings with one option applied."""
    key = setting_name(option.key)
    value = value_of(option.value, parameters)
    try:
        return settings.changed(key, value)
    except ValueError as error:
        raise VistaQLError(
            Code.BAD_OPTION_VALUE,
            f"{key} cannot be '{value}'.",
            span=option.value.span,
            hint=f"Write {error}.",
        ) from None


def setting_name(key: tuple[ast.Name, ...]) -> str:
    """The setting that the text names. Raises UNKNOWN_SETTING."""
    name = known_name(".".join(part.text for part in key))
    if name is None:
        raise unknown_setting(key)
    return name


def unknown_setting(key: tuple[ast.Name, ...]) -> VistaQLError:
    """There is no such setting; these are."""
    name = ".".join(part.text for part in key)
    return VistaQLError(
        Code.UNKNOWN_SETTING,
        f"There is no setting '{name}'.",
        span=key[0].span.to(key[-1].span),
        hint=did_you_mean(name, readers(), "settings"),
    )


def bind_settings(
    options: tuple[ast.Option, ...], settings: Settings, parameters: Mapping[str, ParameterValue]
) -> Settings:
    """The session's settings with those of the statement's WITH on top."""
    refuse_twice(options)
    for option in options:
        settings = change_setting(option, settings, parameters)
    return settings
