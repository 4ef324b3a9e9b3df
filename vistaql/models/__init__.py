"""Facts about CNNs: layers, shapes, FLOPs, cut points, pooling. No TensorFlow is loaded here."""
