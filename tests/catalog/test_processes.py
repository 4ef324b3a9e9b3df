"""Several processes at one catalog, and processes that die in the middle."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vistaql.catalog.catalog import Catalog, Kind

START = "import sys; from pathlib import Path; from vistaql.catalog.catalog import *; home = Path(sys.argv[1])\n"
WRITE = """
from vistaql.stores.tables import Table, TableFormat
for place in range(20):
    with Catalog.open(home) as catalog, catalog.transaction() as writer:
        writer.put_table(Table(f"t_{sys.argv[2]}_{place}", "/x", TableFormat.CSV, ()), "")
        writer.put_cnn(f"c_{sys.argv[2]}_{place}", "{}", "")
"""
HANG = """
import time
from vistaql.stores.tables import Table, TableFormat
catalog = Catalog.open(home)
with catalog.transaction() as writer:
    writer.put_table(Table("half", "/x", TableFormat.CSV, ()), "")
    print("inside", flush=True)
    time.sleep(60)
"""
CREATE = """
from vistaql.catalog.results import relations_of
from vistaql.catalog.statements import *
catalog = Catalog.open(home)
print("started", flush=True)
while True:
    create_table(catalog, "big", Query("SELECT range AS k, hash(range) AS h FROM range(3000000)"), key=("k",),
        relations=relations_of(catalog), existing=Existing(replace=True))
"""


def start(code: str, home: Path, checkout: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", START + code, str(home), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=checkout)


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def kill(process: subprocess.Popen[str]) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()


def test_four_processes_write_at_once_and_nothing_is_lost(tmp_path: Path, checkout: Path) -> None:
    home = tmp_path / "home"
    processes = [start(WRITE, home, checkout, str(place)) for place in range(4)]
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")
    with Catalog.open(home) as catalog:
        assert len(catalog.names(Kind.TABLE)) == len(catalog.names(Kind.CNN)) == 80


def test_a_process_killed_inside_a_transaction_leaves_nothing(tmp_path: Path, checkout: Path) -> None:
    process = start(HANG, tmp_path, checkout)
    assert first_line(process) == "inside"
    with Catalog.open(tmp_path) as catalog:
        assert catalog.tables() == ()
    kill(process)
    with Catalog.open(tmp_path) as catalog, catalog.transaction() as writer:
        assert catalog.tables() == ()
        writer.put_cnn("after", "{}", "")


@pytest.mark.parametrize("seconds", [0.05, 0.4, 1.2])
def test_a_create_killed_anywhere_leaves_the_old_table_or_the_new(
    tmp_path: Path, checkout: Path, seconds: float
) -> None:
    process = start(CREATE, tmp_path, checkout)
    assert first_line(process) == "started"
    time.sleep(seconds)
    kill(process)
    with Catalog.open(tmp_path) as catalog:
        for table in catalog.tables():
            assert table.rows == 3_000_000
            assert Path(table.source).stat().st_size == table.bytes
