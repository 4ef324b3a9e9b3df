"""From AST to text, in one spelling: what is printed parses back to an equal AST."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from vistaql.frontend import ast
from vistaql.frontend.expression_text import expression_text, name_text

# Longer questions get a line for each clause.
WIDEST = 100

SECRET = re.compile("secret|password|passwd|token|key|credential", re.IGNORECASE)
HIDDEN = ast.Literal("***")


def to_text(node: ast.Syntax, *, redact: bool = False) -> str:
    """The element as it would be typed; with `redact`, without the values of options that look like secrets.

    >>> from vistaql.frontend.parser import parse
    >>> print(to_text(parse("set Api_Key='x' ;show  tables"), redact=True))
    SET Api_Key = '***';
    SHOW TABLES;
    """
    return _text(redacted(node) if redact else node)


def redacted(node: ast.Syntax) -> ast.Syntax:
    """The element with *** in place of what is given to options named like a secret."""
    if isinstance(node, ast.Option):
        return replace(node, value=HIDDEN) if _is_secret(node) else node
    if isinstance(node, ast.Expression):
        return node
    fields: dict[str, Any] = {field: _redacted_field(value) for field, value in vars(node).items()}
    return replace(node, **fields)


def _redacted_field(value: object) -> object:
    if isinstance(value, tuple):
        return tuple(_redacted_field(element) for element in value)
    return redacted(value) if isinstance(value, ast.Syntax) else value


def _is_secret(option: ast.Option) -> bool:
    match option.value:
        case ast.Parameter() | ast.Literal(bool() | None):
            return False
    return any(SECRET.search(part.text) for part in option.key)


def _text(node: ast.Syntax) -> str:
    if isinstance(node, ast.Expression):
        return expression_text(node)
    return SPELLINGS[type(node)](node)


# Pieces that may be absent are empty texts, which `_words` and `_lines` leave out.


def _words(*words: str) -> str:
    return " ".join(word for word in words if word)


def _lines(*clauses: str) -> str:
    """The clauses on one line if it is short, else each on its own."""
    line = _words(*clauses)
    return line if len(line) <= WIDEST else "\n  ".join(clause for clause in clauses if clause)


def _optional(node: ast.Syntax | None, keyword: str = "") -> str:
    return _words(keyword, _text(node)) if node else ""


def _if(stands: object, keywords: str) -> str:
    return keywords if stands else ""


def _list(nodes: Iterable[ast.Syntax]) -> str:
    return ", ".join(map(_text, nodes))


def _parenthesised(keyword: str, nodes: Sequence[ast.Syntax]) -> str:
    return f"{keyword} ({_list(nodes)})" if nodes else ""


def _called(name: ast.Name, arguments: Sequence[ast.Syntax]) -> str:
    return name_text(name) + (f"({_list(arguments)})" if arguments else "")


def _dotted(names: Iterable[ast.Name]) -> str:
    return ".".join(map(name_text, names))


# Elements that need more than a line


def _script(node: ast.Script) -> str:
    # A comment at the end of SQL would swallow a semicolon on its line.
    texts = map(_text, node.statements)
    return "\n".join(text + ("\n;" if "--" in text.rpartition("\n")[2] else ";") for text in texts)


def _explore(node: ast.Explore) -> str:
    return _lines(
        f"EXPLORE {_list(node.targets)}",
        _text(node.relation),
        _optional(node.where, "WHERE"),
        _optional(node.sample),
        _optional(node.features),
        _optional(node.label, "PREDICT"),
        _if(node.learners, f"TRAIN {_list(node.learners)}"),
        _optional(node.evaluate),
        f"PER KEY {node.per_key.value}" if node.per_key else "",
        _optional(node.into, "INTO"),
        _parenthesised("WITH", node.options),
    )


def _export_layers(node: ast.ExportLayers) -> str:
    return _lines(
        f"EXPORT {_list(node.targets)}",
        _text(node.relation),
        _optional(node.where, "WHERE"),
        _optional(node.sample),
        f"PER KEY {node.per_key.value}" if node.per_key else "",
        _optional(node.path, "TO"),
        _parenthesised("WITH", node.options),
    )


def _target(node: ast.Target) -> str:
    if isinstance(node.layers, ast.AllPoints):
        return name_text(node.cnn)
    return f"{_text(node.layers)} OF {name_text(node.cnn)}"


def _join(node: ast.Join) -> str:
    kind = _if(node.kind is ast.JoinKind.LEFT, "LEFT")
    return _words(kind, "JOIN", _text(node.right), _parenthesised("USING", node.using), _optional(node.condition, "ON"))


def _sample(node: ast.Sample) -> str:
    amount = _text(node.amount)
    if node.seed:
        return f"TABLESAMPLE ({amount} {node.unit.value}) REPEATABLE ({node.seed})"
    return _words("SAMPLE", amount, _if(node.unit is ast.SampleUnit.PERCENT, "PERCENT"))


def _features(node: ast.Features) -> str:
    if node.columns is None:
        return _words("FEATURES *", _parenthesised("EXCEPT", node.excluded))
    return f"FEATURES {_list(node.columns) or 'NONE'}"


def _create(kind: str, node: ast.CreateTable | ast.CreateImages) -> str:
    replacing, keeping = _if(node.or_replace, "OR REPLACE"), _if(node.if_not_exists, "IF NOT EXISTS")
    return _words("CREATE", replacing, kind, keeping, name_text(node.name))


def _create_table(node: ast.CreateTable) -> str:
    clauses = _words(
        _optional(node.format, "FORMAT"),
        _parenthesised("KEY", node.key),
        _optional(node.label, "LABEL"),
        _parenthesised("WITH", node.options),
    )
    if isinstance(node.source, ast.RawSql):
        # SQL reaches to the end of the statement, so that the clauses stand before it.
        return _words(_create("TABLE", node), clauses, "AS", node.source.text)
    return _words(_create("TABLE", node), "FROM", _text(node.source), clauses)


def _create_images(node: ast.CreateImages) -> str:
    return _words(
        _create("IMAGES", node),
        "FROM",
        _text(node.source),
        _optional(node.key),
        _if(node.label_from_folder, "LABEL FROM FOLDER"),
        _parenthesised("WITH", node.options),
    )


def _register_cnn(node: ast.RegisterCnn) -> str:
    return _words(
        "REGISTER",
        _if(node.or_replace, "OR REPLACE"),
        f"CNN {name_text(node.name)} FROM",
        _optional(node.builder),
        _optional(node.source),
        _optional(node.weights, "WEIGHTS"),
        _parenthesised("WITH", node.options),
    )


SPELLINGS: dict[type[ast.Syntax], Callable[[Any], str]] = {
    ast.Name: name_text,
    ast.RawSql: lambda node: node.text,
    ast.Script: _script,
    # The question
    ast.Explore: _explore,
    ast.ExportLayers: _export_layers,
    ast.Explain: lambda node: _words(
        "EXPLAIN",
        _if(node.mode is not ast.ExplainMode.PLAN, node.mode.value.upper()),
        _if(node.format is not ast.ExplainFormat.TEXT, f"FORMAT {node.format.value}"),
        _optional(node.query),
    ),
    ast.Target: _target,
    ast.NamedLayers: lambda node: f"LAYERS {_list(node.layers)}",
    ast.NamedLayer: lambda node: _words(name_text(node.name), _optional(node.pool)),
    ast.AllPoints: lambda _: "LAYERS *",
    ast.LastPoints: lambda node: "LAST LAYER" if node.count == 1 else f"LAST {node.count} LAYERS",
    ast.LayersLike: lambda node: _words("LAYERS LIKE", _text(node.pattern), _optional(node.pool)),
    ast.PoolSpec: lambda node: f"POOL {_called(node.name, node.arguments)}",
    ast.From: lambda node: _words("FROM", _text(node.images), *map(_text, node.joins)),
    ast.TableRef: lambda node: _words(_text(node.source), _optional(node.alias, "AS")),
    ast.Join: _join,
    ast.Sample: _sample,
    ast.Features: _features,
    ast.LearnerCall: lambda node: _called(node.name, node.arguments),
    ast.Evaluate: lambda node: _words(f"EVALUATE {_list(node.metrics)}", _optional(node.split, "USING")),
    ast.CrossValidation: lambda node: f"CROSS VALIDATION ({node.folds})",
    ast.Holdout: lambda node: f"HOLDOUT ({node.fraction!r})",
    ast.SplitColumn: lambda node: f"SPLIT {_text(node.column)}",
    ast.Option: lambda node: f"{_dotted(node.key)} = {_text(node.value)}",
    # The catalog
    ast.CreateTable: _create_table,
    ast.CreateImages: _create_images,
    ast.TableColumnSource: lambda node: _words(
        name_text(node.table), "COLUMN", name_text(node.column), _optional(node.folder, "IN")
    ),
    ast.KeyFrom: lambda node: _words("KEY FROM", node.kind.value, _optional(node.argument)),
    ast.RegisterCnn: _register_cnn,
    ast.WeightsFile: lambda node: _text(node.path),
    ast.WeightsRandom: lambda node: _words("RANDOM", _if(node.seed, f"(SEED = {node.seed})")),
    ast.Drop: lambda node: _words("DROP", node.kind.value, _if(node.if_exists, "IF EXISTS"), name_text(node.name)),
    # Looking, and the session
    ast.Select: lambda node: node.sql.text,
    ast.Show: lambda node: f"SHOW {node.listing.value}",
    ast.ShowLayers: lambda node: _words("SHOW", _if(node.all_layers, "ALL"), "LAYERS OF", name_text(node.cnn)),
    ast.ShowCreate: lambda node: f"SHOW CREATE {node.kind.value} {name_text(node.name)}",
    ast.ShowErrors: lambda node: _words("SHOW ERRORS", _optional(node.images, "OF")),
    ast.Describe: lambda node: _words("DESCRIBE", node.kind.value if node.kind else "", name_text(node.name)),
    ast.SetOption: lambda node: f"SET {_text(node.option)}",
    ast.Calibrate: lambda node: _words("CALIBRATE", _optional(node.cnn, "CNN"), _if(node.spark, "SPARK")),
    ast.Reset: lambda node: f"RESET {_dotted(node.key) if node.key else 'ALL'}",
    ast.SourceScript: lambda node: f"SOURCE {_text(node.path)}",
    ast.Help: lambda node: _words("HELP", *(word.text for word in node.topic)),
}
