"""Where a master is: on this machine only, or somewhere that has to be reached."""

from __future__ import annotations

import socket

PATIENCE = 5.0
"""seconds to wait for a master to answer; Spark itself gives up after a minute, without saying why"""
OWN = ("localhost", "127.", "[::1]")


def is_loopback(master: str) -> bool:
    """Whether driver, executors and master are all on this machine.

    >>> is_loopback("local[2,4]"), is_loopback("spark://localhost:7077"), is_loopback("spark://tower:7077")
    (True, True, False)
    """
    return master.startswith("local") or (
        master.startswith("spark://") and all(host.startswith(OWN) for host, _ in addresses(master))
    )


def addresses(master: str) -> tuple[tuple[str, int], ...]:
    """Hosts and ports of a standalone master and of those that stand in for it.

    >>> addresses("spark://a:7077,b:7078"), addresses("spark://a")
    ((('a', 7077), ('b', 7078)), (('a', 7077),))
    """
    found = []
    for place in master.removeprefix("spark://").split(","):
        host, _, port = place.rpartition(":")
        found.append((host, int(port)) if host and port.isdigit() else (place, 7077))
    return tuple(found)


def unreachable(master: str) -> str | None:
    """Why no standalone master answers at its address; None where one does, or where there is no such address."""
    if not master.startswith("spark://"):
        return None
    reason = None
    for host, port in addresses(master):
        try:
            socket.create_connection((host.strip("[]"), port), PATIENCE).close()
        except OSError as failure:
            reason = failure.strerror or str(failure)
        else:
            return None
    return reason
