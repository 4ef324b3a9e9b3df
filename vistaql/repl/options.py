"""What can be typed in the parentheses of a learner or of WITH, and behind SET."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import get_args, get_type_hints

from vistaql.learners import Option, learner_named, options_of
from vistaql.repl.place import Offer, Place
from vistaql.settings import Settings
from vistaql.stores.images import IMAGE_OPTIONS
from vistaql.stores.tables import CSV_OPTIONS


def option_names(place: Place) -> Iterator[Offer]:
    """Arguments of a learner with their defaults, settings with their values, or options of CREATE .. WITH."""
    learner = learner_around(place)
    statement = place.around.words[0].folded
    if learner is not None:
        for item in learner:
            yield Offer(f"{item.name} = ", f"{item.default:g}; {item.low:g} to {item.high:g}: {item.meaning}")
    elif statement == "CREATE":
        of_images = {"IMAGES", "IMAGE"} & set(place.here.symbols)
        yield from (Offer(f"{name} = ") for name in (*(IMAGE_OPTIONS if of_images else ()), *CSV_OPTIONS))
    elif statement != "REGISTER":
        end = "" if statement == "RESET" else " = "
        for name, value, meaning in place.world.settings.describe():
            yield Offer(name + end, f"{value}; {meaning}")


def option_values(place: Place) -> Iterator[Offer]:
    """The default of a learner's argument, or the words a setting takes."""
    before = place.around.before
    name = next((word.name.casefold() for word in reversed(before) if word.is_name and word.folded != "TO"), "")
    learner = learner_around(place)
    if learner is not None:
        yield from (Offer(f"{item.default:g}", "default") for item in learner if item.name == name)
    elif place.around.words[0].folded != "CREATE":
        yield from (Offer(word) for word in words_of_setting(name))


def learner_around(place: Place) -> tuple[Option, ...] | None:
    """The options of the learner whose parenthesis is open; None where it is another parenthesis."""
    if place.here.opened_by[-2:-1] not in (("TRAIN",), ("COMMA",)) or "WITH" in place.here.symbols:
        return None
    before = place.around.before
    opening = next(index for index in reversed(range(len(before))) if before[index].text == "(")
    learner = learner_named(before[opening - 1].name)
    return options_of(learner) if learner else None


def words_of_setting(name: str) -> tuple[str, ...]:
    """The words that a setting takes; none for one that takes a size, a duration or a number only.

    >>> words_of_setting("plan"), words_of_setting("cache"), words_of_setting("max_bad")
    (('auto', 'lazy', 'eager', 'staged'), ('true', 'false'), ('auto',))
    """
    hint = get_type_hints(Settings).get(name)
    found: list[str] = []
    for kind in get_args(hint) or (hint,):
        if isinstance(kind, type) and issubclass(kind, Enum):
            found += [str(choice.value) for choice in kind]
        elif kind is bool:
            found += ["true", "false"]
        elif kind is type(None) and hint is not None:
            found.append("auto")
    return tuple(dict.fromkeys(found))
