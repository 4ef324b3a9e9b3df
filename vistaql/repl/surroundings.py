"""The statement around the cursor, and what it names: the CNN after OF, the image set, the tables with their aliases.

The text behind the cursor counts as well: in `EXPLORE LAYERS | OF vgg16` the layers are those of vgg16.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from vistaql.frontend.source import SPACE, WORD

OPENINGS = ("'", '"', "/*")


@dataclass(frozen=True)
class Word:
    """A word, number, string or sign of the text, and where it begins."""

    text: str
    start: int

    @property
    def folded(self) -> str:
        """The word in capitals."""
        return self.text.upper()

    @property
    def is_name(self) -> bool:
        """Whether it can be a name."""
        return self.text[0].isalpha() or self.text[0] in '_"'

    @property
    def name(self) -> str:
        """The name without its quotes."""
        return self.text[1:-1].replace('""', '"') if self.text[0] == '"' else self.text


def words_with_places(text: str) -> list[Word]:
    """The words of a text, without comments; a quote that is not closed begins a word that reaches to the end.

    >>> [word.text for word in words_with_places("from 'a b' -- c")]
    ['from', "'a b'"]
    """
    found, place = [], 0
    while place < len(text):
        if space := SPACE.match(text, place):
            place = space.end()
        elif word := WORD.match(text, place):
            end = len(text) if word[0] in OPENINGS else word.end()
            found.append(Word(text[place:end], place))
            place = end
    return found


@dataclass(frozen=True)
class Source:
    """A table or an image set in a statement, by its name or its path, and what it is called there."""

    name: str
    alias: str
    is_path: bool


@dataclass(frozen=True)
class Surroundings:
    """The words of one statement, before and behind the cursor."""

    before: tuple[Word, ...]
    behind: tuple[Word, ...]
    start: int
    """where the statement begins in the text"""

    @property
    def words(self) -> tuple[Word, ...]:
        """The whole statement."""
        return (*self.before, *self.behind)

    @property
    def cnn(self) -> str | None:
        """The CNN that settles what LAYERS mean here: after the next OF, or the only one."""
        return name_after("OF", self.behind) or name_after("OF", self.before)

    @property
    def images(self) -> Source | None:
        """What stands after FROM (or ON)."""
        for place, word in enumerate(self.words):
            if word.folded in ("FROM", "ON"):
                return source_at(self.words, place + 1)
        return None

    @property
    def tables(self) -> tuple[Source, ...]:
        """What stands after each JOIN."""
        places = [place for place, word in enumerate(self.words) if word.folded == "JOIN"]
        return tuple(found for place in places if (found := source_at(self.words, place + 1)))


def surroundings(text: str, cursor: int) -> Surroundings:
    """The statement that the cursor stands in.

    >>> found = surroundings("SHOW TABLES; EXPLORE LAYERS  OF vgg16 FROM photos", 28)
    >>> found.cnn, found.images.name, [word.text for word in found.before]
    ('vgg16', 'photos', ['EXPLORE', 'LAYERS'])
    """
    words = words_with_places(text)
    ends = [word.start for word in words if word.text == ";"]
    start = max((end + 1 for end in ends if end < cursor), default=0)
    stop = min((end for end in ends if end >= cursor), default=len(text))
    inside = [word for word in words if start <= word.start < stop]
    return Surroundings(
        tuple(word for word in inside if word.start < cursor),
        tuple(word for word in inside if word.start >= cursor),
        start,
    )


def name_after(keyword: str, words: tuple[Word, ...]) -> str | None:
    """The name behind the first word of that kind."""
    for word, following in itertools.pairwise(words):
        if word.folded == keyword and following.is_name:
            return following.name
    return None


def source_at(words: tuple[Word, ...], place: int) -> Source | None:
    """A table or an image set at a place, with what it is called behind AS."""
    if place >= len(words):
        return None
    word = words[place]
    is_path = word.text[0] == "'"
    if not (is_path or word.is_name):
        return None
    name = word.text.strip("'") if is_path else word.name
    aliased = place + 2 < len(words) and words[place + 1].folded == "AS" and words[place + 2].is_name
    return Source(name, words[place + 2].name if aliased else name, is_path)
