"""What VistaQL keeps and needs from elsewhere: the catalog, and weights."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from vistaql.catalog.catalog import Catalog
from vistaql.catalog.database import FILE
from vistaql.doctor.finding import Finding, fault, good, note
from vistaql.errors import VistaQLError
from vistaql.models import roster
from vistaql.models.published import PUBLISHED, kept_file, unreachable
from vistaql.rendering.words import counted, listed
from vistaql.stores.files import is_pattern
from vistaql.stores.quoting import typed
from vistaql.stores.urls import is_url


def catalog(home: Path) -> Finding:
    """Whether the catalog can be read, and whether the files that it names are there."""
    if not (home / FILE).exists():
        return good("catalog", f"none yet; the first statement makes it in {home}")
    try:
        with Catalog.open(home) as opened:
            damage = checked(home / FILE)
            kept = [(table.name, "TABLE", table.source) for table in opened.tables()]
            kept += [(images.name, "IMAGES", images.place) for images in opened.image_sets()]
            results = len(opened.results())
    except VistaQLError as error:
        return fault("catalog", error.message, error.hint or "")
    if damage:
        return fault("catalog", f"{home / FILE}: {damage}", f"mv '{home / FILE}' '{home / FILE}.damaged'")
    found = (
        f"{home}: {counted(len(kept), 'table and image set', 'tables and image sets')}, {counted(results, 'result')}"
    )
    # What lies behind URLs is not looked for: a server may let one wait.
    here = [item for item in kept if not is_url(item[2]) and not is_pattern(item[2])]
    gone = [(name, kind) for name, kind, place in here if not Path(place).exists()]
    if gone:
        names = listed([name for name, _ in gone])
        return note("catalog", f"{found}; the files of {names} are gone", f"DROP {gone[0][1]} {typed(gone[0][0])};")
    if not os.access(home, os.W_OK):
        return fault("catalog", f"{home} cannot be written", "Choose another with --home DIR, or set VISTAQL_HOME.")
    return good("catalog", found)


def checked(file: Path) -> str:
    """What SQLite finds wrong with the file; empty where nothing is."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            (told,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        return str(error)
    return "" if told == "ok" else str(told).replace("\n", " ")


def weights() -> Finding:
    """Which ImageNet weights are on this machine, and whether the others can be fetched."""
    names = {cnn.builder: cnn.name for name in roster.names() if (cnn := roster.load(name)) is not None}
    here = [names[builder] for builder, url in PUBLISHED.items() if kept_file(url).is_file()]
    found = f"of {listed(here)} here" if here else "none here yet"
    if len(here) == len(PUBLISHED):
        return good("weights", found)
    url = next(iter(PUBLISHED.values()))
    why = unreachable(url)
    if not why:
        return good("weights", f"{found}; the others are fetched when they are needed")
    host = url.split("/")[2]
    advice = (
        "Fetch a file elsewhere: REGISTER CNN m FROM mobilenet_v2 WEIGHTS 'file.h5'; strokes and .keras files work."
    )
    return note("weights", f"{found}; {host} cannot be reached: {why}", advice)
