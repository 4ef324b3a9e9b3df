"""The pages of docs/reference, written from what the program itself knows."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from vistaql.cli.arguments import HELP
from vistaql.cli.command import EXIT_OF, Exit
from vistaql.errors import Code
from vistaql.frontend.scope import FUNCTIONS
from vistaql.help import TOPICS
from vistaql.learners import LEARNERS, options_of
from vistaql.learners.metrics import METRICS
from vistaql.models import roster
from vistaql.models.listing import show_layers_rows
from vistaql.models.published import url_of
from vistaql.settings import Settings
from vistaql.units import format_size

ROOT = Path(__file__).parents[2]
GRAMMAR = ROOT / "grammar" / "vistaql.lark"
OUTCOME = ROOT / "vistaql" / "outcome.py"
WRITTEN = "This page is written by the tests, from {0}; `pytest tests/docs --bless` writes it anew.\n"
RULES = """\
[language.md](../language.md) explains them with examples. In the rules, `_list{x}` is one or more x with commas \
between them, and an `i` behind a word means any case.
"""
SECTIONS = {
    "explore": ("explore", "_explore_clause", "targets", "target", "_layers", "named_layer", "pool", "relation",
                "table_ref", "join", "using", "condition", "where", "sample", "features", "label", "learners",
                "learner_call", "evaluate", "split", "per_key", "into", "options"),
    "explain": ("explain",),
    "export layers": ("export_layers", "_export_clause", "to"),
    "create images": ("create_images", "_images_source", "_images_clause", "key_source", "key_from"),
    "create table": ("create_table", "_table_source", "_table_clause"),
    "register cnn": ("register_cnn", "_cnn_source", "_register_clause", "weights"),
    "select": ("select",),
    "show": ("show", "listing", "show_layers", "show_create", "show_errors"),
    "describe": ("describe",),
    "drop": ("drop",),
    "set": ("set_option", "reset"),
    "calibrate": ("calibrate",),
    "source": ("source_script",),
}  # fmt: skip


def rules() -> dict[str, str]:
    """The text of each rule of the grammar, by its name."""
    found: dict[str, str] = {}
    name = ""
    for line in GRAMMAR.read_text(encoding="utf-8").splitlines():
        start = re.match(r"\??(\w+)(?:\{\w+\})?\s*:", line)
        if start:
            name = start[1]
            found[name] = line
        elif name and line.startswith(" "):
            found[name] += "\n" + line
        else:
            name = ""
    return found


def table(header: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    """A table of Markdown."""
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def statements() -> str:
    """Every statement: what it is for, its form, and its rules in the grammar."""
    known = rules()
    parts = [
        "# Statements\n",
        WRITTEN.format("`HELP` and grammar/vistaql.lark"),
        RULES,
    ]
    for topic, (meaning, form) in TOPICS.items():
        names = [name for name in SECTIONS.get(topic, (topic.split()[0],)) if name in known]
        parts += [
            f"## {topic.upper()}\n\n{meaning[:1].upper()}{meaning[1:]}.\n\n```form\n{form}\n```\n",
            *(["```lark\n" + "\n".join(known[name] for name in names) + "\n```\n"] if names else []),
        ]
    functions = ", ".join(f"`{name}`" for name in sorted(FUNCTIONS))
    return "\n".join([*parts, f"## Functions\n\nIn expressions: {functions}.\n"])


def learners() -> str:
    """Learners with their arguments, metrics, settings."""
    parts = ["# Learners, metrics, settings\n", WRITTEN.format("the registries of the program")]
    for learner in LEARNERS:
        rows = (
            (f"`{item.name}`", f"{item.default:g}", f"{item.low:g} to {item.high:g}", item.meaning)
            for item in options_of(learner)
        )
        also = ", ".join(f"`{alias}`" for alias in learner.aliases)
        parts += [
            f"## {learner.name}\n\nAlso called {also}.\n",
            table(("Argument", "Default", "Range", "Meaning"), rows) + "\n",
        ]
    metrics = (
        (f"`{item.name}`", ", ".join(f"`{alias}`" for alias in item.aliases), item.meaning,
         "more" if item.greater_is_better else "less")
        for item in METRICS
    )  # fmt: skip
    parts += ["## Metrics\n", table(("Metric", "Also", "Meaning", "Better"), metrics) + "\n"]
    settings = ((f"`{name}`", f"`{value}`", meaning) for name, value, meaning in Settings().describe())
    parts += [
        "## Settings\n",
        table(("Setting", "Default", "Meaning"), settings),
        "\n[settings.md](../settings.md) says more.\n",
    ]
    return "\n".join(parts)


def cnns() -> str:
    """The CNNs that need no REGISTER, with their exploration points."""
    parts = ["# CNNs\n", WRITTEN.format("the facts that the program carries")]
    for name in roster.names():
        cnn = roster.load(name)
        assert cnn
        url = url_of(cnn)
        size = f", {format_size(roster.download_bytes(cnn))} from <{url}>" if url else ""
        height, width = cnn.input_size
        weights = f"weights `{cnn.weights.kind.value}`{size}" if roster.published(cnn) else "no published weights"
        parts.append(
            f"## {name}\n\nInput {height} x {width}, preprocessing `{cnn.preprocessing.value}`, "
            f"{len(cnn.layers)} layers, {cnn.parameters:,} parameters, {weights}.\n"
        )
        points = show_layers_rows(cnn, all_layers=False)
        rows = (
            (f"`{row.layer}`", row.alias or "", row.shape, f"{row.kilobytes:,.1f}", f"{row.gflops:.3f}")
            for row in points
        )
        parts.append(table(("Point", "Also", "Shape", "KB an image", "GFLOPs from pixels"), rows) + "\n")
    return "\n".join(parts)


def meaning_of(name: str) -> str:
    """What a dataclass of outcome.py is, in its own words."""
    tree = ast.parse(OUTCOME.read_text(encoding="utf-8"))
    found = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
    return " ".join((ast.get_docstring(found) or "").split())


def documented(name: str) -> Iterator[tuple[str, str, str]]:
    """Name, type and meaning of each field of a dataclass in outcome.py."""
    tree = ast.parse(OUTCOME.read_text(encoding="utf-8"))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
    for place, node in enumerate(body):
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) != "bad_images":
            after = body[place + 1] if place + 1 < len(body) else None
            doc = ast.literal_eval(after.value) if isinstance(after, ast.Expr) else ""
            yield f"`{ast.unparse(node.target)}`", f"`{ast.unparse(node.annotation)}`", str(doc).split("\n")[0]


ANSWERS = {
    "Exploration": "EXPLORE",
    "ScoreRow": "`rows` and `image_only`",
    "Counts": "`counts`",
    "PlanSummary": "`plan`",
}


def answers() -> str:
    """The JSON of an EXPLORE, field by field, and of the other outcomes."""
    parts = ["# Answers as JSON\n", WRITTEN.format("vistaql/outcome.py")]
    parts.append(
        "With `--format json` a statement prints one object on one line. Types are those of Python: a tuple is a list, "
        "None is null, NaN is null. SELECT, SHOW and DESCRIBE print `title`, `columns`, `rows` (an object each) and "
        "`notes`; others the facts that they found. [plan-json.md](../plan-json.md) has the plans of EXPLAIN.\n"
    )
    for name, title in ANSWERS.items():
        parts += [f"## {title}\n\n{meaning_of(name)}\n", table(("Key", "Type", "Meaning"), documented(name)) + "\n"]
    return "\n".join(parts)


def commands() -> str:
    """The command line as the program tells it, exit codes, and the codes of errors."""
    codes = {exit_code: [code.name for code, found in EXIT_OF.items() if found is exit_code] for exit_code in Exit}
    rows = ((str(int(one)), one.name, ", ".join(codes[one])) for one in Exit)
    errors = ((f"`{code.value}`", f"`{code.name}`") for code in Code)
    return "\n".join(
        [
            "# The command line, and codes\n",
            WRITTEN.format("`vistaql --help` and the codes of the program"),
            f"```form\n{HELP.rstrip()}\n```\n",
            "[cli.md](../cli.md) says more.\n",
            "## Exit codes\n",
            table(("Code", "Name", "For these errors"), rows),
            "\nEvery other error ends with 1.\n",
            "## Error codes\n",
            "[errors.md](../errors.md) says what each means, and has an example that raises it.\n",
            table(("Code", "Name"), errors) + "\n",
        ]
    )


PAGES: dict[str, Callable[[], str]] = {
    "statements": statements,
    "learners": learners,
    "cnns": cnns,
    "answers": answers,
    "commands": commands,
}
