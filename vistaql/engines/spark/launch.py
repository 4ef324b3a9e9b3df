"""The Spark session that plans run in: started once in a process, with everything Spark needs to be told."""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import signal
import site
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from vistaql.engines.spark.conf import ANY, LOOPBACK, Needs, configuration, cores_of
from vistaql.engines.spark.given import adopted
from vistaql.engines.spark.java import find_java, java_home
from vistaql.engines.spark.memory import Pairs
from vistaql.engines.spark.place import unreachable
from vistaql.engines.spark.readiness import await_executor, load_early
from vistaql.errors import Code, VistaQLError
from vistaql.spark_settings import MASTER, SparkSettings, is_loopback, local_slots

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PYTHON = "spark.pyspark.python"


@dataclass(frozen=True)
class Running:
    """A session that was started here, what it was started with, and what Spark writes."""

    session: SparkSession
    settings: SparkSettings
    needs: Needs
    log: IO[bytes]

    @property
    def lives(self) -> bool:
        """Whether its Java is there; an operating system that is out of memory may have ended it."""
        gateway: Any = self.session.sparkContext._gateway  # noqa: SLF001, the process is to be found nowhere else
        return gateway is not None and gateway.proc.poll() is None

    @property
    def cores(self) -> Pairs:
        """What it was told about tasks that run side by side."""
        return cores_of(configuration(self.settings, self.needs))

    def serves(self, settings: SparkSettings, needs: Needs) -> bool:
        """Whether a plan can run in it: the user's settings are those of its start, and it has the memory."""
        if self.settings.reset(MASTER) != settings.reset(MASTER):
            return False
        mine, theirs = self.settings.master, settings.master
        if mine != theirs and self.session.sparkContext.defaultParallelism != local_slots(theirs):
            return False
        if needs.choices and self.cores != cores_of(configuration(settings, needs)):
            return False
        return self.needs.regions.covers(needs.regions, outside=not is_loopback(theirs))


class _Kept:
    """The one session of this process, which Spark allows but one of."""

    now: Running | None = None


_kept = _Kept()


def spark_session(settings: SparkSettings, needs: Needs = ANY, given: SparkSession | None = None) -> SparkSession:
    """The session for a plan: the given one; else the one that runs, if it serves; else a new one, which takes seconds.

    A session that somebody else started in this process counts as given: there can be no second one.
    Raises NO_JAVA, SPARK_START, GIVEN_SESSION.
    """
    foreign = given or foreign_session()
    if foreign is not None:
        return adopted(foreign, settings)
    if _kept.now is not None:
        if _kept.now.lives and _kept.now.serves(settings, needs):
            return _kept.now.session
        stop()
    _kept.now = start(settings, needs)
    return _kept.now.session


def foreign_session() -> SparkSession | None:
    """A session of this process that was not started here."""
    from pyspark.sql import SparkSession

    active = SparkSession.getActiveSession()
    return None if active is None or (_kept.now and active is _kept.now.session) else active


def start(settings: SparkSettings, needs: Needs) -> Running:
    """Start Java and Spark in it."""
    from py4j.protocol import Py4JError
    from pyspark import SparkConf, SparkContext
    from pyspark.errors import PySparkException
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    conf = configuration(settings, needs)
    master = dict(conf)[MASTER]
    if reason := unreachable(master):
        raise VistaQLError(
            Code.SPARK_START, f"There is no Spark at {master}: {reason}.",
            hint="Start it, or type: SET spark.master = 'local[*]'",
        )  # fmt: skip
    # True of what pandas adds to Spark, none of which is used here.
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    log = tempfile.TemporaryFile()  # noqa: SIM115, open as long as Java writes into it
    spark_conf = SparkConf(loadDefaults=False)
    for name, value in conf:
        spark_conf.set(name, value)
    try:
        with environment(master, dict(conf)), own_interrupts():
            gateway = launch_gateway(spark_conf, {"stdout": log, "stderr": log})  # type: ignore[no-untyped-call]
            session = SparkSession(SparkContext(conf=spark_conf, gateway=gateway))
        await_executor(session, master)
    except (PySparkException, Py4JError) as failure:
        halt()
        raise VistaQLError(
            Code.SPARK_START, f"Spark does not start: {reason_in(log) or str(failure).splitlines()[0]}",
            hint="Look at what differs from the defaults: SHOW SETTINGS",
        ) from failure  # fmt: skip
    except BaseException:
        halt()
        raise
    if needs.choices is not None:
        load_early(session, needs.choices.threads)
    atexit.register(stop)
    return Running(session, settings, needs, log)


def stop() -> None:
    """End the session and its Java."""
    running, _kept.now = _kept.now, None
    atexit.unregister(stop)
    if running is not None:
        # Java may have been killed, and then there is nothing to stop.
        with own_interrupts(), contextlib.suppress(Exception):
            running.session.stop()
        halt()
        running.log.close()


def halt() -> None:
    """End this process's Java, so that the next session may have another heap."""
    from pyspark import SparkContext

    # PySpark keeps one Java for the life of the process, and has no public way to end it.
    gateway: Any = SparkContext._gateway  # noqa: SLF001
    SparkContext._gateway = SparkContext._jvm = None  # noqa: SLF001
    if gateway is not None:
        with contextlib.suppress(OSError):
            gateway.shutdown()
        # Java waits for the end of its standard input, and ends with it.
        gateway.proc.stdin.close()
        gateway.proc.wait()


@contextlib.contextmanager
def environment(master: str, conf: dict[str, str]) -> Iterator[None]:
    """The environment that Java and through it the Python workers inherit; ours is as before afterwards."""
    told = {"JAVA_HOME": str(java_home(find_java(), shim_folder())), "PYSPARK_PYTHON": python_for(master, conf)}
    # A Java of its own puts the command together that starts Spark's; it has not the time to compile well.
    told["SPARK_LAUNCHER_OPTS"] = os.environ.get("SPARK_LAUNCHER_OPTS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
    if is_loopback(master):
        told |= {"SPARK_LOCAL_IP": LOOPBACK, "SPARK_LOCAL_HOSTNAME": "localhost"}
    package = str(Path(__file__).parents[3])
    if package not in site.getsitepackages():
        # A checkout that is not installed: workers import what the driver imports.
        told["PYTHONPATH"] = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
    before = {name: os.environ.get(name) for name in told}
    os.environ.update(told)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def python_for(master: str, conf: dict[str, str]) -> str:
    """The Python of the workers: on this machine ours, elsewhere as the user says, else at the same path."""
    if PYTHON in conf:
        return conf[PYTHON]
    return sys.executable if is_loopback(master) else os.environ.get("PYSPARK_PYTHON", sys.executable)


def shim_folder() -> Path:
    """Where a stand-in for Java may be kept."""
    from platformdirs import user_cache_path

    folder = user_cache_path("vistaql", appauthor=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return Path(tempfile.mkdtemp(prefix="vistaql-java-"))
    return folder if os.access(folder, os.W_OK) else Path(tempfile.mkdtemp(prefix="vistaql-java-"))


@contextlib.contextmanager
def own_interrupts() -> Iterator[None]:
    """Keep our answer to Ctrl-C: Spark's would cancel the jobs of everybody in the session."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def reason_in(log: IO[bytes]) -> str:
    """The line of Java's or Spark's own words that says why it did not start."""
    log.seek(0)
    lines = log.read().decode(errors="replace").splitlines()
    telling = [line for line in lines if re.search(r"error|exception", line, re.IGNORECASE)]
    return (telling or lines or [""])[0].strip()
