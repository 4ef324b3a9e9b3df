"""VistaQL against the same job by hand in Keras and scikit-learn: whole processes, side by side in one run.

    VISTAQL_TEST_DATA=DIR python benchmarks/against_keras.py [--rounds 3] [--photos 512]

ResNet50 with random weights, four layers, photos joined with a table of four columns, logistic regression, five folds.
Every round runs each program once, in turn, so that a slow minute of the machine slows all of them. Printed are the
medians and the ratios of each round. VistaQL also trains on the table alone and on the best layer alone, and makes the
digests; the programs by hand do not.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

HERE = Path(__file__).parent
SETUP = """
CREATE TABLE items FROM '{data}/datasets/clothing-3k/items.csv' KEY item_id LABEL label;
CREATE IMAGES photos FROM '{folder}';
REGISTER CNN net FROM resnet50 WEIGHTS RANDOM (SEED = 1);
"""
QUERY = """
EXPLORE LAYERS conv4_6, conv5_1, conv5_2, conv5_3 OF net FROM photos JOIN items
FEATURES kids, photo_width, photo_height, photo_bytes TRAIN logistic_regression
"""


def programs(data: Path, home: Path, photos: int) -> dict[str, list[str]]:
    """Each program as a command."""
    by_hand = [sys.executable, str(HERE / "by_hand_keras.py")]
    rest = [str(data), "--photos", str(photos)]
    return {
        "VistaQL": [sys.executable, "-m", "vistaql", "--home", str(home), "-c", QUERY],
        "B1b eager": [*by_hand, "eager", *rest],
        "B1b, one BLAS thread": [*by_hand, "eager", *rest, "--blas-threads", "1"],
        "B1a lazy": [*by_hand, "lazy", *rest],
    }


def prepare(data: Path, home: Path, photos: int) -> None:
    """Name the photos, the table and the CNN once; links to the same photos as the programs by hand take."""
    sys.path.insert(0, str(HERE))
    from by_hand_keras import photo_paths

    folder = home / "photos"
    folder.mkdir(parents=True)
    for path in photo_paths(data, photos):
        (folder / path.name).write_bytes(path.read_bytes())
    script = SETUP.format(data=data, folder=folder)
    command = [sys.executable, "-m", "vistaql", "--home", str(home), "-c", script]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def seconds(command: list[str], *, show: bool) -> float:
    """Wall-clock seconds of a whole process."""
    started = perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    taken = perf_counter() - started
    if show:
        print(done.stdout)
    return taken


def main() -> None:
    """Run the rounds, print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--photos", type=int, default=512)
    given = parser.parse_args()
    data = os.environ.get("VISTAQL_TEST_DATA")
    if not data:
        sys.exit("VISTAQL_TEST_DATA names no folder of photos and weights.")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        prepare(Path(data).resolve(), home, given.photos)
        commands = programs(Path(data).resolve(), home, given.photos)
        times: dict[str, list[float]] = {name: [] for name in commands}
        for number in range(given.rounds):
            for name, command in commands.items():
                times[name].append(seconds(command, show=number == 0))
    own = times.pop("VistaQL")
    print(f"{'VistaQL':<22} {statistics.median(own):7.1f} s")
    for name, taken in times.items():
        ratios = [mine / theirs for mine, theirs in zip(own, taken, strict=True)]
        spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
        ratio = statistics.median(ratios)
        print(f"{name:<22} {statistics.median(taken):7.1f} s   VistaQL takes {ratio:.2f} of it ({spread})")


if __name__ == "__main__":
    main()
