"""Long and deep texts end in a result or in one of our errors, and soon."""

from __future__ import annotations

import time

import pytest

from vistaql.errors import Code, VistaQLError
from vistaql.frontend.parse_table import LONGEST
from vistaql.frontend.parser import DEEPEST, parse
from vistaql.frontend.printer import to_text

WHERE = "EXPLORE vgg16 FROM images WHERE "
MILLION = 10**6
ACCEPTED = {
    "10,000 statements": "SHOW TABLES;" * 10_000,
    "10,000 parentheses": f"{WHERE}{'(' * 10_000}a{')' * 10_000}",
    "a long string": f"{WHERE}a = '{'x' * MILLION}'",
    "a long name": WHERE + "x" * MILLION,
    "a long comment": f"SHOW TABLES /*{'x' * MILLION}*/",
    "long SQL": f"SELECT {'a + 1 - ' * (MILLION // 8)} 1",
    "many spaces": " " * MILLION,
}
REFUSED = {
    "open parentheses": (WHERE + "(" * 10_000, Code.SYNTAX),
    "calls": (f"{WHERE}{'f(' * 10_000}a{')' * 10_000}", Code.TOO_DEEP),
    "negations": (f"{WHERE}{'NOT ' * 10_000}a", Code.TOO_DEEP),
    "signs": (f"{WHERE}{'- ' * 10_000}a", Code.TOO_DEEP),
    "a chain": (WHERE + " OR ".join("a" * 5_000), Code.TOO_DEEP),
    "a list": (f"{WHERE}a IN ({', '.join('1' * 150_000)})", Code.TOO_LONG),
    "semicolons": (";" * MILLION, Code.TOO_LONG),
    "digits": (WHERE + "9" * MILLION, Code.BAD_LITERAL),
    "an open string": (f"{WHERE}a = '{chr(39) * 2 * (MILLION // 2)}", Code.SYNTAX),
    "an open string in SQL": (f"SELECT {'a + 1 - ' * (MILLION // 8)} '1", Code.SYNTAX),
    "nonsense": ("@" * MILLION, Code.SYNTAX),
    "quotes": ('"' * (MILLION + 1), Code.SYNTAX),
}
# Some times what an idle machine needs; a time that grows with the square would be minutes.
SECONDS = 10


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED)
def test_large_texts(text: str) -> None:
    start = time.process_time()
    script = parse(text)
    assert parse(to_text(script)) == script
    assert time.process_time() - start < SECONDS


@pytest.mark.parametrize(("text", "code"), REFUSED.values(), ids=REFUSED)
def test_too_large_texts(text: str, code: Code) -> None:
    start = time.process_time()
    with pytest.raises(VistaQLError) as raised:
        parse(text)
    assert raised.value.code is code
    assert len(raised.value.render()) < 1000
    assert time.process_time() - start < SECONDS


def test_the_deepest_expression_can_be_printed_compared_and_hashed() -> None:
    # The script, its statement and the expressions lie inside each other.
    deepest = WHERE + " OR ".join("a" * (DEEPEST - 2))
    script = parse(deepest)
    assert parse(to_text(script)) == script
    assert hash(script) == hash(parse(deepest))
    assert len(repr(script)) > DEEPEST
    with pytest.raises(VistaQLError):
        parse(f"{deepest} OR a OR a")


def test_the_longest_text() -> None:
    assert parse(";" * LONGEST).statements == ()


@pytest.mark.parametrize("number", [0, 0xD800, 0xDFFF])
@pytest.mark.parametrize(
    "around", ["{}", "SHOW {}TABLES", "SET a = '{}'", 'SHOW LAYERS OF "{}"', "SELECT '{}'", "-- {}"]
)
def test_characters_that_are_no_text(number: int, around: str) -> None:
    character = chr(number)
    with pytest.raises(VistaQLError) as raised:
        parse(around.format(character))
    assert raised.value.code is Code.BAD_LITERAL
    assert around.format(character)[raised.value.span.start] == character
    raised.value.render().encode()
