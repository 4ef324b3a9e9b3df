"""The CNN of a first look, and where its weights come from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from vistaql.catalog.text import name_text, value_text
from vistaql.errors import Code, VistaQLError, did_you_mean
from vistaql.frontend.ast import ObjectKind
from vistaql.models import roster
from vistaql.models.cnn import Cnn, WeightsKind
from vistaql.models.published import kept_file, unreachable, url_of
from vistaql.stores.files import not_found
from vistaql.units import format_size

if TYPE_CHECKING:
    from vistaql.session import Session

USUAL = "mobilenet_v2"
"""small, quick, and good at photos"""


class Weights(Enum):
    """Where the weights are."""

    HERE = "here"
    NETWORK = "network"
    MISSING = "missing"


@dataclass(frozen=True)
class Chosen:
    """A CNN to start with: `name` as it stands behind EXPLORE, `register` the statement that makes it, if it takes one.

    `words` say what it is; `url` and `why` belong to weights that are elsewhere.
    """

    name: str
    words: str
    weights: Weights
    register: str = ""
    url: str = ""
    why: str = ""
    known: str | None = None
    """the CNN of the same graph that needs no file to be priced"""

    @property
    def base(self) -> str:
        """What prices like this CNN."""
        return self.known or self.name


def choose(session: Session, cnn: str | None, weights: Path | None) -> Chosen:
    """The CNN asked for, or the usual one. Raises UNKNOWN_CNN, NO_WEIGHTS, FILE_NOT_FOUND."""
    if weights is not None and not weights.is_file():
        raise not_found(str(weights.absolute()))
    if weights is not None and weights.suffix == ".keras" and cnn is None:
        return from_model(weights)
    name = cnn or USUAL
    names = session.context({}, None).names
    known = names.cnn(name)
    if known is None:
        hint = did_you_mean(name, names.names(ObjectKind.CNN), "CNNs")
        raise VistaQLError(Code.UNKNOWN_CNN, f"There is no CNN '{name}'.", hint=hint)
    return with_file(known, weights) if weights is not None else as_published(known)


def from_model(path: Path) -> Chosen:
    """A whole model of the user's own."""
    name = "my_cnn"
    statement = f"REGISTER OR REPLACE CNN {name} FROM {value_text(str(path.absolute()))};"
    return Chosen(name, f"{name}, the model of {path}", Weights.HERE, statement)


def with_file(known: Cnn, path: Path) -> Chosen:
    """A built-in CNN with weights from a file."""
    name = f"my_{known.name}"
    statement = f"REGISTER OR REPLACE CNN {name} FROM {known.name} WEIGHTS {value_text(str(path.absolute()))};"
    return Chosen(name, f"{known.name}, weights of {path}", Weights.HERE, statement, known=known.name)


def as_published(cnn: Cnn) -> Chosen:
    """A CNN with the weights that come with it, or that Keras downloads."""
    name = name_text(cnn.name)
    match cnn.weights.kind:
        case WeightsKind.SHIPPED:
            learnt = "; it has only learnt the digits 0 to 4, so expect little of it" if cnn.name == "strokes" else ""
            return Chosen(name, f"{cnn.name}, which comes with VistaQL{learnt}", Weights.HERE)
        case WeightsKind.RANDOM:
            return Chosen(name, f"{cnn.name} with random weights: it has learnt nothing", Weights.HERE)
        case WeightsKind.FILE:
            return Chosen(name, f"{cnn.name}, weights of {cnn.weights.path}", Weights.HERE)
    if not roster.published(cnn):
        raise VistaQLError(
            Code.NO_WEIGHTS,
            f"No trained weights of {cnn.name} are published with Keras.",
            hint=f"--cnn {USUAL}, or bring them: --cnn {cnn.name} --weights FILE",
        )
    size = format_size(roster.download_bytes(cnn))
    url = url_of(cnn)
    if kept_file(url).is_file():
        return Chosen(name, f"{cnn.name}, ImageNet weights ({size}, here already)", Weights.HERE, url=url)
    why = unreachable(url) if url else ""
    if why:
        return Chosen(name, f"{cnn.name}, ImageNet weights, {size}", Weights.MISSING, url=url, why=why)
    host = url.split("/")[2] if url else "the network"
    return Chosen(name, f"{cnn.name}, ImageNet weights, {size} from {host}", Weights.NETWORK, url=url)


def missing(chosen: Chosen, command: str) -> VistaQLError:
    """What to do where the weights are not here and cannot be fetched."""
    return VistaQLError(
        Code.DOWNLOAD_FAILED,
        f"The weights of {chosen.name} are not on this machine, and {chosen.url.split('/')[2]} "
        f"cannot be reached: {chosen.why}.",
        hint=f"Fetch {chosen.url} where there is a network, and name it: {command} --weights FILE. "
        "Without any trained weights only --cnn strokes runs here; it has learnt nothing but digits.",
    )
