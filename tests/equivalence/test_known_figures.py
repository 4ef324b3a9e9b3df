"""Real weights on real photos come to the figures that are known for them."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

import pytest

from vistaql.outcome import Exploration
from vistaql.session import connect

# Five-fold accuracies on some 1,000 of these photos, columns and pooled layer together, as others measured them.
KNOWN = {
    "block_6_expand_relu": 0.559,
    "block_13_expand_relu": 0.799,
    "block_16_project_BN": 0.843,
    "out_relu": 0.848,
}
SEEDS = (0, 1, 2)


@pytest.mark.volume
def test_mobilenet_on_clothing_comes_within_four_points(test_data: Path, tmp_path: Path) -> None:
    """The mean over three samples of 1,000 photos: one sample alone moves by two points or more."""
    clothing = test_data / "datasets" / "clothing-3k"
    weights = test_data / "weights" / "mobilenet_v2_1.0_224.weights.h5"
    means: dict[str, list[float]] = {layer: [] for layer in KNOWN}
    with connect(tmp_path) as session:
        session.sql(
            f"CREATE TABLE items FROM '{clothing}/items.csv' KEY item_id LABEL label;"
            f"CREATE IMAGES photos FROM '{clothing}/images';"
            f"REGISTER CNN net FROM mobilenet_v2 WEIGHTS '{weights}';"
        )
        for seed in SEEDS:
            answer = session.sql(
                f"EXPLORE LAYERS {', '.join(KNOWN)} OF net FROM photos JOIN items "
                f"TABLESAMPLE (1000 ROWS) REPEATABLE ({seed}) TRAIN logistic_regression"
            ).outcome
            assert isinstance(answer, Exploration)
            for row in answer.rows[:-1]:
                means[str(row.layer)].append(row.mean)
    found = {layer: fmean(values) for layer, values in means.items()}
    assert found == pytest.approx(KNOWN, abs=0.04)
    # The last two are within noise of each other in the known figures too.
    assert (
        found["block_6_expand_relu"]
        < found["block_13_expand_relu"]
        < min(found["block_16_project_BN"], found["out_relu"])
    )
