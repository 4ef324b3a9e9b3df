"""EXPLAIN ANALYZE runs the query and keeps its answer; FORMAT html gives a page that stands alone."""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.session.world import World
from vistaql.cli import main
from vistaql.outcome import Explanation
from vistaql.rendering.html import to_html, write_page
from vistaql.session import Session

QUERY = "EXPLORE LAYERS conv4, fc6 OF strokes FROM scans JOIN measures WHERE digit > 5 TRAIN lr"
Json = dict[str, object]


def explained(session: Session, text: str) -> Explanation:
    outcome = session.sql(text).outcome
    assert isinstance(outcome, Explanation)
    return outcome


def steps(step: Json) -> Iterator[Json]:
    yield step
    for inner in step["reads"]:  # type: ignore[attr-defined]
        yield from steps(inner)


@pytest.fixture(scope="module")
def analyzed(session: Session) -> Explanation:
    """A plan of two passes with a kept tensor, so that each kind of step is measured."""
    return explained(session, f"EXPLAIN ANALYZE FORMAT json {QUERY} INTO analyzed WITH (plan = staged)")


def test_every_step_that_runs_is_measured(analyzed: Explanation) -> None:
    plan = json.loads(analyzed.text)
    found = {step["operator"]: step for step in steps(plan["steps"])}
    assert [name for name, step in found.items() if "actual" not in step] == ["Decode"]
    assert all(step["actual"]["peak_bytes"] > 50_000_000 for step in found.values() if "actual" in step)
    taken = sum(step["actual"]["seconds"] for step in steps(plan["steps"]) if "actual" in step)
    assert 0 < taken <= plan["actual"]["seconds"]


def test_rows_and_bytes_are_those_that_were_estimated(analyzed: Explanation) -> None:
    for step in steps(json.loads(analyzed.text)["steps"]):
        if step["operator"] in ("Rows", "Infer"):
            assert step["actual"]["rows"] == step["rows"] == 80  # type: ignore[index]
        if step["operator"] == "Infer":
            assert step["actual"]["bytes"] == pytest.approx(step["bytes"], rel=0.1)  # type: ignore[index]


def test_the_answer_is_kept_as_if_the_query_had_run_alone(session: Session, analyzed: Explanation) -> None:
    assert analyzed.plan["actual"]["kept_as"] == "analyzed"  # type: ignore[index]
    assert session.sql("SELECT count(*) AS n FROM analyzed WHERE layer IS NOT NULL").to_arrow()["n"].to_pylist() == [2]


def test_text_puts_actual_and_ratio_below_the_estimate(session: Session) -> None:
    session.sql(f"EXPLAIN {QUERY} WITH (plan = eager)")
    lines = explained(session, "EXPLAIN ANALYZE").text.split("\n")
    assert all(len(line) <= 80 for line in lines)
    assert " taken" in lines[0] + lines[1]
    infer = next(place for place, line in enumerate(lines) if "+- Infer strokes" in line)
    assert " actual " in lines[infer + 1]
    assert " ratio " in lines[infer + 2]
    assert lines[-1].startswith("A ratio is estimate / actual")


def test_check_does_not_run_it(session: Session, world: World) -> None:
    assert session.check(f"EXPLAIN ANALYZE {QUERY} INTO never", folder=world.folder) == 1
    assert "never" not in str(session.sql("SHOW RESULTS"))


class Tags(HTMLParser):
    """The tags of a page, and the addresses that it names."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [str(value) for name, value in attrs if name in ("src", "href", "srcset", "action", "data")]
        if tag not in ("meta", "br", "img", "link", "input"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("mode", ["", "ANALYZE", "CANDIDATES", "VERBOSE"])
def test_a_page_stands_alone(session: Session, mode: str) -> None:
    page = explained(session, f"EXPLAIN {mode} FORMAT html {QUERY}").html
    assert page is not None
    seen = Tags(page)
    assert seen.open == []
    assert seen.addresses == []
    assert "script" not in seen.tags
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page
    assert seen.tags.count("rect") == 2 * seen.tags.count("g")
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", page)
    assert ('<span class="took">' in page) == (mode == "ANALYZE")


def test_names_from_data_are_text_in_a_page(session: Session, world: World) -> None:
    session.sql(f"CREATE IMAGES \"<b>&'\" FROM '{world.folder}/scans'")
    page = explained(
        session, 'EXPLAIN FORMAT html EXPLORE LAYER fc6 OF strokes FROM "<b>&\'" JOIN measures TRAIN lr'
    ).html
    assert page is not None
    assert "<b>&" not in page
    assert "&lt;b&gt;&amp;" in page


def test_a_page_never_overwrites_another(tmp_path: Path) -> None:
    assert [write_page("<p>", tmp_path).name for _ in range(3)] == ["plan.html", "plan-2.html", "plan-3.html"]


def test_a_notebook_shows_the_page_in_a_frame(session: Session) -> None:
    shown = to_html(explained(session, f"EXPLAIN FORMAT html {QUERY}"))
    assert shown.startswith("<iframe srcdoc=")
    assert shown.count("<") == 2


class Terminal(io.StringIO):
    """A screen."""

    def isatty(self) -> bool:
        return True


def test_at_a_terminal_the_page_goes_to_a_file(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with contextlib.redirect_stdout(Terminal()) as screen:
        assert main(["--home", str(session.home), "-c", f"EXPLAIN FORMAT html {QUERY}"]) == 0
    assert screen.getvalue() == "Wrote plan.html: open it in a browser.\n"
    assert (tmp_path / "plan.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_pipe_gets_the_page_itself(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--home", str(session.home), "-c", f"EXPLAIN FORMAT html {QUERY}"]) == 0
    assert capsys.readouterr().out.startswith("<!doctype html>")
