"""How learners are judged, and whether the figures are what a person with scikit-learn would get."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from tests.session.world import COLUMNS, Explore, World, write_csv
from vistaql.errors import VistaQLError
from vistaql.learners.comparison import corrected_interval
from vistaql.learners.folds import deal
from vistaql.learners.logistic_regression import LogisticRegression as Learner
from vistaql.session import Session

FOLDS = 5


def exported(session: Session, path: Path, layers: str = "conv3, fc6") -> dict[str, np.ndarray]:
    """Features of the scans by layer, in the order of the keys; `key` are the keys."""
    session.sql(f"EXPORT LAYERS {layers} OF strokes FROM scans TO '{path}'")
    table = pq.read_table(path).sort_by("key")
    return {
        name: np.array(table[name].to_pylist(), dtype=np.float32 if name != "key" else None)
        for name in table.column_names
    }


def by_hand(matrix: np.ndarray, codes: np.ndarray, tested: np.ndarray) -> list[float]:
    """The accuracy of each fold with plain scikit-learn, at the penalty that VistaQL's learner has by default."""
    found = []
    for fold in range(FOLDS):
        train, test = tested != fold, tested == fold
        plain = LogisticRegression(C=1 / (Learner().reg * train.sum()), tol=1e-8, max_iter=2000)
        with threadpool_limits(1):
            model = make_pipeline(StandardScaler(), plain).fit(matrix[train], codes[train])
        found.append(float((model.predict(matrix[test]) == codes[test]).mean()))
    return found


def test_the_figures_are_those_of_scikit_learn(
    session: Session, explore: Explore, world: World, tmp_path: Path
) -> None:
    """Features from an export, columns from the CSV, equal folds: no fold differs by more than one row."""
    features = exported(session, tmp_path / "f.parquet")
    rows = sorted(world.rows)
    keys, codes = [row[0] for row in rows], np.array([row[-1] - 5 for row in rows])
    columns = np.array([row[1:-1] for row in rows], dtype=np.float64)
    tested = deal(keys, codes, FOLDS)
    assert list(features["key"]) == keys
    found = explore("FROM scans JOIN measures TRAIN lr", "LAYERS conv3, fc6 OF strokes")
    expected = {name: np.hstack([columns, features[name]]) for name in ("conv3", "fc6")} | {None: columns}
    for row in found.rows:
        accuracies = by_hand(expected[row.layer], codes, tested)  # type: ignore[index]
        assert np.abs(np.array(row.folds) - accuracies).max() <= 1 / (tested == 0).sum() + 1e-9, row.layer
        assert row.mean == pytest.approx(np.mean(row.folds))
        assert row.std == pytest.approx(np.std(row.folds, ddof=1))
    assert found.image_only is not None
    best = max(found.rows[:-1], key=lambda row: row.mean)
    assert found.image_only.layer == best.layer
    alone = by_hand(features[str(best.layer)].astype(np.float64), codes, tested)
    assert np.abs(np.array(found.image_only.folds) - alone).max() <= 1 / 20 + 1e-9


def test_lift_majority_and_digest_follow_from_the_rows(
    session: Session, explore: Explore, world: World, tmp_path: Path
) -> None:
    features = exported(session, tmp_path / "f.parquet")
    found = explore("FROM scans JOIN measures TRAIN lr", "LAYERS conv3, fc6 OF strokes")
    alone = found.rows[-1]
    for row in found.rows[:-1]:
        differences = [a - b for a, b in zip(row.folds, alone.folds, strict=True)]
        assert (row.lift, row.lift_low, row.lift_high) == pytest.approx(corrected_interval(differences, 80, 20))
        total = 0
        for key, vector in zip(features["key"], features[str(row.layer)], strict=True):
            name = str(key).encode()
            hashed = hashlib.blake2b(len(name).to_bytes(8, "little") + name + vector.tobytes(), digest_size=16)
            total += int.from_bytes(hashed.digest(), "little")
        assert row.digest == f"{total % 2**128:032x}"
    # Classes are of one size, so always saying one of them is right in a fifth of the rows.
    assert found.majority == pytest.approx(0.2)
    assert found.majority_class == "5"
    skewed = explore("FROM scans JOIN measures WHERE digit <> 5 OR ink > 300 TRAIN lr")
    counted = Counter(row[-1] for row in world.rows if row[-1] != 5 or row[1] > 300)
    assert skewed.majority == pytest.approx(counted[6] / counted.total(), abs=0.01)


def test_every_metric_has_its_own_rows(explore: Explore) -> None:
    found = explore(
        "FROM scans JOIN measures TRAIN lr EVALUATE f1_macro, accuracy, log_loss USING CROSS VALIDATION (3)"
    )
    assert [(row.metric, row.layer) for row in found.rows] == [
        (metric, layer) for metric in ("f1_macro", "accuracy", "log_loss") for layer in ("fc6", None)
    ]
    assert found.metric == "f1_macro"
    assert found.folds == 3
    assert all(len(row.folds) == 3 for row in found.rows)
    layer, alone = found.rows[4:]
    assert layer.lift == pytest.approx(alone.mean - layer.mean), "less log loss is better"
    assert found.image_only is not None
    assert found.image_only.metric == "f1_macro"


def test_a_holdout_is_tested_once(explore: Explore) -> None:
    found = explore("FROM scans JOIN measures TRAIN lr EVALUATE accuracy USING HOLDOUT (0.25)")
    layer, alone = found.rows
    assert len(layer.folds) == len(alone.folds) == 1
    assert layer.mean * 25 == pytest.approx(round(layer.mean * 25))
    assert layer.std == 0
    assert (layer.lift_low, layer.lift_high) == (None, None)
    assert layer.lift == pytest.approx(layer.mean - alone.mean)


def test_a_split_column_says_who_is_tested(session: Session, explore: Explore, world: World, tmp_path: Path) -> None:
    words = ["train", "train", "test", "train", "val"]
    rows = [(*row, words[place % 5]) for place, row in enumerate(world.rows)]
    path = write_csv(tmp_path / "split.csv", (*COLUMNS, "part"), rows)
    session.sql(f"CREATE OR REPLACE TABLE parted FROM '{path}' KEY scan_id LABEL digit")
    found = explore("FROM scans JOIN parted TRAIN lr EVALUATE accuracy USING SPLIT part")
    assert found.columns == ("ink", "width", "height", "slant")
    assert found.rows[0].mean * 20 == pytest.approx(round(found.rows[0].mean * 20))
    tested = Counter(row[-2] for row in rows if row[-1] == "test")
    assert found.majority in [pytest.approx(count / 20) for count in tested.values()]
    with pytest.raises(VistaQLError) as failure:
        explore("FROM scans JOIN parted TRAIN lr EVALUATE accuracy USING SPLIT ink")
    assert failure.value.code.name == "BAD_EVALUATION"


def test_learners_stand_beside_each_other_with_their_arguments(explore: Explore) -> None:
    found = explore("FROM scans JOIN measures TRAIN lr (reg = 1), lr (reg = 0.001)")
    assert [row.layer for row in found.rows] == ["fc6", None, "fc6", None]
    strong, _, weak, _ = found.rows
    assert strong.folds != weak.folds
    assert strong.learner != weak.learner
    assert "reg = 1" in strong.learner
    assert weak.lift == pytest.approx(weak.mean - found.rows[3].mean)
    assert strong.digest == weak.digest


def test_layers_of_several_cnns_and_random_weights(session: Session, explore: Explore) -> None:
    session.sql("REGISTER OR REPLACE CNN noise FROM strokes WEIGHTS RANDOM (SEED = 1)")
    found = explore("FROM scans JOIN measures TRAIN lr", "LAYERS fc6 OF strokes, LAYERS conv4, fc6 OF noise")
    assert [(row.cnn, row.layer) for row in found.rows] == [
        ("strokes", "fc6"), ("noise", "conv4"), ("noise", "fc6"), (None, None),
    ]  # fmt: skip
    assert found.random_weights == ("noise",)
    assert found.rows[0].digest != found.rows[2].digest
    assert found.rows[0].digest == explore("FROM scans JOIN measures TRAIN lr").rows[0].digest
    assert "random" in str(session.sql("EXPLORE noise FROM scans JOIN measures TRAIN lr")).lower()


def test_layers_that_pool_to_the_same_numbers_are_one_row(explore: Explore) -> None:
    found = explore("FROM scans JOIN measures TRAIN lr", "LAYERS conv3 POOL gap, conv3, conv3 POOL gmp OF strokes")
    assert [(row.layer, row.pool) for row in found.rows] == [("conv3", "gap"), ("conv3", "gmp"), (None, None)]
    merged = explore("FROM scans JOIN measures TRAIN lr", "LAYERS conv4, avg_pool OF strokes").rows[0]
    assert (merged.layer, merged.also) == ("conv4", ("avg_pool",))
    assert merged.digest == explore("FROM scans JOIN measures TRAIN lr", "LAYERS avg_pool OF strokes").rows[0].digest


def test_a_row_without_a_label_takes_no_part(explore: Explore, world: World, tmp_path: Path) -> None:
    """Neither null, nor blank, nor NaN is a class."""
    blanks = dict(zip(world.keys[::10], ["", " ", "", " "] * 3, strict=False))
    rows = [(row[0], row[1], blanks.get(row[0], f"digit {row[-1]}")) for row in world.rows]
    path = write_csv(tmp_path / "t.csv", ("scan_id", "ink", "name"), rows)
    found = explore(f"FROM scans JOIN '{path}' USING (scan_id) PREDICT name TRAIN lr")
    assert (found.classes, found.counts.rows_without_label, found.counts.joined) == (5, 10, 90)
    assert found.counts.decoded == 90


def test_small_classes_are_named_and_kept(explore: Explore, world: World, tmp_path: Path) -> None:
    rows = [(row[0], row[1], row[-1]) for row in world.rows if row[-1] < 8][:60]
    rows += [(row[0], row[1], row[-1]) for row in world.rows if row[-1] == 8][:2]
    path = write_csv(tmp_path / "t.csv", ("scan_id", "ink", "digit"), rows)
    found = explore(f"FROM scans JOIN '{path}' AS t USING (scan_id) PREDICT digit TRAIN lr")
    assert found.counts.joined == 62
    assert "Classes with fewer rows than the 5 folds: 8. Their rows are kept." in found.notes
