"""What a user may set for a session (`SET plan = lazy`) or for one statement (`WITH (plan = lazy)`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from typing import Any

from vistaql.spark_settings import MASTER, PREFIX, SparkSettings, is_spark
from vistaql.stores.image_set import OnError
from vistaql.units import format_duration, format_size, parse_duration, parse_size


class PlanChoice(Enum):
    """How layers are grouped into inference passes."""

    AUTO = "auto"
    LAZY = "lazy"
    EAGER = "eager"
    STAGED = "staged"


class EngineChoice(Enum):
    """Where a plan runs."""

    INPROCESS = "inprocess"
    SPARK = "spark"
    AUTO = "auto"
    """whichever is predicted to take less time"""


class JoinMethod(Enum):
    """How rows and images, or rows and features, are brought together by key."""

    BROADCAST = "broadcast"
    """the rows are sent whole to every worker"""
    SHUFFLE = "shuffle"
    """both sides are sent to where their key belongs"""


class Placement(Enum):
    """Where rows are joined and filtered."""

    BEFORE_INFERENCE = "before"
    """only images with a row are decoded"""
    AFTER_INFERENCE = "after"
    """all images are decoded; their features meet the rows"""


class Persistence(Enum):
    """How the cluster holds what a pass gave until its last reader has run."""

    DESERIALIZED = "deserialized"
    """as objects in memory, and on disk where memory ends"""
    SERIALIZED = "serialized"
    """as bytes in memory, and on disk where memory ends"""
    DISK = "disk"


class TrainingPlace(Enum):
    """Where learners are fitted."""

    DRIVER = "driver"
    """in this process, on features that are collected"""
    CLUSTER = "cluster"
    """by MLlib"""


def setting(default: object, meaning: str, read: Callable[[object], Any]) -> Any:
    """A field of Settings with its meaning, and the function that reads and checks a value from the text."""
    return field(default=default, metadata={"meaning": meaning, "read": read})


def one_of(choices: type[Enum]) -> Callable[[object], Enum]:
    """Read a word of an enum."""

    def read(value: object) -> Enum:
        for choice in choices:
            if str(value).casefold() == choice.value:
                return choice
        message = "one of " + ", ".join(str(choice.value) for choice in choices)
        raise ValueError(message)

    return read


def auto_or(choices: type[Enum]) -> Callable[[object], Enum | None]:
    """Read a word of an enum, or auto."""

    def read(value: object) -> Enum | None:
        if str(value).casefold() == "auto":
            return None
        try:
            return one_of(choices)(value)
        except ValueError:
            message = "one of " + ", ".join(["auto", *(str(choice.value) for choice in choices)])
            raise ValueError(message) from None

    return read


def truth(value: object) -> bool:
    """Read true or false."""
    words = {"true": True, "on": True, "false": False, "off": False}
    if isinstance(value, bool):
        return value
    if str(value).casefold() in words:
        return words[str(value).casefold()]
    message = "true or false"
    raise ValueError(message)


def size(value: object) -> int | None:
    """Read a size of at least 1 MB, or auto."""
    if str(value).casefold() == "auto":
        return None
    found = parse_size(str(value))
    if found is None or found < 10**6:
        message = "a size such as 4GB, or auto"
        raise ValueError(message)
    return found


def seconds(value: object) -> float:
    """Read a duration; a plain number counts seconds."""
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return float(value)
    found = parse_duration(str(value))
    if found is None:
        message = "a duration such as 90s or 5min"
        raise ValueError(message)
    return found


def count(value: object) -> int | None:
    """Read a whole number of at least 1, or auto."""
    if str(value).casefold() == "auto":
        return None
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    message = "a whole number of at least 1, or auto"
    raise ValueError(message)


def fraction(value: object) -> float:
    """Read a number from 0 to 1."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    message = "a number from 0 to 1, such as 0.01"
    raise ValueError(message)


@dataclass(frozen=True)
class Settings:
    """The settings in force; None means that VistaQL decides."""

    plan: PlanChoice = setting(
        PlanChoice.AUTO, "passes: one for each layer (lazy), one for all (eager), a chain (staged)", one_of(PlanChoice)
    )
    engine: EngineChoice = setting(EngineChoice.INPROCESS, "where the plan runs", one_of(EngineChoice))
    memory_limit: int | None = setting(
        None, "memory a plan may take on a machine; auto: this one's, less a reserve", size
    )
    threads: int | None = setting(None, "TensorFlow threads; fixed at the first inference of a session", count)
    confirm_over: float = setting(300.0, "ask on a terminal before a statement of more than this", seconds)
    on_error: OnError | None = setting(None, "what a bad image does; auto: as the image set says", one_of(OnError))
    max_bad: float | None = setting(None, "share of bad images that stops a run; auto: as the image set says", fraction)
    cache: bool = setting(True, "whether stored features may be used", truth)
    join: JoinMethod | None = setting(None, "on Spark: how the sides of a join meet", auto_or(JoinMethod))
    placement: Placement | None = setting(
        None, "on Spark: join and filter before inference or after", auto_or(Placement)
    )
    persistence: Persistence | None = setting(
        None, "on Spark: how tensors for a later pass are kept", auto_or(Persistence)
    )
    partitions: int | None = setting(None, "on Spark: parts that the images are cut into", count)
    workers: int | None = setting(None, "on Spark: Python processes that run the CNN, in all", count)
    training: TrainingPlace | None = setting(
        None, "on Spark: fit on the driver or on the cluster (MLlib)", auto_or(TrainingPlace)
    )
    spark: SparkSettings = field(default_factory=SparkSettings)

    def changed(self, name: str, value: object) -> Settings:
        """The settings with one value read from the text. ValueError says what is accepted, KeyError: no such name."""
        if is_spark(name):
            return replace(self, spark=self.spark.changed(name, value))
        return replace(self, **{name: readers()[name](value)})

    def reset(self, name: str | None) -> Settings:
        """One setting, or all, back to the default."""
        if name is not None and is_spark(name):
            return replace(self, spark=self.spark.reset(name))
        return Settings() if name is None else replace(self, **{name: getattr(Settings(), name)})

    def describe(self) -> tuple[tuple[str, str, str], ...]:
        """Name, value and meaning of every setting."""
        own = tuple(
            (item.name, shown(item.name, getattr(self, item.name)), item.metadata["meaning"])
            for item in fields(self)
            if item.metadata
        )
        return (*own, *self.spark.describe())


def readers() -> dict[str, Callable[[object], Any]]:
    """The reading function of each setting."""
    return {item.name: item.metadata["read"] for item in fields(Settings) if item.metadata}


def known_name(name: str) -> str | None:
    """The name of a setting as it is kept; None where there is none. Case counts only in those of Spark.

    >>> known_name("PLAN"), known_name("Spark.executor.memoryOverhead"), known_name("plans")
    ('plan', 'spark.executor.memoryOverhead', None)
    """
    folded = name.casefold()
    if is_spark(folded):
        return MASTER if folded == MASTER else PREFIX + name[len(PREFIX) :]
    return folded if folded in readers() else None


def shown(name: str, value: object) -> str:
    """A setting's value as it would be typed.

    >>> shown("memory_limit", 4_000_000_000), shown("threads", None), shown("cache", True)
    ('4.0 GB', 'auto', 'true')
    """
    if value is None:
        return "auto"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, bool):
        return str(value).lower()
    if name == "memory_limit" and isinstance(value, int):
        return format_size(value)
    if name == "confirm_over" and isinstance(value, float):
        return format_duration(value)
    return str(value)
