"""A run over five images, in a process of its own: what would end this one does not end the examination."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from vistaql.doctor.finding import Finding, fault, good
from vistaql.units import format_duration

PATIENCE = 180.0
"""seconds"""
STATEMENT = "EXPORT LAYERS conv3, fc6 OF strokes FROM 'five/' TO 'features.parquet';"
WIDTHS = (48, 5)
"""numbers that the two layers give an image"""


def trial() -> Finding:
    """Draw five images, run a small CNN over them, and look at what comes out."""
    started = perf_counter()
    with tempfile.TemporaryDirectory(prefix="vistaql-doctor-") as name:
        folder = Path(name)
        draw(folder / "five")
        words = [sys.executable, "-m", "vistaql", "--home", "home", "--format", "json", "-c", STATEMENT]
        try:
            ended = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False)  # noqa: S603
        except subprocess.TimeoutExpired:
            return fault("trial run", f"not done after {PATIENCE:.0f} s", "Look at what else runs: top")
        if ended.returncode:
            return failed(ended.returncode, ended.stderr)
        told = complaint(folder / "features.parquet")
    if told:
        return fault("trial run", told, "Install again: rm -r .venv; make demo")
    return good("trial run", f"five images through a small CNN in {format_duration(perf_counter() - started)}")


def draw(folder: Path) -> None:
    """Five images with nothing random in them."""
    import numpy as np
    from PIL import Image

    folder.mkdir()
    across, down = np.meshgrid(np.arange(48), np.arange(48))
    for number in range(5):
        pixels = ((across * (number + 1) + down * 3) % 256).astype(np.uint8)
        Image.fromarray(np.stack([pixels] * 3, axis=-1)).save(folder / f"{number}.png")


def failed(code: int, errors: str) -> Finding:
    """Why the process ended."""
    if code < 0:
        name = signal.Signals(-code).name
        advice = "The processor lacks instructions that TensorFlow needs." if name == "SIGILL" else "Look at: dmesg"
        return fault("trial run", f"the process was ended by {name}", advice)
    lines = errors.strip().splitlines()
    try:
        told = json.loads(lines[-1])
        return fault("trial run", f"{told['error']}: {told['message']}", told["hint"] or "")
    except (ValueError, LookupError, TypeError):
        return fault("trial run", lines[-1] if lines else f"exit code {code}", "vistaql demo --verbose")


def complaint(file: Path) -> str:
    """What is wrong with the features; empty where nothing is."""
    import numpy as np
    import pyarrow.parquet as pq

    table = pq.read_table(file)
    vectors = [np.array(table.column(name).to_pylist()) for name in table.column_names if "key" not in name]
    shapes = tuple(vector.shape for vector in vectors if vector.ndim == 2)
    if shapes != tuple((5, width) for width in WIDTHS):
        return f"the features have the shapes {shapes}"
    return "" if all(np.isfinite(vector).all() for vector in vectors if vector.ndim == 2) else "features are not finite"
