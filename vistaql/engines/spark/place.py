"""Whether a master that has to be reached answers."""

from __future__ import annotations

import socket

from vistaql.spark_settings import addresses

PATIENCE = 5.0
"""seconds to wait for a master to answer; Spark itself gives up after a minute, without saying why"""


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
