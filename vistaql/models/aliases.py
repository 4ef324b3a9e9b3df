"""What the literature calls the layers of well-known CNNs, and which of them are worth exploring."""

from __future__ import annotations

VGG_BLOCKS = {"VGG16": (2, 2, 3, 3, 3), "VGG19": (2, 2, 4, 4, 4)}
RESNET_BLOCKS = {"ResNet50": (3, 4, 6, 3), "ResNet101": (3, 4, 23, 3), "ResNet152": (3, 8, 36, 3)}


# The blocks of MobileNetV2 that end in an add, and the last bottleneck, which has none and is named in the literature.
MOBILENET_V2_ADDS = (2, 4, 5, 7, 8, 9, 11, 12, 14, 15)


def known_aliases(family: str) -> tuple[tuple[str, str], ...]:
    """Pairs (name in the literature, name of the layer) for a CNN of Keras; the first of a layer is the one shown.

    >>> dict(known_aliases("VGG16"))["fc8"], dict(known_aliases("ResNet50"))["conv4_6"]
    ('predictions', 'conv4_block6_out')
    """
    if family in VGG_BLOCKS:
        dense = {"fc6": "fc1", "fc7": "fc2", "fc8": "predictions"}
        return tuple((vgg_blocks(VGG_BLOCKS[family]) | dense).items())
    if (stem := family.removesuffix("V2")) in RESNET_BLOCKS:
        return tuple((resnet_blocks(RESNET_BLOCKS[stem]) | {"fc6": "avg_pool"}).items())
    return ()


def known_points(family: str) -> tuple[str, ...]:
    """The exploration points of CNNs for which the literature has better ones than a rule; () for the others.

    >>> known_points("strokes")
    ('conv1', 'conv2', 'conv3', 'conv4', 'fc5', 'fc6')
    """
    if family == "strokes":
        return ("conv1", "conv2", "conv3", "conv4", "fc5", "fc6")
    if family in VGG_BLOCKS:
        ends = (f"block{block}_conv{count}" for block, count in enumerate(VGG_BLOCKS[family], start=1))
        return (*ends, "fc1", "fc2", "predictions")
    if family == "MobileNetV2":
        adds = (f"block_{block}_add" for block in MOBILENET_V2_ADDS)
        return (*adds, "block_16_project_BN", "out_relu", "global_average_pooling2d", "predictions")
    return ()


def vgg_blocks(convolutions: tuple[int, ...]) -> dict[str, str]:
    """conv3_2 is the second convolution of the third block, and pool3 ends it."""
    blocks = [(block, count) for block, count in enumerate(convolutions, start=1)]
    convs = {f"conv{b}_{n}": f"block{b}_conv{n}" for b, count in blocks for n in range(1, count + 1)}
    return convs | {f"pool{b}": f"block{b}_pool" for b, _ in blocks}


def resnet_blocks(blocks: tuple[int, ...]) -> dict[str, str]:
    """conv4_6 is what the sixth block of the fourth stage gives; stages count from 2."""
    return {
        f"conv{stage}_{n}": f"conv{stage}_block{n}_out"
        for stage, count in enumerate(blocks, start=2)
        for n in range(1, count + 1)
    }
