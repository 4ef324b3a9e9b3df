"""TensorFlow is quiet, and has the threads it was given."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from vistaql.engines.tensorflow.runtime import held_stderr
from vistaql.errors import Code, VistaQLError


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


def test_building_and_tracing_prints_nothing_and_threads_stay() -> None:
    done = run(
        "from vistaql.engines.tensorflow.runtime import import_tensorflow, set_threads\n"
        "from vistaql.engines.tensorflow.builders import build\n"
        "from vistaql.models import roster\n"
        "from vistaql.errors import VistaQLError\n"
        "set_threads(2)\n"
        "tf, model = import_tensorflow(), build(roster.load('strokes'))\n"
        "tf.function(model)(tf.zeros((4, 48, 48, 3)))\n"
        "set_threads(2)\n"
        "try: set_threads(1)\n"
        "except VistaQLError as error: print(error.code.value, error.message, flush=True)\n"
        "import os; os._exit(0)  # to take TensorFlow apart takes seconds\n"
    )
    assert done.stderr == ""
    assert done.stdout == "VQL4003 TensorFlow runs in this process with 2 x 1 threads already; asked for 1 x 1.\n"


def test_what_was_held_is_shown_when_the_import_fails() -> None:
    done = run(
        "import os, sys\n"
        "class Broken:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'tensorflow':\n"
        "            os.write(2, b'native trouble\\n'); raise ImportError('no AVX')\n"
        "sys.meta_path.insert(0, Broken())\n"
        "from vistaql.engines.tensorflow.runtime import import_tensorflow\n"
        "from vistaql.errors import VistaQLError\n"
        "try: import_tensorflow()\n"
        "except VistaQLError as error: print(error.code.value, error.message)\n"
    )
    assert done.stderr == "native trouble\n"
    assert done.stdout == "VQL3007 TensorFlow cannot be loaded: no AVX\n"


def test_descriptor_two_is_held_and_given_back(capfd: pytest.CaptureFixture[str]) -> None:
    with held_stderr(), held_stderr():
        os.write(2, b"noise")
    os.write(2, b"news")
    assert capfd.readouterr().err == "news"


@pytest.mark.parametrize(("failure", "shown"), [(RuntimeError(), "reason"), (VistaQLError(Code.BAD_MODEL, "said"), "")])
def test_what_was_held_is_shown_when_the_block_fails(
    capfd: pytest.CaptureFixture[str], failure: Exception, shown: str
) -> None:
    def fail() -> None:
        with held_stderr():
            os.write(2, b"reason")
            raise failure

    with pytest.raises(type(failure)):
        fail()
    assert capfd.readouterr().err == shown
