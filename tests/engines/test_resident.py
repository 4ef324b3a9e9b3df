"""The memory of this process, and of all that it has started."""

from __future__ import annotations

import subprocess
import sys

from vistaql.physical.resident import ResidentPeak, TreePeak, tree_bytes

HOLDS = "import sys; held = bytearray(b'x') * 200_000_000; print(len(held), flush=True); sys.stdin.read()"


def test_what_a_started_process_holds_counts_in_the_tree_and_not_in_this_process() -> None:
    with (
        ResidentPeak() as alone,
        TreePeak() as tree,
        subprocess.Popen([sys.executable, "-c", HOLDS], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child,
    ):
        assert child.stdout
        assert child.stdin
        child.stdout.readline()
        assert tree_bytes() > 200_000_000
        tree.look()
        child.stdin.close()
    assert tree.bytes > 200_000_000
    assert tree.bytes - alone.bytes > 150_000_000
    # Others that this process has started may be there all the time.
    assert 0 < tree_bytes() < tree.bytes - 150_000_000
