"""Where weights are fetched from, and kept."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from vistaql.models.published import PUBLISHED, kept_file, unreachable

if TYPE_CHECKING:
    import pytest


def test_weights_that_keras_has_fetched_before_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    url = PUBLISHED["keras:MobileNetV2"]
    assert kept_file(url) == tmp_path / "models" / "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5"


def test_the_places_of_the_weights_are_those_of_keras() -> None:
    import keras

    folder = Path(keras.__file__).parent / "src" / "applications"
    constants = re.sub(r'"\s*\n\s*"', "", "".join(path.read_text() for path in folder.glob("*.py")))
    for url in PUBLISHED.values():
        base, _, name = url.rpartition("/")
        assert f"{base}/" in constants
        stem = name.removesuffix("_1.0_224.h5").removesuffix("_weights_tf_dim_ordering_tf_kernels.h5")
        assert stem.removesuffix(".h5") in constants


def test_a_file_that_is_not_there_cannot_be_fetched(tmp_path: Path) -> None:
    assert "No such file" in unreachable((tmp_path / "none.h5").as_uri())
    (tmp_path / "some.h5").touch()
    assert unreachable((tmp_path / "some.h5").as_uri()) == ""
