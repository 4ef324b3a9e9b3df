"""At which shapes a fit goes which way; estimates read them as well."""

MOST_ROWS_ROTATED = 2000
"""Beyond it, the eigenvectors of rows x rows cost more than they save."""
MOST_COLUMNS_PRECONDITIONED = 4096
"""Beyond it, the inverse of columns x columns costs more than it saves."""
SLAB_ELEMENTS = 2**21
"""Numbers in a slab. Slabs are worked on side by side and summed in order, so the bits do not depend on workers."""
KEPT_ELEMENTS = 2**20
"""No more numbers than these (8 MiB) are kept as float64; more are converted again in every pass."""
ASIDE_ELEMENTS = 2**16
"""No more numbers than these are fitted where the caller stands: a step takes less than a millisecond, and to hand its
parts to other threads takes as long."""
LEAST_BLOCK_ROWS = 8
"""Rows of a block, however wide they are."""
MOST_ROWS_AT_A_TIME = 256
ELEMENTS_AT_A_TIME = 2**21
"""8 MiB as float32"""


def rows_at_a_time(width: int) -> int:
    """Vectors to walk over together: few where they are long, since some lie on disk because memory is short.

    >>> rows_at_a_time(1280), rows_at_a_time(450_000), rows_at_a_time(10**8)
    (256, 4, 1)
    """
    return max(1, min(MOST_ROWS_AT_A_TIME, ELEMENTS_AT_A_TIME // max(1, width)))
