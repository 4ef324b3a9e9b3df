"""Run the command line as `python -m vistaql`."""

from vistaql.cli import enter

if __name__ == "__main__":
    enter()
