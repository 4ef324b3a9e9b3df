"""What an examination found, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """How bad it is: FAULT keeps something from working, NOTE is worth knowing."""

    OK = "ok"
    NOTE = "note"
    FAULT = "fault"


@dataclass(frozen=True)
class Finding:
    """One line of the examination; `advice` is what to type or to change, where there is anything to do."""

    topic: str
    state: State
    found: str
    advice: str = ""

    def to_json(self) -> dict[str, str]:
        """Plain values for `--format json`."""
        return {"topic": self.topic, "state": self.state.value, "found": self.found, "advice": self.advice}


def good(topic: str, found: str) -> Finding:
    """Something that is as it should be."""
    return Finding(topic, State.OK, found)


def note(topic: str, found: str, advice: str = "") -> Finding:
    """Something worth knowing."""
    return Finding(topic, State.NOTE, found, advice)


def fault(topic: str, found: str, advice: str) -> Finding:
    """Something that keeps VistaQL from working."""
    return Finding(topic, State.FAULT, found, advice)
