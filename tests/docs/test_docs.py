"""Every example of the documentation runs, and gives what the page says it gives.

Blocks are executed by their language: `vql` (a `text` block behind it is the output), `console` (each `$ vistaql ..`
with its output), `python` (each `>>>` with its output, or a piece of a module). A page is regenerated from its own
commands and compared with itself, seconds and third decimals masked; `--bless` writes the regenerated page.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import re
import shlex
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from vistaql.cli import main
from vistaql.frontend.scope import FUNCTIONS
from vistaql.models.cnn import Weights, WeightsKind
from vistaql.models.roster import load
from vistaql.models.stored import to_json
from vistaql.session import connect

ROOT = Path(__file__).parents[2]
GENERATED = "docs/reference/"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROGRAM = ".venv/bin/vistaql"
# How many blocks run, so that none is lost when a page or this file changes.
RUN = {
    "README.md": 5,
    "docs/architecture.md": 6,
    "docs/explanation/batches.md": 3,
    "docs/explanation/cost.md": 1,
    "docs/explanation/graph.md": 4,
    "docs/explanation/plans.md": 1,
    "docs/extending.md": 2,
    "docs/howto/batch.md": 3,
    "docs/howto/out-of-memory.md": 2,
    "docs/howto/own-cnn.md": 3,
    "docs/howto/own-images.md": 6,
    "docs/howto/reading-a-plan.md": 4,
    "docs/howto/remote-files.md": 2,
    "docs/howto/spark.md": 1,
    "docs/language.md": 15,
    "docs/plan-json.md": 1,
    "docs/python.md": 4,
    "docs/tutorial.md": 12,
}
# Shown, and not run: what is typed into a shell to install, and shapes of statements and files. README's lines of
# Keras are run by test_by_hand.py, its screen of `start` by test_start_screen.py.
SHOWN = {
    ("README.md", "py"): 1,
    ("README.md", "sh"): 3,
    ("docs/cli.md", ""): 1,
    ("docs/extending.md", "sh"): 1,
    ("docs/howto/remote-files.md", "sh"): 1,
    ("docs/howto/remote-files.md", "sql"): 1,  # tests/stores/test_s3.py runs it, where there is a server of S3
    ("docs/howto/spark.md", "sh"): 1,
    ("docs/honest.md", ""): 2,
    ("docs/repl.md", ""): 2,  # tests/repl shows the same screens
}


class Terminal(io.StringIO):
    """A screen of 80 columns that speaks UTF-8."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def pages() -> dict[str, str]:
    """The text of each page, by its path from the root."""
    found = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in found}


def executed(text: str) -> int:
    """How many blocks of a page run."""
    return sum(language in ("vql", "console", "python") for language, _ in FENCE.findall(text))


def run(*words: str) -> tuple[int, str]:
    """The command line's exit code, and what it writes."""
    screen, errors = Terminal(), io.StringIO()
    before, sys.argv = sys.argv, [PROGRAM, *words]
    try:
        with contextlib.redirect_stdout(screen), contextlib.redirect_stderr(errors):
            code = main(words)
    finally:
        sys.argv = before
    return code, screen.getvalue() + errors.getvalue()


def regenerated(text: str) -> str:
    """The page with the outputs of its examples as they are now."""
    parts, end = [], 0
    statements, names = "", dict[str, object]()
    for found in FENCE.finditer(text):
        language, body = found.groups()
        new = body
        if language == "vql":
            code, statements = run("-c", body)
            assert code == 0, f"{body}\n{statements}"
        elif language == "text" and statements:
            new = trimmed(statements)
        elif language == "console":
            new = "".join(replay(body))
        elif language == "python":
            new = "".join(replay_python(body, names))
        if language != "vql":
            statements = ""
        parts += [text[end : found.start(2)], new]
        end = found.end(2)
    return "".join([*parts, text[end:]])


def replay(body: str) -> Iterator[str]:
    """Each `$ vistaql ..` of a block, with what it prints now."""
    for typed in re.findall(r"^\$ .*\n(?:> .*\n)*", body, re.MULTILINE):
        words = shlex.split(re.sub(r"^[$>] ", "", typed, flags=re.MULTILINE))
        assert words[0].removeprefix(".venv/bin/") == "vistaql", f"cannot be run: {typed}"
        yield typed
        yield trimmed(run(*words[1:])[1])


def trimmed(output: str) -> str:
    """Without blanks at the ends of lines, and with one line end at the last."""
    return "\n".join(line.rstrip() for line in output.rstrip().split("\n")) + "\n"


def replay_python(body: str, names: dict[str, object]) -> Iterator[str]:
    """Each `>>>` of a block, with what it prints now. `names` are those that the page has given values."""
    examples = doctest.DocTestParser().get_examples(body)
    if not examples:
        exec(compile(body, "a page", "exec", dont_inherit=True), names)  # noqa: S102, the page is ours
        yield body
    for example in examples:
        screen = io.StringIO()
        with contextlib.redirect_stdout(screen):
            exec(compile(example.source, "a page", "single", dont_inherit=True), names)  # noqa: S102, the page is ours
        yield "... ".join([">>> ", *example.source.splitlines(keepends=True)]).replace(">>> ... ", ">>> ")
        yield screen.getvalue().replace("\n\n", "\n<BLANKLINE>\n")


MASKS = (
    (r"\.{4,} [\d.]+ s", ".... # s"),
    (r"(\d+ min\s+)?\d+(\.\d+)?\s+s\b", "# s"),
    (r"\d+(\.\d+)? [MG]B of \d+(\.\d+)? [MG]B", "# of #"),
    # What a plan holds depends on what the machine was found to take, and what is free on what it has.
    (r"\d+(\.\d+)? [MG]B", "# MB"),
    (r"\b(threads|decoders|side by side) \d+", r"\1 #"),
    (r"(\d\.\d\d)\d+", r"\1_"),
    (r"\b[0-9a-f]{32,}\b", "#"),
    (r"\d{4}-\d\d-\d\dT[\d:]+\S*", "#"),
)


def masked(text: str) -> str:
    """The text without what differs from run to run and from machine to machine; seconds move other words about."""
    for pattern, stand_in in MASKS:
        text = re.sub(pattern, stand_in, text)
    return "\n".join(" ".join(block.split()) if "# s" in block else block for block in text.split("\n\n"))


def know_untrained(name: str) -> None:
    """Let a CNN of the roster have random weights, so that nothing is downloaded where readers get the real ones."""
    cnn = load(name)
    assert cnn
    untrained = replace(cnn, weights=Weights(WeightsKind.RANDOM, seed=1))
    statement = f"REGISTER CNN {name} FROM {name} WEIGHTS RANDOM (SEED = 1);"
    with connect() as session, session.catalog.transaction() as writer:
        writer.put_cnn(name, to_json(untrained), statement)


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("page", [name for name, text in pages().items() if executed(text)])
def test_a_page_gives_what_it_says(page: str, request: pytest.FixtureRequest) -> None:
    text = pages()[page]
    if page == "README.md":
        know_untrained("mobilenet_v2")
    found = regenerated(text)
    if request.config.getoption("--bless") and masked(found) != masked(text):
        (ROOT / page).write_text(found, encoding="utf-8")
        text = found
    assert masked(found) == masked(text)


def test_no_example_is_lost() -> None:
    assert {name: executed(text) for name, text in pages().items() if executed(text)} == RUN


def test_what_is_not_run_is_known() -> None:
    shown = Counter(
        (name, language)
        for name, text in pages().items()
        if not name.startswith(GENERATED)
        for language, _ in FENCE.findall(text)
        if language not in ("vql", "console", "python", "text")
    )
    assert dict(shown) == SHOWN


def test_links_lead_somewhere() -> None:
    for name, text in pages().items():
        for target in re.findall(r"\]\(([^)#:]+)\)", FENCE.sub("", text)):
            assert (ROOT / name).parent.joinpath(target).exists(), f"{name}: {target}"


def test_the_functions_are_listed() -> None:
    listed = re.search(r"the functions (.*?)\.\n", pages()["docs/language.md"])
    assert listed
    assert set(re.findall(r"`(\w+)`", listed[1])) == FUNCTIONS
