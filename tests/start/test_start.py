"""`vistaql start` from the command line: the screen, the script it writes, and the ways it ends."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

from tests.start.conftest import KINDS, write_table
from vistaql.cli import main
from vistaql.frontend.parser import parse
from vistaql.models.published import PUBLISHED

SCREEN = """\
photos  photos: 60 images
table   products.csv: 60 rows, 5 columns
key     sku = file name without ending: all match
label   category (3 classes); also possible: subcategory (6 classes), in_stock
        (2 classes), price (7 classes)
care    subcategory alone gives category: it is left out of the features
CNN     strokes, which comes with VistaQL; it has only learnt the digits 0 to
        4, so expect little of it
time    all 60 rows: about # s
wrote   explore.vql (7 lines of statements, yours to edit); running it
"""


def start(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["start", *words])
    output = capsys.readouterr()
    return code, output.out, output.err


def test_the_screen(products: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, screen, errors = start(capsys, "photos", "products.csv", "--cnn", "strokes")
    assert (code, errors) == (0, "")
    seen, _, answer = re.sub(r"about [\d.]+ s", "about # s", screen).partition("\n\n")
    assert seen + "\n" == SCREEN
    assert re.search(r"^  table alone +\d+ +0\.\d+", answer, re.MULTILINE)
    assert "Try next" in answer
    script = (products / "explore.vql").read_text()
    assert "FEATURES * EXCEPT (subcategory)\nPREDICT category\n" in script
    assert "FROM 'photos/'" in script


def test_the_script_runs_again_and_is_never_written_over(products: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("photos", "products.csv", "--cnn", "strokes")
    assert start(capsys, *words)[0] == 0
    script = products / "explore.vql"
    assert main(["run", str(script)]) == 0
    assert start(capsys, *words)[0] == 0
    assert not (products / "explore_2.vql").exists()
    script.write_text(script.read_text() + "-- mine\n")
    assert start(capsys, *words)[0] == 0
    assert script.read_text().endswith("-- mine\n")
    assert "vistaql run explore_2.vql" in (products / "explore_2.vql").read_text()


def test_a_name_that_is_in_use_is_left_alone(products: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_table(products / "other.csv", ("sku", "x"), [("a", 1)])
    assert main(["-c", "CREATE TABLE products FROM 'other.csv'"]) == 0
    assert start(capsys, "photos", "products.csv", "--cnn", "strokes")[0] == 0
    assert "TABLE products_2 FROM 'products.csv'" in (products / "explore.vql").read_text()


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("photos/{0}.png", "{0}.png"),
        ("{0}.png", "deep/{0}.png"),
        ("a/{0}.png", "a/{0}.png"),
        ("{0}", "{0}_1.png"),
    ],
)
def test_every_way_of_naming_files_gives_a_script_that_joins_all(
    written: str, names: str, products: Path, photos: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    for old in (products / "photos").iterdir():
        old.unlink()
    numbers = range(100, 140)
    photos(*(names.format(number) for number in numbers))
    table = write_table(
        products / "t.csv",
        ("image", "kind"),
        [(written.format(number), KINDS[number % 3]) for number in range(100, 140)],
    )
    code, screen, errors = start(capsys, "photos", str(table), "--cnn", "strokes")
    assert (code, errors) == (0, ""), screen
    assert "  40 images, none bad." in screen


def test_a_label_may_be_named(products: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert start(capsys, "photos", "products.csv", "--cnn", "strokes", "--label", "in_stock")[0] == 0
    assert "PREDICT in_stock" in (products / "explore.vql").read_text()


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("photos", "products.csv", "--label", "categry"), 1, "Did you mean category?"),
        (("photos", "products.csv", "--label", "sku"), 1, "'sku' cannot be the label"),
        (("phtos", "products.csv"), 1, "Did you mean"),
        (("photos", "product.csv"), 1, "Did you mean"),
        (("photos",), 2, "vistaql start PHOTOS TABLE"),
        (("photos", "products.csv", "--cnn", "stroks"), 1, "Did you mean strokes?"),
        (("photos", "products.csv", "--cnn", "alexnet"), 3, "--weights FILE"),
        (("photos", "products.csv", "--weights", "w.h5"), 1, "There is no file"),
    ],
)
@pytest.mark.usefixtures("products")
def test_wrong_words_say_what_to_type(
    words: tuple[str, ...], code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found, _, errors = start(capsys, *words)
    assert found == code
    assert told in errors
    assert "  hint: " in errors


def test_without_weights_and_network_it_says_how_to_go_on(
    products: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(products / "keras"))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    code, screen, errors = start(capsys, "photos", "products.csv")
    assert code == 3
    assert "mobilenet_v2, ImageNet weights, 15 MB" in screen
    assert "cannot be reached: Connection refused" in errors
    assert f"Fetch {PUBLISHED['keras:MobileNetV2']} where there is a network" in errors
    assert "--weights FILE" in errors
    assert "--cnn strokes" in errors
    assert not (products / "explore.vql").exists()


def test_a_model_of_ones_own(test_data: Path, products: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = test_data / "weights" / "mobilenet_v1_0.25_128.keras"
    code, screen, errors = start(capsys, "photos", "products.csv", "--weights", str(model))
    assert (code, errors) == (0, "")
    assert "REGISTER OR REPLACE CNN my_cnn FROM" in (products / "explore.vql").read_text()
    assert "is best" in screen or "as well" in screen


def test_a_person_at_the_terminal_is_asked(products: Path) -> None:
    words = ["-m", "vistaql", "start", "photos", "products.csv", "--cnn", "strokes"]
    environ = {**os.environ, "TERM": "dumb", "PYTHONPATH": os.pathsep.join(sys.path)}
    with pexpect.spawn(sys.executable, words, cwd=products, env=environ, encoding="utf-8", timeout=240) as child:
        child.expect_exact("which one? [category]")
        child.sendline("sku")
        child.expect_exact("'sku' cannot be the label")
        child.expect_exact("which one? [category]")
        child.sendline("in_stock")
        # What it goes on with is the script, as without a person.
        child.expect_exact("wrote   explore.vql")
    assert "PREDICT in_stock" in (products / "explore.vql").read_text()


def test_a_pipe_is_not_asked(
    products: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"in_stock\n")
    os.close(writing)
    with open(reading) as pipe:  # noqa: PTH123, a pipe has no path
        monkeypatch.setattr("sys.stdin", pipe)
        code, _, errors = start(capsys, "photos", "products.csv", "--cnn", "strokes")
        assert pipe.read() == "in_stock\n"
    assert (code, errors) == (0, "")
    assert len(parse((products / "explore.vql").read_text()).statements) == 3
    assert "PREDICT category" in (products / "explore.vql").read_text()
