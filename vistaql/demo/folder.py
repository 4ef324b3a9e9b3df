"""The folder of the demo: pictures, a table, a script, and room for a catalog."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vistaql.demo import scans
from vistaql.demo.measures import measure
from vistaql.errors import Code, VistaQLError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

UNSEEN = range(5, 10)
"""digits that the CNN strokes has never seen"""
SCANS, MEASURES, SCRIPT, HOME = "scans", "measures.csv", "demo.vql", "home"
SETUP = """\
CREATE OR REPLACE IMAGES scans FROM 'scans/';
CREATE OR REPLACE TABLE measures FROM 'measures.csv' KEY (scan_id) LABEL digit;
"""
QUESTION = """\
EXPLORE LAYERS conv1, conv2, conv3, conv4, fc5, fc6 OF strokes
FROM scans JOIN measures
TRAIN logistic_regression PREDICT digit;
"""
TEXT = f"""\
-- The demo, to run again and to change. Paths are relative to this file.
--
-- scans/ holds {{count}} handwritten digits, 5 to 9, each at a random place and size
-- on grey paper. measures.csv says of each what a person would note: ink, width,
-- height, slant, and which digit it is. strokes is a small CNN that knows 0 to 4.
-- (Scans: E. Alpaydin and C. Kaynak, UCI Machine Learning Repository, CC BY 4.0.)

-- A file's name without its ending is the key of the image: scans/d0005.png is d0005.
{SETUP}
-- Which layer of strokes tells 5, 6, 7, 8 and 9 apart best, beside the columns?
{QUESTION}
-- What else can be asked:
--   without the columns                FEATURES NONE
--   with some of them                  FEATURES ink, slant
--   only wide digits                   WHERE width >= 6
--   another question                   PREDICT digit > 7
--   another measure                    EVALUATE f1_macro
"""


@dataclass(frozen=True)
class Demo:
    """What was written: `script` and `home` are what `vistaql run` takes; `kept` says that the script is the user's."""

    folder: Path
    count: int
    kept: bool

    @property
    def script(self) -> Path:
        """The commented script."""
        return self.folder / SCRIPT

    @property
    def home(self) -> Path:
        """The folder of the demo's own catalog."""
        return self.folder / HOME


def write(folder: Path) -> Demo:
    """Write the demo into a folder that is new, empty, or a demo's already; equal bytes on every machine.

    A script that the user has changed is left as it is.
    Raises FOREIGN_FOLDER where the folder holds anything else, NOT_WRITABLE where nothing can be written.
    """
    digits = scans.load(UNSEEN)
    refuse_foreign(folder, digits)
    try:
        (folder / SCANS).mkdir(parents=True, exist_ok=True)
        (folder / HOME).mkdir(exist_ok=True)
        for scan in digits:
            write_picture(folder / SCANS / picture_of(scan), scan)
        (folder / MEASURES).write_bytes("".join(measure_lines(digits)).encode())
        kept = keep_or_write(folder / SCRIPT, TEXT.format(count=len(digits)))
    except OSError as failure:
        raise VistaQLError(
            Code.NOT_WRITABLE,
            f"The demo cannot be written to {folder}: {failure.strerror or failure}.",
            hint="Name a folder where you may write: vistaql demo DIR",
        ) from failure
    return Demo(folder, len(digits), kept)


def refuse_foreign(folder: Path, digits: Iterable[scans.Scan]) -> None:
    """Raise FOREIGN_FOLDER unless everything in the folder, and in its scans, is the demo's own."""
    own = {SCANS, MEASURES, SCRIPT, HOME}
    pictures = {picture_of(scan) for scan in digits}
    try:
        foreign = names_in(folder) - own or {f"{SCANS}/{name}" for name in names_in(folder / SCANS) - pictures}
    except OSError as failure:
        message = f"{folder} cannot be used for the demo: {failure.strerror or failure}."
        raise VistaQLError(Code.FOREIGN_FOLDER, message, hint="vistaql demo A_NEW_FOLDER") from failure
    if foreign:
        shown = ", ".join(sorted(foreign)[:5]) + (f" and {len(foreign) - 5} more" if len(foreign) > 5 else "")
        message = f"{folder} holds what is not the demo's: {shown}."
        raise VistaQLError(Code.FOREIGN_FOLDER, message, hint="vistaql demo A_NEW_FOLDER")


def names_in(folder: Path) -> set[str]:
    """What the folder holds; nothing where it does not exist."""
    return {entry.name for entry in folder.iterdir()} if folder.exists() else set()


def name_of(scan: scans.Scan) -> str:
    """The key of a scan: its number in scikit-learn's data."""
    return f"d{scan.number:04}"


def picture_of(scan: scans.Scan) -> str:
    """The file name of a scan."""
    return f"{name_of(scan)}.png"


def write_picture(path: Path, scan: scans.Scan) -> None:
    """Write the scan on its paper as PNG. It is stored, not compressed: compressors differ between machines."""
    from PIL import Image

    Image.fromarray(scans.on_paper(scan)).save(path, format="PNG", compress_level=0)


def measure_lines(digits: Iterable[scans.Scan]) -> Iterator[str]:
    """The lines of measures.csv."""
    yield "scan_id,ink,width,height,slant,digit\n"
    for scan in digits:
        noted = measure(scan)
        slant = f"{'-' if noted.slant < 0 else ''}{abs(noted.slant) // 1000}.{abs(noted.slant) % 1000:03}"
        yield f"{name_of(scan)},{noted.ink},{noted.width},{noted.height},{slant},{scan.digit}\n"


def keep_or_write(path: Path, text: str) -> bool:
    """Write the script; whether one that the user has changed was there, and is kept."""
    found = path.read_bytes() if path.exists() else b""
    # A script that was cut short by a kill is the beginning of ours, and not the user's.
    if not text.encode().startswith(found):
        return True
    path.write_bytes(text.encode())
    return False
