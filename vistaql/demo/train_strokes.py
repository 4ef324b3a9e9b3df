"""Train the CNN `strokes` on the digits 0 to 4, and no others: `python -m vistaql.demo.train_strokes`.

It takes some minutes and writes the weights that ship with the package. The seed is fixed; other processors
round differently, so a training elsewhere gives a network that is as good, not the same bits.
"""

# ruff: noqa: T201, this is a script that talks to the one who runs it
from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from vistaql.demo import scans
from vistaql.engines.tensorflow.architectures import build_strokes
from vistaql.engines.tensorflow.runtime import import_tensorflow

if TYPE_CHECKING:
    import keras

WEIGHTS = Path(__file__).parents[1] / "models" / "data" / "strokes.weights.h5"
KNOWN = range(5)
EPOCHS = 24
COPIES = 4
"""of each scan in an epoch, each at another place and size; no epoch sees a picture of an epoch before"""
RATE = 0.002
"""of Adam in the first epoch; it falls evenly to 0"""


def train(epochs: int) -> keras.Model:
    """Fit the network to the known digits."""
    import numpy as np

    keras = import_tensorflow().keras
    keras.utils.set_random_seed(0)
    known = scans.load(KNOWN)
    digits = np.tile([scan.digit for scan in known], COPIES)
    model = build_strokes()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(RATE), loss, metrics=["accuracy"])
    for epoch in range(epochs):
        model.optimizer.learning_rate = RATE * (1 - epoch / epochs)
        copies = range(1 + COPIES * epoch, 1 + COPIES * (epoch + 1))
        history = model.fit(pixels(known, copies), digits, batch_size=64, verbose=0).history
        print(f"epoch {epoch + 1:2}  accuracy {history['accuracy'][0]:.3f}", flush=True)
    correct = model.evaluate(pixels(known, range(1)), digits[: len(known)], verbose=0)[1]
    print(f"on pictures it has not seen, of the digits it knows: {correct:.3f}")
    # Saved with its optimizer, the network would be three times as large.
    trained = build_strokes()
    trained.set_weights(model.get_weights())
    return trained


def pixels(known: tuple[scans.Scan, ...], copies: range) -> object:
    """RGB of 0 to 1, [copies x scans, 48, 48, 3], float32: what the preprocessing of strokes gives."""
    import numpy as np

    grey = np.stack([scans.on_paper(scan, copy) for copy in copies for scan in known])
    return np.repeat(grey[..., np.newaxis], 3, axis=-1).astype(np.float32) / 255


def main() -> None:
    """Train, and write the weights."""
    parser = argparse.ArgumentParser(description="Train the CNN of the demo.")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--to", type=Path, default=WEIGHTS)
    arguments = parser.parse_args()
    model = train(arguments.epochs)
    arguments.to.parent.mkdir(parents=True, exist_ok=True)
    model.save_weights(arguments.to)
    print(f"{arguments.to}: {arguments.to.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
