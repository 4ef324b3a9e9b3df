"""Which layers of which CNNs a query means, and how each is pooled."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from vistaql.errors import Code, Span, VistaQLError, did_you_mean
from vistaql.frontend import ast
from vistaql.frontend.options import text_of, value_of
from vistaql.frontend.scope import ParameterValue
from vistaql.models.cnn import Cnn, Layer
from vistaql.models.pool import GAP, GMP, WHOLE, Pool, PoolKind


@dataclass(frozen=True)
class Wanted:
    """A layer with its pooling; `also` are other names that the text has for it."""

    cnn: Cnn
    layer: str
    pool: Pool
    also: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """Numbers an image."""
        return self.pool.feature_width(self.cnn.by_name[self.layer].shape)


Parameters = Mapping[str, ParameterValue]


def bind_targets(
    targets: tuple[ast.Target, ...], find_cnn: Callable[[ast.Name], Cnn], parameters: Parameters
) -> tuple[Wanted, ...]:
    """Every wanted layer once: CNN by CNN as written, layers in network order."""
    found: dict[str, list[Wanted]] = {}
    for target in targets:
        cnn = find_cnn(target.cnn)
        found.setdefault(cnn.digest, []).extend(bind_target(target, cnn, parameters))
    return tuple(wanted for group in found.values() for wanted in each_once(sorted(group, key=network_order)))


def network_order(wanted: Wanted) -> tuple[int, str]:
    """Layers in the order in which an image passes them."""
    return wanted.cnn.position[wanted.layer], str(wanted.pool)


def bind_target(target: ast.Target, cnn: Cnn, parameters: Parameters) -> Iterator[Wanted]:
    """The layers that one target names."""
    match target.layers:
        case ast.NamedLayers(layers):
            for named in layers:
                layer = find_layer(cnn, named.name)
                yield Wanted(cnn, layer.name, bind_pool(named.pool, layer, parameters), alias_in(cnn, named.name.text))
        case ast.AllPoints():
            for name in cnn.points:
                yield Wanted(cnn, name, default_pool(cnn.by_name[name]))
        case ast.LastPoints(count):
            if not 1 <= count <= len(cnn.points):
                raise VistaQLError(
                    Code.UNKNOWN_LAYER,
                    f"{cnn.name} has {len(cnn.points)} exploration points, not {count}.",
                    span=target.layers.span,
                    hint=f"Write a number from 1 to {len(cnn.points)}; SHOW LAYERS OF {cnn.name}; lists them.",
                )
            for name in cnn.points[-count:]:
                yield Wanted(cnn, name, default_pool(cnn.by_name[name]))
        case ast.LayersLike(pattern, pool):
            for layer, aliases in layers_like(cnn, text_of(pattern, parameters), pattern.span):
                yield Wanted(cnn, layer.name, bind_pool(pool, layer, parameters), aliases)


def alias_in(cnn: Cnn, word: str) -> tuple[str, ...]:
    """The literature's name of a layer, where the text has that one."""
    return tuple(alias for alias, name in cnn.aliases if alias.casefold() == word.casefold() and alias != name)


def find_layer(cnn: Cnn, name: ast.Name) -> Layer:
    """The layer of that name or alias."""
    layer = cnn.layer(name.text)
    if layer is None:
        known = {layer.name for layer in cnn.layers} | {alias for alias, _ in cnn.aliases}
        close = did_you_mean(name.text, known, "layers").split("? ")[0]
        points = ", ".join(cnn.alias_of(point) or point for point in cnn.points)
        raise VistaQLError(
            Code.UNKNOWN_LAYER,
            f"{cnn.name} has no layer '{name.text}'.",
            span=name.span,
            hint=(f"{close}? " if close.startswith("Did you mean") else "") + f"Its exploration points are: {points}.",
        )
    return layer


def layers_like(cnn: Cnn, text: str, span: Span) -> list[tuple[Layer, tuple[str, ...]]]:
    """Layers whose name, or else whose alias, matches a LIKE pattern, case ignored; with the aliases that do."""
    shape = re.compile(
        "".join(".*" if c == "%" else "." if c == "_" else re.escape(c) for c in text), re.IGNORECASE | re.DOTALL
    )
    found: list[tuple[Layer, tuple[str, ...]]] = []
    for layer in cnn.layers[1:]:
        aliases = tuple(alias for alias, name in cnn.aliases if name == layer.name and shape.fullmatch(alias))
        if shape.fullmatch(layer.name):
            found.append((layer, ()))
        elif aliases:
            found.append((layer, aliases))
    if not found:
        raise VistaQLError(
            Code.UNKNOWN_LAYER,
            f"No layer of {cnn.name} is like '{text}'.",
            span=span,
            hint=f"% stands for any characters, _ for one. SHOW ALL LAYERS OF {cnn.name}; lists the layers.",
        )
    return found


def default_pool(layer: Layer) -> Pool:
    """Global average over height and width; a vector stays as it is."""
    return GAP if layer.spatial else WHOLE


def bind_pool(spec: ast.PoolSpec | None, layer: Layer, parameters: Parameters) -> Pool:
    """The pooling that was asked for, checked against the layer's shape."""
    if spec is None:
        return default_pool(layer)
    pool = read_pool(spec, parameters)
    if pool.kind is PoolKind.NONE:
        return WHOLE
    if not layer.spatial:
        raise VistaQLError(
            Code.BAD_POOL,
            f"{layer.name} has no height and width to pool over.",
            span=spec.span,
            hint="Leave POOL out, and name layers with a height and a width in a LAYERS of their own.",
        )
    height, width, _ = layer.shape
    if pool.height > height or pool.width > width:
        raise VistaQLError(
            Code.BAD_POOL,
            f"{layer.name} is {height} x {width}; a grid of {pool.height} x {pool.width} does not fit.",
            span=spec.span,
            hint=f"Write at most {pool.kind.value}({height}, {width}).",
        )
    return pool


def read_pool(spec: ast.PoolSpec, parameters: Parameters) -> Pool:
    """gap, gmp, none, max(h, w) or avg(h, w)."""
    name = spec.name.text.casefold()
    plain = {"gap": GAP, "gmp": GMP, "none": WHOLE}
    if name in plain and not spec.arguments:
        return plain[name]
    if name in ("max", "avg"):
        sizes = [value for item in spec.arguments if isinstance(value := value_of(item, parameters), int)]
        if len(sizes) == len(spec.arguments) == 2 and min(sizes) >= 1:
            return Pool(PoolKind(name), sizes[0], sizes[1])
        raise VistaQLError(
            Code.BAD_POOL,
            f"{name} takes the rows and columns of a grid, two whole numbers of at least 1.",
            span=spec.span,
            hint=f"Write {name}(2, 2), or {'gmp' if name == 'max' else 'gap'} for one number a channel.",
        )
    message = f"{name} takes no arguments." if name in plain else f"There is no pooling '{spec.name.text}'."
    raise VistaQLError(
        Code.BAD_POOL, message, span=spec.span, hint="Write POOL gap, gmp, none, or a grid: max(2, 2), avg(2, 2)."
    )


def each_once(wanted: list[Wanted]) -> list[Wanted]:
    """Every layer with its pooling once, with all names that the text has for it."""
    kept: dict[tuple[str, Pool], Wanted] = {}
    for item in wanted:
        first = kept.setdefault((item.layer, item.pool), item)
        names = dict.fromkeys((*first.also, *item.also))
        kept[item.layer, item.pool] = replace(first, also=tuple(names))
    return list(kept.values())
