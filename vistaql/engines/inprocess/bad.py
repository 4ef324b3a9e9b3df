"""Bad images: each counted once however many passes meet it, and the run stopped where there are too many."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from vistaql.errors import Code, VistaQLError
from vistaql.outcome import BadImage
from vistaql.stores.image_set import OnError

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass
class BadImages:
    """The images of a run that could not be used. `place` is where images lie that have no file of their own."""

    listing: pa.Table
    place: str
    on_error: OnError
    max_bad: float
    found: dict[tuple[str, int], BadImage] = field(default_factory=dict)
    """by key, and by the place of the image among those of the key"""

    def __len__(self) -> int:
        return len(self.found)

    @property
    def images(self) -> tuple[BadImage, ...]:
        """All of them, by key."""
        return tuple(self.found[name] for name in sorted(self.found))

    @property
    def lost_keys(self) -> frozenset[str]:
        """Keys of which no image could be used."""
        bad = Counter(key for key, _ in self.found)
        return frozenset(key for key, count in bad.items() if count == len(self._paths[key]))

    def among(self, keys: frozenset[str] | None) -> BadImages:
        """Those of some keys only; of all for None."""
        found = {name: image for name, image in self.found.items() if keys is None or name[0] in keys}
        return replace(self, found=found)

    def too_many(self, total: int) -> bool:
        """Whether a run over so many images would have been stopped."""
        return bool(self.found) and (
            self.on_error is OnError.FAIL or len(self.found) > allowed_bad(self.max_bad, total)
        )

    @cached_property
    def _paths(self) -> dict[str, list[str]]:
        paths: dict[str, list[str]] = {}
        for key, path in zip(self.listing["key"].to_pylist(), self.listing["path"].to_pylist(), strict=True):
            paths.setdefault(key, []).append(path or self.place)
        return paths

    def without(self, batch: pa.RecordBatch, seen: Counter[str], total: int) -> pa.RecordBatch:
        """The good rows of a batch; the others are written down.

        `seen` counts the images of each key that the pass has read, `total` is how many it reads in all.
        Raises BAD_IMAGE where one is enough, TOO_MANY_BAD_IMAGES.
        """
        import pyarrow.compute as pc

        errors = batch.column("error")
        for key, reason in zip(batch.column("key").to_pylist(), errors.to_pylist(), strict=True):
            if reason is not None:
                self.add(key, seen[key], reason, total)
            seen[key] += 1
        return batch.filter(pc.is_null(errors)) if errors.null_count < len(errors) else batch

    def add(self, key: str, number: int, reason: str, total: int) -> None:
        """Write down a bad image; raise if bad images are an error, or are too many."""
        paths = self._paths[key]
        image = self.found.setdefault((key, number), BadImage(key, paths[min(number, len(paths) - 1)], reason))
        if self.on_error is OnError.FAIL:
            raise VistaQLError(
                Code.BAD_IMAGE, f"'{image.path}' cannot be used: {reason}.",
                hint="Mend or remove it, or let bad images be skipped: WITH (on_error = skip).",
            )  # fmt: skip
        if len(self.found) > allowed_bad(self.max_bad, total):
            reasons = Counter(item.reason for item in self.found.values()).most_common(3)
            raise VistaQLError(
                Code.TOO_MANY_BAD_IMAGES,
                f"More than {self.max_bad:.1%} of {total:,} images cannot be used: "
                + "; ".join(f"{reason} ({count})" for reason, count in reasons)
                + f". The last was '{image.path}'.",
                hint="WITH (max_bad = 0.1) goes on with up to a tenth of them bad; SHOW ERRORS; lists them then.",
            )


def allowed_bad(share: float, total: int) -> int:
    """How many bad images a run survives: the share, and one in any case unless the share is 0.

    >>> allowed_bad(0.01, 3000), allowed_bad(0.29, 100), allowed_bad(0.01, 20), allowed_bad(0, 3000)
    (30, 29, 1, 0)
    """
    # 0.29 * 100 is a little less than 29.
    return 0 if share == 0 else max(1, int(share * total + 1e-9))
