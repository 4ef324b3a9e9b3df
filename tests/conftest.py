"""What every test may use: the folder of real photos and weights, and a clean environment for child processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from vistaql.physical.inference import Pass

TEST_DATA = "VISTAQL_TEST_DATA"
NO_TEST_DATA = f"{TEST_DATA} names no folder"
FOREIGN = ("PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "PYTHONSTARTUP", "PYTHONWARNINGS", "VISTAQL_HOME")


# Two processes share the tests, file by file. What takes longest comes first, so that both end at the same time.
LONGEST_FIRST = (
    "tests/spark/test_faults.py",
    "tests/spark/test_equal_bits.py",
    "tests/spark/test_hybrids.py",
    "tests/spark/test_urls.py",
    "tests/equivalence/test_random_workloads.py",
    "tests/spark/test_clusters.py",
    "tests/kernel/test_graph.py",
    "tests/docs/test_docs.py",
    "tests/install/test_install.py",
    "tests/equivalence/test_plans.py",
    "tests/start/test_start.py",
    "tests/models/test_weights.py",
    "tests/demo/test_screen.py",
    "tests/repl",
    "tests/session",
)
# Spark and the workers that it has started are shared by these files, so one of the two processes has them all.
ONE_SPARK = "tests/spark/"
SPARK_OF_THEIR_OWN = ("tests/spark/test_faults.py", "tests/spark/test_clusters.py")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --bless, which writes the expected texts of golden files anew, for review as a diff."""
    parser.addoption("--bless", action="store_true", help="write the expected texts of golden files anew")


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Say which tests belong into one process, and put what takes longest first; the rest stays in order."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group(item.nodeid.partition("::")[0])))
    yield

    def place(item: pytest.Item) -> int:
        return next((at for at, part in enumerate(LONGEST_FIRST) if item.nodeid.startswith(part)), len(LONGEST_FIRST))

    items.sort(key=place)


def group(file: str) -> str:
    """What a file of tests has to share a process with."""
    return ONE_SPARK if file.startswith(ONE_SPARK) and file not in SPARK_OF_THEIR_OWN else file


@pytest.fixture(scope="session", autouse=True)
def _own_environment(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Child processes see neither the modules nor the homes of the person who runs the tests."""
    for name in FOREIGN:
        os.environ.pop(name, None)
    # Weights that the person has downloaded lie in this one.
    os.environ["KERAS_HOME"] = str(tmp_path_factory.mktemp("keras"))
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell starts what runs in its background deaf to Ctrl-C, and child processes would be deaf as well.
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real photos and weights; tests that need it are skipped without it."""
    folder = os.environ.get(TEST_DATA)
    if not folder or not Path(folder).is_dir():
        pytest.skip(NO_TEST_DATA)
    return Path(folder).resolve()


@pytest.fixture(scope="session")
def weights(test_data: Path) -> Path:
    """The folder of small pre-trained CNNs inside the test data."""
    return test_data / "weights"


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The folder that holds pyproject.toml."""
    return Path(__file__).parents[1]


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[Pass]:
    """The passes that run in this process."""
    from vistaql.engines.tensorflow import kernel

    seen: list[Pass] = []
    freeze = kernel.freeze

    def noted(pass_: Pass) -> object:
        seen.append(pass_)
        return freeze(pass_)

    monkeypatch.setattr(kernel, "freeze", noted)
    return seen


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Sum up in one line what was not tested for want of data."""
    skipped = [
        report
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple) and NO_TEST_DATA in report.longrepr[2]
    ]
    if skipped:
        terminalreporter.write_line(
            f"{len(skipped)} tests need real photos and weights and were skipped: {NO_TEST_DATA}.", yellow=True
        )
