"""Peak memory of an EXPLORE over 500 and over 3,000 photos, each in a process of its own.

    VISTAQL_TEST_DATA=DIR python benchmarks/memory.py

Prints the peak resident size of both, their ratio, and what the plan had promised.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

LAYERS = "block_6_expand_relu, block_13_expand_relu, block_16_project_BN, out_relu"
SETUP = """
CREATE TABLE items FROM '{data}/datasets/clothing-3k/items.csv' KEY item_id LABEL label;
CREATE IMAGES photos FROM '{data}/datasets/clothing-3k/images';
REGISTER CNN net FROM mobilenet_v2 WEIGHTS '{data}/weights/mobilenet_v2_1.0_224.weights.h5';
"""
# The child tells its own peak: what the operating system says of it when it ends.
CHILD = """
import json, resource, sys
import vistaql
with vistaql.connect(sys.argv[1]) as session:
    result = session.sql(sys.argv[2])
plan = result.plan
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"peak": peak, "promised": plan.peak_bytes, "plan": plan.strategy}))
"""


def peak(home: Path, photos: int) -> dict[str, float]:
    """Run one EXPLORE in a new process; its peak resident size and the promised one, in bytes."""
    query = f"EXPLORE LAYERS {LAYERS} OF net FROM photos JOIN items SAMPLE {photos} TRAIN logistic_regression"
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(home), query], check=True, stdout=subprocess.PIPE, text=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Measure and print."""
    data = os.environ.get("VISTAQL_TEST_DATA")
    if not data:
        sys.exit("VISTAQL_TEST_DATA names no folder of photos and weights.")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        setup = [sys.executable, "-m", "vistaql", "--home", str(home), "-c", SETUP.format(data=Path(data).resolve())]
        subprocess.run(setup, check=True, stdout=subprocess.DEVNULL)
        few, many = peak(home, 500), peak(home, 3000)
    for name, found in (("500 photos", few), ("3,000 photos", many)):
        print(f"{name:>13}  peak {found['peak'] / 1e6:7.0f} MB   promised {found['promised'] / 1e6:7.0f} MB")
    print(f"        ratio  {many['peak'] / few['peak']:.3f}")


if __name__ == "__main__":
    main()
