"""What the session is told, and that it is started once, quietly, on loopback, with tries to spare."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from vistaql.engines.spark.conf import Needs, configuration, needs_of
from vistaql.engines.spark.launch import start
from vistaql.engines.spark.memory import spark_conf
from vistaql.engines.spark.place import unreachable
from vistaql.errors import Code, VistaQLError
from vistaql.explain.spark import spark_lines
from vistaql.optimizer.configuration import Configuration
from vistaql.physical.choices import ClusterChoices
from vistaql.physical.regions import LEAST, RESERVED, Regions
from vistaql.settings import JoinMethod, Persistence, Placement, TrainingPlace
from vistaql.spark_settings import SparkSettings

MIB = 2**20
CHOICES = ClusterChoices(
    4, 2, 1, 8, JoinMethod.BROADCAST, Placement.BEFORE_INFERENCE, Persistence.SERIALIZED, TrainingPlace.DRIVER
)  # fmt: skip
REGIONS = Regions(
    core=900 * MIB, user=300 * MIB, storage=600 * MIB, deep_learning=2000 * MIB, driver=400 * MIB, python=0
)
PROGRAM = """\
import json, signal, sys
from pathlib import Path

import psutil

from vistaql.engines.spark.conf import Needs
from vistaql.engines.spark.launch import spark_session
from vistaql.physical.regions import LEAST
from vistaql.spark_settings import SparkSettings
from dataclasses import replace

folder = Path(sys.argv[1])


def facts(batches):
    import pyarrow as pa
    loaded = "tensorflow" in sys.modules
    for batch in batches:
        mark = folder / "tried"
        if not mark.exists():
            mark.touch()
            raise RuntimeError("the first try of a task")
        yield pa.record_batch({"fact": [f"{loaded} {sys.executable}"]})


settings = SparkSettings((("spark.master", "local[1]"),))
before = signal.getsignal(signal.SIGINT)
spark = spark_session(settings)
java = spark.sparkContext._gateway.proc.pid
rows = spark.range(1, numPartitions=1).mapInArrow(facts, "fact string").collect()
ports = [c.laddr.ip for p in [psutil.Process(), *psutil.Process().children(recursive=True)]
         for c in p.net_connections("tcp") if c.status == "LISTEN"]
again = spark_session(settings, Needs(replace(LEAST, user=LEAST.user // 2)))
larger = spark_session(settings, Needs(replace(LEAST, storage=2 * LEAST.storage)))
found = {
    "fact": rows[0].fact, "ports": sorted(set(ports)), "same": again is spark, "anew": larger is not spark,
    "first java is over": not psutil.pid_exists(java), "one plus one": larger.range(2).count(),
    "interrupts are ours": signal.getsignal(signal.SIGINT) is before,
    "ui": larger.sparkContext.uiWebUrl, "master": larger.sparkContext.master,
}
print(json.dumps(found))
"""


@pytest.mark.volume
def test_a_session_is_quiet_local_tries_again_and_is_kept_until_a_plan_needs_more(
    checkout: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], cwd=checkout, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    found = json.loads(done.stdout)
    assert found["fact"] == f"{sys.platform == 'linux'} {sys.executable}"
    assert set(found["ports"]) <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
    assert found["ui"] is None
    assert found["master"] == "local[1,4]"
    assert found["one plus one"] == 2
    assert all(found[name] for name in ("same", "anew", "first java is over", "interrupts are ours"))


def conf(master: str, **settings: str) -> dict[str, str]:
    """The configuration of a session before there is a plan."""
    named = {name.replace("_", "."): value for name, value in settings.items()}
    return dict(configuration(SparkSettings(tuple(sorted((named | {"spark.master": master}).items()))), Needs()))


def test_only_masters_on_this_machine_are_bound_to_loopback() -> None:
    for master in ("local[2]", "local[*]", "local-cluster[2,1,2048]", "spark://localhost:7077", "spark://127.0.0.1:1"):
        assert conf(master)["spark.driver.bindAddress"] == "127.0.0.1"
        assert conf(master)["spark.ui.enabled"] == "false"
    for master in ("spark://tower:7077", "yarn", "k8s://https://tower:443"):
        assert not {"spark.driver.bindAddress", "spark.driver.host", "spark.ui.enabled"} & conf(master).keys()


def test_what_the_user_sets_wins() -> None:
    assert conf("local[2]", spark_ui_enabled="true")["spark.ui.enabled"] == "true"
    assert conf("local[2]", spark_driver_memory="3g")["spark.driver.memory"] == "3g"


def test_a_local_master_has_one_heap_for_driver_and_executor() -> None:
    told = dict(spark_conf("local[4]", REGIONS, CHOICES))
    assert told["spark.driver.memory"] == f"{300 + 1800 + 400}m"
    assert "spark.executor.memory" not in told


def test_a_cluster_gets_python_workers_as_overhead_and_a_core_for_each_thread() -> None:
    told = dict(spark_conf("yarn", REGIONS, CHOICES, executors=2))
    assert told["spark.executor.memory"] == f"{300 + 1800}m"
    assert int(told["spark.executor.memoryOverhead"][:-1]) > 2000 + 384
    assert (told["spark.executor.cores"], told["spark.task.cpus"]) == ("4", "2")
    assert (told["spark.executor.instances"], told["spark.cores.max"]) == ("2", "8")
    assert told["spark.driver.memory"] == f"{300 + 400}m"
    assert "spark.executor.pyspark.memory" not in told


def test_spark_divides_the_heap_as_the_plan_does() -> None:
    """Spark's own arithmetic (UnifiedMemoryManager) gives the regions back, to a part in a hundred."""
    told = dict(spark_conf("yarn", REGIONS, CHOICES))
    usable = int(told["spark.executor.memory"][:-1]) * MIB - RESERVED
    unified = usable * float(told["spark.memory.fraction"])
    assert unified == pytest.approx(REGIONS.core + REGIONS.storage, rel=0.01)
    assert unified * float(told["spark.memory.storageFraction"]) == pytest.approx(REGIONS.storage, rel=0.01)
    assert usable - unified == pytest.approx(REGIONS.user, rel=0.01)


def test_the_name_of_a_local_cluster_says_what_its_executors_have() -> None:
    told = dict(spark_conf("local-cluster[2,1,2048]", REGIONS, CHOICES, executors=2))
    assert (told["spark.executor.memory"], told["spark.executor.cores"], told["spark.task.cpus"]) == ("2048m", "1", "1")


def test_a_heap_that_is_too_small_is_not_served() -> None:
    larger = replace(LEAST, driver=LEAST.driver + 1)
    assert LEAST.covers(LEAST, outside=True)
    assert not LEAST.covers(larger, outside=False)
    assert not LEAST.covers(replace(LEAST, deep_learning=1), outside=True)
    assert LEAST.covers(replace(LEAST, deep_learning=1), outside=False)
    assert needs_of(CHOICES, None, 1).regions == LEAST


def test_a_master_that_does_not_answer_is_an_error_within_seconds() -> None:
    with pytest.raises(VistaQLError) as caught:
        start(SparkSettings((("spark.master", "spark://127.0.0.1:9"),)), Needs())
    assert caught.value.code is Code.SPARK_START
    assert "spark://127.0.0.1:9" in caught.value.message
    assert unreachable("yarn") is None


def test_explain_can_list_what_spark_would_be_told() -> None:
    chosen = Configuration(2, 1, 2, cluster=CHOICES, regions=REGIONS, executors=2)
    settings = SparkSettings((("spark.hadoop.fs.s3a.secret.key", "abc"), ("spark.master", "yarn")))
    lines = spark_lines(chosen, settings)
    assert "--conf spark.master=yarn" in lines
    assert any(line.startswith("--conf spark.executor.memoryOverhead=") for line in lines)
    assert "--conf spark.sql.adaptive.enabled=false" in lines
    assert "--conf 'spark.hadoop.fs.s3a.secret.key=(hidden)'" in lines
    assert spark_lines(Configuration(2, 1, 2), settings) == ()
