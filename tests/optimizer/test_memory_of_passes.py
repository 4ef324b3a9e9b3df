"""The memory of a pass: the figures that were measured, met from above and not by far."""

from __future__ import annotations

import pytest

from tests.siblings import facts
from vistaql.logical.nodes import ScanImages
from vistaql.models import roster
from vistaql.models.pool import GAP, WHOLE
from vistaql.models.union import union_of
from vistaql.physical.engine import Storage
from vistaql.physical.inference import Output, Pass
from vistaql.physical.operators import ReadImages, RunPass
from vistaql.stores.image_set import FolderSource, ImageSet

READER = ReadImages(ScanImages(ImageSet("photos", FolderSource("photos")), "photos"), None)

# Peak of the resident size beyond that of a process with TensorFlow loaded, in MB, random weights, two threads.
MEASURED = {
    ("strokes", "conv4"): 83,
    ("mobilenet_v2", "block_3_expand_relu"): 473,
    ("mobilenet_v2", "block_13_expand_relu"): 476,
    ("mobilenet_v2", "out_relu"): 502,
    ("resnet50", "conv2_block3_out"): 411,
    ("resnet50", "conv4_block6_out"): 446,
    ("resnet50", "conv5_block3_out"): 557,
    ("efficientnet_b0", "top_activation"): 504,
    ("alexnet", "conv5"): 908,
    ("alexnet", "fc7"): 908,
    ("vgg16", "block2_conv2"): 2271,
}


@pytest.mark.parametrize(("cnn", "layer"), MEASURED)
def test_a_pass_takes_what_was_measured(cnn: str, layer: str) -> None:
    found = roster.load(cnn)
    assert found is not None
    output = Output(found.layer(layer).name, GAP)  # type: ignore[union-attr]
    run = RunPass(READER, Pass(found, None, (output,)), Storage.MEMORY)
    promised = (run.memory(None)) / 1e6  # type: ignore[arg-type]
    assert 0.93 < promised / MEASURED[cnn, layer] < 1.36, promised


# Of two CNNs that are equal up to conv4_block6_out, up to the last layer of one, or of both.
UNITED = {("birds",): 513, ("birds", "fish"): 681}


@pytest.mark.parametrize("names", UNITED)
def test_a_pass_over_a_union_takes_no_more_than_is_promised(names: tuple[str, ...]) -> None:
    """More is promised for both, since each is built whole before its layers are joined."""
    cnns = {name: facts("resnet50", name, "conv4_block6_out") for name in ("birds", "fish")}
    union = union_of(cnns["birds"], cnns["fish"])
    assert union is not None
    outputs = tuple(Output(union.inside(cnns[name], "predictions"), WHOLE) for name in names)
    promised = RunPass(READER, Pass(union, None, outputs), Storage.MEMORY).memory(None) / 1e6  # type: ignore[arg-type]
    assert 1 < promised / UNITED[names] < 1.65
