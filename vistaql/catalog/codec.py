"""Frozen dataclasses as JSON and back, by their declared types.

Fields that are missing take their defaults and fields that are unknown are passed over, so that a value written
by another version is read as far as it is understood.
"""

from __future__ import annotations

import json
import types
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

Value = TypeVar("Value")
TAG = "is"


def to_json(value: object) -> str:
    """A value as JSON on one line; of a dataclass the name of its class is kept, which tells unions apart."""
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))


def from_json(wanted: type[Value], text: str) -> Value:
    """The value of type `wanted`. Raises ValueError where the text does not fit."""
    value = _build(wanted, json.loads(text))
    if not isinstance(value, wanted):
        message = f"expected {wanted.__name__}, found {type(value).__name__}"
        raise ValueError(message)  # noqa: TRY004 - what is wrong is the text, not the call
    return value


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        named = {item.name: _plain(getattr(value, item.name)) for item in fields(value)}
        return {TAG: type(value).__name__, **named}
    return value


@cache
def _hints(wanted: type) -> dict[str, Any]:
    return get_type_hints(wanted)


def _build(wanted: Any, found: Any) -> Any:
    origin = get_origin(wanted)
    if origin in (Union, types.UnionType):
        return _build(_member(get_args(wanted), found), found)
    if origin is tuple:
        inner = get_args(wanted)
        parts = [inner[0]] * len(found) if inner[-1] is Ellipsis else inner
        return tuple(_build(part, item) for part, item in zip(parts, found, strict=True))
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return wanted(found)
    if is_dataclass(wanted):
        return _build_dataclass(wanted, found)
    if wanted is float and isinstance(found, int):
        return float(found)
    if wanted in (str, int, float, bool) and not isinstance(found, wanted):
        message = f"expected {wanted.__name__}, found {found!r}"
        raise ValueError(message)
    return found


def _build_dataclass(wanted: Any, found: Any) -> Any:
    if not isinstance(found, dict):
        message = f"expected {wanted.__name__}, found {found!r}"
        raise ValueError(message)  # noqa: TRY004
    values = {}
    for item in fields(wanted):
        if item.name in found:
            values[item.name] = _build(_hints(wanted)[item.name], found[item.name])
        elif item.default is MISSING and item.default_factory is MISSING:
            message = f"{wanted.__name__} lacks '{item.name}'"
            raise ValueError(message)
    return wanted(**values)


def _member(members: tuple[Any, ...], found: Any) -> Any:
    """The member of a union that a plain value belongs to."""
    if found is None:
        return type(None)
    if isinstance(found, dict):
        by_name: dict[str, Any] = {member.__name__: member for member in members if isinstance(member, type)}
        if found.get(TAG) not in by_name:
            message = f"'{found.get(TAG)}' is none of {', '.join(by_name)}"
            raise ValueError(message)
        return by_name[found[TAG]]
    # bool before int: True is an int in Python.
    exact = next((member for member in members if member is type(found)), None)
    return exact or next(member for member in members if member is not type(None))
