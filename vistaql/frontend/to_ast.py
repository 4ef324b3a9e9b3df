"""From grammar to AST: what each rule of the grammar builds. `ACTIONS` is the table."""

from __future__ import annotations

import math
from dataclasses import replace

from vistaql.errors import Code, Span, VistaQLError
from vistaql.frontend import ast
from vistaql.frontend.actions import (
    Action,
    Children,
    Part,
    Plain,
    by_value,
    choice,
    flag,
    head_and_rest,
    list_of,
    node,
    part,
    part_choice,
    part_tuple,
    parts,
    span_of,
    tuple_of,
    values,
)
from vistaql.frontend.hints import SQL_GOES_ON

LARGEST_INTEGER = 2**63 - 1


# Names and literals


def name(children: Children) -> ast.Name:
    """A name, without its quotes."""
    token = children[0]
    text = token[1:-1].replace('""', '"') if token.type == "QUOTED_NAME" else str(token)
    return ast.Name(text, span=span_of(children))


def keyword_name(children: Children) -> ast.Name:
    """A keyword that is meant as a name."""
    return ast.Name(str(children[0]), span=span_of(children))


def string(children: Children) -> ast.Literal:
    """A string, without its quotes."""
    return ast.Literal(_unquoted(children[0]), span=span_of(children))


def _unquoted(token: str) -> str:
    return token[1:-1].replace("''", "'")


def date(children: Children) -> ast.Date:
    """DATE '2024-01-31'. Whether there is such a day is for the binder to say."""
    return ast.Date(_unquoted(children[-1]), span=span_of(children))


def number(children: Children) -> ast.Literal:
    """An int where the text has digits only, else a float; BAD_LITERAL beyond 64 bits."""
    text, span = str(children[0]), span_of(children)
    if not text.isdigit():
        value = float(text)
        if math.isfinite(value):
            return ast.Literal(value, span=span)
    # A longer text is not converted at all: the time for it grows with the square of its length.
    elif len(text) <= len(str(LARGEST_INTEGER)) and int(text) <= LARGEST_INTEGER:
        return ast.Literal(int(text), span=span)
    raise VistaQLError(Code.BAD_LITERAL, "This number is too large.", span, "Numbers have at most 64 bits.")


def whole(children: Children) -> Plain:
    """A whole number, such as a count or a seed."""
    literal = number(children)
    if not isinstance(literal.value, int):
        message = f"Expected a whole number, found {children[0]}."
        raise VistaQLError(Code.BAD_LITERAL, message, literal.span, "Write digits only, such as 5.")
    return Plain(literal.value, literal.span)


def negative(children: Children) -> ast.Expression:
    """A negative number, or the negative of what is no number literal."""
    operand, span = children[-1], span_of(children)
    if isinstance(operand, ast.Literal):
        value = operand.value
        if isinstance(value, int | float) and not isinstance(value, bool) and math.copysign(1, value) > 0:
            return ast.Literal(-value, span=span)
    return ast.Negative(operand, span=span)


def sql(children: Children) -> ast.RawSql:
    """SQL as it stands, without the space before the semicolon."""
    start, text = span_of(children).start, children[0].rstrip()
    span = Span(start, start + len(text))
    if text.isalpha():
        message = f"Expected a query, found {text} alone."
        raise VistaQLError(Code.SYNTAX, message, span, SQL_GOES_ON)
    return ast.RawSql(text, span=span)


def constant(value: bool | None) -> Action:  # noqa: FBT001 - the value is the point
    """TRUE, FALSE or NULL."""
    return lambda children: ast.Literal(value, span=span_of(children))


# Expressions


def binary(children: Children) -> ast.Binary:
    """Two values with the operator between them."""
    left, operator, right = values(children)
    return ast.Binary(operator, left, right, span=span_of(children))


def group(children: Children) -> ast.Expression:
    """A value in parentheses, which belong to its place in the text."""
    inner: ast.Expression = children[1]
    return replace(inner, span=span_of(children))


def word(children: Children) -> ast.Column:
    """A bare word where a value stands, such as eager."""
    return ast.Column((children[0],), span=span_of(children))


# Clauses


def named_layers(children: Children) -> ast.NamedLayers:
    """Layers by name. LAYERS ALL would be one layer called all, which nobody means."""
    layers = values(children)
    first = layers[0].name
    if len(layers) == 1 and first.text.upper() == "ALL" and first.span.end - first.span.start == len("ALL"):
        message = "LAYERS ALL would be one layer called all."
        raise VistaQLError(Code.SYNTAX, message, first.span, "Write ALL LAYERS OF .. or LAYERS * OF ..")
    return ast.NamedLayers(tuple(layers), span=span_of(children))


def last_points(children: Children) -> ast.LastPoints:
    """LAST n LAYERS; LAST LAYER is one."""
    return ast.LastPoints(*(values(children) or [1]), span=span_of(children))


def target(children: Children) -> ast.Target:
    """Layers OF a CNN; a CNN alone stands for its exploration points."""
    *layers, cnn = values(children)
    span = span_of(children)
    return ast.Target(layers[0] if layers else ast.AllPoints(span=span), cnn, span=span)


def join(children: Children) -> ast.Join:
    """A join, inner unless it says otherwise."""
    fields = {"kind": ast.JoinKind.INNER, **parts(children)}
    return ast.Join(right=values(children)[0], span=span_of(children), **fields)


def features(children: Children) -> Part:
    """The columns listed, or none, or all but some."""
    columns, fields, span = tuple(values(children)), parts(children), span_of(children)
    listed = columns if columns or "none" in fields else None
    value = ast.Features(listed, fields.get("excluded", ()), span=span)
    return Part("features", value, "FEATURES", span)


def sample(children: Children) -> Part:
    """How much of the rows, and drawn with which seed."""
    span = span_of(children)
    return Part("sample", ast.Sample(*values(children), **parts(children), span=span), "SAMPLE", span)


def evaluate(children: Children) -> Part:
    """Metrics, and how rows are held back for them."""
    span = span_of(children)
    return Part("evaluate", ast.Evaluate(tuple(values(children)), **parts(children), span=span), "EVALUATE", span)


def set_option(children: Children) -> ast.SetOption:
    """A setting with its new value."""
    key, value = values(children)
    span = span_of(children[1:])
    return ast.SetOption(ast.Option(key, value, span=span), span=span_of(children))


def describe(children: Children) -> ast.Describe:
    """An object by name, and by kind if that is said."""
    kind, described = [None, *values(children)][-2:]
    return ast.Describe(kind, described, span=span_of(children))


def calibrate(children: Children) -> ast.Calibrate:
    """A CNN by name, Spark by its word, or neither: the machine."""
    cnn = next(iter(values(children)), None)
    return ast.Calibrate(cnn, cnn is None and len(children) > 1, span=span_of(children))


def key_from(kind: ast.KeyKind) -> Action:
    """Where the key comes from, with the pattern or the column if the kind needs one."""
    return node(lambda *argument, span: ast.KeyFrom(kind, *argument, span=span))


STATEMENTS: dict[str, Action] = {
    "script": list_of(ast.Script),
    "explore": node(ast.Explore),
    "export_layers": node(ast.ExportLayers),
    "explain": node(ast.Explain),
    "explain_mode": part_choice("mode", by_value(ast.ExplainMode)),
    "explain_format": part_choice("format", by_value(ast.ExplainFormat)),
    "select": node(ast.Select),
    "create_table": node(ast.CreateTable),
    "create_images": node(ast.CreateImages),
    "register_cnn": node(ast.RegisterCnn),
    "calibrate": calibrate,
    "drop": node(ast.Drop),
    "show": node(ast.Show),
    "show_layers": node(ast.ShowLayers),
    "show_create": node(ast.ShowCreate),
    "show_errors": node(ast.ShowErrors),
    "describe": describe,
    "set_option": set_option,
    "reset": node(ast.Reset),
    "source_script": node(ast.SourceScript),
    "help": list_of(ast.Help),
}

QUERY: dict[str, Action] = {
    "targets": tuple_of,
    "target": target,
    "named_layers": named_layers,
    "named_layer": node(ast.NamedLayer),
    "all_points": lambda children: ast.AllPoints(span=span_of(children)),
    "last_points": last_points,
    "layers_like": node(ast.LayersLike),
    "pool": head_and_rest(ast.PoolSpec),
    "relation": head_and_rest(ast.From),
    "table_ref": node(ast.TableRef),
    "alias": part("alias"),
    "join": join,
    "join_kind": part_choice(
        "kind",
        {
            "INNER": ast.JoinKind.INNER,
            "LEFT": ast.JoinKind.LEFT,
            "LEFT OUTER": ast.JoinKind.LEFT,
        },
    ),
    "using": part_tuple("using"),
    "condition": part("condition"),
    "where": part("where"),
    "sample": sample,
    "seed": part("seed"),
    "unit": part_choice("unit", by_value(ast.SampleUnit)),
    "features": features,
    "excluded": part_tuple("excluded"),
    "none": flag("none"),
    "label": part("label"),
    "learners": part_tuple("learners"),
    "learner_call": head_and_rest(ast.LearnerCall),
    "evaluate": evaluate,
    "split": part("split"),
    "cross_validation": node(ast.CrossValidation),
    "holdout": lambda children: ast.Holdout(float(values(children)[0].value), span=span_of(children)),
    "split_column": node(ast.SplitColumn),
    "per_key": part("per_key"),
    "reduction": choice(by_value(ast.Reduction)),
    "into": part("into"),
    "to": part("path"),
    "options": part_tuple("options"),
    "option": node(ast.Option),
    "key": tuple_of,
}

CATALOG: dict[str, Action] = {
    "or_replace": flag("or_replace"),
    "if_not_exists": flag("if_not_exists"),
    "if_exists": flag("if_exists"),
    "all_layers": flag("all_layers"),
    "from_path": part("source"),
    "from_column": part("source"),
    "from_builder": part("builder"),
    "as_select": part("source"),
    "model_path": part("source"),
    "format": part("format"),
    "key_columns": part_tuple("key"),
    "label_column": part("label"),
    "table_column_source": node(ast.TableColumnSource),
    "key_source": part("key"),
    "key_from_stem": key_from(ast.KeyKind.STEM),
    "key_from_path": key_from(ast.KeyKind.PATH),
    "key_from_regex": key_from(ast.KeyKind.REGEX),
    "key_from_column": key_from(ast.KeyKind.COLUMN),
    "label_from_folder": flag("label_from_folder"),
    "weights": part("weights"),
    "weights_file": node(ast.WeightsFile),
    "weights_random": node(ast.WeightsRandom),
    "kind": choice(by_value(ast.ObjectKind)),
    "kind_name": keyword_name,
    "listing": choice(by_value(ast.Listing)),
}

OPERATOR = choice({**by_value(ast.Operator), "!=": ast.Operator.NE})

EXPRESSIONS: dict[str, Action] = {
    "binary": binary,
    "or": OPERATOR,
    "and": OPERATOR,
    "comparator": OPERATOR,
    "additive": OPERATOR,
    "multiplicative": OPERATOR,
    "not_": node(ast.Not),
    "negated": flag("negated"),
    "is_null": node(ast.IsNull),
    "in_": head_and_rest(ast.In),
    "like": node(ast.Like, ignore_case=False),
    "ilike": node(ast.Like, ignore_case=True),
    "between": node(ast.Between),
    "negative": negative,
    "group": group,
    "date": date,
    "date_name": keyword_name,
    "column": list_of(ast.Column),
    "call": head_and_rest(ast.Call),
    "word": word,
    "string": string,
    "number": number,
    "whole": whole,
    "quantity": lambda children: ast.Quantity(str(children[0]), span=span_of(children)),
    "parameter": lambda children: ast.Parameter(children[0][1:], span=span_of(children)),
    "true": constant(True),
    "false": constant(False),
    "null": constant(None),
    "sql": sql,
    "name": name,
    "topic": name,
}

ACTIONS: dict[str, Action] = STATEMENTS | QUERY | CATALOG | EXPRESSIONS
