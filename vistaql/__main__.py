"""Run the command line as `python -m vistaql`."""

import sys

from vistaql.cli import main

if __name__ == "__main__":
    sys.exit(main())
