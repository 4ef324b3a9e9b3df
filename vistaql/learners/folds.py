"""Who is tested when, and who is sampled: decided by hashes of the keys, so never by the order of rows.

A fold assignment is an int64 array: the fold in which a row is tested, or TRAINED_ONLY, or UNUSED.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np

from vistaql.errors import Code, VistaQLError

TRAINED_ONLY = -1
"""the row is trained on in every fold and never tested"""
UNUSED = -2
"""the row is neither trained on nor tested"""

SPLIT_WORDS = {
    "train": "train", "training": "train",
    "test": "test", "testing": "test",
    "validation": "validation", "valid": "validation", "val": "validation", "dev": "validation",
}  # fmt: skip


def key_hashes(keys: Iterable[str], purpose: str = "folds", seed: int = 0) -> np.ndarray:
    """A 64-bit hash of each key: the same in every process and on every machine. uint64 [keys].

    Sampling and dealing have different purposes, so that one does not bias the other.

    >>> key_hashes(["a", "b"])
    array([15201208206323869260, 11905197573200638931], dtype=uint64)
    """
    person, salt = purpose.encode(), (seed % 2**64).to_bytes(8, "little")
    digests = b"".join(
        hashlib.blake2b(key.encode(errors="surrogatepass"), digest_size=8, person=person, salt=salt).digest()
        for key in keys
    )
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


def key_order(keys: Sequence[str]) -> np.ndarray:
    """Row numbers in the canonical order: by key hash, then key. Everything fitted reads rows in this order."""
    hashes = key_hashes(keys)
    order = np.argsort(hashes, kind="stable")
    tied = hashes[order][1:] == hashes[order][:-1]
    if tied.any():
        order = np.array(sorted(range(len(keys)), key=lambda row: (hashes[row], keys[row])), dtype=np.int64)
    return order


def deal(keys: Sequence[str], codes: np.ndarray, folds: int) -> np.ndarray:
    """Deal the rows of each class, in canonical order, to the folds in turn.

    Dealing goes on where the class before stopped, so folds differ by at most one row in each class and in all.
    Raises TOO_FEW_ROWS, without a span, where a fold would stay empty.

    >>> deal(["a", "b", "c", "d"], np.array([0, 0, 1, 1]), 2)
    array([1, 0, 1, 0])
    """
    if len(codes) < folds:
        raise VistaQLError(
            Code.TOO_FEW_ROWS,
            f"{len(codes)} rows with a label cannot be dealt to {folds} folds.",
            hint="Take more rows, or fewer folds: EVALUATE accuracy USING CROSS VALIDATION (2).",
        )
    order = key_order(keys)
    dealt = order[np.argsort(codes[order], kind="stable")]
    assigned = np.empty(len(codes), dtype=np.int64)
    assigned[dealt] = np.arange(len(codes)) % folds
    return assigned


def holdout(keys: Sequence[str], codes: np.ndarray, fraction: float) -> np.ndarray:
    """Test this fraction of each class once (rounded, at least one row of every class with two), train on the rest."""
    assigned = np.full(len(codes), TRAINED_ONLY, dtype=np.int64)
    order = key_order(keys)
    for code in np.unique(codes):
        members = order[codes[order] == code]
        if len(members) > 1:
            assigned[members[: min(max(1, round(fraction * len(members))), len(members) - 1)]] = 0
    return assigned


def from_split(values: Sequence[str | None]) -> np.ndarray:
    """Read a split column: train rows are trained on, test rows tested; rows without a word are unused.

    Validation rows are tested where there are no test rows, and are unused otherwise.

    >>> from_split(["train", "test", "val", None])
    array([-1,  0, -2, -2])
    """
    words = [value if value is None else SPLIT_WORDS.get(value.strip().casefold(), value) for value in values]
    unknown = sorted({word for word in words if word is not None} - set(SPLIT_WORDS.values()))
    if unknown:
        raise VistaQLError(
            Code.BAD_EVALUATION,
            f"The split column holds {', '.join(map(repr, unknown[:5]))}; it may hold train, test and validation.",
            hint="Use CROSS VALIDATION (5), or a column with these words.",
        )
    tested = "test" if "test" in words else "validation"
    if "train" not in words or tested not in words:
        raise VistaQLError(
            Code.BAD_EVALUATION,
            f"The split column holds {', '.join(sorted(set(filter(None, words)))) or 'nothing'}; "
            "it needs rows to train on and rows to test on.",
            hint="Use CROSS VALIDATION (5), or a column with the words train and test.",
        )
    meaning = {"train": TRAINED_ONLY, tested: 0}
    return np.array([UNUSED if word is None else meaning.get(word, UNUSED) for word in words], dtype=np.int64)


def check_folds(codes: np.ndarray, tested: np.ndarray) -> None:
    """Raise TOO_FEW_ROWS where a fold has nothing to test, or one class only to learn from."""
    for fold in range(max(1, int(tested.max(initial=-1)) + 1)):
        train = (tested != fold) & (tested != UNUSED)
        if not (tested == fold).any() or len(np.unique(codes[train])) < 2:
            raise VistaQLError(
                Code.TOO_FEW_ROWS,
                f"{len(tested)} rows with a label are too few: one fold would have no row to test, "
                "or only one class to learn from.",
                hint="Take more rows, or fewer folds: EVALUATE accuracy USING CROSS VALIDATION (2).",
            )


def sample(keys: Sequence[str], amount: float, seed: int, *, percent: bool) -> np.ndarray:
    """Choose the rows with the smallest hashes: a bool mask, the same in any order of rows.

    Samples of one seed are nested: 1,000 rows lie inside 2,000, and 10 percent inside 20 percent.
    A percentage is a threshold on the hash, so that a row is in or out whatever the other rows are.
    Rows of one key stay together, so a number of rows may be passed by the duplicates of the last key.
    """
    hashes = key_hashes(keys, "sample", seed)
    if percent and amount >= 100:
        return np.ones(len(hashes), dtype=bool)
    if percent:
        return np.asarray(hashes.astype(np.float64) < amount / 100 * 2.0**64)
    wanted = int(amount)
    if wanted >= len(hashes):
        return np.ones(len(hashes), dtype=bool)
    if wanted <= 0:
        return np.zeros(len(hashes), dtype=bool)
    return np.asarray(hashes <= np.partition(hashes, wanted - 1)[wanted - 1])
